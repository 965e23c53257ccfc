"""Faulty sessions: memory alone."""

from __future__ import annotations

import json
import weakref
from contextlib import suppress
from pathlib import Path

from teleproto_sessions import AuthKey, EntityNotFound, MemorySession, tl
from teleproto_sessions.memory import State

from known_bad.registry import breaks


@breaks("MEM-1")
class SavesToADefaultFile(MemorySession):
    """Writes a file of a default name when it is saved."""

    def save(self) -> str | None:
        Path("session.json").write_text(json.dumps({"dc_id": self.dc_id}), encoding="utf-8")
        return None


@breaks("MEM-1")
class KeepsALog(MemorySession):
    """Keeps a log of data centres beside the program."""

    def _change(self, state: State) -> None:
        super()._change(state)
        with Path("session.log").open("a", encoding="utf-8") as log:
            log.write(f"{state.dc_id} {state.server_address}\n")


@breaks("MEM-1")
class WritesWhenLetGo(MemorySession):
    """Writes its last data centre when the object goes away."""

    def __init__(self) -> None:
        super().__init__()
        self._left = Path("left.json").absolute()

    def __del__(self) -> None:
        if self._left.parent.is_dir():
            self._left.write_text(json.dumps({"dc_id": self.dc_id}), encoding="utf-8")


LIVING: weakref.WeakSet[MemorySession] = weakref.WeakSet()


@breaks("MEM-2")
class OneCacheForAll(MemorySession):
    """Asks the other sessions of the process for an entity that it does not know."""

    def __init__(self) -> None:
        super().__init__()
        LIVING.add(self)

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            for other in LIVING:
                if type(other) is type(self):
                    with suppress(EntityNotFound):
                        return MemorySession.get_input_entity(other, key)
            raise


@breaks("MEM-2", also={"FRESH-1"})
class OneTableForAll(MemorySession):
    """Keeps the keys of all sessions of the process in one table."""

    def __init__(self) -> None:
        super().__init__()
        LIVING.add(self)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = super().get_auth_key(dc_id)
        if key is None and not self.dc_id:
            for other in LIVING:
                if type(other) is type(self):
                    key = key or MemorySession.get_auth_key(other, dc_id)
        return key


@breaks("MEM-2")
class DeletesAll(MemorySession):
    """Empties every session of the process."""

    def __init__(self) -> None:
        super().__init__()
        LIVING.add(self)

    def delete(self) -> None:
        for other in LIVING:
            if type(other) is type(self):
                MemorySession.delete(other)
