from __future__ import annotations

import pytest
from teleproto_sessions import datacentres


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("149.154.167.51", False),
        ("149.154.167.40", True),
        ("2001:067c:04e8:f002:0000:0000:0000:000a", False),
        ("2001:067c:04e8:f002:0000:0000:0000:000e", True),
        ("2001:67c:4e8:f002::a", None),
        ("2001:067C:04E8:F002:0000:0000:0000:000E", None),
        ("2001:b28:f23f:f005::e", None),
        ("venus.web.telegram.org", None),
        ("149.154.167.52", None),
        ("", None),
    ],
)
def test_which_servers(address: str, expected: bool | None) -> None:
    assert datacentres.test_servers_at(address) is expected
