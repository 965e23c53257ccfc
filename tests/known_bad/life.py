"""Faulty sessions: load, save, close and delete."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Timer
from typing import Any

from teleproto_sessions import AuthKey, MemorySession, SessionError, StringSession
from teleproto_sessions.codec import Login, encode
from teleproto_sessions.entities import EntityCache
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks


@breaks("LIFE-1", also={"LIFE-2"})
class LoadForgetsEntities(MemorySession):
    """Empties its entity cache at every load()."""

    def load(self) -> None:
        self._entities = EntityCache()


@breaks("LIFE-1")
class LoadsOnce(MemorySession):
    """Raises if it is already loaded."""

    _loaded = False

    def load(self) -> None:
        if self._loaded and self._state.keys:
            raise RuntimeError("the session is loaded already")
        self._loaded = True

    def delete(self) -> None:
        super().delete()
        self._loaded = False


@breaks("LIFE-1", also={"DC-3", "LIFE-2", "CLIENT-4"})
class LoadsTwoOfThree(BlobSession):
    """Reads the storage again at the second load(), but not the keys of other data centres."""

    _times = 0

    def load(self) -> None:
        super().load()
        self._times += 1
        if self._times == 3 and self._path.exists():
            self._state = replace(
                self._state,
                keys={dc: key for dc, key in self._state.keys.items() if dc == self.dc_id},
            )

    def _before_change(self) -> None:
        super().load()

    def save(self) -> str | None:
        super().load()
        self._write(self._document())
        return None


@breaks("LIFE-2", also={"TEST-10", "LIFE-3", "LIFE-6", "LIFE-10", "CLIENT-6"})
class AppliesTheStringAgain(StringSession):
    """Sets the login of its string at every load(), like gramjs the key."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._initial = self._state

    def load(self) -> None:
        if self._initial.dc_id:
            self._state = self._initial


@breaks("LIFE-2", also={"LIFE-3", "CLIENT-6"})
class AppliesTheKeyAgain(StringSession):
    """Sets the key of its string at every load(), even for another current data centre."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._initial = self._state.keys.get(self.dc_id)

    def load(self) -> None:
        if self._initial and self.dc_id:
            self._state = self._state.with_key(self.dc_id, self._initial)


@breaks("LIFE-2", also={"ENT-11", "LIFE-3", "CLIENT-8"})
class LoadDiscards(BlobSession):
    """Replaces unsaved changes with the storage at every load()."""

    def load(self) -> None:
        if self._path.exists():
            self._loaded = False
        super().load()

    def _before_change(self) -> None:
        super().load()

    def save(self) -> str | None:
        super().load()
        self._write(self._document())
        return None


@breaks("LIFE-2")
class LoadForgetsTheFlag(MemorySession):
    """Resets the flag to its default at every load()."""

    def load(self) -> None:
        if not self._state.keys:
            self._state = replace(self._state, test_servers=None)


@breaks("LIFE-3", also={"TEST-3"})
class EarlyChangeErases(BlobSession):
    """Treats a session that was changed before load() as a new one, like teleproto."""

    def _before_change(self) -> None:
        self._loaded = True


@breaks("LIFE-3")
class EarlyChangeIsLost(BlobSession):
    """Replaces a change made before load() with the storage."""

    _early = False

    def _before_change(self) -> None:
        self._early = self._early or not self._loaded

    def load(self) -> None:
        if self._early and not self._path.exists():
            self._loaded = True
        super().load()


@breaks("LIFE-3")
class EarlyKeyGoesNowhere(StringSession):
    """Sets its login in load(), and replaces a key that was set before."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._initial: State | None = self._state if saved else None

    def load(self) -> None:
        if self._initial is not None and self._initial.dc_id == self.dc_id:
            keys = {**self._state.keys, **self._initial.keys}
            self._state = replace(self._state, keys=keys)
        self._initial = None

    def delete(self) -> None:
        super().delete()
        self._initial = None


@breaks("LIFE-4")
class SaveFlushesTheCache(MemorySession):
    """Empties its cache in save()."""

    def save(self) -> str | None:
        self._entities = EntityCache()
        return super().save()


@breaks("LIFE-4", also={"DC-2", "DC-3", "CLIENT-4", "CLIENT-5", "CLIENT-6"})
class SaveDropsOtherKeys(MemorySession):
    """Keeps after save() only what a string can hold."""

    def save(self) -> str | None:
        current = self._state.keys.get(self.dc_id)
        self._state = replace(self._state, keys={self.dc_id: current} if current else {})
        return super().save()


@breaks("LIFE-4", also={"KEY-9"})
class SaveNeedsAKey(MemorySession):
    """Saves a session without any key as an empty one."""

    def save(self) -> str | None:
        if self.dc_id and not self._state.keys:
            self._state = State(test_servers=self._state.test_servers)
        return super().save()


