"""Faulty sessions: auth keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from teleproto_sessions import AuthKey, MemorySession
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks


@breaks("KEY-1", also={"DC-2"})
class OmittedMeansFirst(MemorySession):
    """Uses the data centre of the first login if dc_id is omitted."""

    _first = 0

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._first = self._first or dc_id

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key(self.dc_id)

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key, self.dc_id)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return super().get_auth_key(self._first if dc_id is None else dc_id)

    def delete(self) -> None:
        super().delete()
        self._first = 0


@breaks("KEY-1", also={"DC-2", "KEY-3", "KEY-5"})
class OmittedMeansNewest(MemorySession):
    """Returns the key that was set last if dc_id is omitted."""

    _newest: AuthKey | None = None

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._newest = super().get_auth_key(dc_id)

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key(self.dc_id)

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return self._newest if dc_id is None else super().get_auth_key(dc_id)

    def delete(self) -> None:
        super().delete()
        self._newest = None


@breaks("KEY-2", also={"KEY-4", "KEY-9", "TEST-3", "CLIENT-5"})
class TwoSlotsForTheCurrent(MemorySession):
    """Keeps the current key outside the table, but stores a key set by id always inside."""

    def __init__(self) -> None:
        super().__init__()
        self._table: dict[int, AuthKey | None] = {}

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if dc_id in self._table:
            super().set_auth_key(self._table.pop(dc_id))

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if dc_id is not None and dc_id == self.dc_id:
            self._table[dc_id] = auth_key and AuthKey(auth_key.key)
        else:
            super().set_auth_key(auth_key, dc_id)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        if dc_id is not None and dc_id in self._table:
            return self._table[dc_id]
        return super().get_auth_key(dc_id)

    def delete(self) -> None:
        super().delete()
        self._table = {}


@breaks(
    "KEY-3",
    also={
        "DC-2",
        "DC-3",
        "DC-4",
        "DC-5",
        "DC-6",
        "DC-7",
        "DC-8",
        "KEY-1",
        "KEY-4",
        "KEY-5",
        "KEY-6",
        "KEY-7",
        "KEY-8",
        "KEY-9",
        "KEY-10",
        "KEY-11",
        "KEY-13",
        "TEST-3",
        "LIFE-1",
        "LIFE-2",
        "LIFE-4",
        "LIFE-8",
        "CLIENT-4",
        "CLIENT-5",
        "CLIENT-6",
        "CLIENT-7",
    },
)
class OneKeyForAll(MemorySession):
    """Has one key for all data centres."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return super().get_auth_key()


@breaks(
    "KEY-3",
    also={
        "DC-4",
        "DC-5",
        "DC-6",
        "DC-7",
        "DC-8",
        "KEY-4",
        "KEY-7",
        "KEY-8",
        "KEY-9",
        "KEY-11",
        "KEY-13",
        "TEST-3",
        "TEST-4",
        "TEST-6",
        "TEST-8",
        "LIFE-1",
        "LIFE-2",
        "LIFE-4",
        "LIFE-8",
        "CLIENT-5",
        "CLIENT-6",
    },
)
class IgnoresOtherDataCentres(MemorySession):
    """Ignores a key for another data centre, like gramjs."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if dc_id is None or dc_id == self.dc_id or not self.dc_id:
            super().set_auth_key(auth_key, dc_id)


@breaks("KEY-3")
class SharesEqualKeys(MemorySession):
    """Stores each key once, and forgets it when any of its data centres is cleared."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = self.get_auth_key(dc_id)
        super().set_auth_key(auth_key, dc_id)
        if key is not None and not (auth_key and auth_key.key):
            keys = {dc: kept for dc, kept in self._state.keys.items() if kept != key.key}
            self._change(replace(self._state, keys=keys))


@breaks("KEY-4", also={"KEY-3", "KEY-7", "KEY-11", "TEST-3", "TEST-6", "CLIENT-6"})
class ClearingClearsAll(MemorySession):
    """Treats a cleared key as a log-out, and clears all keys."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        held = self.get_auth_key(dc_id) is not None
        super().set_auth_key(auth_key, dc_id)
        if auth_key is None and held:
            self._change(replace(self._state, keys={}))


@breaks("KEY-4", also={"SURFACE-3", "KEY-3", "KEY-7", "LIFE-2", "LIFE-8"})
class CannotClearOthers(MemorySession):
    """Ignores None for another data centre."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is not None or dc_id in (None, self.dc_id):
            super().set_auth_key(auth_key, dc_id)


