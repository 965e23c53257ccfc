"""A session that is asynchronous wherever it may be, and writes from a task in the background."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from teleproto_sessions import AuthKey, tl

Data = dict[str, Any]


def empty() -> Data:
    return {"home": (0, "", 0), "test_servers": False, "keys": {}, "peers": {}, "names": {}}


class AsyncSession:
    """Changes are queued; `await save()` waits until the writer has caught up.

    What is changed before load() has read the file is applied once more on top of it.
    """

    session_profile = "custom"

    def __init__(self, name: str) -> None:
        self._path = Path(quote(name, safe="") + ".pickle").absolute()
        self._data = empty()
        self._early: list[Callable[[Data], None]] | None = []
        self._queue: asyncio.Queue[bytes] | None = None
        self._writer: asyncio.Task[None] | None = None

    def _change(self, apply: Callable[[Data], None]) -> None:
        apply(self._data)
        if self._early is not None:
            self._early.append(apply)
        self._enqueue()

    def _enqueue(self) -> None:
        if self._early is not None:
            return
        if self._queue is None or self._writer is None or self._writer.done():
            self._queue = asyncio.Queue()
            self._writer = asyncio.get_running_loop().create_task(self._write(self._queue))
        self._queue.put_nowait(pickle.dumps(self._data))

    async def _write(self, queue: asyncio.Queue[bytes]) -> None:
        while True:
            data = await queue.get()
            await asyncio.sleep(0)
            new = self._path.with_suffix(".new")
            new.write_bytes(data)
            new.replace(self._path)
            queue.task_done()

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
            data["test_servers"] = value

        self._change(apply)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = auth_key.key if auth_key is not None else None
        if key is not None and len(key) != 256:
            raise ValueError("expected 256 bytes")
        if dc_id is None and not self.dc_id:
            if self._early is None:
                raise RuntimeError("choose a data centre first")
            if key is None:
                return

        def apply(data: Data) -> None:
            slot = data["home"][0] if dc_id is None else dc_id
            if not slot:
                raise RuntimeError("choose a data centre first")
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

        self._change(apply)

    async def get_input_entity(self, key: object) -> object:
        await asyncio.sleep(0)
        if isinstance(key, tl.InputPeer):
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
        early, self._early = self._early, None
        if early is None:
            return
        if self._path.exists():
            self._data = pickle.loads(self._path.read_bytes())
            for apply in early:
                apply(self._data)
        if early:
            self._enqueue()

    async def save(self) -> None:
        await self.load()
        self._enqueue()
        if self._queue is not None:
            await self._queue.join()

    async def close(self) -> None:
        if self._writer is not None:
            await self.save()
            self._writer.cancel()
            await asyncio.wait([self._writer])

    async def delete(self) -> None:
        if self._queue is not None and self._writer is not None and not self._writer.done():
            await self._queue.join()
        self._data, self._early = empty(), None
        self._path.unlink(missing_ok=True)


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
    """What a text may mean: a username, a phone number, a displayed name."""
    name = key.lower().removeprefix("https://").removeprefix("http://")
    host, slash, rest = name.partition("/")
    if slash and host in ("t.me", "telegram.me", "telegram.dog"):
        name = rest.rstrip("/")
    phone = "+" + "".join(filter(str.isdigit, key)) if key.startswith("+") else ""
    return ["@" + name.removeprefix("@"), phone, "=" + key]
