"""Faulty sessions: what is right as long as the program lives.

Their mistakes hide in the memory of a program, and show in the next one.
"""

from __future__ import annotations

import os
from pathlib import Path

from known_bad.blob import BlobSession
from known_bad.registry import breaks

SECRET = os.urandom(32)


@breaks("DUR-1")
class SecretOfTheProgram(BlobSession):
    """Encrypts the file with a secret that is made when the module is imported."""

    def _fetch(self) -> bytes | None:
        stored = super()._fetch()
        return None if stored is None else self._crypt(stored)

    def _put(self, path: Path, content: bytes) -> None:
        super()._put(path, self._crypt(content))

    def _crypt(self, content: bytes) -> bytes:
        return bytes(byte ^ SECRET[at % len(SECRET)] for at, byte in enumerate(content))


@breaks("DUR-1", also={"LIFE-12", "DUR-8"})
class NamedByItsHash(BlobSession):
    """Names the file by the hash of its name, which is another one in the next program."""

    def _place(self, name: str) -> Path:
        return Path(f"{hash(name):x}.json").absolute()
