from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from teleproto_sessions import (
    AuthKey,
    EntityNotFound,
    InvalidAuthKey,
    InvalidDataCentre,
    MemorySession,
    TestServersLocked,
    tl,
)

Key = Callable[[int], AuthKey]
DC2 = (2, "149.154.167.51", 443)
DC4 = (4, "149.154.167.91", 443)


def test_fresh() -> None:
    session = MemorySession()
    assert (session.dc_id, session.server_address, session.port) == (0, None, 0)
    assert session.auth_key is None
    assert session.test_servers is False
    session.load()
    assert session.save() is None
    assert repr(session) == "<MemorySession data centre 0>"


def test_keys_stay_with_their_data_centre(key: Key) -> None:
    session = MemorySession()
    session.set_dc(*DC2)
    session.auth_key = key(2)
    session.set_auth_key(key(4), 4)
    assert session.get_auth_key(4) == key(4)
    session.set_dc(*DC4)
    assert session.auth_key == key(4)
    session.set_dc(2, "other.example.org", 1)
    assert session.auth_key == session.get_auth_key(2) == key(2)
    session.set_auth_key(None)
    session.set_dc(*DC4)
    session.set_dc(*DC2)
    assert session.auth_key is None
    assert session.get_auth_key(4) == key(4)
    assert session.get_auth_key(5) is None


def test_a_key_without_a_data_centre_goes_to_the_next_one(key: Key) -> None:
    session = MemorySession()
    session.set_auth_key(key(4), 4)
    session.auth_key = key(1)
    assert session.auth_key == key(1)
    session.set_dc(*DC4)
    assert session.auth_key == session.get_auth_key(4) == key(1)
    session.set_dc(*DC2)
    assert session.auth_key is None


def test_the_key_object_belongs_to_the_caller(key: Key) -> None:
    session = MemorySession()
    session.set_dc(*DC2)
    holder = AuthKey()
    session.auth_key = holder
    assert session.auth_key is None
    holder.key = key(1).key
    session.auth_key = holder
    holder.key = None
    assert session.auth_key == key(1)
    session.auth_key = AuthKey()
    assert session.auth_key is None


@pytest.mark.parametrize("wrong", [0, 256, -1, 2.0, "2", True, None])
def test_invalid_dc_ids(wrong: Any, key: Key) -> None:
    session = MemorySession()
    session.set_dc(*DC2)
    with pytest.raises(InvalidDataCentre):
        session.set_dc(wrong, "address", 443)
    if wrong is not None:
        with pytest.raises(InvalidDataCentre):
            session.set_auth_key(key(1), wrong)
    assert (session.dc_id, session.server_address, session.auth_key) == (2, DC2[1], None)


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("", 443),
        (None, 443),
        ("\ud800", 443),
        ("h" * 65536, 443),
        (b"h", 443),
        ("h", 0),
        ("h", 65536),
        ("h", -1),
        ("h", "443"),
        ("h", True),
        ("h", None),
    ],
)
def test_invalid_addresses_and_ports(address: Any, port: Any) -> None:
    session = MemorySession()
    with pytest.raises(InvalidDataCentre):
        session.set_dc(2, address, port)
    assert session.dc_id == 0


@pytest.mark.parametrize("wrong", [b"short", "text", 5, object()])
def test_invalid_keys(wrong: Any, key: Key) -> None:
    session = MemorySession()
    session.set_dc(*DC2)
    session.auth_key = key(1)
    with pytest.raises(InvalidAuthKey):
        session.set_auth_key(wrong)
    assert session.auth_key == key(1)


def test_test_servers_lock(key: Key) -> None:
    session = MemorySession()
    session.test_servers = True
    session.set_auth_key(AuthKey(), 4)
    session.test_servers = False
    session.test_servers = True
    session.set_auth_key(key(4), 4)
    session.set_dc(*DC2)
    session.test_servers = True
    with pytest.raises(TestServersLocked):
        session.test_servers = False
    assert session.test_servers is True
    session.delete()
    assert session.test_servers is False
    session.test_servers = True


def test_a_waiting_key_locks_too(key: Key) -> None:
    session = MemorySession()
    session.auth_key = key(1)
    with pytest.raises(TestServersLocked):
        session.test_servers = True


def test_the_flag_is_a_bool() -> None:
    flag: Any = 1
    with pytest.raises(TypeError):
        MemorySession().test_servers = flag


def test_after_delete_the_object_is_empty_and_usable(key: Key) -> None:
    session = MemorySession()
    session.set_dc(*DC2)
    session.auth_key = key(1)
    session.process_entities([tl.User(1, 1)])
    session.delete()
    session.close()
    session.close()
    assert (session.dc_id, session.get_auth_key(2)) == (0, None)
    with pytest.raises(EntityNotFound):
        session.get_input_entity(1)
    session.set_dc(*DC4)
    assert session.dc_id == 4


def test_shows_no_key_and_writes_nothing(key: Key, tmp_path: Path) -> None:
    session = MemorySession()
    session.auth_key = key(1)
    shown = f"{session!r} {vars(session)}"
    assert str(key(1).key)[2:20] not in shown
    assert list(tmp_path.iterdir()) == []
