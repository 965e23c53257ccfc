"""MemorySession: all the behaviour of a session, without storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from teleproto_sessions import tl
from teleproto_sessions.authkey import AuthKey
from teleproto_sessions.entities import Entity, EntityCache, entities_in
from teleproto_sessions.errors import InvalidDataCentre, TestServersLocked
from teleproto_sessions.session import Session

DC_IDS = range(1, 256)
PORTS = range(1, 65536)
ADDRESS_BYTES = range(1, 65536)


def check_dc_id(dc_id: object) -> int:
    """Return a valid `dc_id`. The range is 1 to 255, as a saved string has one byte for it."""
    if type(dc_id) is not int or dc_id not in DC_IDS:
        raise InvalidDataCentre("a data centre id must be a whole number from 1 to 255")
    return dc_id


def check_port(port: object) -> int:
    if type(port) is not int or port not in PORTS:
        raise InvalidDataCentre("a port must be a whole number from 1 to 65535")
    return port


def check_server_address(address: object) -> str:
    """Return a valid `address`. A saved string has two bytes for its length."""
    try:
        length = len(address.encode()) if isinstance(address, str) else 0
    except UnicodeEncodeError:
        length = 0
    if not isinstance(address, str) or length not in ADDRESS_BYTES:
        raise InvalidDataCentre("a server address must be text of 1 to 65535 bytes in UTF-8")
    return address


@dataclass(frozen=True)
class State:
    """Everything but the entities. It is immutable: a change returns a new state, or raises.

    Slot 0 of `keys` is the key that waits for the first data centre.
    """

    dc_id: int = 0
    server_address: str | None = None
    port: int = 0
    keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    test_servers: bool | None = None  # None: never assigned; reads as False
    undecided: bool = False  # has keys, but their servers are unknown

    def with_dc(self, dc_id: int, server_address: str, port: int) -> State:
        check_dc_id(dc_id)
        check_server_address(server_address)
        check_port(port)
        keys = dict(self.keys)
        if 0 in keys:
            keys[dc_id] = keys.pop(0)
        return replace(self, dc_id=dc_id, server_address=server_address, port=port, keys=keys)

    def with_key(self, dc_id: int, key: bytes | None) -> State:
        keys = {other: kept for other, kept in self.keys.items() if other != dc_id}
        if key:
            keys[dc_id] = key
        return replace(self, keys=keys, undecided=self.undecided and bool(keys))

    def with_test_servers(self, value: bool) -> State:
        if not isinstance(value, bool):
            raise TypeError("test_servers is True or False")
        if self.keys and not self.undecided and value != bool(self.test_servers):
            raise TestServersLocked(
                "this session has keys, so test_servers is locked; log in with a new session, "
                "or delete() this one first"
            )
        return replace(self, test_servers=value, undecided=False)


FRESH = State()


class MemorySession(Session):
    """A session that ends with the process.

    The base class of the other sessions, which can override the three hooks. If a hook raises, the
    change does not happen, so memory never holds more than the storage.
    """

    session_profile = "memory"

    def __init__(self) -> None:
        self._state = FRESH
        self._entities = EntityCache()

    def _before_change(self) -> None:
        """Read the storage if necessary, so that the change is made on top of it."""

    def _write_state(self, state: State) -> None:
        """Store `state`, which replaces `self._state`."""

    def _write_entities(self, changed: Mapping[tl.Peer, Entity]) -> None:
        """Store these entities. They are new or replace older data."""

    def _change(self, state: State) -> None:
        self._write_state(state)
        self._state = state

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        self._before_change()
        self._change(self._state.with_dc(dc_id, server_address, port))

    @property
    def dc_id(self) -> int:
        return self._state.dc_id

    @property
    def server_address(self) -> str | None:
        return self._state.server_address

    @property
    def port(self) -> int:
        return self._state.port

    @property
    def test_servers(self) -> bool:
        return bool(self._state.test_servers)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._before_change()
        self._change(self._state.with_test_servers(value))

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = AuthKey(auth_key.key if isinstance(auth_key, AuthKey) else auth_key).key
        self._before_change()
        slot = self._state.dc_id if dc_id is None else check_dc_id(dc_id)
        self._change(self._state.with_key(slot, key))

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._state.keys.get(self._state.dc_id if dc_id is None else dc_id)
        return AuthKey(key) if key else None

    def process_entities(self, tlo: object) -> None:
        seen = list(entities_in(tlo))
        if not seen:
            return
        self._before_change()
        changed = self._entities.plan(seen)
        self._write_entities(changed)
        self._entities.apply(changed)

    def get_input_entity(self, key: object) -> tl.Input:
        return self._entities.find(key)

    def load(self) -> None:
        """Do nothing: there is no storage."""

    def save(self) -> str | None:
        """Do nothing: there is no storage."""
        return None

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def delete(self) -> None:
        self._state = FRESH
        self._entities = EntityCache()