@breaks("KEY-4")
class ClearingAnEmptySlotRaises(MemorySession):
    """Deletes a key from its table even if there is none."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is None and self.get_auth_key(dc_id) is None and dc_id is not None:
            raise KeyError(dc_id)
        super().set_auth_key(auth_key, dc_id)


@breaks("KEY-4", also={"DC-1", "LIFE-2", "CLIENT-6"})
class ClearingForgetsTheAddress(MemorySession):
    """Treats a session without a current key as one that was never set up."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if auth_key is None and self.get_auth_key() is None:
            self._change(replace(self._state, server_address=None, port=0))


@breaks(
    "KEY-5",
    also={
        "DC-2",
        "DC-5",
        "KEY-3",
        "KEY-4",
        "KEY-9",
        "KEY-11",
        "KEY-13",
        "LIFE-8",
        "CLIENT-6",
        "CLIENT-7",
    },
)
class UnknownRaises(MemorySession):
    """Raises if a data centre has no key."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        if dc_id is not None and self._state.keys:
            return AuthKey(self._state.keys[dc_id])
        return super().get_auth_key(dc_id)


@breaks(
    "KEY-5",
    also={
        "DC-5",
        "KEY-3",
        "KEY-4",
        "KEY-9",
        "KEY-13",
        "LIFE-8",
        "CLIENT-4",
        "CLIENT-6",
        "CLIENT-7",
    },
)
class FallsBackToTheCurrent(MemorySession):
    """Returns the current key if the requested data centre has none."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return super().get_auth_key(dc_id) or super().get_auth_key()


@breaks("KEY-5", also={"DC-2", "KEY-4", "KEY-9"})
class MatchesBeginnings(MemorySession):
    """Searches for a key with a pattern that also matches other ids, like KEYS with a glob."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        found = super().get_auth_key(dc_id)
        if found is None and dc_id is not None:
            for known, key in self._state.keys.items():
                if known < dc_id and str(dc_id).startswith(str(known)):
                    return AuthKey(key)
        return found


@breaks("KEY-6", also={"KEY-8", "KEY-10", "KEY-11", "LIFE-2"})
class FirstKeyWins(MemorySession):
    """Inserts a key, and ignores the conflict with an existing one."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if not (auth_key and auth_key.key and self.get_auth_key(dc_id)):
            super().set_auth_key(auth_key, dc_id)


@breaks("KEY-6", also={"KEY-10"})
class ArchivedKeyWins(MemorySession):
    """Keeps the first key ever stored for a data centre, and restores it at a switch there."""

    def __init__(self) -> None:
        super().__init__()
        self._archive: dict[int, bytes] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        slot = self.dc_id if dc_id is None else dc_id
        if auth_key is None or not auth_key.key:
            self._archive.pop(slot, None)
        elif slot != self.dc_id:
            self._archive.setdefault(slot, auth_key.key)

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if dc_id in self._archive:
            super().set_auth_key(AuthKey(self._archive[dc_id]))

    def delete(self) -> None:
        super().delete()
        self._archive = {}


@breaks("KEY-7")
class ArchiveKeepsClearedKeys(MemorySession):
    """Clears the current key, but not the copy from an earlier switch."""

    def __init__(self) -> None:
        super().__init__()
        self._archive: dict[int, bytes] = {}

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        left = self._state
        if left.dc_id in left.keys:
            self._archive[left.dc_id] = left.keys[left.dc_id]
        super().set_dc(dc_id, server_address, port)
        if left.dc_id != dc_id and dc_id in self._archive:
            self._state = self._state.with_key(
                dc_id, self._state.keys.get(dc_id) or self._archive[dc_id]
            )

    def delete(self) -> None:
        super().delete()
        self._archive = {}