@breaks("LIFE-3")
class SavesNothingOverALogin(BlobSession):
    """Writes its memory on save(), which is empty before load()."""

    def save(self) -> str | None:
        self._write(self._document())
        return None


@breaks("LIFE-5")
class ClosesOnce(MemorySession):
    """Raises if it is already closed."""

    _closed = False

    def close(self) -> None:
        if self._closed:
            raise RuntimeError("the session is closed already")
        self._closed = True


@breaks("LIFE-5", also={"LIFE-3"})
class CloseDeletes(BlobSession):
    """Deletes the login on close()."""

    def close(self) -> None:
        self.delete()


@breaks("LIFE-5", also={"LIFE-3"})
class CloseWritesNothing(BlobSession):
    """Empties the object on close(), and writes it once more."""

    def close(self) -> None:
        self._entities = EntityCache()
        self._state = replace(self._state, keys={})
        self.save()


@breaks("LIFE-5")
class ClosesOverALogin(BlobSession):
    """Writes its memory on close(), which is empty before load()."""

    def close(self) -> None:
        self._write(self._document())


@breaks("LIFE-6", also={"TEST-8", "MEM-2", "LIFE-2", "LIFE-8"})
class DeleteDoesNothing(MemorySession):
    """Has a delete() that does nothing, like gramjs."""

    def delete(self) -> None:
        pass


@breaks("LIFE-6", also={"TEST-8", "LIFE-2", "LIFE-8", "CLIENT-7"})
class DeleteKeepsOtherKeys(MemorySession):
    """Clears only the current key on delete()."""

    def delete(self) -> None:
        keys = {dc: key for dc, key in self._state.keys.items() if dc != self.dc_id}
        super().delete()
        self._state = State(keys=keys)


@breaks("LIFE-6", also={"LIFE-8", "CLIENT-7"})
class DeleteKeepsEntities(MemorySession):
    """Keeps its entities after delete(), like telemongo."""

    def delete(self) -> None:
        entities = self._entities
        super().delete()
        self._entities = entities


@breaks("LIFE-6", also={"TEST-8", "LIFE-2", "LIFE-8", "LIFE-12"})
class DeleteClearsTheStorageOnly(BlobSession):
    """Deletes the storage but leaves the object unchanged, like redisthon."""

    def delete(self) -> None:
        state, entities = self._state, self._entities
        super().delete()
        self._state, self._entities = state, entities


@breaks("LIFE-6", also={"MEM-2"})
class DeleteNeedsALogin(MemorySession):
    """Raises if the storage is empty on delete(), like telemongo."""

    def delete(self) -> None:
        if not self.dc_id and not self._entities._entities and self._state.test_servers is None:
            raise AttributeError("the session has no document")
        super().delete()


@breaks("LIFE-7", also={"LIFE-12"})
class DeleteWaitsForSave(BlobSession):
    """Deletes in a transaction that only save() commits, like telethon-session-sqlalchemy."""

    def delete(self) -> None:
        MemorySession.delete(self)
        self._loaded = True


@breaks("LIFE-7", also={"STORE-6", "CLIENT-7"})
class DeleteForgetsTheRows(ThroughSession):
    """Deletes the login, but leaves the entities in the storage."""

    def delete(self) -> None:
        document = self._document()
        super().delete()
        if document["entities"]:
            empty = self._document()
            self._write({**empty, "entities": document["entities"]})


@breaks("LIFE-7")
class DeletesWhatItLoaded(BlobSession):
    """Deletes the storage only if the login was made in this run."""

    _changed = False

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(document)
        self._changed = bool(document["keys"])

    def delete(self) -> None:
        if self._changed:
            super().delete()
        else:
            MemorySession.delete(self)


@breaks("LIFE-7")
class DeletesWhatIsLoaded(BlobSession):
    """Deletes nothing before load()."""

    def delete(self) -> None:
        if self._loaded:
            super().delete()


@breaks("LIFE-7")
class SavesAfterDeleting(BlobSession):
    """Waits for its turn in save(), and then writes although the login is deleted meanwhile."""

    async def save(self) -> None:  # type: ignore[override]  # may be awaitable
        self.load()
        document, gone = self._document(), self._gone()
        await asyncio.sleep(0.002)
        if not gone:
            self._write(document)
            self._stored = True


@breaks("LIFE-7")
class RenamesAfterDeleting(BlobSession):
    """Writes a new file in save(), waits, and then puts it in the place of the deleted one."""

    async def save(self) -> None:  # type: ignore[override]  # may be awaitable
        self.load()
        if self._gone():
            return
        place = self._path
        self._path = place.with_suffix(".pending")
        try:
            self._write(self._document())
        finally:
            pending, self._path = self._path, place
        await asyncio.sleep(0.002)
        pending.replace(place)
        self._stored = True


