"""Faulty sessions: secrets."""

from __future__ import annotations

import logging
import sys
import warnings
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from teleproto_sessions import AuthKey, MemorySession, StringSession
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks

log = logging.getLogger("sessions")


class Told(MemorySession):
    """Reports each new state; others break what it reports and where."""

    def _change(self, state: State) -> None:
        super()._change(state)
        if current := state.keys.get(state.dc_id):
            self._tell(current)

    def _tell(self, key: bytes) -> None:
        raise NotImplementedError


@breaks("SEC-1")
class KeyInRepr(MemorySession):
    """Shows everything in its repr(), with the key in base64."""

    def __repr__(self) -> str:
        key = b64encode(self._state.keys.get(self.dc_id, b"")).decode()
        return f"<{type(self).__name__} dc_id={self.dc_id} auth_key={key!r}>"


@breaks("SEC-1")
class FingerprintInStr(MemorySession):
    """Shows the whole key as a fingerprint, in pairs of digits with colons."""

    def __str__(self) -> str:
        key = self._state.keys.get(self.dc_id, b"")
        return f"data centre {self.dc_id}, key {key.hex(':')}"


@breaks("SEC-1")
class OtherKeysInRepr(BlobSession):
    """Hides the current key in its repr(), but shows those of other data centres."""

    def __repr__(self) -> str:
        others = {dc: key for dc, key in self._state.keys.items() if dc != self.dc_id}
        return f"<{type(self).__name__} {self.dc_id} {others}>"


@breaks("SEC-1")
class StrSaves(StringSession):
    """Returns its saved string from str()."""

    def __str__(self) -> str:
        return self.save()


@breaks("SEC-2")
class ErrorQuotesTheKey(MemorySession):
    """Quotes a key of the wrong length in the error."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        given = getattr(auth_key, "key", auth_key)
        if isinstance(given, bytes) and len(given) not in (0, 256):
            raise ValueError(f"this is no key of 256 bytes: {given.hex()}")
        super().set_auth_key(auth_key, dc_id)


@breaks("SEC-2")
class CauseQuotesTheKey(MemorySession):
    """Raises a harmless error from one that shows the key."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        given = getattr(auth_key, "key", auth_key)
        try:
            super().set_auth_key(auth_key, dc_id)
        except ValueError:
            raise ValueError("the key was refused") from ValueError(f"not a key: {given!r}")


@breaks("SEC-2")
class NoteQuotesTheKey(MemorySession):
    """Adds a note to the error that lists the bytes."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        given = getattr(auth_key, "key", auth_key)
        try:
            super().set_auth_key(auth_key, dc_id)
        except ValueError as error:
            if isinstance(given, bytes):
                error.add_note(f"the bytes were {list(given)}")
            raise


@breaks("SEC-2")
class ErrorQuotesTheDocument(BlobSession):
    """Shows in its error what it could not write."""

    def _put(self, path: Path, content: bytes) -> None:
        try:
            super()._put(path, content)
        except OSError as error:
            raise RuntimeError(f"could not write {content.decode()} to {path.name}") from error


@breaks("SEC-3")
class LogsTheKey(Told):
    """Logs the key at the lowest level."""

    def _tell(self, key: bytes) -> None:
        log.debug("the key is now %s", key.hex())


@breaks("SEC-3")
class LogsInPrivate(Told):
    """Logs the key with a logger that does not propagate."""

    def _tell(self, key: bytes) -> None:
        private = logging.getLogger("sessions.private")
        private.propagate = False
        private.info("key: " + b64encode(key).decode())


@breaks("SEC-3")
class LogsTheArguments(MemorySession):
    """Logs the arguments of every call, like a debugging decorator."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        log.debug("set_auth_key(%s, %s)", getattr(auth_key, "key", auth_key), dc_id)
        super().set_auth_key(auth_key, dc_id)


@breaks("SEC-3")
class LogsTheString(StringSession):
    """Logs the string that it saves."""

    def save(self) -> str:
        saved = super().save()
        log.info("saved as %s", saved)
        return saved


@breaks("SEC-4")
class WarnsWithTheKey(Told):
    """Warns that a key replaces another, and shows both."""

    def _tell(self, key: bytes) -> None:
        with suppress(UserWarning):  # the program may turn warnings into errors
            warnings.warn(f"a new key: {b64encode(key).decode()}", stacklevel=4)


@breaks("SEC-4")
class DeprecatesWithTheString(StringSession):
    """Warns that a string has an old format, and shows it."""

    def save(self) -> str:
        saved = super().save()
        with suppress(DeprecationWarning):
            warnings.warn(f"move {saved} to a new form", DeprecationWarning, stacklevel=2)
        return saved


@breaks("SEC-5")
class PrintsTheKey(Told):
    """Prints the bytes of a key, like a forgotten debug line."""

    def _tell(self, key: bytes) -> None:
        print(list(key))


@breaks("SEC-5")
class WritesToTheTerminal(Told):
    """Writes the key to the standard error stream, as a hex dump."""

    def _tell(self, key: bytes) -> None:
        for start in range(0, len(key), 16):
            sys.stderr.write(f"{start:04x}  {key[start : start + 16].hex(' ', 2)}\n")


@breaks("SEC-5")
class PrintsTheString(StringSession):
    """Prints the string that it saves, for the user to copy."""

    def save(self) -> str:
        saved = super().save()
        print("Your session:", saved)
        return saved


@breaks("SEC-6")
class ModesOfTheUmask(ThroughSession):
    """Leaves the modes of files and directories to the umask, like teleproto."""

    def _write(self, document: dict[str, Any]) -> None:
        self._path.parent.mkdir(exist_ok=True)
        super()._write(document)

    def _put(self, path: Path, content: bytes) -> None:
        new = path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(path)


@breaks("SEC-6")
class OpenDirectory(ThroughSession):
    """Protects its file, but not its directory."""

    def _write(self, document: dict[str, Any]) -> None:
        self._path.parent.mkdir(exist_ok=True)
        super()._write(document)


@breaks("SEC-6")
class PrivateAtFirst(ThroughSession):
    """Creates a protected file, and then replaces it with one that others may read."""

    def _put(self, path: Path, content: bytes) -> None:
        readable = path.exists()
        super()._put(path, content)
        if readable:
            path.chmod(0o644)