@breaks("KEY-7", also={"LIFE-2", "CLIENT-6"})
class LoadRestoresSavedKeys(MemorySession):
    """Fills the empty slot of the current data centre on load() from an earlier save()."""

    def __init__(self) -> None:
        super().__init__()
        self._saved: Mapping[int, bytes] = {}

    def save(self) -> str | None:
        self._saved = {**self._saved, **self._state.keys}
        return super().save()

    def load(self) -> None:
        if self.dc_id not in self._state.keys:
            self._state = self._state.with_key(self.dc_id, self._saved.get(self.dc_id))

    def delete(self) -> None:
        super().delete()
        self._saved = {}


@breaks("KEY-8")
class AnyLength(MemorySession):
    """Accepts a key of any length, like teleproto."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = auth_key.key if auth_key else None
        slot = self.dc_id if dc_id is None else dc_id
        self._change(self._state.with_key(slot, key))

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._state.keys.get(self.dc_id if dc_id is None else dc_id)
        if key is None:
            return None
        auth_key = AuthKey()
        auth_key._key = key
        return auth_key


@breaks("KEY-8")
class CutsAndFills(MemorySession):
    """Cuts a long key and fills a short one, like Telethon."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is not None and auth_key.key:
            auth_key = AuthKey(auth_key.key[:256].ljust(256, b"\0"))
        super().set_auth_key(auth_key, dc_id)


@breaks("KEY-8")
class RefusesTooLate(MemorySession):
    """Checks the length of a key after it has dropped the old one."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        slot = self.dc_id if dc_id is None else dc_id
        key = auth_key.key if auth_key else None
        self._change(self._state.with_key(slot, None))
        self._change(self._state.with_key(slot, AuthKey(key).key))


@breaks("KEY-9", also={"KEY-13"})
class BlankRaises(MemorySession):
    """Measures the length of a key even if it is blank."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is not None and len(auth_key.key or b"") != 256:
            raise ValueError("an auth key has 256 bytes")
        super().set_auth_key(auth_key, dc_id)


@breaks("KEY-8")
class BadKeyPoisons(MemorySession):
    """Stores a bad key before it raises, so that every later switch fails, like teleproto's."""

    _bad = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        try:
            super().set_auth_key(auth_key, dc_id)
        except ValueError:
            self._bad = True
            raise

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if self._bad:
            raise TypeError("value.getKey is not a function")
        super().set_dc(dc_id, server_address, port)


@breaks("KEY-9")
class BlankIsIgnored(MemorySession):
    """Ignores a blank key."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is None or auth_key.key:
            super().set_auth_key(auth_key, dc_id)


@breaks(
    "KEY-9", also={"KEY-13", "TEST-3", "CLIENT-1", "CLIENT-2", "CLIENT-4", "CLIENT-6", "CLIENT-7"}
)
class SameObjectIsNoChange(MemorySession):
    """Skips a key in the same object as before, although its bytes are new."""

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[int, AuthKey | None] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        slot = self.dc_id if dc_id is None else dc_id
        if auth_key is None or self._given.get(slot) is not auth_key:
            super().set_auth_key(auth_key, dc_id)
            self._given[slot] = auth_key


@breaks("KEY-9", also={"KEY-13"})
class BlankForOthersRaises(MemorySession):
    """Encodes the keys of other data centres at once, and fails at a blank one."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is not None and dc_id not in (None, self.dc_id):
            bytes.hex(auth_key.key)  # type: ignore[arg-type]  # the mistake
        super().set_auth_key(auth_key, dc_id)


@breaks("KEY-10")
class DropsAnEarlyKey(MemorySession):
    """Drops a key that is set before any data centre, like teleproto."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._state = self._state.with_key(0, None)


@breaks("KEY-10")
class StoredKeyBeatsAnEarlyOne(MemorySession):
    """Prefers a key stored for the data centre to the one that waits for it."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if dc_id in self._state.keys:
            self._state = self._state.with_key(0, None)
        super().set_dc(dc_id, server_address, port)


@breaks("KEY-10")
class EarlyKeyStays(MemorySession):
    """Gives the waiting key to every data centre without a key."""

    _early: bytes | None = None

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        self._early = self._state.keys.get(0, self._early)
        super().set_dc(dc_id, server_address, port)
        if self._early and dc_id not in self._state.keys:
            self._state = self._state.with_key(dc_id, self._early)


