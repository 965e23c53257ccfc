"""A string session with its own struct codec, written only from the description."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import string
import struct
from collections.abc import Callable
from typing import Any

from teleproto_sessions import AuthKey, tl

TABLES = {
    False: """
        149.154.175.50 149.154.167.51 149.154.175.100 149.154.167.91 149.154.171.5
        2001:b28:f23d:f001::a 2001:67c:4e8:f002::a 2001:b28:f23d:f003::a 2001:67c:4e8:f004::a
        2001:b28:f23f:f005::a
    """,
    True: """
        149.154.175.10 149.154.167.40 149.154.175.117
        2001:b28:f23d:f001::e 2001:67c:4e8:f002::e 2001:b28:f23d:f003::e
    """,
}


class BadString(Exception):
    """The string cannot be read."""


class StructStringSession:
    """Keeps `saved` unread until load() or the first call that needs it."""

    session_profile = "string"

    def __init__(self, saved: str = "") -> None:
        self._saved: str | None = saved
        self._home: tuple[int, str, int] | None = None
        self._keys: dict[int | None, bytes] = {}
        self._flag: bool | None = False
        self._entities: dict[str, tuple[Callable[..., object], tuple[int, ...]]] = {}
        self._names: dict[str, str] = {}

    def load(self) -> None:
        saved, self._saved = self._saved, None
        if not saved:
            return
        try:
            dc_id, address, port, key = read(saved)
        except BaseException:
            self._saved = saved
            raise
        self._home = dc_id, address, port
        self._keys[dc_id] = key
        self._flag = next((flag for flag, table in TABLES.items() if listed(address, table)), None)

    def save(self) -> str:
        self.load()
        if self._home is None or self._home[0] not in self._keys:
            return ""
        return write(*self._home, self._keys[self._home[0]])

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        self.load()
        try:
            struct.pack(">BH", dc_id, port)
        except struct.error:
            raise ValueError("a data centre has one byte, a port two") from None
        if not (dc_id and port and server_address):
            raise ValueError("a data centre has an id, an address and a port")
        self._home = dc_id, server_address, port
        if None in self._keys:
            self._keys[dc_id] = self._keys.pop(None)

    @property
    def dc_id(self) -> int | None:
        return self._home[0] if self._home else None

    @property
    def server_address(self) -> str | None:
        return self._home[1] if self._home else None

    @property
    def port(self) -> int | None:
        return self._home[2] if self._home else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._keys.get(self.dc_id if dc_id is None else dc_id)
        return AuthKey(key) if key else None

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        self.load()
        slot = self.dc_id if dc_id is None else dc_id
        if auth_key is None or auth_key.key is None:
            self._keys.pop(slot, None)
        else:
            (self._keys[slot],) = struct.unpack("256s", auth_key.key)

    @property
    def test_servers(self) -> bool:
        return bool(self._flag)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self.load()
        if self._keys and self._flag is not None and value != self._flag:
            raise ValueError("this login is bound to its servers")
        self._flag = value

    def process_entities(self, tlo: Any) -> None:
        found = tlo if isinstance(tlo, list) else []
        for field in ("user", "chat", "channel"):
            found = [*found, getattr(tlo, field, None)]
        for field in ("users", "chats"):
            found = [*found, *(getattr(tlo, field, None) or [])]
        for item in found:
            if isinstance(item, tl.Chat):
                self._learn(f"-{item.id}", tl.InputPeerChat, (item.id,), [f"={item.title}"])
            elif isinstance(item, (tl.User, tl.Channel)) and not item.min:
                if item.access_hash is None:
                    continue
                names = [item.username, *(other.username for other in item.usernames)]
                handles = [f"@{name.lower()}" for name in names if name]
                ids = (item.id, item.access_hash)
                if isinstance(item, tl.Channel):
                    handles.append(f"={item.title}")
                    self._learn(
                        f"{tl.marked_id(tl.PeerChannel(item.id))}",
                        tl.InputPeerChannel,
                        ids,
                        handles,
                    )
                    continue
                shown = " ".join(name for name in (item.first_name, item.last_name) if name)
                handles += [f"+{item.phone}"] * bool(item.phone) + [f"={shown}"] * bool(shown)
                self._learn(f"{item.id}", tl.InputPeerUser, ids, handles)

    def _learn(
        self, marked: str, peer: Callable[..., object], ids: tuple[int, ...], handles: list[str]
    ) -> None:
        for handle in [handle for handle, owner in self._names.items() if owner == marked]:
            del self._names[handle]
        self._names.update(dict.fromkeys(handles, marked))
        self._entities[marked] = peer, ids

    def get_input_entity(self, key: Any) -> object:
        match key:
            case (
                tl.InputPeerUser()
                | tl.InputPeerChat()
                | tl.InputPeerChannel()
                | tl.InputPeerSelf()
                | tl.InputUserSelf()
            ):
                return key
            case tl.PeerUser(bare_id):
                asked = [f"{bare_id}"]
            case tl.PeerChat(bare_id):
                asked = [f"-{bare_id}"]
            case tl.PeerChannel(bare_id):
                asked = [f"{tl.marked_id(key)}"]
            case _:
                asked = self._asked(str(key))
        for marked in asked:
            if marked in self._entities:
                peer, ids = self._entities[marked]
                return peer(*ids)
        raise IndexError("no such peer")

    def _asked(self, text: str) -> list[str]:
        if text.isdigit():
            return [text, f"-{text}", f"-100{int(text):010}"]
        if text[1:].isdigit() and text[0] == "-":
            return [text]
        if text[:1] == "+":
            return [self._names.get("+" + "".join(text[1:].translate(PUNCTUATION).split()), "")]
        name = text.lower()
        for start in ("https://", "http://"):
            name = name.removeprefix(start)
        for start in ("t.me/", "telegram.me/", "telegram.dog/"):
            name = name.removeprefix(start).removesuffix("/")
        handles = [f"@{name.removeprefix('@')}", f"={text}"]
        return [self._names[handle] for handle in handles if handle in self._names]

    def close(self) -> None:
        pass

    def delete(self) -> None:
        type(self).__init__(self, "")


PUNCTUATION = str.maketrans("", "", "()-.")


def write(dc_id: int, address: str, port: int, key: bytes) -> str:
    text = address.encode("utf-8")
    record = struct.pack(f">BH{len(text)}sH256s", dc_id, len(text), text, port, key)
    return "1" + base64.standard_b64encode(record).decode("ascii")


def read(saved: str) -> tuple[int, str, int, bytes]:
    """Return the fields of a string, or raise `BadString` without any content of the string."""
    if saved[:1] != "1":
        raise BadString("the first character is not the version 1")
    try:
        body = saved[1:].replace("-", "+").replace("_", "/")
        record = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BadString("not base64") from None
    if base64.b64encode(record).decode() != body:
        raise BadString("not base64 to the last bit")
    try:
        return fields_of(record)
    except (struct.error, UnicodeDecodeError):
        raise BadString("not the record of a session") from None


def fields_of(record: bytes) -> tuple[int, str, int, bytes]:
    dc_id, length = struct.unpack_from(">BH", record)
    if length and len(record) == 261 + length:
        raw, port, key = struct.unpack_from(f">{length}sH256s", record, 3)
        if dc_id and port and (len(record) not in (263, 275) or is_text(raw)):
            return dc_id, raw.decode("utf-8"), port, key
    if len(record) == 275:
        raise BadString("this is a Telethon string with an IPv6 address, which is not supported")
    dc_id, packed, port, key = struct.unpack(">B4sH256s", record)
    if not (dc_id and port):
        raise BadString("no data centre or no port")
    return dc_id, str(ipaddress.IPv4Address(packed)), port, key


def is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def listed(address: str, table: str) -> bool:
    try:
        return str(ipaddress.ip_address(address)) in table.split()
    except ValueError:
        return False


class ForgivingStringSession(StructStringSession):
    """Reads pasted strings: with quotes, with blanks, without padding."""

    def __init__(self, saved: str = "") -> None:
        bare = saved.strip(" \t\r\n\ufeff\xa0\"'`").translate(TO_STANDARD)
        text = bare.rstrip("=")
        groups, rest = divmod(len(text) - 1, 4)
        if groups > 0 and rest > 1 and text[-1] in ALPHABET:
            used = -1 << {2: 4, 3: 2}[rest]
            text = text[:-1] + ALPHABET[ALPHABET.index(text[-1]) & used]
        super().__init__(text and text + "=" * (-rest % 4))


ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
TO_STANDARD = str.maketrans("-_", "+/")
