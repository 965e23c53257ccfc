"""A memory session of small objects that stores and returns keys as plain bytes."""

from __future__ import annotations

from typing import Any

from teleproto_sessions import tl


class DataCentre:
    """One data centre, whether or not it is the current one."""

    def __init__(self) -> None:
        self.address = ""
        self.port = 0
        self.key = b""


class BytesSession:
    """`auth_key` is bytes, and `b""` if there is no key."""

    session_profile = "memory"

    def __init__(self) -> None:
        self.centres: dict[int, DataCentre] = {}
        self.current = 0
        self.flag = False
        self.index: dict[object, tuple[str, int, int]] = {}

    def centre(self, dc_id: int | None) -> DataCentre:
        return self.centres.get(self.current if dc_id is None else dc_id) or DataCentre()

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if type(dc_id) is not int or type(port) is not int:
            raise TypeError("numbers, please")
        if not (1 <= dc_id <= 255 and 1 <= port <= 65535 and server_address):
            raise ValueError("out of range")
        centre = self.centres.setdefault(dc_id, DataCentre())
        centre.address, centre.port, self.current = server_address, port, dc_id
        if 0 in self.centres:
            centre.key = self.centres.pop(0).key or centre.key

    @property
    def dc_id(self) -> int:
        return self.current

    @property
    def server_address(self) -> str:
        return self.centre(None).address

    @property
    def port(self) -> int:
        return self.centre(None).port

    @property
    def auth_key(self) -> bytes:
        return self.centre(None).key

    @auth_key.setter
    def auth_key(self, auth_key: object) -> None:
        self.set_auth_key(auth_key)

    def set_auth_key(self, auth_key: Any, dc_id: int | None = None) -> None:
        key = bytes(getattr(auth_key, "key", auth_key) or b"")
        if len(key) not in (0, 256):
            raise ValueError("256 bytes, please")
        self.centres.setdefault(self.current if dc_id is None else dc_id, DataCentre()).key = key

    def get_auth_key(self, dc_id: int | None = None) -> bytes:
        return self.centre(dc_id).key

    @property
    def test_servers(self) -> bool:
        return self.flag

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if value is not self.flag and any(centre.key for centre in self.centres.values()):
            raise ValueError("locked")
        self.flag = value

    # Entities: one index from every possible key to ("user", id, access hash)

    def process_entities(self, tlo: Any) -> None:
        pile = [tlo] if not isinstance(tlo, list) else [{"users": tlo}]
        for container in pile:
            fields = (
                container if isinstance(container, dict) else getattr(container, "__dict__", {})
            )
            for field in ("user", "users", "chat", "chats", "channel"):
                value = fields.get(field)
                for item in value if isinstance(value, list) else [value]:
                    self.learn(item)

    def learn(self, item: Any) -> None:
        kind = {tl.User: "user", tl.Chat: "chat", tl.Channel: "channel"}.get(type(item))
        access_hash = getattr(item, "access_hash", 0)
        if kind is None or access_hash is None or getattr(item, "min", False):
            return
        entry = (kind, item.id, access_hash)
        for asked, other in list(self.index.items()):
            if other[:2] == entry[:2]:
                del self.index[asked]
        self.index[entry[:2]] = entry
        for username in (getattr(item, "username", None), *getattr(item, "usernames", ())):
            username = getattr(username, "username", username)
            if username:
                self.index["@", username.casefold()] = entry
        if getattr(item, "phone", None):
            self.index["+", item.phone] = entry
        words = [getattr(item, word, None) for word in ("first_name", "last_name", "title")]
        self.index.setdefault(("name", " ".join(filter(None, words))), entry)

    def get_input_entity(self, key: Any) -> object:
        if type(key).__name__.startswith("Input"):
            return key
        for asked in self.readings(key):
            if asked in self.index:
                kind, bare_id, access_hash = self.index[asked]
                if kind == "user":
                    return tl.InputPeerUser(bare_id, access_hash)
                if kind == "chat":
                    return tl.InputPeerChat(bare_id)
                return tl.InputPeerChannel(bare_id, access_hash)
        raise RuntimeError("never heard of it")

    def readings(self, key: Any) -> list[tuple[str, object]]:
        if isinstance(key, tl.PeerUser):
            return [("user", key.user_id)]
        if isinstance(key, tl.PeerChat):
            return [("chat", key.chat_id)]
        if isinstance(key, tl.PeerChannel):
            return [("channel", key.channel_id)]
        text = str(key)
        if text.lstrip("-").isdecimal():
            number = int(text)
            if number > 0:
                return [("user", number), ("chat", number), ("channel", number)]
            if number < -1_000_000_000_000:
                return [("channel", -number - 1_000_000_000_000)]
            return [("chat", -number)]
        if not isinstance(key, str) or not text:
            return []
        if text[0] == "+":
            return [("+", "".join(char for char in text if char.isdecimal()))]
        name = text.split("://")[-1]
        for host in ("t.me/", "telegram.me/", "telegram.dog/"):
            name = name.removeprefix(host)
        name = name.strip("/")
        return [("@", name.removeprefix("@").casefold()), ("name", text)]

    def load(self) -> None: ...

    def save(self) -> None: ...

    def close(self) -> None: ...

    def delete(self) -> None:
        self.__init__()  # type: ignore[misc]  # the object is empty again