@breaks("KEY-11", also={"MEM-1"})
class PropertyCannotBeAssigned(MemorySession):
    """Has only the getter, as the documented surface lists it."""

    @property  # type: ignore[misc]  # the mistake
    def auth_key(self) -> AuthKey | None:
        return super().auth_key


@breaks("KEY-11", also={"DC-2"})
class PropertyIsRemembered(MemorySession):
    """Keeps the value assigned to the property, whatever the data centre."""

    _assigned: AuthKey | None = None

    @property
    def auth_key(self) -> AuthKey | None:
        return self._assigned or super().auth_key

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)
        self._assigned = auth_key and AuthKey(auth_key.key)

    def delete(self) -> None:
        super().delete()
        self._assigned = None


@breaks("KEY-11")
class PropertyIsHome(MemorySession):
    """Binds the property to the data centre of the first login."""

    _home = 0

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._home = self._home or dc_id

    @property
    def auth_key(self) -> AuthKey | None:
        return super().auth_key

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key, self._home or None)


@breaks("KEY-12")
class BlankLogsOut(MemorySession):
    """Treats a blank key that is set without dc_id as a log-out."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if dc_id is None and auth_key is not None and not auth_key.key:
            self._change(replace(self._state, keys={}))


@breaks("KEY-1")
class NoneIsNoDataCentre(MemorySession):
    """Finds no key if dc_id is None instead of omitted."""

    def get_auth_key(self, *dc_id: int | None) -> AuthKey | None:
        return None if dc_id == (None,) else super().get_auth_key(*dc_id)


@breaks("KEY-3")
class RoomForSixKeys(MemorySession):
    """Keeps only the six newest keys."""

    def _change(self, state: State) -> None:
        newest: Mapping[int, bytes] = dict([*state.keys.items()][-6:])
        super()._change(replace(state, keys=newest))


@breaks("KEY-3")
class CutsIdsToAByte(MemorySession):
    """Stores a key under the lowest byte of its data centre's id."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id if dc_id is None else dc_id & 0xFF or 1)


@breaks("KEY-8")
class ClearsThenChecks(ThroughSession):
    """Clears the slot in the storage before it checks the new key."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        try:
            super().set_auth_key(auth_key, dc_id)
        except Exception:
            old = self._state
            self._state = old.with_key(self.dc_id if dc_id is None else dc_id, None)
            self.save()
            self._state = old
            raise


@breaks("KEY-10")
class EarlyKeyNotStored(ThroughSession):
    """Keeps a key that waits for its data centre only in memory."""

    def _document(self) -> dict[str, Any]:
        document = super()._document()
        document["keys"].pop("0", None)
        return document


@breaks("KEY-10")
class RefusalDropsTheEarlyKey(MemorySession):
    """Removes the waiting key before it has checked the data centre."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        early = self._state.keys.get(0)
        self._change(self._state.with_key(0, None))
        state = self._state.with_dc(dc_id, server_address, port)
        self._change(state.with_key(dc_id, early) if early else state)


@breaks("KEY-13", also={"KEY-10"})
class KeepsTheObjectOfOthers(MemorySession):
    """Keeps the object of another data centre's key, and reads its bytes at each request."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[int, AuthKey | None] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if dc_id not in (None, self.dc_id):
            self._objects[dc_id] = auth_key

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        if dc_id != self.dc_id and dc_id in self._objects:
            return self._objects[dc_id]
        return super().get_auth_key(dc_id)

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if dc_id in self._objects:
            super().set_auth_key(self._objects.pop(dc_id), dc_id)

    def delete(self) -> None:
        super().delete()
        self._objects = {}


@breaks("KEY-13")
class ReadsTheObjectOnSaving(BlobSession):
    """Reads the bytes of the given key objects again when it saves."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._objects: dict[int, AuthKey | None] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if self.dc_id:
            self._objects[self.dc_id if dc_id is None else dc_id] = auth_key

    def _document(self) -> dict[str, Any]:
        for dc_id, auth_key in self._objects.items():
            self._state = self._state.with_key(dc_id, auth_key.key if auth_key else None)
        return super()._document()

    def delete(self) -> None:
        super().delete()
        self._objects = {}
