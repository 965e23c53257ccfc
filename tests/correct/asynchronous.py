"""A session with as many asynchronous members as allowed; a background task writes its file."""

from __future__ import annotations

import asyncio
import os
import pickle
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from teleproto_sessions import AuthKey, tl

Data = dict[str, Any]
Change = Callable[[Data], None]


def empty() -> Data:
    """Return an empty document. `login` names the login from its first change to its deletion."""
    return {
        "login": None,
        "home": (0, "", 0),
        "test_servers": False,
        "keys": {},
        "peers": {},
        "names": {},
    }


class AsyncSession:
    """Queues its changes; `await save()` waits until the writer has written them, or tries again.

    The writer applies the changes again to the current content of the file.
    """

    session_profile = "custom"

    def __init__(self, name: str) -> None:
        self._path = Path(quote(name, safe="") + ".pickle").absolute()
        if len(self._path.name) > 240:
            raise ValueError("the name is too long")
        self._data = empty()
        self._loaded = False
        self._login: str | None = None
        self._queue: list[tuple[Change, bool]] = []
        self._writer: asyncio.Task[None] | None = None

    def _change(self, apply: Change, *, asked_for: bool = True) -> None:
        apply(self._data)
        self._queue.append((apply, asked_for))
        if self._loaded:
            self._start_writer()

    def _start_writer(self) -> asyncio.Task[None]:
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())
        return self._writer

    async def _write(self) -> None:
        await asyncio.sleep(0)
        data = self._read()
        deleted_elsewhere = self._login not in (None, data["login"])
        changes = [apply for apply, asked_for in self._queue if asked_for or not deleted_elsewhere]
        for apply in changes:
            apply(data)
        if changes:
            self._login = data["login"] = data["login"] or secrets.token_hex(8)
            new = self._path.with_name(f"{self._path.name}+{os.getpid()}")
            with open(new, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                pickle.dump(data, file)
            new.replace(self._path)
        self._data = data
        self._queue.clear()

    def _read(self) -> Data:
        try:
            data: Data = pickle.loads(self._path.read_bytes())
        except FileNotFoundError:
            return empty()
        return data

    # Synchronous members

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        for number, highest in ((dc_id, 255), (port, 65535)):
            if not isinstance(number, int) or not 1 <= number <= highest:
                raise ValueError(f"expected a number from 1 to {highest}")
        if not server_address:
            raise ValueError("expected an address")

        def apply(data: Data) -> None:
            data["home"] = (dc_id, server_address, port)

        self._change(apply)

    @property
    def dc_id(self) -> int:
        return int(self._data["home"][0])

    @property
    def server_address(self) -> str:
        return str(self._data["home"][1])

    @property
    def port(self) -> int:
        return int(self._data["home"][2])

    @property
    def test_servers(self) -> bool:
        return bool(self._data["test_servers"])

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if self._data["keys"] and value != self.test_servers:
            raise RuntimeError("the session is logged in")

        def apply(data: Data) -> None:
            if not data["keys"]:  # keys of a login that is not loaded yet
                data["test_servers"] = value

        self._change(apply)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = auth_key.key if auth_key is not None else None
        if key is not None and len(key) != 256:
            raise ValueError("expected 256 bytes")
        slot = self.dc_id if dc_id is None else dc_id
        if not slot:
            raise RuntimeError("choose a data centre first")

        def apply(data: Data) -> None:
            data["keys"].pop(slot, None)
            if key is not None:
                data["keys"][slot] = key

        self._change(apply)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._data["keys"].get(self.dc_id if dc_id is None else dc_id)
        return AuthKey(key) if key else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    # Asynchronous members

    async def process_entities(self, tlo: Any) -> None:
        await asyncio.sleep(0)
        found = list(tlo) if isinstance(tlo, (list, tuple)) else []
        for field in ("user", "chat", "channel"):
            found.append(getattr(tlo, field, None))
        for field in ("users", "chats"):
            found += getattr(tlo, field, None) or []
        rows = [row for row in map(row_of, found) if row is not None]
        if not rows:
            return

        def apply(data: Data) -> None:
            for peer, answer, names in rows:
                data["peers"][peer] = answer
                old = [name for name, owner in data["names"].items() if owner == peer]
                for name in old:
                    del data["names"][name]
                data["names"].update(dict.fromkeys(names, peer))

        self._change(apply, asked_for=False)

    async def get_input_entity(self, key: object) -> object:
        await asyncio.sleep(0)
        if isinstance(key, tl.Input):
            return key
        for peer in self._asked_for(key):
            if peer in self._data["peers"]:
                return self._data["peers"][peer]
        raise LookupError("unknown entity")

    def _asked_for(self, key: object) -> list[object]:
        if isinstance(key, str):
            with suppress(ValueError):
                key = int(key) if not key.startswith("+") else key
        if isinstance(key, int):
            bare = [kind(abs(key)) for kind in (tl.PeerUser, tl.PeerChat, tl.PeerChannel)]
            if key > 0:
                return [*bare]
            return [tl.PeerChannel(-key - 10**12) if key < -(10**12) else tl.PeerChat(-key)]
        if isinstance(key, str):
            names = self._data["names"]
            return [names.get(form) for form in forms_of(key)]
        return [key]

    async def load(self) -> None:
        await asyncio.sleep(0)
        data = self._read()
        self._login = data["login"] or self._login
        for apply, _ in self._queue:
            apply(data)
        self._data, self._loaded = data, True
        if self._queue:
            self._start_writer()

    async def save(self) -> None:
        if not self._loaded:
            await self.load()
        await self._start_writer()

    async def close(self) -> None:
        if self._loaded and self._queue:
            await self.save()

    async def delete(self) -> None:
        self._queue.clear()
        if self._writer is not None:
            await asyncio.wait([self._writer])
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}+*")):
            path.unlink(missing_ok=True)
        self._data, self._loaded, self._login = empty(), True, None


def row_of(item: Any) -> tuple[object, object, list[str]] | None:
    if getattr(item, "min", False) or getattr(item, "access_hash", 0) is None:
        return None
    names: list[str | None] = [getattr(item, "username", None)]
    names += [each.username for each in getattr(item, "usernames", ())]
    handles = ["@" + name.lower() for name in names if name]
    if isinstance(item, tl.User):
        shown = " ".join(part for part in (item.first_name, item.last_name) if part)
        handles += ["+" + item.phone] if item.phone else []
        handles += ["=" + shown] if shown else []
        return tl.PeerUser(item.id), tl.InputPeerUser(item.id, item.access_hash or 0), handles
    if isinstance(item, tl.Channel):
        answer = tl.InputPeerChannel(item.id, item.access_hash or 0)
        return tl.PeerChannel(item.id), answer, [*handles, "=" + item.title]
    if isinstance(item, tl.Chat):
        return tl.PeerChat(item.id), tl.InputPeerChat(item.id), ["=" + item.title]
    return None


def forms_of(key: str) -> list[str]:
    """Return what a text may mean: a username, a phone number, a displayed name."""
    name = key.lower().removeprefix("https://").removeprefix("http://")
    host, slash, rest = name.partition("/")
    if slash and host in ("t.me", "telegram.me", "telegram.dog"):
        name = rest.rstrip("/")
    phone = "+" + "".join(filter(str.isdigit, key)) if key.startswith("+") else ""
    return ["@" + name.removeprefix("@"), phone, "=" + key]
