"""A store session in an append-only log; it rewrites the log when most lines are outdated."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from teleproto_sessions import AuthKey, tl

HOSTS = ("t.me", "telegram.me", "telegram.dog")


class LogSession:
    """`NAME/log` has one line for a change: a checksum, then `[key, value]` as JSON."""

    session_profile = "store"

    def __init__(self, name: str) -> None:
        if name in {"", ".", "..", "session"} or any(mark in name for mark in "/\\\0"):
            raise ValueError("bad name")
        self._place = Path.cwd() / name
        self._log = self._place / "log"
        self._table: dict[str, Any] = {}
        self._lines = 0
        self._loaded = False
        self._login: str | None = None

    # The log; "login" names the login from its first change to its deletion

    def load(self) -> None:
        self._read()
        self._login = self._table.get("login") or self._login

    def _read(self) -> None:
        table: dict[str, Any] = {}
        lines = []
        if self._log.exists():
            lines = self._log.read_text(encoding="ascii").splitlines()
        for line in lines:
            checksum, _, text = line.partition(" ")
            if checksum != summed(text):
                raise ValueError(f"{self._log} is damaged")
            for key, value in json.loads(text):
                table[key] = value
                if value is None:
                    del table[key]
        self._table, self._lines, self._loaded = table, len(lines), True
        self._login = self._login or table.get("login")

    def _put(self, **changes: Any) -> None:
        self._put_all(changes)

    def _put_all(self, changes: dict[str, Any]) -> None:
        self._read()
        changes = {key: value for key, value in changes.items() if self._table.get(key) != value}
        if not changes:
            return
        changes.setdefault("login", self._table.get("login") or secrets.token_hex(8))
        self._place.mkdir(mode=0o700, exist_ok=True)
        with open(self._log, "a", encoding="ascii", opener=private) as file:
            file.write(line_of([*changes.items()]))
        self._lines += 1
        for key, value in changes.items():
            self._table[key] = value
            if value is None:
                del self._table[key]
        self._login = self._table["login"]
        if self._lines > 20 + 2 * len(self._table):
            new = self._log.with_suffix(f".{os.getpid()}.new")
            with open(new, "w", encoding="ascii", opener=private) as file:
                file.write(line_of([*self._table.items()]))
            new.replace(self._log)
            self._lines = 1

    def save(self) -> str:
        self.load()
        return str(self._place)

    def close(self) -> None:
        """Do nothing: every change already closes the file."""

    def delete(self) -> None:
        for path in (self._log, *self._place.glob("log.*.new")):
            path.unlink(missing_ok=True)
        if self._place.is_dir() and not any(self._place.iterdir()):
            self._place.rmdir()
        self._table, self._lines, self._loaded, self._login = {}, 0, True, None

    # The login

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if not (isinstance(dc_id, int) and 1 <= dc_id <= 255):
            raise ValueError("bad data centre")
        if not (isinstance(port, int) and 1 <= port <= 65535 and server_address):
            raise ValueError("bad address")
        self._put(home=[dc_id, server_address, port])

    @property
    def dc_id(self) -> int | None:
        return self._table["home"][0] if "home" in self._table else None

    @property
    def server_address(self) -> str:
        return self._table["home"][1] if "home" in self._table else ""

    @property
    def port(self) -> int | None:
        return self._table["home"][2] if "home" in self._table else None

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if not self._loaded:
            self.load()
        # Another program may have switched: this handle uses its own current data centre.
        slot = dc_id or self.dc_id
        if not slot:
            raise ValueError("no data centre is chosen")
        key = None if auth_key is None else auth_key.key
        if key is not None and len(key) != 256:
            raise ValueError("bad key")
        self._put_all({f"key {slot}": key.hex() if key else None})

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey:
        """Return the key, or a blank key if there is none."""
        text = self._table.get(f"key {dc_id or self.dc_id}")
        return AuthKey(bytes.fromhex(text) if text else None)

    @property
    def auth_key(self) -> AuthKey:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    @property
    def test_servers(self) -> int:
        """0 or 1."""
        return int(self._table.get("test", 0))

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._read()
        if int(value) == self.test_servers:
            return
        if any(key.startswith("key ") for key in self._table):
            raise RuntimeError("too late")
        self._put(test=int(value) or None)

    # The entities: "=ID" holds the entity, "@NAME" and similar keys lead to the id

    def process_entities(self, tlo: object) -> None:
        self._read()
        if self._login not in (None, self._table.get("login")):
            return  # another handle has deleted the login
        changes: dict[str, Any] = {}
        for item in contents(tlo):
            described = describe(item)
            if described is None:
                continue
            place, access_hash, handles = described
            now = {**self._table, **changes}
            for handle in (now.get(place) or [0, []])[1]:
                if handle not in handles and now.get(handle) == place:
                    changes[handle] = None
            changes[place] = [access_hash, handles]
            for handle in handles:
                if handle[0] != '"' or now.get(handle) is None:
                    changes[handle] = place
        self._put_all(changes)

    def get_input_entity(self, key: Any) -> object:
        if isinstance(key, tl.Input):
            return key
        for place in places(key):
            place = place if place[0] == "=" else str(self._table.get(place))
            if place in self._table:
                number, access_hash = int(place[1:]), int(self._table[place][0])
                if number > 0:
                    return tl.InputPeerUser(number, access_hash)
                if number > -(10**12):
                    return tl.InputPeerChat(-number)
                return tl.InputPeerChannel(-number - 10**12, access_hash)
        raise LookupError("not seen")


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def summed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def line_of(items: list[tuple[str, Any]]) -> str:
    text = json.dumps(items)
    return f"{summed(text)} {text}\n"


def contents(tlo: object) -> Iterator[Any]:
    if isinstance(tlo, list):
        yield from tlo
    for field in ("user", "chat", "channel"):
        yield getattr(tlo, field, None)
    for field in ("users", "chats"):
        yield from getattr(tlo, field, None) or []


def describe(item: Any) -> tuple[str, str, list[str]] | None:
    """Return the key of an entity, its access hash as text, and the names that lead to it."""
    handles = []
    if isinstance(item, tl.Chat):
        return f"={-item.id}", "0", [f'"{item.title}']
    if not isinstance(item, (tl.User, tl.Channel)) or item.min or item.access_hash is None:
        return None
    for name in (item.username, *(each.username for each in item.usernames)):
        if name:
            handles.append(f"@{name.lower()}")
    if isinstance(item, tl.Channel):
        return f"={-(10**12) - item.id}", str(item.access_hash), [*handles, f'"{item.title}']
    if item.phone:
        handles.append(f"+{item.phone}")
    shown = " ".join(filter(None, (item.first_name, item.last_name)))
    return f"={item.id}", str(item.access_hash), [*handles, f'"{shown}'] if shown else handles


def places(key: Any) -> list[str]:
    if isinstance(key, tl.Peer):
        return [f"={tl.marked_id(key)}"]
    try:
        number = int(key) if str(key)[:1] != "+" else None
    except (TypeError, ValueError):
        number = None
    if number is not None and not isinstance(key, bool):
        marked = [number]
        if number > 0:
            marked += [-number, -(10**12) - number]
        return [f"={each}" for each in marked]
    if not isinstance(key, str) or not key:
        return []
    if key[0] == "+":
        return ["+" + "".join(char for char in key if char in "0123456789")]
    parts = key.lower().replace("https://", "").replace("http://", "").rstrip("/").split("/")
    name = parts[1] if len(parts) == 2 and parts[0] in HOSTS else key.lower().lstrip("@")
    return [f"@{name}", f'"{key}']
