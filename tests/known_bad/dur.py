"""Faulty sessions: durability.

The module's memory often hides a fault on the disk. The fault then shows in the next program.
"""

from __future__ import annotations

import atexit
import json
import logging
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from teleproto_sessions import StoreSession, tl
from teleproto_sessions.directory import Directory
from teleproto_sessions.entities import Entity, EntityCache
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks

REMEMBERED: dict[Path, bytes | None] = {}


class Remembering(BlobSession):
    """Reads a file once in each program, and then trusts its own copy."""

    def _fetch(self) -> bytes | None:
        if self._path not in REMEMBERED:
            REMEMBERED[self._path] = super()._fetch()
        return REMEMBERED[self._path]

    def _put(self, path: Path, content: bytes) -> None:
        self._store(path, content)
        REMEMBERED[path] = content

    def _erase(self) -> None:
        super()._erase()
        REMEMBERED[self._path] = None

    def _store(self, path: Path, content: bytes) -> None:
        super()._put(path, content)


@breaks("DUR-1", also={"LIFE-12", "DUR-8"})
class KeepsAllInTheProgram(Remembering):
    """Keeps everything in a dictionary of its module."""

    def _store(self, path: Path, content: bytes) -> None:
        pass


def write_all() -> None:
    for path, content in REMEMBERED.items():
        if content is not None and path.parent.is_dir():
            path.write_bytes(content)


