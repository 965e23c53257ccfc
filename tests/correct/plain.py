"""A memory session of plain dicts and a log of entities; a miss raises KeyError."""

from __future__ import annotations

from typing import Any

from teleproto_sessions import AuthKey, tl

PREFIXES = tuple(
    f"{scheme}{host}/"
    for scheme in ("https://", "http://", "")
    for host in ("t.me", "telegram.me", "telegram.dog")
)


class PlainSession:
    """Keeps everything in one dict; all members are synchronous."""

    session_profile = "memory"

    def __init__(self) -> None:
        self.delete()

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if dc_id not in [*range(1, 256)] or port not in range(1, 65536) or not server_address:
            raise ValueError("no data centre has such an id, address or port")
        keys = self.data["keys"]
        if None in keys:
            keys[dc_id] = keys.pop(None)
        self.data.update(dc_id=dc_id, server_address=server_address, port=port)

    def __getattr__(self, name: str) -> Any:
        try:
            return vars(self)["data"][name]
        except KeyError:
            raise AttributeError(name) from None

    dc_id = property(lambda self: self.data["dc_id"])
    server_address = property(lambda self: self.data["server_address"])
    port = property(lambda self: self.data["port"])

    def _get_flag(self) -> bool:
        return bool(self.data["flag"])

    def _set_flag(self, value: bool) -> None:
        if self.data["keys"] and value != self.data["flag"]:
            raise PermissionError("the flag is locked")
        self.data["flag"] = value

    test_servers = property(_get_flag, _set_flag)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = auth_key.key if auth_key is not None else None
        slot = self.data["dc_id"] if dc_id is None else dc_id
        if not key:
            self.data["keys"].pop(slot, None)
        elif len(key) == 256:
            self.data["keys"][slot] = key
        else:
            raise ValueError("a key has 256 bytes")

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self.data["keys"].get(self.data["dc_id"] if dc_id is None else dc_id)
        return None if key is None else AuthKey(key)

    auth_key = property(get_auth_key, set_auth_key)

    def process_entities(self, tlo: object) -> None:
        items = tlo if isinstance(tlo, list) else []
        for field in ("user", "chat", "channel", "users", "chats"):
            value = getattr(tlo, field, None)
            items = [*items, *(value if isinstance(value, list) else [value])]
        for item in items:
            if not isinstance(item, (tl.User, tl.Chat, tl.Channel)) or getattr(item, "min", False):
                continue
            if getattr(item, "access_hash", 0) is None:
                continue
            self._forget(item)
            self.data["seen"].append(item)

    def _forget(self, item: Any) -> None:
        """Remove the older record of an item, and its names from all other entities."""
        kept = []
        for other in self.data["seen"]:
            if kind_of(other) == kind_of(item) and other.id == item.id:
                continue
            lost = names_of(other) & names_of(item)
            kept.append(WithoutNames(other, lost) if lost else other)
        self.data["seen"] = kept

    def get_input_entity(self, key: object) -> object:
        if isinstance(key, tl.Input):
            return key
        found = [item for item in self.data["seen"] if answers_to(item, key)]
        if not found:
            raise KeyError(type(key).__name__)
        item = min(found, key=lambda item: rank(item, key))
        match kind_of(item):
            case "user":
                return tl.InputPeerUser(item.id, item.access_hash)
            case "chat":
                return tl.InputPeerChat(item.id)
        return tl.InputPeerChannel(item.id, item.access_hash)

    def load(self) -> None:
        pass

    def save(self) -> None:
        pass

    def close(self) -> None:
        pass

    def delete(self) -> None:
        self.data: dict[str, Any] = {
            "dc_id": None,
            "server_address": None,
            "port": None,
            "flag": False,
            "keys": {},
            "seen": [],
        }


class WithoutNames:
    """An entity that has lost some of its usernames to others."""

    def __init__(self, item: Any, lost: set[str]) -> None:
        self.item = getattr(item, "item", item)
        self.lost: set[str] = lost | getattr(item, "lost", set())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.item, name)


def kind_of(item: Any) -> str:
    return type(getattr(item, "item", item)).__name__.lower()


def names_of(item: Any) -> set[str]:
    names = {getattr(item, "username", None), *(u.username for u in getattr(item, "usernames", ()))}
    return {name.lower() for name in names if name} - getattr(item, "lost", set())


def marked_id_of(item: Any) -> int:
    return int({"user": item.id, "chat": -item.id, "channel": -(10**12) - item.id}[kind_of(item)])


def display_name_of(item: Any) -> str:
    names = [getattr(item, field, None) for field in ("first_name", "last_name", "title")]
    return " ".join(name for name in names if name)


def answers_to(item: Any, key: Any) -> bool:
    if isinstance(key, tl.Peer):
        return marked_id_of(item) == tl.marked_id(key)
    if isinstance(key, str) and key.removeprefix("-").isdigit():
        key = int(key)
    if isinstance(key, int):
        return marked_id_of(item) == key or item.id == key
    if not isinstance(key, str) or not key:
        return False
    digits = "".join(filter(str.isdigit, key))
    if key[0] == "+":
        return bool(digits) and getattr(item, "phone", None) == digits
    return username_in(key) in names_of(item) or display_name_of(item) == key


def username_in(key: str) -> str:
    for prefix in PREFIXES:
        if key.lower().startswith(prefix):
            key = key[len(prefix) :].rstrip("/")
            break
    return key.removeprefix("@").lower()


def rank(item: Any, key: object) -> tuple[bool, int]:
    """Sort usernames before display names, and users before chats before channels."""
    by_name = isinstance(key, str) and username_in(key) not in names_of(item)
    return by_name, ("user", "chat", "channel").index(kind_of(item))


class GroupsSession(PlainSession):
    """Answers for a basic group that it has not seen, as that needs no access hash."""

    def get_input_entity(self, key: object) -> object:
        try:
            return super().get_input_entity(key)
        except KeyError:
            if isinstance(key, tl.PeerChat):
                return tl.InputPeerChat(key.chat_id)
            number = str(key) if isinstance(key, (int, str)) else ""
            if number[:1] == "-" and number[1:].isdigit() and 0 < -int(number) < 10**12:
                return tl.InputPeerChat(-int(number))
            raise
