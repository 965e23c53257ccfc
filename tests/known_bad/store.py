"""Faulty sessions: directories."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from teleproto_sessions import AuthKey, DamagedSession, StoreSession, layout
from teleproto_sessions.directory import Directory
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks


@breaks("STORE-1", also={"STORE-7"})
class FileBesideTheDirectory(ThroughSession):
    """Writes `NAME.json` into the working directory, and leaves its own directory empty."""

    def _place(self, name: str) -> Path:
        place = super()._place(name)
        return place.parent.with_name(place.parent.name + ".json")

    def _write(self, document: dict[str, Any]) -> None:
        self._path.with_suffix("").mkdir(exist_ok=True)
        BlobSession._write(self, document)

    def delete(self) -> None:
        BlobSession.delete(self)
        with suppress(OSError):
            self._path.with_suffix("").rmdir()


@breaks("STORE-1")
class LowerCaseDirectory(ThroughSession):
    """Writes into a directory whose name is the session's in lower case."""

    def _place(self, name: str) -> Path:
        return super()._place(name.lower())


@breaks("STORE-1", also={"STORE-6"})
class LogBesideTheDirectory(ThroughSession):
    """Keeps a log of its writes in the working directory."""

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(document)
        log = self._path.parent.with_name("sessions.log")
        log.write_text(f"wrote {self._path.parent.name}\n", encoding="utf-8")


@breaks(
    "STORE-2",
    also={
        "DC-6",
        "DC-7",
        "DC-8",
        "KEY-8",
        "KEY-10",
        "KEY-13",
        "TEST-4",
        "TEST-7",
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
        "STORE-1",
        "STORE-4",
        "STORE-6",
        "STORE-7",
        "LIFE-1",
        "LIFE-2",
        "LIFE-3",
        "LIFE-8",
        "LIFE-9",
        "CLIENT-3",
        "CLIENT-7",
        "ENT-25",
        "DC-4",
    },
)
class WritesOnSave(ThroughSession):
    """Writes only when it is saved."""

    def _change(self, state: State) -> None:
        self._state = state

    def _entities_seen(self) -> None:
        pass


@breaks(
    "STORE-2",
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
        "STORE-6",
        "LIFE-8",
        "LIFE-9",
        "CLIENT-3",
        "CLIENT-7",
        "ENT-25",
    },
)
class EntitiesOnSave(ThroughSession):
    """Writes the login at once, but entities only when it is saved."""

    def _entities_seen(self) -> None:
        pass


@breaks("STORE-2", also={"LIFE-9"})
class PropertyOnSave(ThroughSession):
    """Writes a key set by the method, but not one assigned to the property, like redisthon."""

    @property
    def auth_key(self) -> AuthKey | None:
        return super().auth_key

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.load()
        key = auth_key.key if auth_key else None
        self._state = self._state.with_key(self.dc_id, AuthKey(key).key)


@breaks("STORE-2", also={"DC-6", "DC-7", "KEY-8", "KEY-13", "TEST-7", "LIFE-1", "LIFE-9"})
class OtherKeysOnSave(ThroughSession):
    """Writes the current data centre's key at once, but others only when it is saved."""

    def _change(self, state: State) -> None:
        current = (state.dc_id, state.keys.get(state.dc_id), state.server_address, state.port)
        old = self._state
        self._state = state
        before = (old.dc_id, old.keys.get(old.dc_id), old.server_address, old.port)
        if current != before or state.test_servers != old.test_servers:
            self.save()


@breaks("STORE-3")
class AnyName(ThroughSession):
    """Accepts the name session."""

    def _place(self, name: str) -> Path:
        if name == "session":
            return Path(name).absolute() / "session.json"
        return super()._place(name)


@breaks("STORE-3")
class MakesTheDirectoryFirst(ThroughSession):
    """Makes the directory before it checks the name."""

    def __init__(self, name: str) -> None:
        if name == "session":
            Path(name).mkdir(exist_ok=True)
            (Path(name) / "lock").touch()
        super().__init__(name)


@breaks("STORE-4")
class SomeNamesStoreNothing(ThroughSession):
    """Stores nothing under the names local and page, which its backend reserves."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.parent.name not in ("local", "page"):
            super()._write(document)


@breaks("STORE-4")
class MemoryIsAName(ThroughSession):
    """Reads the name :memory: as SQLite does."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.parent.name != ":memory:":
            super()._write(document)


@breaks("STORE-4")
class FailedWritesAreSilent(ThroughSession):
    """Works only in memory if the file system refuses its name."""

    def _write(self, document: dict[str, Any]) -> None:
        if self._path.parent.name.isascii() and "%" not in self._path.parent.name:
            super()._write(document)


@breaks("STORE-5")
class FollowsDots(ThroughSession):
    """Uses the name as a path, like teleproto."""

    def _place(self, name: str) -> Path:
        return Path(name).absolute() / "session.json" if ".." in name else super()._place(name)


