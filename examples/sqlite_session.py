"""A session in an SQLite file: a complete custom backend that uses only the standard library.

Check it in this directory with

    pytest --session-impl=sqlite_session.SqliteSession

Every change is committed before its call returns, so `save()` has nothing left to do.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from teleproto_sessions import AuthKey, tl

SCHEMA = """
    CREATE TABLE IF NOT EXISTS home (
        dc_id INTEGER, server_address TEXT, port INTEGER, test_servers INTEGER
    );
    CREATE TABLE IF NOT EXISTS keys (dc_id INTEGER PRIMARY KEY, key BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS entities (
        marked_id INTEGER PRIMARY KEY, access_hash INTEGER NOT NULL, phone TEXT, name TEXT
    );
    CREATE TABLE IF NOT EXISTS usernames (username TEXT PRIMARY KEY, marked_id INTEGER NOT NULL);
"""
LINK = re.compile(r"(https?://)?(t\.me|telegram\.me|telegram\.dog)/", re.IGNORECASE)


class SqliteSession:
    """A login and its entities in `NAME.sqlite`, below the working directory."""

    session_profile = "custom"

    def __init__(self, name: str) -> None:
        path = quote(name, safe="") + ".sqlite"
        # As with a password, only the owner may read the file. Its journal gets the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path)
        self._db.executescript(SCHEMA)
        self._login = self._current_login()

    def _current_login(self) -> int:
        """The number of the login in the file. delete() adds 1, so that other handles notice."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    # The data centre

    def _home(self) -> tuple[int, str | None, int, bool]:
        row = self._db.execute("SELECT * FROM home").fetchone()
        return row or (0, None, 0, False)

    def _set_home(self, *home: object) -> None:
        self._db.execute("DELETE FROM home")
        self._db.execute("INSERT INTO home VALUES (?, ?, ?, ?)", home)

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if not isinstance(dc_id, int) or not 0 < dc_id < 256:
            raise ValueError("a data centre has an id from 1 to 255")
        if not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError("a data centre has a port from 1 to 65535")
        if not server_address:
            raise ValueError("a data centre has an address")
        with self._db:
            # A key that was set before any data centre is in slot 0. Move it.
            self._db.execute("UPDATE OR REPLACE keys SET dc_id = ? WHERE dc_id = 0", (dc_id,))
            self._set_home(dc_id, server_address, port, self.test_servers)
            self._login = self._current_login()

    @property
    def dc_id(self) -> int:
        return self._home()[0]

    @property
    def server_address(self) -> str | None:
        return self._home()[1]

    @property
    def port(self) -> int:
        return self._home()[2]

    @property
    def test_servers(self) -> bool:
        return bool(self._home()[3])

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        locked = self._db.execute("SELECT 1 FROM keys").fetchone()
        if locked and value != self.test_servers:
            raise PermissionError("test_servers is locked: there is a key already")
        with self._db:
            self._set_home(*self._home()[:3], value)

    # The auth keys

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        slot = self.dc_id if dc_id is None else dc_id
        key = auth_key.key if auth_key is not None else None
        if key and len(key) != 256:
            raise ValueError("an auth key has 256 bytes")
        with self._db:
            self._db.execute("DELETE FROM keys WHERE dc_id = ?", (slot,))
            if key:
                self._db.execute("INSERT INTO keys VALUES (?, ?)", (slot, key))
            self._login = self._current_login()

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        slot = self.dc_id if dc_id is None else dc_id
        row = self._db.execute("SELECT key FROM keys WHERE dc_id = ?", (slot,)).fetchone()
        return AuthKey(row[0]) if row else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    # The entities

    def process_entities(self, tlo: object) -> None:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            # If another handle has deleted this login, its entities are not stored again.
            if self._login == self._current_login():
                for entity in _entities_in(tlo):
                    self._remember(entity)

    def _remember(self, entity: Any) -> None:
        usernames: list[str] = []
        phone = None
        if isinstance(entity, tl.User):
            peer: tl.Peer = tl.PeerUser(entity.id)
            name = " ".join(filter(None, (entity.first_name, entity.last_name)))
            phone = entity.phone
        elif isinstance(entity, tl.Channel):
            peer, name = tl.PeerChannel(entity.id), entity.title
        elif isinstance(entity, tl.Chat):
            peer, name = tl.PeerChat(entity.id), entity.title
        else:
            return
        access_hash = getattr(entity, "access_hash", 0)
        if access_hash is None or getattr(entity, "min", False):
            return
        if isinstance(entity, (tl.User, tl.Channel)):
            usernames = [entity.username or "", *(other.username for other in entity.usernames)]
        marked_id = tl.marked_id(peer)
        self._db.execute(
            "INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?)",
            (marked_id, access_hash, phone or None, name or None),
        )
        self._db.execute("DELETE FROM usernames WHERE marked_id = ?", (marked_id,))
        for username in filter(None, usernames):
            self._db.execute(
                "INSERT OR REPLACE INTO usernames VALUES (?, ?)", (username.lower(), marked_id)
            )

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, tl.Input):
            return key
        for marked_id in self._marked_ids(key):
            row = self._db.execute(
                "SELECT access_hash FROM entities WHERE marked_id = ?", (marked_id,)
            ).fetchone()
            if row:
                return _input_peer(tl.peer_of(marked_id), row[0])
        raise ValueError("no such entity in the cache")

    def _marked_ids(self, key: object) -> Iterator[int]:
        """Yield the marked ids to try, the best match first."""
        if isinstance(key, tl.Peer):
            yield tl.marked_id(key)
        elif isinstance(key, int):
            yield key
            if key > 0:
                yield from (-key, tl.marked_id(tl.PeerChannel(key)))
        elif isinstance(key, str) and re.fullmatch(r"-?\d+", key):
            yield from self._marked_ids(int(key))
        elif isinstance(key, str):
            username = LINK.sub("", key).rstrip("/").removeprefix("@").lower()
            for column, table, value in (
                ("username", "usernames", username),
                ("phone", "entities", re.sub(r"\D", "", key) if key.startswith("+") else None),
                ("name", "entities", key),
            ):
                found = f"SELECT marked_id FROM {table} WHERE {column} = ?"
                yield from (row[0] for row in self._db.execute(found, (value,)))

    # Loading, saving and deleting

    def load(self) -> None:
        """Continue with the login in the file. Each call reads all other values from the file."""
        if self.dc_id:
            self._login = self._current_login()

    def save(self) -> None:
        self._db.commit()

    def close(self) -> None:
        self._db.close()

    def delete(self) -> None:
        with self._db:
            for table in ("home", "keys", "entities", "usernames"):
                self._db.execute(f"DELETE FROM {table}")
            self._login = self._current_login() + 1
            self._db.execute(f"PRAGMA user_version = {self._login}")


def _entities_in(tlo: object) -> Iterator[object]:
    if isinstance(tlo, list):
        yield from tlo
    else:
        yield from (getattr(tlo, field, None) for field in ("user", "chat", "channel"))
        for field in ("users", "chats"):
            yield from getattr(tlo, field, None) or ()


def _input_peer(peer: tl.Peer, access_hash: int) -> tl.InputPeer:
    match peer:
        case tl.PeerUser(user_id):
            return tl.InputPeerUser(user_id, access_hash)
        case tl.PeerChat(chat_id):
            return tl.InputPeerChat(chat_id)
        case tl.PeerChannel(channel_id):
            return tl.InputPeerChannel(channel_id, access_hash)
