from __future__ import annotations

from collections.abc import Callable

import pytest
from teleproto_sessions import AuthKey, StringSession, TestServersLocked

Key = Callable[[int], AuthKey]


def saved_at(address: str, key: AuthKey) -> str:
    session = StringSession()
    session.set_dc(2, address, 443)
    session.auth_key = key
    return session.save()


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_string_is_a_fresh_session(nothing: str | None) -> None:
    session = StringSession(nothing)
    session.load()
    assert (session.dc_id, session.auth_key, session.save()) == (0, None, "")


def test_an_incomplete_session_saves_as_an_empty_string(key: Key) -> None:
    session = StringSession()
    session.auth_key = key(1)
    assert session.save() == ""
    session.set_dc(2, "address", 443)
    assert session.save() != ""
    session.set_auth_key(None)
    assert session.save() == ""


def test_save_and_read(key: Key) -> None:
    saved = saved_at("149.154.167.51", key(1))
    session = StringSession(saved)
    assert session.save() == saved
    session.load()
    assert (session.dc_id, session.server_address, session.port) == (2, "149.154.167.51", 443)
    assert session.auth_key == key(1)
    assert saved[1:20] not in f"{session!r} {vars(session)}"


def test_changes_before_load_are_added_to_the_login(key: Key) -> None:
    session = StringSession(saved_at("149.154.167.51", key(1)))
    session.set_dc(4, "149.154.167.91", 443)
    session.load()
    assert (session.dc_id, session.auth_key) == (4, None)
    session.set_dc(2, "149.154.167.51", 443)
    assert session.auth_key == key(1)


@pytest.mark.parametrize(("address", "flag"), [("149.154.167.51", False), ("149.154.167.40", True)])
def test_a_published_address_decides_the_flag(address: str, flag: bool, key: Key) -> None:
    session = StringSession(saved_at(address, key(1)))
    assert session.test_servers is flag
    with pytest.raises(TestServersLocked):
        session.test_servers = not flag


@pytest.mark.parametrize("flag", [True, False])
def test_otherwise_the_first_assignment_decides(flag: bool, key: Key) -> None:
    session = StringSession(saved_at("10.0.0.1", key(1)))
    assert session.test_servers is False
    session.test_servers = flag
    with pytest.raises(TestServersLocked):
        session.test_servers = not flag
    assert session.test_servers is flag