@breaks("DUR-1", also={"DUR-8"})
class WritesAtExit(KeepsAllInTheProgram):
    """Writes only when the program ends normally."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        atexit.unregister(write_all)
        atexit.register(write_all)


DELETED: set[Path] = set()


@breaks("DUR-2")
class MarksAsDeleted(BlobSession):
    """Notes a deleted session only in a set of its module, and leaves the file."""

    def _fetch(self) -> bytes | None:
        return None if self._path in DELETED else super()._fetch()

    def _put(self, path: Path, content: bytes) -> None:
        super()._put(path, content)
        DELETED.discard(path)

    def _erase(self) -> None:
        DELETED.add(self._path)


@breaks("DUR-2")
class RestoresTheBackup(Remembering):
    """Reads its backup if the file is missing, also after delete()."""

    @property
    def _backup(self) -> Path:
        return self._path.with_suffix(".bak")

    def _fetch(self) -> bytes | None:
        found = super()._fetch()
        if found is None and self._path not in DELETED and self._backup.exists():
            return self._backup.read_bytes()
        return found

    def _store(self, path: Path, content: bytes) -> None:
        super()._store(self._backup, content)
        super()._store(path, content)
        DELETED.discard(path)

    def _erase(self) -> None:
        super()._erase()
        DELETED.add(self._path)


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class TwoFiles(BlobSession):
    """Keeps a part of the document in a second file that it writes after the first."""

    @property
    def _second(self) -> Path:
        return self._path.with_suffix(".key")

    def _fetch(self) -> bytes | None:
        found = super()._fetch()
        if found is None or not self._second.exists():
            return found
        document = json.loads(found)
        self._unite(document, json.loads(self._second.read_text()))
        return json.dumps(document).encode()

    def _write(self, document: dict[str, Any]) -> None:
        part = json.dumps(self._divide(document)).encode()
        files = {self._path: json.dumps(document).encode(), self._second: part}
        for path in self._in_order([*files]):
            self._put(path, files[path])

    def _divide(self, document: dict[str, Any]) -> Any:
        return document["keys"].pop(str(document["dc_id"]), None)

    def _unite(self, document: dict[str, Any], part: Any) -> None:
        if part is not None:
            document["keys"][str(document["dc_id"])] = part

    def _in_order(self, files: list[Path]) -> list[Path]:
        return files

    def _erase(self) -> None:
        self._second.unlink(missing_ok=True)
        super()._erase()


@breaks("DUR-3")
class AddressBeforeKey(TwoFiles):
    """Writes the address of a data centre into one file and then the key into another."""


@breaks("DUR-3")
class RewritesInPlace(BlobSession):
    """Empties its file, then writes it."""

    def _put(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)


@breaks("DUR-3")
class UnlinksBeforeRenaming(BlobSession):
    """Removes the old file before it renames the new one."""

    def _put(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(".new")
        super()._put(new, content)
        path.unlink(missing_ok=True)
        new.rename(path)


@breaks("DUR-3")
class EntityByEntity(StoreSession):
    """Writes the entities of one update one after the other."""

    def _write_entities(self, changed: Mapping[tl.Peer, Entity]) -> None:
        for peer, entity in changed.items():
            super()._write_entities({peer: entity})


@breaks("DUR-3")
class RewritesInAThread(RewritesInPlace):
    """Empties its file, then writes it, in a thread that ends before the call returns."""

    def _put(self, path: Path, content: bytes) -> None:
        in_a_thread(partial(super()._put, path, content))


@breaks("DUR-3")
class AddressThenKeyInThreads(TwoFiles):
    """Writes the address and then the key, each in a thread of its own."""

    def _put(self, path: Path, content: bytes) -> None:
        in_a_thread(partial(super()._put, path, content))


class NamesApart(TwoFiles):
    """Keeps what an entity is called in a second file."""

    def _divide(self, document: dict[str, Any]) -> Any:
        apart = {str(row[1]): row[3:] for row in document["entities"]}
        document["entities"] = [[*row[:3], None, [], None, None] for row in document["entities"]]
        return apart

    def _unite(self, document: dict[str, Any], part: Any) -> None:
        for row in document["entities"]:
            row[3:] = part.get(str(row[1]), row[3:])


@breaks("DUR-3")
class NamesAfterIds(NamesApart):
    """Writes ids and access hashes, and then all names into a second file."""


@breaks("DUR-3")
class PhonesFirst(NamesApart):
    """Writes phone numbers into a file of their own, before all else."""

    def _divide(self, document: dict[str, Any]) -> Any:
        phones = {str(row[1]): row[5] for row in document["entities"]}
        document["entities"] = [[*row[:5], None, row[6]] for row in document["entities"]]
        return phones

    def _unite(self, document: dict[str, Any], part: Any) -> None:
        for row in document["entities"]:
            row[5] = part.get(str(row[1]))

    def _in_order(self, files: list[Path]) -> list[Path]:
        return files[::-1]


@breaks("DUR-3")
class RewritesItsIndex(NamesApart):
    """Empties its index of names, and then writes it."""

    def _put(self, path: Path, content: bytes) -> None:
        if path == self._second:
            path.write_bytes(content)
        else:
            super()._put(path, content)

    def _fetch(self) -> bytes | None:
        if self._second.exists() and not self._second.read_bytes():
            self._second.write_text("{}")
        return super()._fetch()


WRITER = """
import os, sys
for line in sys.stdin:
    path, content = line.rstrip("\\n").split("\\t")
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, content.encode())
    except OSError:
        pass
    os.close(file)
    print(flush=True)
"""


@breaks("DUR-4", also={"DUR-3"})
class LosesTheErrorOfItsHelper(BlobSession):
    """Lets a helper process write the file in place, and loses its errors."""

    _helper: subprocess.Popen[str] | None = None

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._helper = subprocess.Popen(
            [sys.executable, "-Sc", WRITER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def _put(self, path: Path, content: bytes) -> None:
        helper = self._helper
        assert helper is not None
        assert helper.stdin is not None
        assert helper.stdout is not None
        helper.stdin.write(f"{path}\t{content.decode()}\n")
        helper.stdout.readline()

    def __del__(self) -> None:
        if self._helper is not None:
            self._helper.kill()
            self._helper.communicate()


@breaks("DUR-4")
class LosesTheErrorOfItsThread(BlobSession):
    """Writes in a thread, and loses its errors."""

    def _write(self, document: dict[str, Any]) -> None:
        def write() -> None:
            with suppress(OSError):
                super(LosesTheErrorOfItsThread, self)._write(document)

        in_a_thread(write)


@breaks("DUR-4")
class SwallowsErrors(StoreSession):
    """Continues with its memory if the disk refuses a write."""

    def _write_state(self, state: State) -> None:
        with suppress(OSError):
            super()._write_state(state)


@breaks("DUR-4")
class LogsErrors(BlobSession):
    """Logs that the file could not be written, and reports success."""

    def _write(self, document: dict[str, Any]) -> None:
        try:
            super()._write(document)
        except OSError as error:
            logging.getLogger("sessions").error("the session was not saved: %s", error.strerror)


@breaks("DUR-4")
class TriesToDelete(ThroughSession):
    """Ignores the error if delete() cannot remove the file."""

    def _erase(self) -> None:
        with suppress(OSError):
            super()._erase()


@breaks("DUR-5")
class StartsAfresh(ThroughSession):
    """Removes its file after a failed write."""

    def _write(self, document: dict[str, Any]) -> None:
        try:
            super()._write(document)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise


@breaks("DUR-5")
class TakesBackHalf(ThroughSession):
    """Restores the data centre's id after an error, but not its address and port."""

    def _change(self, state: State) -> None:
        before = self._state
        try:
            super()._change(state)
        except OSError:
            self._state = replace(self._state, dc_id=before.dc_id, keys=before.keys)
            raise


