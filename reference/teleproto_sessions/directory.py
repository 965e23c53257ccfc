"""A directory of small files that change together or not at all.

One changed file is replaced: written beside, synced, renamed. Where several change, a record of
their old content is stored first and removed last; whoever finds it undoes what a crash or an error
left half done. So the change happens at the moment its record goes. A deletion is recorded too, but
finished instead of undone. Files are 0600, the directory 0700. POSIX only.
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
_LEFT_OVER = re.compile(rf"\.new-.*|(?:{_OWN.pattern})\.[0-9]+")  # by a crash; teleproto's as well
_SYNC_EACH = 16  # files; where more change, one sync of everything is faster


class Directory:
    """The files of one session, by the part of their names that follows "NAME:".

    The working directory counts when the object is made; nothing is touched before the first
    change. Raises `InvalidSessionName`.
    """

    def __init__(self, name: str) -> None:
        self._prefix = _prefix(name)
        self._path = Path.cwd() / name
        self._seen: tuple[int, int] | None = None

    def file_name(self, part: str) -> str:
        return self._prefix + part

    def changed(self) -> bool:
        """Whether anybody else wrote or deleted since this object last looked. Reads no file."""
        return self._stamp() != self._seen

    def read(self) -> dict[str, bytes]:
        """The session's files, the one written last at the end; none without a directory."""
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
        """Give files these contents; `None` removes one. An error leaves all as they were."""
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
                with suppress(OSError):  # if this fails too, the next to come here recovers
                    self._recover()
                    self._path.rmdir()
                raise
            self._mark()

    def delete(self) -> None:
        """Remove the session's files, and the directory if nobody else has files in it."""
        if self._stamp() is not None:
            with self._locked():
                self._put({_RECORD: _record({})})
                self._recover()
                self._mark()
            with suppress(OSError):
                self._path.rmdir()
        self._seen = self._stamp()

    def _recover(self) -> None:
        """Undo the change on record, or finish the deletion."""
        record = self._get(_RECORD)
        if record is None:
            return
        old = _read_record(record)
        if old is None:
            raise DamagedSession(f"{self.file_name(_RECORD)} is damaged; restore the directory")
        self._put(old or dict.fromkeys([*self._parts(_OWN), *self._parts(_LEFT_OVER)]))
        self._file(_RECORD).unlink()

    def _put(self, changes: Mapping[str, bytes | None]) -> None:
        """Replace or remove files one after the other; all is on the disk when this returns."""
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
        """Sync, with a time that is nobody else's: file systems count in steps of milliseconds."""
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
    """The contents to go back to; none at all is for a deletion."""
    texts = {part: None if data is None else data.decode("latin-1") for part, data in old.items()}
    return json.dumps(texts).encode()


def _read_record(record: bytes) -> dict[str, bytes | None] | None:
    try:
        texts = json.loads(record)
        return {p: None if text is None else text.encode("latin-1") for p, text in texts.items()}
    except (ValueError, AttributeError, RecursionError):
        return None  # nothing is passed on: an error would quote the record


def _prefix(name: str) -> str:
    """What the names of a session's files begin with: "NAME:", percent-encoded."""
    if not isinstance(name, str) or name in ("", ".", "..", "session"):
        raise InvalidSessionName('a session name is a text other than "", ".", ".." and "session"')
    if set(name) & set("/\\\0"):
        raise InvalidSessionName("a session name is one directory: no slash, backslash or NUL")
    try:
        prefix = quote(name + ":", safe="")
    except UnicodeEncodeError:
        prefix = None
    if prefix is None or len(prefix) + _LONGEST > 255:
        raise InvalidSessionName(
            "a session name is valid Unicode of up to 229 characters; "
            "other characters than A-Z a-z 0-9 - . _ ~ count three times for each byte of UTF-8"
        )
    return prefix
