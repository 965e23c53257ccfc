"""Faulty sessions: sequences of the client; each single call alone works."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import replace
from typing import Any

from teleproto_sessions import AuthKey, MemorySession
from teleproto_sessions.datacentres import PRODUCTION_IPV4
from teleproto_sessions.entities import EntityCache, entities_in
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession
from known_bad.flag import Flagged
from known_bad.registry import breaks


@breaks("CLIENT-1")
class LoadCountsBlankKeys(Flagged):
    """Sets the lock on load(), and counts a key that is still blank."""

    _blank = False
    _pending = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._blank = auth_key is not None and not auth_key.key

    def load(self) -> None:
        self._pending = self._blank

    def _locked(self) -> bool:
        return super()._locked() or self._pending

    def delete(self) -> None:
        super().delete()
        self._blank = self._pending = False


@breaks("CLIENT-2")
class EntitiesOfTheFirstDataCentre(MemorySession):
    """Stores entities only at the data centre of the first connect."""

    _first = 0

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._first = self._first or dc_id

    def process_entities(self, tlo: object) -> None:
        if self.dc_id == self._first:
            super().process_entities(tlo)

    def delete(self) -> None:
        super().delete()
        self._first = 0


@breaks("CLIENT-3")
class LoadResolvesHosts(MemorySession):
    """Replaces the host of a WebSocket login with the data centre's address on load()."""

    def load(self) -> None:
        state = self._state
        if (state.server_address or "").endswith(".web.telegram.org"):
            self._state = replace(state, server_address=PRODUCTION_IPV4[state.dc_id])


@breaks("CLIENT-4")
class SwitchEndsTheHandshake(MemorySession):
    """Treats a switch while a key is still blank as a failed login, and drops all keys."""

    _blank = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._blank = auth_key is not None and not auth_key.key

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if self._blank:
            self._state = replace(self._state, keys={})
        self._blank = False


@breaks("CLIENT-5")
class LoadKeepsFourKeys(MemorySession):
    """Drops the oldest of more than four keys on load()."""

    def load(self) -> None:
        newest: Mapping[int, bytes] = dict([*self._state.keys.items()][-4:])
        self._state = replace(self._state, keys=newest)


@breaks("CLIENT-6")
class SaveForgetsABrokenLogin(MemorySession):
    """Saves a session whose key was cleared as one that was never set up."""

    _broken = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        held = self.get_auth_key() is not None
        super().set_auth_key(auth_key, dc_id)
        self._broken = held and self.get_auth_key() is None

    def save(self) -> str | None:
        if self._broken and self._state.keys:
            self._state = replace(self._state, server_address=None, port=0)
        self._broken = False
        return super().save()


@breaks("CLIENT-7")
class NobodyAfterALogOut(MemorySession):
    """Ignores entities if it is loaded after delete(), because the storage is empty."""

    _deleted = False
    _closed = False

    def delete(self) -> None:
        super().delete()
        self._deleted = True

    def load(self) -> None:
        self._closed = self._deleted

    def process_entities(self, tlo: object) -> None:
        if not self._closed:
            super().process_entities(tlo)


@breaks("CLIENT-8", also={"LIFE-7"})
class SavesOvertake(BlobSession):
    """Copies the data to save before it waits its turn, so that an older save() may come last."""

    _saves = 0

    async def save(self) -> None:  # type: ignore[override]  # may be awaitable
        self.load()
        document = self._document()
        self._saves += 1
        await asyncio.sleep(0.002 * (self._saves % 2))
        self._write(document)
        self._stored = True


@breaks("CLIENT-8", also={"LIFE-7"})
class ForgetsAReplacedKey(BlobSession):
    """Counts a key as written after save(), although a newer one was set while it wrote."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._unwritten: set[object] = set()

    def _change(self, state: State) -> None:
        old = self._state.keys
        super()._change(state)
        slots = {slot for slot in {*old, *state.keys} if old.get(slot) != state.keys.get(slot)}
        self._unwritten |= slots or {object()}

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        self._unwritten.add(object())

    async def save(self) -> None:  # type: ignore[override]  # may be awaitable
        self.load()
        writes = set(self._unwritten)
        if not writes or self._gone():
            return
        document = self._document()
        await asyncio.sleep(0.002)
        self._write(document)
        self._stored = True
        self._unwritten -= writes

    def delete(self) -> None:
        super().delete()
        self._unwritten.clear()


class _Later:
    """Begins when it is awaited, as a query builder does."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, None]:
        return self._begin().__await__()


@breaks("CLIENT-8")
class LoadOvertakesChanges(BlobSession):
    """Reads the login again in load(), waits, and then forgets what has changed meanwhile."""

    _unsaved = False

    def _change(self, state: State) -> None:
        super()._change(state)
        self._unsaved = True

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        self._unsaved = True

    def save(self) -> None:
        super().save()
        self._unsaved = False

    def delete(self) -> None:
        super().delete()
        self._unsaved = False

    def load(self) -> Any:
        if not self._loaded or self._unsaved or not self._stored:
            return super().load()
        return _Later(self._again)

    async def _again(self) -> None:
        stored = self._fetch()
        await asyncio.sleep(0.002)
        if stored is not None:
            self._read(json.loads(stored))


@breaks("CLIENT-8")
class LoadPutsBackTheKeys(LoadOvertakesChanges):
    """Reads only the keys again in load(), and waits before it takes them over."""

    async def _again(self) -> None:
        keys = dict(self._state.keys)
        await asyncio.sleep(0.002)
        self._state = replace(self._state, keys=keys)


@breaks("CLIENT-8")
class LoadPutsBackTheEntities(LoadOvertakesChanges):
    """Reads only the entities again in load(), and waits before it takes them over."""

    async def _again(self) -> None:
        entities = list(self._entities._entities.values())
        await asyncio.sleep(0.002)
        self._entities = EntityCache(entities)


@breaks("CLIENT-8")
class AnswersOvertake(MemorySession):
    """Reads the cache, waits, and then writes the old content with the new entities."""

    async def process_entities(self, tlo: object) -> None:  # type: ignore[override]
        known = list(self._entities._entities.values())
        await asyncio.sleep(0.002)
        cache = EntityCache(known)
        cache.apply(cache.plan(entities_in(tlo)))
        self._entities = cache