@breaks("DUR-5", also={"DUR-3"})
class IdBeforeAddress(ThroughSession):
    """Stores the id of a data centre and then, in a second write, its address and port."""

    def _change(self, state: State) -> None:
        old = self._state
        super()._change(replace(state, server_address=old.server_address, port=old.port))
        super()._change(state)


@breaks("DUR-5")
class TakesBackNoNames(ThroughSession):
    """Removes new entities from its memory after an error, but leaves their names there."""

    def process_entities(self, tlo: object) -> None:
        before = dict(self._entities._entities)
        try:
            super().process_entities(tlo)
        except OSError:
            now = self._entities._entities
            kept = [replace(old, username=now[peer].username) for peer, old in before.items()]
            self._entities = EntityCache(kept)
            raise


@breaks("DUR-6")
class SavesWhateverItHolds(BlobSession):
    """Writes its state on save() even if another handle has deleted the login."""

    def _gone(self) -> bool:
        return False


@breaks("DUR-6")
class UpdatesBringBack(ThroughSession):
    """Writes the whole directory again, if it was deleted, when an update arrives."""

    def process_entities(self, tlo: object) -> None:
        if self._gone():
            self._stored = False
        super().process_entities(tlo)


class Slow(TwoFiles):
    """Waits between two files, and prefers the second one when it reads."""

    _found = False

    def _read(self, document: dict[str, Any]) -> None:
        super()._read(document)
        self._found = True

    def _in_order(self, files: list[Path]) -> list[Path]:
        return files[::-1] if self._found else files

    def _put(self, path: Path, content: bytes) -> None:
        super()._put(path, content)
        time.sleep(0.002)


@breaks("DUR-7")
class AddressAndKeyUnlocked(Slow):
    """Writes the address and the current key into two files without a common lock."""


@breaks("DUR-7")
class ListsSideBySide(Slow):
    """Keeps the ids of data centres in one file and their keys in another, in the same order."""

    def _divide(self, document: dict[str, Any]) -> Any:
        keys = list(document["keys"].values())
        document["keys"] = dict.fromkeys(document["keys"])
        return keys

    def _unite(self, document: dict[str, Any], part: Any) -> None:
        document["keys"] = dict(zip(document["keys"], part, strict=False))


@breaks("DUR-8")
class WritesIntoTheTrash(Remembering):
    """Renames the file before removing it, and from then on writes under the new name."""

    _renamed: Path | None = None

    def _store(self, path: Path, content: bytes) -> None:
        super()._store(self._renamed or path, content)

    def _erase(self) -> None:
        if self._path.exists():
            self._renamed = self._path.rename(self._path.with_suffix(".trash"))
            self._renamed.unlink()
        super()._erase()


ON_THE_DISK: set[tuple[Path, bytes]] = set()


@breaks("DUR-8")
class WritesNothingTwice(Remembering, ThroughSession):
    """Skips a write with earlier content, although the file has changed since."""

    def _store(self, path: Path, content: bytes) -> None:
        if (path, content) not in ON_THE_DISK:
            super()._store(path, content)
            ON_THE_DISK.add((path, content))


