"""A session in a key-value store; a factory chooses the store."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any, Protocol

from teleproto_sessions import AuthKey, tl


class Store(Protocol):
    """The part of a key-value store that the session needs."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str) -> None: ...

    def delete(self, *keys: str) -> None: ...


class FileStore:
    """One file for each key, always replaced as a whole, like an object in S3."""

    def __init__(self) -> None:
        self._bucket = Path("bucket").absolute()

    def _path(self, key: str) -> Path:
        # A key may be too long for a file name.
        return self._bucket / hashlib.sha256(key.encode()).hexdigest()

    def get(self, key: str) -> str | None:
        path = self._path(key)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def set(self, key: str, value: str) -> None:
        self._bucket.mkdir(mode=0o700, exist_ok=True)
        new = self._path(key).with_suffix(f".{os.getpid()}")
        new.write_text(value, encoding="utf-8")
        new.replace(self._path(key))

    def delete(self, *keys: str) -> None:
        for key in keys:
            path = self._path(key)
            for each in (path, *self._bucket.glob(f"{path.name}.*")):
                each.unlink(missing_ok=True)


class KeyValueSession:
    """Reads the login in load(), and each entity when it is needed; writes in save().

    The login is one value: `home`, `test`, `key DC` for each key, its own `id`, and the current
    version of every other value. save() writes it last, so that all values change at once.
    """

    def __init__(self, name: str, store: Store) -> None:
        self._name, self._store = name, store
        self._known: dict[str, Any] | None = None
        self._id: str | None = None
        self._changes: dict[str, Any] = {}
        self._seen: dict[str, str | None] = {}

    def _key(self, *place: str) -> str:
        return json.dumps([self._name, *place])

    def _stored(self) -> dict[str, Any]:
        login: dict[str, Any] = json.loads(self._store.get(self._key("login")) or "{}")
        return login

    @property
    def _login(self) -> dict[str, Any]:
        """The login; before load() the stored one, which costs one request."""
        if self._known is None:
            self._known = self._read()
        return {**self._known, **self._changes}

    def _read(self) -> dict[str, Any]:
        login = self._stored()
        self._id = login.get("id", self._id)
        return login

    def _get(self, field: str) -> str | None:
        if field in self._seen:
            return self._seen[field]
        version = self._login.get(field)
        return self._store.get(self._key(field, version)) if version else None

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        for text, pattern in ((dc_id, r"[1-9]\d{0,2}"), (port, r"[1-9]\d{0,4}")):
            if not re.fullmatch(pattern, str(text)):
                raise ValueError(f"{text!r} is not an allowed number")
        if int(dc_id) > 255 or int(port) > 65535 or not server_address:
            raise ValueError("beyond the limits")
        early = self._login.get("key 0")
        self._changes["home"] = [dc_id, server_address, port]
        if early:
            self._changes |= {"key 0": None, f"key {dc_id}": early}

    @property
    def dc_id(self) -> int:
        return int(self._login.get("home", [0])[0])

    @property
    def server_address(self) -> str | None:
        address: str | None = self._login.get("home", [0, None])[1]
        return address

    @property
    def port(self) -> int:
        return int(self._login.get("home", [0, None, 0])[2])

    @property
    def test_servers(self) -> bool:
        return bool(self._login.get("test"))

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._check_flag(self._login, value)
        self._changes["test"] = value

    def _check_flag(self, login: dict[str, Any], value: bool) -> None:
        locked = any(held for field, held in login.items() if field.startswith("key "))
        if locked and value != bool(login.get("test")):
            raise ValueError("test_servers is locked")

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = AuthKey(auth_key.key).key if auth_key is not None else None
        self._changes[f"key {self.dc_id if dc_id is None else dc_id}"] = key.hex() if key else None

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        text = self._login.get(f"key {self.dc_id if dc_id is None else dc_id}")
        return AuthKey(bytes.fromhex(text)) if text else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    async def process_entities(self, tlo: object) -> None:
        found = tlo if isinstance(tlo, list) else []
        for field in ("user", "chat", "channel"):
            found = [*found, getattr(tlo, field, None)]
        for field in ("users", "chats"):
            found = [*found, *(getattr(tlo, field, None) or ())]
        for item in found:
            if isinstance(item, (tl.User, tl.Channel)) and (item.min or item.access_hash is None):
                continue
            if isinstance(item, tl.User):
                shown = " ".join(filter(None, (item.first_name, item.last_name)))
                self._see(item.id, item, [f"+{item.phone}", f"={shown}"])
            elif isinstance(item, (tl.Chat, tl.Channel)):
                offset = 10**12 if isinstance(item, tl.Channel) else 0
                self._see(-offset - item.id, item, [f"={item.title}"])

    def _see(
        self, marked_id: int, item: tl.User | tl.Chat | tl.Channel, handles: list[str]
    ) -> None:
        if not isinstance(item, tl.Chat):
            names = (item.username, *(other.username for other in item.usernames))
            handles = [*handles, *(f"@{name.lower()}" for name in names if name)]
        before = json.loads(self._get(f"#{marked_id}") or "[0, []]")[1]
        for handle in before:
            if self._get(handle) == str(marked_id):
                self._seen[handle] = None
        for handle in handles:
            if handle not in ("+None", "="):
                self._seen[handle] = str(marked_id)
        self._seen[f"#{marked_id}"] = json.dumps([getattr(item, "access_hash", 0), handles])

    async def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, tl.Input):
            return key
        for marked in self._marked(key):
            row = self._get(f"#{marked}")
            if row is not None:
                marked_id, access_hash = int(marked), json.loads(row)[0]
                if marked_id > 0:
                    return tl.InputPeerUser(marked_id, access_hash)
                if marked_id >= -(10**12):
                    return tl.InputPeerChat(-marked_id)
                return tl.InputPeerChannel(-marked_id - 10**12, access_hash)
        raise LookupError("no such entity")

    def _marked(self, key: object) -> list[str]:
        if isinstance(key, tl.Peer):
            return [str(tl.marked_id(key))]
        if isinstance(key, int) or (isinstance(key, str) and re.fullmatch(r"-?\d+", key)):
            number = int(key)
            others = [-number, -(10**12) - number] if number > 0 else []
            return [str(marked) for marked in (number, *others)]
        if not isinstance(key, str):
            return []
        link = re.fullmatch(r"(?:https?://)?(?:t\.me|telegram\.(?:me|dog))/([^/]+)/?", key)
        handles = ["@" + (link[1] if link else key.removeprefix("@")).lower(), f"={key}"]
        if key.startswith("+"):
            handles.append(re.sub(r"[ ()\-]", "", key))
        return [found for found in map(self._get, handles) if found]

    async def load(self) -> None:
        self._known = self._read()

    async def save(self) -> None:
        login = self._stored()
        if self._id not in (None, login.get("id")):
            # Another handle has deleted the login: only explicit changes come back, not entities.
            self._seen = {}
        if "test" in self._changes:
            self._check_flag(login, self._changes["test"])
        if self._changes or self._seen:
            version = secrets.token_hex(8)
            for field, value in self._seen.items():
                if value is not None:
                    self._store.set(self._key(field, version), value)
            old = [self._key(field, login[field]) for field in self._seen if field in login]
            versions = {field: value and version for field, value in self._seen.items()}
            login = {"id": version, **login, **self._changes, **versions}
            login = {field: value for field, value in login.items() if value is not None}
            self._store.set(self._key("login"), json.dumps(login))
            self._changes, self._seen, self._id = {}, {}, login["id"]
            self._store.delete(*old)
        self._known = login

    async def close(self) -> None:
        """Leave the client of the store open: its owner closes it."""

    async def delete(self) -> None:
        login = {**self._login, **self._stored()}
        values = [self._key(*item) for item in login.items() if item[0][0] in "#@+="]
        self._store.delete(self._key("login"), *values)
        self._known, self._id, self._changes, self._seen = None, None, {}, {}


def key_value_session(name: str) -> KeyValueSession:
    """The factory that the suite checks."""
    return KeyValueSession(name, FileStore())


key_value_session.session_profile = "custom"  # type: ignore[attr-defined]  # read by the suite
