"""A memory session with its own peer classes, which share only Telegram's names."""

from __future__ import annotations

from typing import Any

from teleproto_sessions import AuthKey


class InputPeerUser:
    def __init__(self, user_id: int, access_hash: int) -> None:
        self.user_id, self.access_hash = user_id, access_hash


class InputPeerChat:
    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id


class InputPeerChannel:
    def __init__(self, channel_id: int, access_hash: int) -> None:
        self.channel_id, self.access_hash = channel_id, access_hash


def name_of(thing: object) -> str:
    return type(thing).__name__


class DuckSession:
    """Recognises entities by the names of classes and fields, without imports."""

    session_profile = "memory"

    def __init__(self) -> None:
        self.where: dict[str, Any] = {}
        self.secrets: dict[Any, bytes] = {}
        self.testing = False
        self.by_id: dict[tuple[str, int], Any] = {}
        self.by_username: dict[str, tuple[str, int]] = {}

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        for value, limit in ((dc_id, 256), (port, 65536)):
            if not isinstance(value, int) or value not in range(1, limit):
                raise ValueError(f"must be from 1 to {limit - 1}")
        if not isinstance(server_address, str) or not server_address.strip():
            raise ValueError("must be an address")
        if "first" in self.secrets:
            self.secrets[dc_id] = self.secrets.pop("first")
        self.where = {"dc_id": dc_id, "server_address": server_address, "port": port}

    @property
    def dc_id(self) -> int | None:
        return self.where.get("dc_id")

    @property
    def server_address(self) -> str | None:
        return self.where.get("server_address")

    @property
    def port(self) -> int | None:
        return self.where.get("port")

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        secret = auth_key and auth_key.key
        slot = dc_id if dc_id else self.where.get("dc_id", "first")
        if secret and len(secret) != 256:
            raise ValueError("must be 256 bytes")
        self.secrets = {**self.secrets, slot: secret or b""}

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        secret = self.secrets.get(dc_id if dc_id else self.where.get("dc_id", "first"))
        return AuthKey(secret) if secret else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    @property
    def test_servers(self) -> bool:
        return self.testing

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if any(self.secrets.values()) and value != self.testing:
            raise RuntimeError("must not change after login")
        self.testing = value

    def process_entities(self, tlo: Any) -> None:
        if type(tlo) is not list:
            tlo = [
                *(getattr(tlo, name, None) for name in ("user", "chat", "channel")),
                *(getattr(tlo, "users", None) or []),
                *(getattr(tlo, "chats", None) or []),
            ]
        for thing in tlo:
            kind = name_of(thing)
            if kind not in ("User", "Chat", "Channel"):
                continue
            if getattr(thing, "min", False) or getattr(thing, "access_hash", 0) is None:
                continue
            place = kind, thing.id
            self.by_id[place] = thing
            self.by_username = {n: p for n, p in self.by_username.items() if p != place}
            for username in (thing, *getattr(thing, "usernames", ())):
                if getattr(username, "username", None):
                    self.by_username[username.username.lower()] = place

    def get_input_entity(self, key: Any) -> object:
        if name_of(key).startswith("Input"):
            return key
        for place in self.candidates(key):
            thing = self.by_id.get(place)
            if thing is not None:
                kind = place[0]
                if kind == "User":
                    return InputPeerUser(thing.id, thing.access_hash)
                if kind == "Chat":
                    return InputPeerChat(thing.id)
                return InputPeerChannel(thing.id, thing.access_hash)
        raise LookupError("must be asked of the server")

    def candidates(self, key: Any) -> list[tuple[str, int]]:
        if name_of(key) in ("PeerUser", "PeerChat", "PeerChannel"):
            kind = name_of(key).removeprefix("Peer")
            return [(kind, getattr(key, f"{kind.lower()}_id"))]
        if isinstance(key, int) or (isinstance(key, str) and key.lstrip("-").isdigit()):
            number = int(key)
            if number < -(10**12):
                return [("Channel", -number - 10**12)]
            if number < 0:
                return [("Chat", -number)]
            return [(kind, number) for kind in ("User", "Chat", "Channel")]
        if not isinstance(key, str) or not key:
            return []
        places = []
        phone = "".join(char for char in key if char.isdigit()) if key[0] == "+" else None
        words = key.lower().replace("://", "/").split("/")
        for host in ("t.me", "telegram.me", "telegram.dog"):
            if host in words:
                words = words[words.index(host) + 1 :]
                break
        username = words[0].removeprefix("@") if len(words) in (1, 2) else ""
        if username in self.by_username:
            places.append(self.by_username[username])
        for place, thing in self.by_id.items():
            names = [getattr(thing, name, None) for name in ("first_name", "last_name", "title")]
            shown = " ".join(name for name in names if name)
            if shown == key or (phone and getattr(thing, "phone", None) == phone):
                places.append(place)
        return places

    def load(self) -> None:
        return

    def save(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        return

    def delete(self) -> None:
        vars(self).clear()
        vars(self).update(vars(type(self)()))
