"""Faulty sessions: a fresh session."""

from __future__ import annotations

import weakref
from typing import Any

from teleproto_sessions import AuthKey, MemorySession, tl
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession
from known_bad.registry import breaks


@breaks("FRESH-1", also={"SURFACE-2"})
class DefaultPort(BlobSession):
    """Returns port 443 before load()."""

    @property
    def port(self) -> int:
        return super().port if self._loaded else 443


@breaks("FRESH-1", also={"MEM-2"})
class OneFlagForAll(MemorySession):
    """Starts with the flag of the last opened session."""

    _last: weakref.ref[MemorySession] | None = None

    def __init__(self) -> None:
        super().__init__()
        before = OneFlagForAll._last() if OneFlagForAll._last is not None else None
        if before is not None and before.test_servers:
            self._state = State(test_servers=True)
        OneFlagForAll._last = weakref.ref(self)


@breaks("FRESH-2")
class SavesAnAddress(BlobSession):
    """Stores a default address instead of none, so that the column is never empty."""

    def _document(self) -> dict[str, Any]:
        document = super()._document()
        return {**document, "server_address": document["server_address"] or "149.154.167.51"}


@breaks("FRESH-2")
class NoTableYet(BlobSession):
    """Expects that its file already exists, like gramjs-sqlitesession."""

    def load(self) -> None:
        if not self._loaded and not self._path.exists():
            raise FileNotFoundError("no such table: sessions")
        super().load()


@breaks("FRESH-2")
class StoresTheWordNone(BlobSession):
    """Stores a missing address as text, like teleproto, which stores the word undefined."""

    def _document(self) -> dict[str, Any]:
        document = super()._document()
        return {**document, "server_address": str(document["server_address"])}


@breaks("FRESH-3", also={"SURFACE-2", "FRESH-1", "MEM-2", "LIFE-2", "LIFE-6"})
class AnswersForAnyDataCentre(MemorySession):
    """Returns a key of zeros instead of None if no data centre is chosen."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        if dc_id is not None and not self.dc_id and not self._state.keys:
            return AuthKey(bytes(256))
        return super().get_auth_key(dc_id)


@breaks("FRESH-3", also={"ENT-13", "ENT-22", "MEM-2", "LIFE-6"})
class KnowsEverybody(MemorySession):
    """Invents an InputPeer without access hash for any id while its cache is empty."""

    def get_input_entity(self, key: object) -> tl.Input:
        if not self._entities._entities and isinstance(key, int) and key > 0:
            return tl.InputPeerUser(key, 0)
        return super().get_input_entity(key)
