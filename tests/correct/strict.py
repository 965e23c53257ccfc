"""A session that refuses calls that come too early or too late.

Keys before a data centre and changes before load() are too early. A save() is too late if another
handle has deleted the login.
"""

from __future__ import annotations

import secrets
import shelve
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from teleproto_sessions import AuthKey, tl

Method = TypeVar("Method", bound=Callable[..., Any])


class TooEarly(Exception):
    """The session has not been loaded, or no data centre is chosen."""


class TooLate(Exception):
    """Another handle has deleted the login; load() reads what is stored now."""


def after_load(method: Method) -> Method:
    @wraps(method)
    def checked(self: StrictSession, *arguments: Any) -> Any:
        if not self._loaded:
            raise TooEarly("call load() first")
        return method(self, *arguments)

    return checked  # type: ignore[return-value]  # the same signature


class StrictSession:
    """A shelf, read by load(); save() writes a new one and moves the link `NAME/current` to it."""

    session_profile = "custom"

    def __init__(self, name: str) -> None:
        self._place = Path(quote(name, safe="")).absolute()
        self._link = self._place / "current"
        self._loaded = False
        self._clear()

    def _clear(self) -> None:
        self._home: tuple[int | None, str | None, int | None] = (None, None, None)
        self._keys: dict[int, bytes] = {}
        self._test_servers = False
        self._hashes: dict[int, int] = {}
        self._handles: dict[str, int] = {}
        # The name of the login, from its first save() to its deletion.
        self._login: str | None = None

    async def load(self) -> None:
        if self._loaded:
            return
        vars(self).update(self._stored())
        self._loaded = True

    def _stored(self) -> dict[str, Any]:
        try:
            current = self._place / self._link.readlink()
        except FileNotFoundError:
            return {}
        with shelve.open(str(current / "shelf"), "r") as shelf:
            return dict(shelf)

    @after_load
    def save(self) -> None:
        login = self._stored().get("_login")
        if self._login not in (None, login):
            self._clear()
            self._loaded = False
            raise TooLate("the login was deleted elsewhere")
        login = login or secrets.token_hex(8)
        self._place.mkdir(mode=0o700, exist_ok=True)
        old = self._link.resolve()
        new = self._place / secrets.token_hex(8)
        new.mkdir()
        with shelve.open(str(new / "shelf")) as shelf:
            for field, value in vars(self).items():
                if field not in ("_place", "_link", "_loaded"):
                    shelf[field] = value
            shelf["_login"] = login
        (new / "link").symlink_to(new.name)
        (new / "link").replace(self._link)
        self._login = login
        # The old shelf is no longer used; delete() tries again.
        shutil.rmtree(old, ignore_errors=True)

    def close(self) -> None:
        pass

    async def delete(self) -> None:
        self._link.unlink(missing_ok=True)
        self._clear()
        self._loaded = True
        with suppress(FileNotFoundError):
            shutil.rmtree(self._place)

    @after_load
    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if {type(dc_id), type(port), type(server_address)} != {int, str} or not server_address:
            raise TypeError("a number, a text and a number")
        if not (0 < dc_id <= 255 and 0 < port <= 65535):
            raise OverflowError("one byte for the data centre, two for the port")
        self._home = (dc_id, server_address, port)

    @property
    def dc_id(self) -> int | None:
        return self._home[0]

    @property
    def server_address(self) -> str | None:
        return self._home[1]

    @property
    def port(self) -> int | None:
        return self._home[2]

    @property
    def test_servers(self) -> bool:
        return self._test_servers

    @test_servers.setter
    @after_load
    def test_servers(self, value: bool) -> None:
        if self._keys and value is not self._test_servers:
            raise PermissionError("the login is for one kind of servers")
        self._test_servers = value

    @after_load
    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if self.dc_id is None:
            raise TooEarly("choose a data centre first")
        slot = dc_id or self.dc_id
        if not auth_key or not auth_key.key:
            self._keys.pop(slot, None)
        elif len(auth_key.key) != 256:
            raise ValueError("not 256 bytes")
        else:
            self._keys[slot] = auth_key.key

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._keys.get(dc_id or self.dc_id or 0)
        return AuthKey(key) if key else None

    auth_key = property(get_auth_key, set_auth_key)

    @after_load
    def process_entities(self, tlo: Any) -> None:
        fields = [getattr(tlo, field, None) for field in ("user", "chat", "channel")]
        for field in ("users", "chats"):
            fields += getattr(tlo, field, None) or []
        for item in tlo if isinstance(tlo, list) else fields:
            match item:
                case tl.User(min=False, access_hash=int(access_hash)):
                    self._remember(item.id, access_hash, item)
                case tl.Channel(min=False, access_hash=int(access_hash)):
                    self._remember(-(10**12) - item.id, access_hash, item)
                case tl.Chat():
                    self._remember(-item.id, 0, item)

    def _remember(self, marked_id: int, access_hash: int, item: Any) -> None:
        self._hashes[marked_id] = access_hash
        for handle, owner in list(self._handles.items()):
            if owner == marked_id:
                del self._handles[handle]
        names = [getattr(item, "username", None)]
        names += [other.username for other in getattr(item, "usernames", ())]
        for name in names:
            if name:
                self._handles["@" + name.lower()] = marked_id
        if getattr(item, "phone", None):
            self._handles["+" + item.phone] = marked_id
        parts = [getattr(item, part, None) for part in ("first_name", "last_name", "title")]
        if any(parts):
            self._handles[" " + " ".join(part for part in parts if part)] = marked_id

    def get_input_entity(self, key: Any) -> tl.Input:
        if isinstance(key, tl.Input):
            return key
        marked_id = self._marked_id(key)
        access_hash = self._hashes[marked_id]
        if marked_id > 0:
            return tl.InputPeerUser(marked_id, access_hash)
        if marked_id >= -(10**12):
            return tl.InputPeerChat(-marked_id)
        return tl.InputPeerChannel(-(10**12) - marked_id, access_hash)

    def _marked_id(self, key: Any) -> int:
        """Return the marked id of a key; raise KeyError for an unknown one."""
        if isinstance(key, tl.Peer):
            return tl.marked_id(key)
        if isinstance(key, str) and key.removeprefix("-").isdecimal():
            key = int(key)
        if isinstance(key, int):
            known = [each for each in (key, -key, -(10**12) - key) if each in self._hashes]
            return known[0] if known and key > 0 else key
        if not isinstance(key, str):
            raise KeyError(key)
        if key.startswith("+"):
            return self._handles["+" + "".join(filter(str.isdecimal, key))]
        name = key.lower().removeprefix("https://").removeprefix("http://")
        for host in ("t.me/", "telegram.me/", "telegram.dog/"):
            if name.startswith(host):
                name = name.removeprefix(host).rstrip("/")
        handle = "@" + name.removeprefix("@")
        return self._handles[handle] if handle in self._handles else self._handles[" " + key]
