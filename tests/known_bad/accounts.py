"""Faulty sessions: the accounts of one database, or of one program, are not kept apart.

`AccountsSession` is correct: each of its SQL statements names the account. From it are made as many
sessions as it has statements, and each forgets the account in one of them.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from teleproto_sessions import AuthKey, tl
from teleproto_sessions.entities import entities_in
from teleproto_sessions.memory import FRESH, State

from known_bad.blob import ThroughSession
from known_bad.registry import breaks, breaks_among_others

TABLES = {
    "homes": "account PRIMARY KEY, dc_id, server_address, port, test_servers, login",
    "keys": "account, dc_id, key, PRIMARY KEY (account, dc_id)",
    "entities": "account, marked_id, access_hash, phone, name, PRIMARY KEY (account, marked_id)",
    "usernames": "account, username, marked_id, PRIMARY KEY (account, username)",
}
STATEMENTS = {
    "Home": "SELECT dc_id, server_address, port FROM homes WHERE account = :account",
    "Flag": "SELECT test_servers FROM homes WHERE account = :account",
    "Login": "SELECT login FROM homes WHERE account = :account",
    "DataCentreSet": """
        UPDATE homes SET dc_id = :dc_id, server_address = :address, port = :port
        WHERE account = :account
    """,
    "FlagSet": "UPDATE homes SET test_servers = :value WHERE account = :account",
    "WaitingKey": """
        UPDATE OR REPLACE keys SET dc_id = :dc_id WHERE dc_id = 0 AND account = :account
    """,
    "Lock": "SELECT 1 FROM keys WHERE account = :account",
    "Key": "SELECT key FROM keys WHERE dc_id = :dc_id AND account = :account",
    "KeyCleared": "DELETE FROM keys WHERE dc_id = :dc_id AND account = :account",
    "UsernamesGivenUp": """
        DELETE FROM usernames WHERE marked_id = :marked_id AND account = :account
    """,
    "PhoneTakenOver": """
        UPDATE entities SET phone = NULL WHERE phone = :phone AND account = :account
    """,
    "Entity": """
        SELECT marked_id, access_hash FROM entities
        WHERE marked_id = :marked_id AND account = :account
    """,
    "Username": """
        SELECT marked_id FROM usernames WHERE username = :text AND account = :account
    """,
    "Phone": "SELECT marked_id FROM entities WHERE phone = :digits AND account = :account",
    "Name": "SELECT marked_id FROM entities WHERE name = :text AND account = :account",
    "HomeDeleted": """
        UPDATE homes SET login = login + 1, dc_id = 0, server_address = NULL, port = 0,
        test_servers = 0 WHERE account = :account
    """,
    "KeysDeleted": "DELETE FROM keys WHERE account = :account",
    "EntitiesDeleted": "DELETE FROM entities WHERE account = :account",
    "UsernamesDeleted": "DELETE FROM usernames WHERE account = :account",
}
LINK = re.compile(r"(https?://)?(t\.me|telegram\.me|telegram\.dog)/", re.IGNORECASE)


class AccountsSession:
    """A correct session in `accounts.db`, which holds all accounts."""

    session_profile = "custom"

    TABLES: ClassVar = TABLES
    STATEMENTS: ClassVar = STATEMENTS

    def __init__(self, name: str) -> None:
        path = Path("accounts.db").absolute()
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._account = name.encode()
        self._db = self._connect(path)
        for table, columns in self.TABLES.items():
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        with self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO homes VALUES (?, 0, NULL, 0, 0, 0)", (self._account,)
            )
        self._login = self._one("Login")[0]

    def _connect(self, path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path)

    def _all(self, statement: str, **values: object) -> list[Any]:
        sql = self.STATEMENTS[statement]
        return self._db.execute(sql, {"account": self._account, **values}).fetchall()

    def _one(self, statement: str, **values: object) -> Any:
        return next(iter(self._all(statement, **values)), None)

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        FRESH.with_dc(dc_id, server_address, port)
        with self._db:
            self._all("WaitingKey", dc_id=dc_id)
            self._all("DataCentreSet", dc_id=dc_id, address=server_address, port=port)
            self._login = self._one("Login")[0]

    @property
    def dc_id(self) -> int:
        return int(self._one("Home")[0])

    @property
    def server_address(self) -> str | None:
        address: str | None = self._one("Home")[1]
        return address

    @property
    def port(self) -> int:
        return int(self._one("Home")[2])

    @property
    def test_servers(self) -> bool:
        return bool(self._one("Flag")[0])

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if value != self.test_servers and self._one("Lock"):
            raise PermissionError("test_servers is locked")
        with self._db:
            self._all("FlagSet", value=value)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = AuthKey(auth_key.key if auth_key is not None else None).key
        slot = self.dc_id if dc_id is None else dc_id
        with self._db:
            self._all("KeyCleared", dc_id=slot)
            if key:
                self._db.execute("REPLACE INTO keys VALUES (?, ?, ?)", (self._account, slot, key))
            self._login = self._one("Login")[0]

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        row = self._one("Key", dc_id=self.dc_id if dc_id is None else dc_id)
        return AuthKey(row[0]) if row else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    def process_entities(self, tlo: object) -> None:
        seen = list(entities_in(tlo))
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if self._login != self._one("Login")[0]:
                return  # another handle has deleted this login
            for entity in seen:
                marked_id = tl.marked_id(entity.peer)
                self._all("UsernamesGivenUp", marked_id=marked_id)
                self._all("PhoneTakenOver", phone=entity.phone)
                row = marked_id, entity.access_hash, entity.phone, entity.name or None
                self._db.execute(
                    "REPLACE INTO entities VALUES (?, ?, ?, ?, ?)", (self._account, *row)
                )
                for username in filter(None, (entity.username, *entity.usernames)):
                    self._db.execute(
                        "REPLACE INTO usernames VALUES (?, ?, ?)",
                        (self._account, username, marked_id),
                    )

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, tl.Input):
            return key
        for marked_id in self._marked_ids(key):
            row = self._one("Entity", marked_id=marked_id)
            if row:
                match tl.peer_of(row[0]):
                    case tl.PeerUser(user_id):
                        return tl.InputPeerUser(user_id, row[1])
                    case tl.PeerChat(chat_id):
                        return tl.InputPeerChat(chat_id)
                    case tl.PeerChannel(channel_id):
                        return tl.InputPeerChannel(channel_id, row[1])
        raise ValueError("no such entity")

    def _marked_ids(self, key: object) -> Iterator[int]:
        if isinstance(key, tl.Peer):
            yield tl.marked_id(key)
        elif isinstance(key, int):
            yield key
            if key > 0:
                yield from (-key, tl.marked_id(tl.PeerChannel(key)))
        elif isinstance(key, str) and key.removeprefix("-").isdigit():
            yield from self._marked_ids(int(key))
        elif isinstance(key, str):
            text = LINK.sub("", key).rstrip("/").removeprefix("@").lower()
            digits = "".join(filter(str.isdigit, key)) if key.startswith("+") else None
            for found in (
                self._all("Phone", digits=digits),
                self._all("Username", text=text),
                self._all("Name", text=key),
            ):
                yield from (row[0] for row in found)

    def load(self) -> None:
        if self.dc_id:
            self._login = self._one("Login")[0]

    def save(self) -> None:
        self._db.commit()

    def close(self) -> None:
        self._db.close()

    def delete(self) -> None:
        with self._db:
            for statement in STATEMENTS:
                if statement.endswith("Deleted"):
                    self._all(statement)
            self._login = self._one("Login")[0]


@breaks_among_others("ISO-1")
class KeysByDataCentre(AccountsSession):
    """Has a table of keys whose primary key is the data centre, without the account."""

    TABLES: ClassVar = {**TABLES, "keys": "account, dc_id PRIMARY KEY, key"}


@breaks_among_others("ISO-1")
class EntitiesById(AccountsSession):
    """Has a table of entities whose primary key is the marked id, without the account."""

    TABLES: ClassVar = {
        **TABLES,
        "entities": "account, marked_id PRIMARY KEY, access_hash, phone, name",
    }


@breaks_among_others("ISO-1")
class UsernamesAlone(AccountsSession):
    """Has a table of usernames whose primary key is the username, without the account."""

    TABLES: ClassVar = {**TABLES, "usernames": "account, username PRIMARY KEY, marked_id"}


@breaks_among_others("ISO-1")
class PhonesAlone(AccountsSession):
    """Has a table of entities in which each phone number is there once for all accounts."""

    TABLES: ClassVar = {**TABLES, "entities": TABLES["entities"].replace("phone,", "phone UNIQUE,")}


def _forgetful(statement: str) -> type[AccountsSession]:
    """Return the session that forgets the account in one statement."""
    sql, count = re.subn(r"\s+(WHERE|AND) account = :account", "", STATEMENTS[statement])
    assert count == 1
    made = type(
        f"Forgets{statement}",
        (AccountsSession,),
        {"__module__": __name__, "STATEMENTS": {**STATEMENTS, statement: sql}},
    )
    globals()[made.__name__] = made  # so that a host finds it
    return made


for _statement in STATEMENTS:
    _of_deleting = _statement == "Login" or _statement.endswith("Deleted")
    breaks_among_others("ISO-3" if _of_deleting else "ISO-1")(_forgetful(_statement))


OWNERS: dict[str, tl.Peer] = {}


@breaks("ISO-1")
class UsernamesOfTheProgram(ThroughSession):
    """Keeps the owner of a username once for all sessions of the program."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        for entity in entities_in(tlo):
            OWNERS.update(dict.fromkeys(entity.handles(), entity.peer))

    def get_input_entity(self, key: object) -> tl.Input:
        found = super().get_input_entity(key)
        newest = OWNERS.get(key.lower()) if isinstance(key, str) else None
        return found if newest is None else super().get_input_entity(newest)


