"""A directory of small files that change together or not at all.

To change one file, it writes a new file beside it, syncs it, and renames it. To change several, it
first stores a record of their old content, and removes the record last. If a crash or an error
leaves a change half done, the next access finds the record and undoes the change. So a change
counts from the moment when its record is removed. A deletion has a record too, but the next access
finishes it. Files have mode 0600, the directory 0700. POSIX only.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from teleproto_sessions.errors import DamagedSession, InvalidSessionName

_OWN = re.compile("testServers|dcId|port|serverAddress|authKey|dcAuthKeys|-?[0-9]{1,22}")
_LONGEST = 23  # characters: "-100" and a channel id of 19 digits
_RECORD = ".record"
_NEW = ".new-"
_LEFT_OVER = re.compile(rf"\.new-.*|(?:{_OWN.pattern})\.[0-9]+")  # by a crash, of teleproto too
_SYNC_EACH = 16  # files; for more than these, one sync of everything is faster


class Directory:
    """The files of one session. Each is identified by the part of its name after "NAME:".

    The directory is below the working directory at construction. The first change creates it.
    Raises `InvalidSessionName`.
    """

    def __init__(self, name: str) -> None:
        self._prefix = _prefix(name)
        self._path = Path.cwd() / name
        self._seen: tuple[int, int] | None = None

    def file_name(self, part: str) -> str:
        return self._prefix + part

    def changed(self) -> bool:
        """Whether another handle wrote or deleted since this object last looked. Reads no file."""
        return self._stamp() != self._seen

    def read(self) -> dict[str, bytes]:
        """Return the session's files, oldest first; none if there is no directory."""
        files = {}
        if self._stamp() is not None:
            with self._locked():
                self._recover()
                parts = self._parts(_OWN)
                for _, part in sorted((self._file(p).stat().st_mtime_ns, p) for p in parts):
                    files[part] = self._get(part) or b""
        self._seen = self._stamp()
        return files

    def write(self, changes: Mapping[str, bytes | None]) -> None:
        """Write these contents to the files; `None` removes a file. An error changes no file."""
        if not changes:
            return
        with suppress(FileExistsError):
            self._path.mkdir(0o700)
            _sync(self._path.parent)
        with self._locked():
            self._recover()
            try:
                if len(changes) > 1:
                    self._put({_RECORD: _record({part: self._get(part) for part in changes})})
                self._put(changes)
                if len(changes) > 1:
                    self._file(_RECORD).unlink()
            except BaseException:
                with suppress(OSError):  # if this fails too, the next access recovers
                    self._recover()
                    self._path.rmdir()
                raise
            self._mark()

    def delete(self) -> None:
        """Remove the session's files, and then the directory if it is empty."""
        if self._stamp() is not None:
            with self._locked():
                self._put({_RECORD: _record({})})
                self._recover()
                self._mark()
            with suppress(OSError):
                self._path.rmdir()
        self._seen = self._stamp()

    def _recover(self) -> None:
        """Undo the recorded change, or finish the recorded deletion."""
        record = self._get(_RECORD)
        if record is None:
            return
        old = _read_record(record)
        if old is None:
            raise DamagedSession(f"{self.file_name(_RECORD)} is damaged; restore the directory")
        self._put(old or dict.fromkeys([*self._parts(_OWN), *self._parts(_LEFT_OVER)]))
        self._file(_RECORD).unlink()

    def _put(self, changes: Mapping[str, bytes | None]) -> None:
        """Replace or remove files one after the other. When this returns, all is on the disk."""
        each = len(changes) <= _SYNC_EACH
        for part, content in changes.items():
            if content is None:
                with suppress(FileNotFoundError, IsADirectoryError):
                    self._file(part).unlink()
                continue
            fd, name = tempfile.mkstemp(prefix=self.file_name(_NEW), dir=self._path)  # 0600
            new = Path(name)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(content)
                    file.flush()
                    if each:
                        os.fsync(fd)
                new.replace(self._file(part))
            except BaseException:
                with suppress(OSError):
                    new.unlink()
                raise
        if not each:
            os.sync()
        _sync(self._path)

    def _get(self, part: str) -> bytes | None:
        try:
            return self._file(part).read_bytes()
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            raise DamagedSession(f"{self.file_name(part)} is a directory; move it away") from None

    def _file(self, part: str) -> Path:
        return self._path / self.file_name(part)

    def _parts(self, pattern: re.Pattern[str]) -> list[str]:
        own = (path.name for path in self._path.iterdir() if path.name.startswith(self._prefix))
        return sorted(filter(pattern.fullmatch, (name[len(self._prefix) :] for name in own)))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other handles away, in this process and in others."""
        import fcntl  # not on Windows, where the other sessions still work

        with _opened(self._path) as fd:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield

    def _mark(self) -> None:
        """Set a unique modification time, and sync. File systems count only in milliseconds."""
        now = time.time_ns()
        os.utime(self._path, ns=(now, now))
        _sync(self._path)
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def _sync(directory: Path) -> None:
    with _opened(directory) as fd:
        os.fsync(fd)


def _record(old: Mapping[str, bytes | None]) -> bytes:
    """Return the record of the contents to restore. An empty one means a deletion."""
    texts = {part: None if data is None else data.decode("latin-1") for part, data in old.items()}
    return json.dumps(texts).encode()


def _read_record(record: bytes) -> dict[str, bytes | None] | None:
    try:
        texts = json.loads(record)
        return {p: None if text is None else text.encode("latin-1") for p, text in texts.items()}
    except (ValueError, AttributeError, RecursionError):
        return None  # no error is raised, as it would quote the record


def _prefix(name: str) -> str:
    """Return the beginning of a session's file names: "NAME:", percent-encoded."""
    if not isinstance(name, str) or name in ("", ".", "..", "session"):
        raise InvalidSessionName('a session name is text other than "", ".", ".." and "session"')
    if set(name) & set("/\\\0"):
        raise InvalidSessionName("a session name is one directory, without slash, backslash or NUL")
    try:
        prefix = quote(name + ":", safe="")
    except UnicodeEncodeError:
        prefix = None
    if prefix is None or len(prefix) + _LONGEST > 255:
        raise InvalidSessionName(
            "a session name is valid Unicode of up to 229 characters; "
            "characters other than A-Z a-z 0-9 - . _ ~ count three times for each byte of UTF-8"
        )
    return prefix
