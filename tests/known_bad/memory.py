"""Faulty sessions: the memory profile."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from teleproto_sessions import AuthKey, EntityNotFound, MemorySession, tl
from teleproto_sessions.memory import State

from known_bad.registry import breaks


@breaks("MEM-1")
class SavesToADefaultFile(MemorySession):
    """Writes a file with a default name when it is saved."""

    def save(self) -> str | None:
        Path("session.json").write_text(json.dumps({"dc_id": self.dc_id}), encoding="utf-8")
        return None


@breaks("MEM-1")
class KeepsALog(MemorySession):
    """Keeps a log of data centres in the working directory."""

    def _change(self, state: State) -> None:
        super()._change(state)
        with Path("session.log").open("a", encoding="utf-8") as log:
            log.write(f"{state.dc_id} {state.server_address}\n")


@breaks("MEM-1")
class WritesWhenLetGo(MemorySession):
    """Writes its last data centre when the object is destroyed."""

    def __init__(self) -> None:
        super().__init__()
        self._left = Path("left.json").absolute()

    def __del__(self) -> None:
        if self._left.parent.is_dir():
            self._left.write_text(json.dumps({"dc_id": self.dc_id}), encoding="utf-8")


LIVING: weakref.WeakSet[MemorySession] = weakref.WeakSet()


@breaks("MEM-2")
class OneCacheForAll(MemorySession):
    """Searches the other sessions of the process for an unknown entity."""

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


@breaks("MEM-3")
class PreparesInATemporaryFile(MemorySession):
    """Tests on save() whether a file can be written: it writes its login and removes the file."""

    def save(self) -> str | None:
        with tempfile.NamedTemporaryFile("w", dir=tempfile.gettempdir()) as scratch:
            json.dump({dc_id: key.hex() for dc_id, key in self._state.keys.items()}, scratch)
        return None


LAST: dict[Path, Any] = {}


@atexit.register
def write_last() -> None:
    for path, login in LAST.items():
        if path.parent.is_dir():
            path.write_text(json.dumps(login), encoding="utf-8")


@breaks("MEM-3")
class WritesAsTheProgramEnds(MemorySession):
    """Writes its last data centre into a file when the program ends, for debugging."""

    def _change(self, state: State) -> None:
        super()._change(state)
        LAST[Path("last.json").absolute()] = {"dc_id": state.dc_id}


class KeptElsewhere(MemorySession):
    """Keeps its login next to the working directory, and reads it in other programs."""

    def __init__(self) -> None:
        super().__init__()
        self._place = Path.cwd().parent / "last-login.json"
        if self._place.exists():
            program, dc_id, server_address, port, keys = json.loads(self._place.read_text())
            if program != os.getpid():
                known = {int(slot): bytes.fromhex(key) for slot, key in keys.items()}
                self._take(State(dc_id, server_address, port, known))

    def _take(self, state: State) -> None:
        raise NotImplementedError

    def _change(self, state: State) -> None:
        super()._change(state)
        keys = {slot: key.hex() for slot, key in state.keys.items()}
        record = [os.getpid(), state.dc_id, state.server_address, state.port, keys]
        self._place.write_text(json.dumps(record))


@breaks("MEM-4", also={"MEM-3"})
class LastLoginOfTheUser(KeptElsewhere):
    """Begins with the last login of the same user, which is stored outside the project."""

    def _take(self, state: State) -> None:
        self._state = state


@breaks("MEM-4", also={"MEM-3"})
class KeysOutliveThePrograms(KeptElsewhere):
    """Begins without a data centre, but with the keys of an earlier program."""

    def _take(self, state: State) -> None:
        self._state = State(keys=state.keys)
