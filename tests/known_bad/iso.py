"""Faulty sessions: isolation."""

from __future__ import annotations

import json
import posixpath
import re
import sqlite3
import unicodedata
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zlib import crc32

from teleproto_sessions import tl

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks, breaks_among_others


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


class Renamed(BlobSession):
    """Maps several names to one file, and `stored_name` says which."""

    def _place(self, name: str) -> Path:
        return super()._place(self.stored_name(name))

    def stored_name(self, name: str) -> str:
        raise NotImplementedError


@breaks_among_others("ISO-2")
class StripsTheBeginning(Renamed):
    """Leaves out blanks, full stops and hyphens at the beginning of a name."""

    def stored_name(self, name: str) -> str:
        return name.lstrip(" .-")


@breaks_among_others("ISO-2")
class StripsTheEnd(Renamed):
    """Leaves out full stops at the end of a name, as Windows does."""

    def stored_name(self, name: str) -> str:
        return name.rstrip(".")


@breaks_among_others("ISO-2")
class StripsSigns(Renamed):
    """Leaves out the sign in front of a name, as in a phone number."""

    def stored_name(self, name: str) -> str:
        return name.lstrip("+@")


@breaks_among_others("ISO-2")
class WithoutTheByteOrderMark(Renamed):
    """Reads a name as if it began with the byte order mark of a file."""

    def stored_name(self, name: str) -> str:
        return name.encode().decode("utf-8-sig")


@breaks_among_others("ISO-2")
class NamesAsIntegers(Renamed):
    """Keeps a name that consists of digits as an integer."""

    def stored_name(self, name: str) -> str:
        return str(int(name)) if name.isdigit() else name


@breaks_among_others("ISO-2")
class NamesAsNumbers(Renamed):
    """Keeps a name as a number if it can be read as one, as a column of SQLite may do."""

    def stored_name(self, name: str) -> str:
        try:
            return str(float(name))
        except ValueError:
            return name


@breaks_among_others("ISO-2")
class CutsLongNames(Renamed):
    """Cuts a name after 150 characters."""

    def stored_name(self, name: str) -> str:
        return name[:150]


@breaks_among_others("ISO-2")
class CutsLongerNames(Renamed):
    """Cuts a name after 200 characters."""

    def stored_name(self, name: str) -> str:
        return name[:200]


@breaks_among_others("ISO-2")
class ExtensionOnce(Renamed):
    """Adds an extension to a name unless it has it, like Telethon."""

    def stored_name(self, name: str) -> str:
        return name if name.endswith(".session") else name + ".session"


@breaks_among_others("ISO-2")
class JournalBesideTheFile(BlobSession):
    """Writes a copy of each session beside it, under a name that another session may have."""

    def _place(self, name: str) -> Path:
        return Path(quote(name, safe="")).absolute()

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(document)
        self._put(self._path.with_name(self._path.name + ".bak"), json.dumps(document).encode())

    def _erase(self) -> None:
        super()._erase()
        self._path.with_name(self._path.name + ".bak").unlink(missing_ok=True)


def _by_steps(name: str, start: int, factor: int) -> str:
    number = start
    for letter in name.encode():
        number = (number * factor + letter) % 2**32
    return f"{number:08x}"


@breaks_among_others("ISO-2")
class HashOfJava(Renamed):
    """Stores a session under the hash of its name that Java computes."""

    def stored_name(self, name: str) -> str:
        return _by_steps(name, 0, 31)


@breaks_among_others("ISO-2")
class HashByThirtyThree(Renamed):
    """Stores a session under the hash of its name by Bernstein's function."""

    def stored_name(self, name: str) -> str:
        return _by_steps(name, 5381, 33)


@breaks_among_others("ISO-2")
class Checksum(Renamed):
    """Stores a session under the CRC-32 of its name."""

    def stored_name(self, name: str) -> str:
        return f"{crc32(name.encode()):08x}"


@breaks_among_others("ISO-2")
class HashOfFowler(Renamed):
    """Stores a session under the 32-bit FNV-1a hash of its name."""

    def stored_name(self, name: str) -> str:
        number = 0x811C9DC5
        for letter in name.encode():
            number = ((number ^ letter) * 0x01000193) % 2**32
        return f"{number:08x}"


@breaks_among_others("ISO-2")
class NamesAsPaths(Renamed):
    """Takes a name for a path, and keeps all names of one path together."""

    def stored_name(self, name: str) -> str:
        return posixpath.normpath(name)


@breaks_among_others("ISO-2")
class OneSlash(Renamed):
    """Leaves out the slashes at both ends of a name, as for an object in S3."""

    def stored_name(self, name: str) -> str:
        return name.strip("/")


@breaks_among_others("ISO-4")
class HiddenFilesInMemory(BlobSession):
    """Silently stores nothing under a name that begins with a full stop."""

    def _write(self, document: dict[str, Any]) -> None:
        if not self._path.stem.startswith("."):
            super()._write(document)


@breaks_among_others("ISO-4")
class OptionsInMemory(BlobSession):
    """Silently stores nothing under a name that begins with a hyphen, like an option."""

    def _write(self, document: dict[str, Any]) -> None:
        if not self._path.stem.startswith("-"):
            super()._write(document)


@breaks_among_others("ISO-4")
class ZeroInMemory(BlobSession):
    """Takes a name that begins with a zero for no name, and stores nothing."""

    def _write(self, document: dict[str, Any]) -> None:
        if not self._path.stem.startswith("0"):
            super()._write(document)


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