@breaks("STORE-5")
class RefusesParentsOnly(ThroughSession):
    """Looks for dots only at the beginning of a name."""

    def _place(self, name: str) -> Path:
        if ".." in name and not name.startswith(".."):
            return Path(name).absolute() / "session.json"
        return super()._place(name)


@breaks("STORE-6")
class RemovesTheTree(ThroughSession):
    """Removes the directory with everything in it."""

    def delete(self) -> None:
        super().delete()
        shutil.rmtree(self._path.parent, ignore_errors=True)


@breaks("STORE-6")
class RemovesByPrefix(ThroughSession):
    """Removes all directories whose names begin with its own, like a pattern."""

    def delete(self) -> None:
        super().delete()
        for path in self._path.parent.parent.glob(self._path.parent.name + "?*"):
            shutil.rmtree(path)


@breaks("STORE-6")
class RemovesAllSessions(ThroughSession):
    """Empties the directories of all sessions, like teleproto."""

    def delete(self) -> None:
        super().delete()
        for path in self._path.parent.parent.glob("*/session.json"):
            path.unlink()


@breaks("STORE-6", also={"LIFE-7", "LIFE-8", "CLIENT-7"})
class LeavesTheRows(StoreSession):
    """Removes the files of the login, but leaves those of the entities."""

    def delete(self) -> None:
        rows = {part: text for part, text in self._directory.read().items() if part[-1].isdigit()}
        super().delete()
        self._directory.write(rows)


@breaks("STORE-7")
class DamagedIsEmpty(ThroughSession):
    """Treats an unreadable file as missing."""

    def load(self) -> None:
        try:
            super().load()
        except ValueError:
            self._loaded = True


@breaks("STORE-7")
class PutsDamagedAside(ThroughSession):
    """Renames an unreadable file, so that the next load() starts with an empty session."""

    def load(self) -> None:
        try:
            super().load()
        except ValueError:
            self._path.rename(self._path.with_suffix(".broken"))
            raise


@breaks("STORE-7")
class RepairsWhatItReads(ThroughSession):
    """Writes the readable part of a damaged file, and then raises."""

    def load(self) -> None:
        try:
            super().load()
        except ValueError:
            self._path.write_text("{}", encoding="utf-8")
            raise


@breaks("STORE-7")
class RaisesOnce(ThroughSession):
    """Ignores a file that does not begin with a brace, and raises no error."""

    def load(self) -> None:
        text = self._path.read_bytes() if self._path.exists() and not self._loaded else b"{}"
        if text[:1] == b"{":
            super().load()
        self._loaded = True


class Rewritten(StoreSession):
    """Writes through `content`, which others override to change the files."""

    def content(self, part: str, text: bytes) -> bytes:
        return text

    def _write_state(self, state: State) -> None:
        old, new = layout.files_of(self._state), layout.files_of(state)
        parts = [part for part in {**new, **old} if new.get(part) != old.get(part)]
        changes = {part: new.get(part) for part in parts}
        self._directory.write(
            {
                part: text if text is None else self.content(part, text)
                for part, text in changes.items()
            }
        )
        self._deleted_elsewhere = False


@breaks("STORE-8", also={"STORE-1", "STORE-9"})
class SpacesInJson(Rewritten):
    """Writes JSON with Python's default spaces."""

    def content(self, part: str, text: bytes) -> bytes:
        return text if text == layout.UNDEFINED else json.dumps(json.loads(text)).encode()


@breaks("STORE-8", also={"STORE-10"})
class NullForUndefined(Rewritten):
    """Writes null instead of teleproto's undefined."""

    def content(self, part: str, text: bytes) -> bytes:
        return b"null" if text == layout.UNDEFINED else text

    def _decoded(self, decode: Any, part: str, content: bytes) -> Any:
        return super()._decoded(decode, part, layout.UNDEFINED if content == b"null" else content)


@breaks("STORE-8")
class OtherKeysAsTheyCame(Rewritten):
    """Writes the keys of other data centres in descending order."""

    def content(self, part: str, text: bytes) -> bytes:
        if part != "dcAuthKeys":
            return text
        keys = json.loads(text)
        ordered = {dc_id: keys[dc_id] for dc_id in sorted(keys, key=int, reverse=True)}
        return json.dumps(ordered, separators=(",", ":")).encode()


@breaks("STORE-8", also={"LIFE-9"})
class AsciiJson(Rewritten):
    """Escapes letters beyond ASCII."""

    def content(self, part: str, text: bytes) -> bytes:
        return text.decode().encode("ascii", "backslashreplace")


