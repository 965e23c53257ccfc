"""Strings: every input of the ground truth, and strings that the real Telethon writes."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from teleproto_sessions import InvalidSessionString, StringSession
from telethon.crypto import AuthKey as TelethonAuthKey
from telethon.sessions import StringSession as TelethonStringSession

from .cases import attempt, cases_of_teleproto, cases_of_telethon, load_string, save_string
from .differences import explained

STRINGS = dict(cases_of_teleproto())
TELETHON = dict(cases_of_telethon())


@pytest.mark.parametrize("name", STRINGS)
def test_teleproto(name: str) -> None:
    case = STRINGS[name]
    run = save_string if case["operation"] == "save" else load_string
    mine = attempt(lambda: run(case["input_string_or_state"]))
    outcome = case["outcome"]
    theirs = "refused" if "error" in outcome else outcome.get("saved", outcome)
    assert (mine != theirs) == explained(name)


@pytest.mark.parametrize("name", TELETHON)
def test_telethon_strings(name: str) -> None:
    case = TELETHON[name]
    mine = attempt(lambda: load_string(case["string"]))
    assert (mine != case["teleproto_1.229.0"]) == explained(name)
    if case["ip_version"] == 4:
        assert mine != "refused"
        for field in ("dc_id", "server_address", "port", "auth_key_hex"):
            assert mine[field] == case[field]
        assert load_string(mine["resaved"]) == mine


def telethon_string(dc_id: int, address: str, port: int, key: bytes) -> str:
    session: Any = TelethonStringSession()
    session.set_dc(dc_id, address, port)
    session.auth_key = TelethonAuthKey(key)
    return str(session.save())


dc_ids = st.integers(1, 255)
ports = st.integers(1, 65535)
keys = st.binary(min_size=256, max_size=256)


@given(dc_ids, st.ip_addresses(v=4).map(str), ports, keys)
def test_a_string_of_telethon_is_read(dc_id: int, address: str, port: int, key: bytes) -> None:
    session = StringSession(telethon_string(dc_id, address, port, key))
    for loaded in (session, StringSession(session.save())):
        assert (loaded.dc_id, loaded.server_address, loaded.port) == (dc_id, address, port)
        assert loaded.auth_key is not None
        assert loaded.auth_key.key == key
    assert len(session.save()) == 1 + (261 + len(address) + 2) // 3 * 4


@given(dc_ids, st.ip_addresses(v=6).map(str), ports, keys)
def test_ipv6_of_telethon_is_named(dc_id: int, address: str, port: int, key: bytes) -> None:
    packed = ipaddress.IPv6Address(address).packed
    if packed[:2] != b"\x00\x0e":  # otherwise it may be teleproto's, with an address of 14 bytes
        with pytest.raises(InvalidSessionString, match="IPv6"):
            StringSession(telethon_string(dc_id, address, port, key))