@breaks("LIFE-7")
class DeletesBeforeItsTurn(BlobSession):
    """Queues its writes one after the other, but deletes at once."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._queue: list[dict[str, Any]] = []

    async def save(self) -> None:  # type: ignore[override]  # may be awaitable
        self.load()
        if not self._gone():
            self._queue.append(self._document())
        await asyncio.sleep(0)
        while self._queue:
            self._write(self._queue.pop(0))
            self._stored = True


@breaks("LIFE-8")
class DeletedForEver(MemorySession):
    """Refuses everything after delete()."""

    _deleted = False

    def delete(self) -> None:
        super().delete()
        self._deleted = True

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if self._deleted:
            raise SessionError("the session was deleted")
        super().set_auth_key(auth_key, dc_id)


@breaks("LIFE-8")
class DeletedIsNotWritten(BlobSession):
    """Never writes again after delete()."""

    _deleted = False

    def delete(self) -> None:
        super().delete()
        self._deleted = True

    def _write(self, document: dict[str, Any]) -> None:
        if not self._deleted:
            super()._write(document)


@breaks("LIFE-8", also={"CLIENT-7"})
class NoEntitiesAfterDelete(MemorySession):
    """Stores no entities after delete()."""

    _deleted = False

    def delete(self) -> None:
        super().delete()
        self._deleted = True

    def process_entities(self, tlo: object) -> None:
        if not self._deleted:
            super().process_entities(tlo)


class Document(BlobSession):
    """Changes the document that it writes."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        return document

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(self.changed(document))


@breaks(
    "LIFE-9",
    also={
        "DC-6",
        "DC-7",
        "KEY-8",
        "KEY-13",
        "TEST-7",
        "LIFE-1",
        "LIFE-3",
        "LIFE-5",
        "CLIENT-4",
        "CLIENT-5",
        "CLIENT-6",
        "CLIENT-8",
    },
)
class StoresTheCurrentKeyOnly(Document):
    """Stores only one key, like all of Telethon's sessions."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        current = str(document["dc_id"])
        keys = {dc_id: key for dc_id, key in document["keys"].items() if dc_id == current}
        return {**document, "keys": keys}


@breaks(
    "LIFE-9",
    also={
        "ENT-1",
        "ENT-2",
        "ENT-3",
        "ENT-6",
        "ENT-9",
        "ENT-11",
        "ENT-12",
        "ENT-17",
        "ENT-18",
        "ENT-20",
        "LIFE-3",
        "LIFE-5",
        "LIFE-8",
        "CLIENT-3",
        "CLIENT-7",
        "CLIENT-8",
        "ENT-25",
    },
)
class StoresNoEntities(Document):
    """Stores no entities."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "entities": []}


@breaks(
    "LIFE-9",
    also={
        "ENT-9",
        "ENT-11",
        "ENT-17",
        "ENT-18",
        "ENT-20",
    },
)
class StoresEntitiesByIdOnly(Document):
    """Stores no usernames; teleproto's StoreSession does not read them back either."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        rows = [[*row[:3], None, [], None, ""] for row in document["entities"]]
        return {**document, "entities": rows}


@breaks("LIFE-9", also={"LIFE-1", "LIFE-5", "LIFE-8"})
class StoresThePublishedPort(Document):
    """Stores no port, because it is always 443."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "port": document["port"] and 443}


@breaks("LIFE-9", also={"TEST-3", "CLIENT-6"})
class MergesKeys(BlobSession):
    """Adds its keys to the stored ones, so that a cleared key stays there."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.exists():
            stored = BlobSession(self._path.stem)
            stored.load()
            keys = {str(dc_id): key.hex() for dc_id, key in stored._state.keys.items()}
            document = {**document, "keys": {**keys, **document["keys"]}}
        super()._write(document)


@breaks("LIFE-9", also={"LIFE-12", "CLIENT-4", "CLIENT-5", "CLIENT-6", "CLIENT-8"})
class LoadsAnyDataCentre(BlobSession):
    """Makes the first data centre that has a key the current one, like teleredis."""

    def _read(self, document: dict[str, Any]) -> None:
        super()._read(document)
        if self._state.keys:
            self._state = replace(self._state, dc_id=min(self._state.keys))


@breaks(
    "LIFE-9",
    also={
        "ENT-1",
        "ENT-2",
        "ENT-3",
        "ENT-6",
        "ENT-9",
        "ENT-11",
        "ENT-12",
        "ENT-17",
        "ENT-18",
        "ENT-20",
        "ENT-25",
        "LIFE-3",
    },
)
class StoresLoginsOnly(Document):
    """Stores nothing before it has a key."""

    def _write(self, document: dict[str, Any]) -> None:
        if document["keys"] or self._path.exists():
            super()._write(document)


@breaks("LIFE-9", also={"CLIENT-3", "CLIENT-7"})
class SameObjectIsNotStored(BlobSession):
    """Stores the bytes that a key object had when it was first given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._given: dict[int, tuple[AuthKey, bytes | None]] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        slot = self.dc_id if dc_id is None else dc_id
        if auth_key is None:
            self._given.pop(slot, None)
        elif slot not in self._given or self._given[slot][0] is not auth_key:
            self._given[slot] = auth_key, auth_key.key

    def _document(self) -> dict[str, Any]:
        document = super()._document()
        first = {str(slot): key for slot, (_, key) in self._given.items()}
        keys = {slot: first.get(slot, bytes.fromhex(key)) for slot, key in document["keys"].items()}
        return {**document, "keys": {slot: key.hex() for slot, key in keys.items() if key}}

    def delete(self) -> None:
        super().delete()
        self._given = {}


