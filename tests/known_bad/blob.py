"""Two plain, correct sessions with a storage, for other modules to break.

`BlobSession` keeps everything in one JSON document that save() writes. `ThroughSession` keeps the
document in a directory of its own, and writes it at every change.
"""

from __future__ import annotations

import json
import os
from glob import escape
from pathlib import Path
from threading import get_native_id
from typing import Any
from urllib.parse import quote

from teleproto_sessions import InvalidSessionName, MemorySession, tl
from teleproto_sessions.entities import Entity, EntityCache
from teleproto_sessions.memory import State

KINDS: dict[str, Any] = {"user": tl.PeerUser, "chat": tl.PeerChat, "channel": tl.PeerChannel}


class BlobSession(MemorySession):
    """Profile custom: what save() wrote is read again."""

    session_profile = "custom"

    _stored = False

    def __init__(self, name: str) -> None:
        super().__init__()
        self._path = self._place(name)
        self._loaded = False

    def _place(self, name: str) -> Path:
        return Path(quote(name, safe="") + ".json").absolute()

    def load(self) -> None:
        if self._loaded:
            return
        stored = self._fetch()
        if stored is not None:
            self._read(json.loads(stored))
            self._stored = True
        self._loaded = True

    def save(self) -> str | None:
        self.load()
        if not self._gone():
            self._write(self._document())
            self._stored = self._fetch() is not None
        return None

    def delete(self) -> None:
        super().delete()
        self._loaded, self._stored = True, False
        self._erase()

    def process_entities(self, tlo: object) -> None:
        self.load()
        if not self._gone():
            super().process_entities(tlo)

    def _before_change(self) -> None:
        self.load()
        if self._gone():
            MemorySession.delete(self)
            self._stored = False

    def _gone(self) -> bool:
        """Say whether another handle has deleted what this one has read or written."""
        return self._stored and self._fetch() is None

    def _document(self) -> dict[str, Any]:
        state = self._state
        return {
            "dc_id": state.dc_id,
            "server_address": state.server_address,
            "port": state.port,
            "test_servers": state.test_servers,
            "keys": {str(dc_id): key.hex() for dc_id, key in state.keys.items()},
            "entities": [self._row(entity) for entity in self._entities._entities.values()],
        }

    def _row(self, entity: Entity) -> list[Any]:
        kind = next(kind for kind, peer in KINDS.items() if isinstance(entity.peer, peer))
        return [
            kind,
            tl.bare_id(entity.peer),
            entity.access_hash,
            entity.username,
            list(entity.usernames),
            entity.phone,
            entity.name,
        ]

    def _read(self, document: dict[str, Any]) -> None:
        self._state = State(
            document["dc_id"],
            document["server_address"],
            document["port"],
            {int(dc_id): bytes.fromhex(key) for dc_id, key in document["keys"].items()},
            document["test_servers"],
        )
        self._entities = EntityCache(self._entity(row) for row in document["entities"])

    def _entity(self, row: list[Any]) -> Entity:
        kind, bare_id, access_hash, username, usernames, phone, name = row
        peer: tl.Peer = KINDS[kind](bare_id)
        return Entity(peer, access_hash, username, tuple(usernames), phone, name)

    def _fetch(self) -> bytes | None:
        return self._path.read_bytes() if self._path.exists() else None

    def _write(self, document: dict[str, Any]) -> None:
        self._put(self._path, json.dumps(document).encode())

    def _put(self, path: Path, content: bytes) -> None:
        new = path.with_name(f"{path.name}.{get_native_id()}.new")
        try:
            with os.fdopen(
                os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as file:
                file.write(content)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _erase(self) -> None:
        self._path.unlink(missing_ok=True)
        for left in self._path.parent.glob(f"{escape(self._path.name)}.*.new"):  # by a crash
            left.unlink(missing_ok=True)


class ThroughSession(BlobSession):
    """Profile store: every change is written at once to `NAME/session.json`."""

    session_profile = "store"

    def _place(self, name: str) -> Path:
        if name in ("", ".", "..", "session") or set(name) & set("/\\\0"):
            raise InvalidSessionName("a session name is one directory, and not called session")
        return Path(name).absolute() / "session.json"

    def _change(self, state: State) -> None:
        super()._change(state)
        self.save()

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        self._entities_seen()

    def _entities_seen(self) -> None:
        if self._entities._entities:
            self.save()

    def delete(self) -> None:
        super().delete()
        if self._path.parent.is_dir() and not any(self._path.parent.iterdir()):
            self._path.parent.rmdir()

    def _write(self, document: dict[str, Any]) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        super()._write(document)