@breaks("STORE-8", also={"STORE-1", "STORE-9", "STORE-10"})
class ColonInTheFileName(StoreSession):
    """Does not escape the colon in file names."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory._prefix = quote(name, safe="") + ":"


class Tolerant(StoreSession):
    """Reads through `mended`, which others override to accept damage."""

    def mended(self, part: str, content: bytes) -> bytes:
        return content

    def _decoded(self, decode: Any, part: str, content: bytes) -> Any:
        return super()._decoded(decode, part, self.mended(part, content))


@breaks("STORE-9", also={"LIFE-9"})
class NoUndefined(Tolerant):
    """Reads every file as JSON, and fails at the word undefined."""

    def mended(self, part: str, content: bytes) -> bytes:
        return b"" if content == layout.UNDEFINED else content


@breaks("STORE-9")
class RowsOfSixItems(Tolerant):
    """Requires gramjs's sixth item in every row."""

    def _decoded(self, decode: Any, part: str, content: bytes) -> Any:
        if part[-1].isdigit() and content.count(b'"') == 10:
            raise DamagedSession("a row has six items")
        return super()._decoded(decode, part, content)


@breaks("STORE-9")
class EveryFileIsItsOwn(StoreSession):
    """Raises if a foreign file is in the directory."""

    def _read(self) -> None:
        for path in Path(self._directory._path).glob("*"):
            if not path.name.startswith((self._directory._prefix, ".")):
                raise DamagedSession("a file in the directory is not the session's")
        super()._read()


@breaks("STORE-10")
class WordsAreTrue(Tolerant):
    """Accepts any content of the flag's file as a flag, like teleproto."""

    def mended(self, part: str, content: bytes) -> bytes:
        if part == "testServers" and content not in (b"true", b"false"):
            return b"true" if content else b"false"
        return content


@breaks("STORE-10")
class BytesWrapAround(Tolerant):
    """Cuts the numbers of a key to bytes, like a Buffer."""

    def mended(self, part: str, content: bytes) -> bytes:
        with suppress(ValueError, TypeError, KeyError):
            if part == "authKey":
                buffer = json.loads(content)
                buffer["data"] = [int(byte) & 255 for byte in buffer["data"]]
                return json.dumps(buffer).encode()
        return content


@breaks("STORE-10", also={"KEY-10", "STORE-7"})
class EmptyFileIsNoFile(StoreSession):
    """Treats an empty file as missing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory = NoEmptyFiles(name)


class NoEmptyFiles(Directory):
    """A directory that hides empty files."""

    def read(self) -> dict[str, bytes]:
        files = {part: text for part, text in super().read().items() if text}
        login = files.keys() & {"dcId", "port", "serverAddress", "authKey"}
        return files if len(login) in (0, 4) else {}


@breaks("STORE-10")
class NumbersInText(Tolerant):
    """Accepts a number that is written as text."""

    def mended(self, part: str, content: bytes) -> bytes:
        return content.strip(b'"') if part in ("dcId", "port") else content


@breaks("STORE-10")
class SkipsBadRows(StoreSession):
    """Skips an unreadable row, and so forgets the entity."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory = ReadableRows(name)


class ReadableRows(Directory):
    """A directory that hides damaged rows."""

    def read(self) -> dict[str, bytes]:
        files = {}
        for part, text in super().read().items():
            try:
                if part[-1].isdigit():
                    layout.read_row(part, text)
            except (ValueError, TypeError):
                continue
            files[part] = text
        return files


@breaks("STORE-6")
class LeavesABackup(ThroughSession):
    """Keeps a copy of its file, and does not remove it in delete()."""

    def _write(self, document: dict[str, Any]) -> None:
        super()._write(document)
        shutil.copy(self._path, self._path.with_suffix(".bak"))


@breaks("STORE-6")
class DeletesAllOfItsKind(ThroughSession):
    """Deletes every JSON file in its directory."""

    def delete(self) -> None:
        super().delete()
        if self._path.parent.is_dir():
            for path in self._path.parent.glob("*.json"):
                path.unlink()
            with suppress(OSError):
                self._path.parent.rmdir()


@breaks("STORE-7")
class LoadsOnlyOnce(ThroughSession):
    """Counts a failed load() as done, so that the second one does not raise."""

    _tried = False

    def load(self) -> None:
        if not self._tried:
            self._tried = True
            super().load()

    def save(self) -> str | None:
        if not self._loaded and self._tried:
            raise DamagedSession("the session could not be loaded")
        return super().save()

    def process_entities(self, tlo: object) -> None:
        if self._loaded or not self._tried:
            super().process_entities(tlo)

    def delete(self) -> None:
        super().delete()
        self._tried = True


@breaks("STORE-9")
class SixthItemIsAList(Tolerant):
    """Reads the sixth item of a row as the list of usernames, and raises if it is a time."""

    def mended(self, part: str, content: bytes) -> bytes:
        with suppress(ValueError):
            row = json.loads(content)
            if isinstance(row, list) and len(row) > 5 and not isinstance(row[5], list):
                return b""
        return content


@breaks("STORE-10")
class MissingPortIsTheUsual(StoreSession):
    """Uses port 443 if the file of the port is missing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._directory = UsualPort(name)


class UsualPort(Directory):
    """A directory that always has a port."""

    def read(self) -> dict[str, bytes]:
        files = super().read()
        return {"port": b"443", **files} if "dcId" in files else files