@breaks("LIFE-10", also={"STR-2", "DC-4"})
class SavesTheFirstDataCentre(StringSession):
    """Saves the data centre of the first login even after a switch."""

    _home: tuple[int, str, int] | None = None

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._home = self._home or (dc_id, server_address, port)

    def save(self) -> str:
        text = super().save()
        if not text or self._home is None or self._home[0] not in self._state.keys:
            return text
        return encode(Login(*self._home, self._state.keys[self._home[0]]))

    def delete(self) -> None:
        super().delete()
        self._home = None


@breaks("LIFE-10", also={"STR-2", "CLIENT-6"})
class SavesTheStringItRead(StringSession):
    """Returns its original string as long as it has a key for that data centre."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._from = super().save()
        self._home = self.dc_id

    def save(self) -> str:
        text = super().save()
        return self._from if text and self._home in self._state.keys else text

    def delete(self) -> None:
        super().delete()
        self._home = 0


@breaks("LIFE-7")
class SecondDeleteIsIgnored(BlobSession):
    """Marks its storage as deleted, and never deletes it again."""

    _deleted = False

    def delete(self) -> None:
        if self._deleted:
            MemorySession.delete(self)
            return
        super().delete()
        self._deleted = True


@breaks("LIFE-11")
class StoresTheUsualPort(Document):
    """Stores port 443 for a data centre that has no key yet."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        if document["port"] and str(document["dc_id"]) not in document["keys"]:
            return {**document, "port": 443}
        return document


@breaks("LIFE-3")
class EarlyClearIsLost(BlobSession):
    """Ignores the clearing of a key before load(), so that load() brings it back."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if self._loaded or auth_key:
            super().set_auth_key(auth_key, dc_id)


@breaks("LIFE-3")
class EarlySwitchDropsEntities(BlobSession):
    """Reads only the login, and no entities, if a data centre is chosen before load()."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        loaded = self._loaded
        super().set_dc(dc_id, server_address, port)
        if not loaded:
            self._entities = EntityCache()


@breaks("LIFE-5")
class CloseWipesTheLogin(StringSession):
    """Clears the login in memory on close(), and then saves an empty string."""

    def close(self) -> None:
        self._state = State()


@breaks("LIFE-7")
class DeletesTheHomeKeyAlone(BlobSession):
    """Deletes only the login and its own key if it was never loaded."""

    def delete(self) -> None:
        stored = None if self._loaded else self._fetch()
        super().delete()
        if stored is not None:
            document = json.loads(stored)
            document["keys"].pop(str(document["dc_id"]), None)
            document |= {"dc_id": 0, "server_address": None, "port": 0, "test_servers": None}
            self._write(document)


@breaks("LIFE-9")
class KeysAsNumbers(Document):
    """Stores a key as a number, and so loses leading zero bytes."""

    def changed(self, document: dict[str, Any]) -> dict[str, Any]:
        keys = {dc_id: key.removeprefix("00") for dc_id, key in document["keys"].items()}
        return {**document, "keys": keys}


def a_moment_later(do: Callable[[], None]) -> Timer:
    later = Timer(0.1, do)
    later.daemon = True
    later.start()
    return later


@breaks("LIFE-12")
class RefreshesInTheBackground(BlobSession):
    """Replaces the state with the result of load() again, a moment later."""

    def load(self) -> None:
        if not self._loaded:
            super().load()
            found = self._document()
            a_moment_later(lambda: self._read(found))


@breaks("LIFE-12")
class WritesOnceMore(ThroughSession):
    """Writes each change at once, and the last one again a moment later."""

    _again: Timer | None = None

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(document)
        if self._again is not None:
            self._again.cancel()
        self._again = a_moment_later(lambda: self._write_again(document))

    def _write_again(self, document: dict[str, Any]) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            super()._write(document)
