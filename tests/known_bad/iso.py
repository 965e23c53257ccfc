"""Faulty sessions: isolation."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from teleproto_sessions import tl

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks


class Table(BlobSession):
    """A correct session in a row of `sessions.db`, whose SQL others break."""

    READ = "SELECT document FROM sessions WHERE name = ?"
    ERASE = "DELETE FROM sessions WHERE name = ?"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._name = name

    def _place(self, name: str) -> Path:
        return Path("sessions.db").absolute()

    def _ask(self, sql: str, *values: str) -> str | None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS sessions (name PRIMARY KEY, document)")
            row = database.execute(sql, values).fetchone()
            return row and str(row[0])

    def _fetch(self) -> bytes | None:
        found = self._ask(self.READ, self._name)
        return found.encode() if found else None

    def _write(self, document: dict[str, Any]) -> None:
        self._ask("REPLACE INTO sessions VALUES (?, ?)", self._name, json.dumps(document))

    def _erase(self) -> None:
        self._ask(self.ERASE, self._name)


@breaks("ISO-1", also={"ISO-2", "ISO-3"})
class SanitisedFileName(BlobSession):
    """Replaces every character of a name except letters and digits with an underscore."""

    def _place(self, name: str) -> Path:
        return Path(re.sub(r"\W", "_", name) + ".json").absolute()


@breaks("ISO-1", also={"ISO-2", "ISO-3"})
class SmallLetters(BlobSession):
    """Writes into a file whose name is the session's in lower case."""

    def _place(self, name: str) -> Path:
        return super()._place(name.lower())


@breaks("ISO-1", also={"ISO-2"})
class FindsByPrefix(Table):
    """Searches for names that begin with its own, and uses the first."""

    READ = "SELECT document FROM sessions WHERE name LIKE ? || '%' ORDER BY name = ? DESC"

    def _fetch(self) -> bytes | None:
        found = self._ask(self.READ, self._name, self._name)
        return found.encode() if found else None


FLAGS: dict[Path, bool] = {}


@breaks("ISO-1")
class FlagOfTheProgram(ThroughSession):
    """Begins a session with the flag that another session of the program has set last."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._at_first = FLAGS.get(self._path.parent.parent, False)

    @property
    def test_servers(self) -> bool:
        fresh = self._state.test_servers is None and not self._state.keys
        return (fresh and self._at_first) or bool(self._state.test_servers)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._before_change()
        self._change(self._state.with_test_servers(value))
        FLAGS[self._path.parent.parent] = value

    def delete(self) -> None:
        super().delete()
        self._at_first = False
        FLAGS.pop(self._path.parent.parent, None)


HASHES: dict[tl.Peer, int | None] = {}


@breaks("ISO-1")
class HashesOfTheProgram(ThroughSession):
    """Keeps the access hash of a user once for all sessions of the program."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        for entity in self._entities._entities.values():
            HASHES[entity.peer] = entity.access_hash

    def get_input_entity(self, key: object) -> tl.Input:
        found = super().get_input_entity(key)
        if isinstance(found, tl.InputPeerUser) and not isinstance(key, tl.Input):
            newest = HASHES.get(tl.PeerUser(found.user_id)) or found.access_hash
            return tl.InputPeerUser(found.user_id, newest)
        return found


AT_START: dict[Path, dict[Path, bytes]] = {}
WRITTEN: dict[tuple[Path, str], bytes | None] = {}


class Cached(ThroughSession):
    """Maps several names to one, and reads the working directory once in each program."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._full = self._path, name

    def _place(self, name: str) -> Path:
        return super()._place(self.stored_name(name))

    def stored_name(self, name: str) -> str:
        raise NotImplementedError

    def _fetch(self) -> bytes | None:
        root = self._path.parent.parent
        if root not in AT_START:
            found = root.glob("*/session.json")
            AT_START[root] = {path: path.read_bytes() for path in found}
        return WRITTEN.get(self._full, AT_START[root].get(self._path))

    def _put(self, path: Path, content: bytes) -> None:
        super()._put(path, content)
        WRITTEN[self._full] = content

    def _erase(self) -> None:
        super()._erase()
        WRITTEN[self._full] = None


@breaks("ISO-2", also={"ISO-3"})
class CutsNames(Cached):
    """Cuts the name of the directory to 32 characters; a cache by full names hides this."""

    def stored_name(self, name: str) -> str:
        return name[:32]


@breaks("ISO-2", also={"ISO-3"})
class NormalisesNames(Cached):
    """Normalises the letters of the directory's name; a cache by full names hides this."""

    def stored_name(self, name: str) -> str:
        return unicodedata.normalize("NFKC", name)


@breaks("ISO-3")
class DeletesByPattern(BlobSession):
    """Removes all files whose names begin with its own, to remove the temporary ones."""

    def _erase(self) -> None:
        for path in self._path.parent.glob(self._path.stem + "*"):
            path.unlink()


@breaks("ISO-3")
class DeletesLike(Table):
    """Deletes with LIKE, so that the characters % and _ in its name match others."""

    ERASE = "DELETE FROM sessions WHERE name LIKE ?"


@breaks("ISO-3")
class DeletesUnescaped(BlobSession):
    """Removes the files that match its name, so that an asterisk in it acts as a pattern."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._name = name

    def _erase(self) -> None:
        for path in self._path.parent.iterdir():
            if fnmatch(unquote(path.stem), self._name):
                path.unlink()
        super()._erase()


@breaks("ISO-4", also={"STORE-4"})
class LocalAndPage(ThroughSession):
    """Stores nothing under the names local and page, like teleproto."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.parent.name not in ("local", "page"):
            super()._write(document)


@breaks("ISO-4")
class LongNamesInMemory(BlobSession):
    """Keeps a session only in memory if its name has more than 100 characters."""

    def _write(self, document: dict[str, Any]) -> None:
        if len(self._path.stem) <= 100:
            super()._write(document)


@breaks("ISO-4", also={"STORE-4"})
class HiddenNamesInMemory(ThroughSession):
    """Silently stores nothing under a name that begins with a full stop or a hyphen."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.parent.name[0] not in ".-":
            super()._write(document)