LOGGED_IN: set[Path] = set()


@breaks("ISO-1")
class LockOfTheProgram(ThroughSession):
    """Locks the flag of all sessions of the program as soon as one has a key."""

    @property
    def test_servers(self) -> bool:
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if value != self.test_servers and self._path.parent.parent in LOGGED_IN:
            raise PermissionError("a session of this program has a key")
        self._before_change()
        self._change(self._state.with_test_servers(value))

    def _change(self, state: State) -> None:
        super()._change(state)
        if state.keys:
            LOGGED_IN.add(self._path.parent.parent)

    def delete(self) -> None:
        super().delete()
        LOGGED_IN.discard(self._path.parent.parent)


class _Shared(sqlite3.Connection):
    """A connection that others may refer to weakly."""


CONNECTIONS: WeakValueDictionary[Path, _Shared] = WeakValueDictionary()


@breaks("ISO-1")
class OneConnection(AccountsSession):
    """Shares one connection among all accounts of the program, and close() ends it."""

    def _connect(self, path: Path) -> sqlite3.Connection:
        try:
            shared = CONNECTIONS[path]
            shared.execute("SELECT 1")
        except (KeyError, sqlite3.ProgrammingError):  # the first one, or closed
            shared = CONNECTIONS[path] = sqlite3.connect(path, factory=_Shared)
        return shared
