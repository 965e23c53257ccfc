"""A memory session with `__slots__`, `__getattr__` and `__setattr__` instead of properties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from teleproto_sessions import AuthKey, tl

NOTHING = (0, None, 0)


class SlottedSession:
    """Computes the members that look like attributes at each access."""

    __slots__ = ("_cache", "_flag", "_home", "_keys")
    session_profile = "memory"

    _home: tuple[int, str | None, int]
    _keys: dict[int, bytes]
    _flag: bool
    _cache: dict[tl.Peer, tuple[Any, set[str]]]

    def __init__(self) -> None:
        self.delete()

    def __getattr__(self, name: str) -> Any:
        match name:
            case "dc_id" | "server_address" | "port":
                return self._home[("dc_id", "server_address", "port").index(name)]
            case "auth_key":
                return self.get_auth_key()
            case "test_servers":
                return self._flag
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "auth_key":
            self.set_auth_key(value)
        elif name == "test_servers":
            if self._keys and value != self._flag:
                raise AttributeError("test_servers cannot be set any more")
            self._flag = value
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), "dc_id", "server_address", "port", "auth_key", "test_servers"]

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if not isinstance(dc_id, int) or not 0 < dc_id < 256:
            raise ValueError("data centre")
        if not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError("port")
        if not server_address:
            raise ValueError("address")
        self._home = (dc_id, server_address, port)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = auth_key.key if auth_key is not None else None
        if key and len(key) != 256:
            raise ValueError("256 bytes")
        if not self._home[0]:
            raise LookupError("a data centre has to be chosen first")
        if key:
            self._keys[dc_id or self._home[0]] = key
        else:
            self._keys.pop(dc_id or self._home[0], None)

    def get_auth_key(self, dc_id: int | None = None) -> Any:
        """Return an object of a simple class with `key`."""
        key = self._keys.get(dc_id or self._home[0])
        return key and SimpleNamespace(key=key)

    def process_entities(self, tlo: Any) -> None:
        parts = [tlo] if isinstance(tlo, (list, tuple)) else []
        for field in ("users", "chats"):
            parts.append(getattr(tlo, field, None) or ())
        parts.append([getattr(tlo, field, None) for field in ("user", "chat", "channel")])
        for part in parts:
            for item in part:
                self._see(item)

    def _see(self, item: Any) -> None:
        if getattr(item, "min", False) or getattr(item, "access_hash", 0) is None:
            return
        match item:
            case tl.User():
                peer: tl.Peer = tl.PeerUser(item.id)
            case tl.Chat():
                peer = tl.PeerChat(item.id)
            case tl.Channel():
                peer = tl.PeerChannel(item.id)
            case _:
                return
        for other, names in self._cache.values():
            if other is not item:
                names.difference_update(handles(item))
        # A dict keeps its order: the newest entity is last.
        self._cache.pop(peer, None)
        self._cache[peer] = (item, handles(item))

    def get_input_entity(self, key: Any) -> object:
        if isinstance(key, tl.Input):
            return key
        for peer in self._peers(key):
            if peer in self._cache:
                access_hash = getattr(self._cache[peer][0], "access_hash", 0)
                match peer:
                    case tl.PeerUser(bare_id):
                        return tl.InputPeerUser(bare_id, access_hash)
                    case tl.PeerChat(bare_id):
                        return tl.InputPeerChat(bare_id)
                    case tl.PeerChannel(bare_id):
                        return tl.InputPeerChannel(bare_id, access_hash)
        raise NameError("not in the cache")

    def _peers(self, key: Any) -> list[Any]:
        if isinstance(key, tl.Peer):
            return [key]
        if isinstance(key, str) and key.lstrip("-").isdecimal():
            key = int(key)
        if isinstance(key, int):
            if key > 0:
                return [tl.PeerUser(key), tl.PeerChat(key), tl.PeerChannel(key)]
            return [tl.peer_of(key)]
        if not isinstance(key, str):
            return []
        asked = key
        if asked.startswith("+"):
            asked = "+" + "".join(filter(str.isdigit, asked))
        else:
            if "/" in asked and asked.split("://")[-1].split("/")[0] in HOSTS:
                asked = asked.rstrip("/").rsplit("/", 1)[-1]
            asked = "@" + asked.lower().removeprefix("@")
        found = [peer for peer, (_, names) in self._cache.items() if asked in names]
        shown = [peer for peer, (item, _) in self._cache.items() if key and title(item) == key]
        return found[::-1] + shown[::-1]

    def load(self) -> None:
        return None

    save = close = load

    def delete(self) -> None:
        self._home = NOTHING
        self._keys = {}
        self._flag = False
        self._cache = {}


HOSTS = {"t.me", "telegram.me", "telegram.dog"}


def handles(item: Any) -> set[str]:
    names = {getattr(item, "username", None)}
    names.update(other.username for other in getattr(item, "usernames", ()))
    found = {"@" + name.lower() for name in names if name}
    if getattr(item, "phone", None):
        found.add("+" + item.phone)
    return found


def title(item: Any) -> str:
    parts = (getattr(item, part, None) for part in ("first_name", "last_name", "title"))
    return " ".join(part for part in parts if part)
