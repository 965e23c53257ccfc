"""A session that no two programs may have open at once."""

from __future__ import annotations

import hashlib
import socket
import weakref
from pathlib import Path

from .key_value import FileStore, KeyValueSession, Store


class LockedSession(KeyValueSession):
    """Takes an exclusive lock in load(), and before it writes.

    The lock is a socket without a file, so the system lets go of it when the program ends. close()
    and delete() let go as well, and so does a session that nobody uses any more.
    """

    def __init__(self, name: str, store: Store) -> None:
        super().__init__(name, store)
        place = hashlib.sha256(f"{Path.cwd()}\n{name}".encode("utf-8", "surrogatepass"))
        self._address = f"\0{place.hexdigest()}"
        self._unlock: weakref.finalize[[], LockedSession] | None = None

    def _lock(self) -> None:
        if self._unlock is None or not self._unlock.alive:
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lock.bind(self._address)
            except OSError:
                lock.close()
                raise RuntimeError("another program has opened this session") from None
            self._unlock = weakref.finalize(self, lock.close)

    def _let_go(self) -> None:
        if self._unlock is not None:
            self._unlock()

    async def load(self) -> None:
        self._lock()
        await super().load()

    async def save(self) -> None:
        self._lock()
        await super().save()

    async def close(self) -> None:
        await super().close()
        self._let_go()

    async def delete(self) -> None:
        self._lock()
        await super().delete()
        self._let_go()


def locked_session(name: str) -> LockedSession:
    """The factory that the suite checks."""
    return LockedSession(name, FileStore())


locked_session.session_profile = "custom"  # type: ignore[attr-defined]  # read by the suite
