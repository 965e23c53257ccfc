"""StoreSession: a session in a directory, in teleproto's layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from teleproto_sessions import layout, tl
from teleproto_sessions.directory import Directory
from teleproto_sessions.entities import Entity, EntityCache
from teleproto_sessions.errors import DamagedSession
from teleproto_sessions.memory import MemorySession, State

T = TypeVar("T")


class StoreSession(MemorySession):
    """A session kept in the directory `name` under the working directory.

    Every change is on the disk when its call returns; a change that raises has no effect. `load()`
    or the first change reads the directory. If another handle has written since, the next change
    reads it again. If another handle has deleted the session, this one forgets it too. It then
    stores only a new data centre, key or flag. Raises `InvalidSessionName` if the name is not a
    single directory, and `DamagedSession` if a file is damaged.
    """

    session_profile = "teleproto-store"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._directory = Directory(name)
        self._rows: dict[str, tl.Peer] = {}  # the stored entities by row id
        self._loaded = False
        self._deleted_elsewhere = False

    def load(self) -> None:
        """Read the directory, but only once."""
        if not self._loaded:
            self._read()

    def delete(self) -> None:
        """Remove the stored files, and then the directory if it is empty."""
        self._directory.delete()
        super().delete()
        self._rows, self._loaded, self._deleted_elsewhere = {}, True, False

    def process_entities(self, tlo: object) -> None:
        self._before_change()
        if not self._deleted_elsewhere:  # entities belong to a login
            super().process_entities(tlo)

    def _before_change(self) -> None:
        if not self._loaded or self._directory.changed():
            self._read()

    def _read(self) -> None:
        self._loaded = False  # and stays so if a file is damaged
        files = self._directory.read()
        rows = {part: files.pop(part) for part in list(files) if part[-1].isdigit()}
        values = {part: self._decoded(layout.read_field, part, files[part]) for part in files}
        entities = {part: self._decoded(layout.read_row, part, rows[part]) for part in rows}
        login = ("dcId", "port", "serverAddress", "authKey")  # teleproto stores them together
        for part in login:
            if part not in files and not files.keys().isdisjoint(login[:3]):
                raise self._damaged(part)
        stored_before = self._state != State() or bool(self._rows)
        self._deleted_elsewhere = not (files or rows) and (self._deleted_elsewhere or stored_before)
        self._state = layout.state_of(values)
        self._entities = EntityCache(entities.values())
        self._rows = {row_id: entity.peer for row_id, entity in entities.items()}
        self._loaded = True

    def _decoded(self, decode: Callable[[str, bytes], T], part: str, content: bytes) -> T:
        try:
            return decode(part, content)
        except (ValueError, TypeError, KeyError, RecursionError):
            pass  # raised below, so that the error has no cause with the content
        raise self._damaged(part)

    def _damaged(self, part: str) -> DamagedSession:
        return DamagedSession(
            f"the file {self._directory.file_name(part)} is missing or damaged; "
            "restore it from a copy, or delete() the session and log in again"
        )

    def _write_state(self, state: State) -> None:
        old, new = layout.files_of(self._state), layout.files_of(state)
        parts = [part for part in {**new, **old} if new.get(part) != old.get(part)]
        self._directory.write({part: new.get(part) for part in parts})
        self._deleted_elsewhere = False

    def _write_entities(self, changed: Mapping[tl.Peer, Entity]) -> None:
        rows = dict[str, tl.Peer | None]()
        contents = dict[str, bytes | None]()
        for peer, entity in changed.items():
            row_id = next(
                row_id
                for row_id in layout.row_ids(peer)
                if layout.peer_of(row_id, entity.access_hash) == peer
                and (rows.get(row_id) or self._rows.get(row_id, peer)) == peer
            )
            for stale in layout.row_ids(peer):
                if stale != row_id and self._rows.get(stale) == peer:
                    rows[stale] = contents[stale] = None
            rows[row_id] = peer
            contents[row_id] = layout.row_of(row_id, entity)
        self._directory.write(contents)
        for row_id, owner in rows.items():
            if owner is None:
                del self._rows[row_id]
            else:
                self._rows[row_id] = owner
