"""The published addresses of the production and the test data centres.

A saved string has no room for the test-servers flag, so the address decides. Source: the addresses
in teleproto 1.229.0, all with port 443.
"""

from __future__ import annotations

PORT = 443

PRODUCTION_IPV4 = {
    1: "149.154.175.50",
    2: "149.154.167.51",
    3: "149.154.175.100",
    4: "149.154.167.91",
    5: "149.154.171.5",
}
PRODUCTION_IPV6 = {
    1: "2001:0b28:f23d:f001:0000:0000:0000:000a",
    2: "2001:067c:04e8:f002:0000:0000:0000:000a",
    3: "2001:0b28:f23d:f003:0000:0000:0000:000a",
    4: "2001:067c:04e8:f004:0000:0000:0000:000a",
    5: "2001:0b28:f23f:f005:0000:0000:0000:000a",
}
TEST_IPV4 = {1: "149.154.175.10", 2: "149.154.167.40", 3: "149.154.175.117"}
TEST_IPV6 = {
    1: "2001:0b28:f23d:f001:0000:0000:0000:000e",
    2: "2001:067c:04e8:f002:0000:0000:0000:000e",
    3: "2001:0b28:f23d:f003:0000:0000:0000:000e",
}


_PRODUCTION = (*PRODUCTION_IPV4.values(), *PRODUCTION_IPV6.values())
_TEST = (*TEST_IPV4.values(), *TEST_IPV6.values())
_TEST_SERVERS = {address: address in _TEST for address in (*_PRODUCTION, *_TEST)}


def test_servers_at(address: str) -> bool | None:
    """Whether `address` is a test server; `None` if neither table has it in this spelling."""
    return _TEST_SERVERS.get(address)


test_servers_at.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test