@breaks("DUR-9")
class PathFromWhereItIs(ThroughSession):
    """Keeps a relative path, so that every access begins at the current working directory."""

    def _place(self, name: str) -> Path:
        return super()._place(name).relative_to(Path.cwd())


@breaks("DUR-9")
class PathFromWhereItLoads(BlobSession):
    """Makes its path absolute in load() instead of the constructor."""

    def _place(self, name: str) -> Path:
        return super()._place(name).relative_to(Path.cwd())

    def load(self) -> None:
        self._path = self._path.absolute()
        super().load()


@breaks("DUR-10")
class EmptyIfUnreadable(BlobSession):
    """Takes a file that cannot be read for a missing one."""

    def _fetch(self) -> bytes | None:
        try:
            return super()._fetch()
        except OSError:
            return None


@breaks("DUR-10", also={"STORE-7"})
class LoadedBeforeItReads(ThroughSession):
    """Counts itself as loaded before it has read the file."""

    def load(self) -> None:
        if not self._loaded:
            try:
                super().load()
            finally:
                self._loaded = True


@breaks("DUR-10")
class PutsTheFileAside(ThroughSession):
    """Renames a file that it cannot read, and begins with an empty session."""

    def _fetch(self) -> bytes | None:
        try:
            return super()._fetch()
        except OSError:
            self._path.rename(self._path.with_suffix(".unreadable"))
            return None


@breaks("DUR-10")
class ReadsTheBackup(ThroughSession):
    """Reads the content before the last change if it cannot read the file."""

    @property
    def _backup(self) -> Path:
        return self._path.with_suffix(".bak")

    def _fetch(self) -> bytes | None:
        try:
            return super()._fetch()
        except OSError:
            return self._backup.read_bytes() if self._backup.exists() else None

    def _put(self, path: Path, content: bytes) -> None:
        before = self._fetch()
        if before not in (None, content):
            super()._put(self._backup, before)
        super()._put(path, content)

    def _erase(self) -> None:
        self._backup.unlink(missing_ok=True)
        super()._erase()


@breaks("DUR-10")
class NoKeyIfUnreadable(TwoFiles):
    """Has no current key if it cannot read the file of that key."""

    def _fetch(self) -> bytes | None:
        try:
            return super()._fetch()
        except OSError:
            return BlobSession._fetch(self)


@breaks("DUR-10", also={"STORE-10"})
class FewerFilesIfUnreadable(StoreSession):
    """Takes each file of its directory that cannot be read for a missing one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory = ForgivingDirectory(name)


class ForgivingDirectory(Directory):
    def read(self) -> dict[str, bytes]:
        return {part: content for part, content in super().read().items() if content}

    def _get(self, part: str) -> bytes | None:
        with suppress(OSError):
            return super()._get(part)
        return None


class Leftovers(BlobSession):
    """Writes a new file under a name that delete() does not look for."""

    def _put(self, path: Path, content: bytes) -> None:
        new = self._new(path)
        new.write_bytes(content)
        new.replace(path)

    def _new(self, path: Path) -> Path:
        return path.with_suffix(".part")


@breaks("DUR-11")
class LeavesItsNewFile(Leftovers):
    """Leaves the new file of a killed program."""


@breaks("DUR-11")
class LeavesFilesOfRandomNames(Leftovers, ThroughSession):
    """Writes each new file under a random name, and removes none of a killed program."""

    def _new(self, path: Path) -> Path:
        return path.with_name(f"{secrets.token_hex(8)}.tmp")


@breaks("DUR-11")
class LeavesItsCopy(BlobSession):
    """Copies its file while it writes a new one, and leaves the copy of a killed program."""

    def _put(self, path: Path, content: bytes) -> None:
        copy = path.with_suffix(".old")
        if path.exists():
            copy.write_bytes(path.read_bytes())
        super()._put(path, content)
        copy.unlink(missing_ok=True)


@breaks("DUR-11")
class LeavesNewFilesOfTheStore(StoreSession):
    """Deletes the files of the login, but no file that a killed program has begun."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory = CarelessDirectory(name)


class CarelessDirectory(Directory):
    def _parts(self, pattern: re.Pattern[str]) -> list[str]:
        return [part for part in super()._parts(pattern) if "." not in part]
