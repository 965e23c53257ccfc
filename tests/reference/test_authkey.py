from __future__ import annotations

from typing import Any

import pytest
from teleproto_sessions import AuthKey, InvalidAuthKey

KEY = bytes(range(256))


def test_holds_256_bytes_or_none() -> None:
    holder = AuthKey()
    assert holder.key is None
    assert not holder
    holder.key = KEY
    assert holder.key == KEY
    assert holder
    holder.key = None
    assert holder == AuthKey()


@pytest.mark.parametrize("wrong", [b"", KEY[:-1], KEY + b"\0", "k" * 256, 256, [0] * 256])
def test_refuses_other_values(wrong: Any) -> None:
    holder = AuthKey(KEY)
    with pytest.raises(InvalidAuthKey):
        holder.key = wrong
    assert holder.key == KEY


def test_is_equal_by_key_and_has_no_hash() -> None:
    assert AuthKey(KEY) == AuthKey(bytes(bytearray(KEY)))
    assert AuthKey(KEY) != AuthKey(KEY[::-1])
    assert AuthKey(KEY) != KEY
    with pytest.raises(TypeError):
        hash(AuthKey(KEY))


def test_shows_no_byte() -> None:
    assert repr(AuthKey(KEY)) == str(AuthKey(KEY)) == "<AuthKey 256 bytes>"
    assert repr(AuthKey()) == "<AuthKey blank>"
    with pytest.raises(TypeError):
        vars(AuthKey(KEY))
