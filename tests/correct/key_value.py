"""A session in a key-value store, made by a factory that knows which store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

from teleproto_sessions import AuthKey, tl


class Store(Protocol):
    """As much of a key-value store as is needed."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str) -> None: ...

    def delete(self, *keys: str) -> None: ...


class FileStore:
    """One file for each key, as S3 has one object."""

    def __init__(self) -> None:
        self._bucket = Path("bucket").absolute()

    def _path(self, key: str) -> Path:
        return self._bucket / key.encode().hex()

    def get(self, key: str) -> str | None:
        path = self._path(key)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def set(self, key: str, value: str) -> None:
        self._bucket.mkdir(exist_ok=True)
        self._path(key).write_text(value, encoding="utf-8")

    def delete(self, *keys: str) -> None:
        for key in keys:
            self._path(key).unlink(missing_ok=True)


class KeyValueSession:
    """Reads the login in load(), entities when they are asked for, and writes with save()."""

    def __init__(self, name: str, store: Store) -> None:
        self._name, self._store = name, store
        self._loaded: SimpleNamespace | None = None
        self._changes: dict[str, str | None] = {}

    @property
    def _login(self) -> SimpleNamespace:
        """Before load() whatever is stored; it costs one request."""
        if self._loaded is None:
            stored = json.loads(self._get("login") or "{}")
            self._loaded = SimpleNamespace(
                dc_id=0, address=None, port=0, test=False, keys={}, index=[]
            )
            vars(self._loaded).update(stored)
        return self._loaded

    def _get(self, field: str) -> str | None:
        if field in self._changes:
            return self._changes[field]
        return self._store.get(f"{self._name}\n{field}")

    def _remember(self, field: str, value: str | None) -> None:
        self._changes[field] = value
        if field not in self._login.index:
            self._login.index.append(field)

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        for text, pattern in ((dc_id, r"[1-9]\d{0,2}"), (port, r"[1-9]\d{0,4}")):
            if not re.fullmatch(pattern, str(text)):
                raise ValueError(f"{text!r} is no such number")
        if int(dc_id) > 255 or int(port) > 65535 or not server_address:
            raise ValueError("beyond the limits")
        self._login.dc_id, self._login.address, self._login.port = dc_id, server_address, port
        if "0" in self._login.keys:
            self._login.keys[str(dc_id)] = self._login.keys.pop("0")

    @property
    def dc_id(self) -> int:
        return int(self._login.dc_id)

    @property
    def server_address(self) -> str | None:
        address: str | None = self._login.address
        return address

    @property
    def port(self) -> int:
        return int(self._login.port)

    @property
    def test_servers(self) -> bool:
        return bool(self._login.test)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if self._login.keys and value != self._login.test:
            raise ValueError("a login stays where it is")
        self._login.test = value

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = AuthKey(auth_key.key).key if auth_key is not None else None
        slot = str(self._login.dc_id if dc_id is None else dc_id)
        self._login.keys.pop(slot, None)
        if key is not None:
            self._login.keys[slot] = key.hex()

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        text = self._login.keys.get(str(self._login.dc_id if dc_id is None else dc_id))
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
                self._remember(handle, None)
        for handle in handles:
            if handle not in ("+None", "="):
                self._remember(handle, str(marked_id))
        row = json.dumps([getattr(item, "access_hash", 0), handles])
        self._remember(f"#{marked_id}", row)

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
        raise LookupError("no more places to look in")

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
        assert self._login is self._loaded

    async def save(self) -> None:
        for field, value in self._changes.items():
            if value is None:
                self._store.delete(f"{self._name}\n{field}")
            else:
                self._store.set(f"{self._name}\n{field}", value)
        self._changes = {}
        self._store.set(f"{self._name}\nlogin", json.dumps(vars(self._login)))

    async def close(self) -> None:
        """The store's client belongs to whoever made it."""

    async def delete(self) -> None:
        self._store.delete(*(f"{self._name}\n{field}" for field in ("login", *self._login.index)))
        self._loaded, self._changes = None, {}


def key_value_session(name: str) -> KeyValueSession:
    """The factory that is put to the suite."""
    return KeyValueSession(name, FileStore())


key_value_session.session_profile = "custom"  # type: ignore[attr-defined]  # read by the suite
