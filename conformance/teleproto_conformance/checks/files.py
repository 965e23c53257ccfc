"""The operations of a trace on files below the working directory."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import ContractError
from ..subjects.subject import Outcome, Raised, Returned


class Files:
    """The file operations of a trace. Each returns the value that the trace compares.

    They never write or list files outside ``workdir``, even if a session has made a link there.
    """

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self._noted: dict[str, str] = {}
        self._size = 0

    @cached_property
    def _root(self) -> Path:
        return self._workdir.resolve()

    def run(self, operation: str, argument: Any) -> Outcome:
        """Do ``operation`` and return its outcome. A path outside ``workdir`` is an error."""
        arguments = [argument] if operation == "put_files" else argument
        try:
            return Returned(getattr(self, operation)(*arguments))
        except (ContractError, OSError) as error:
            return Raised(str(error), fatal=True)

    def put_files(self, files: dict[str, str]) -> None:
        for name, content in files.items():
            path = self._inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")

    def make_directory(self, name: str) -> Path:
        """Make a directory that does not exist yet, and return its absolute path."""
        path = self._inside(name)
        path.mkdir(parents=True)
        return path

    def files(self, below: str = "") -> dict[str, str]:
        root = self._inside(below)
        return {
            path.relative_to(root).as_posix(): path.read_bytes().decode("utf-8", "backslashreplace")
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def damage(self, below: str) -> int:
        """Overwrite every byte of every file with 0xFF."""
        return self._rewrite(below, lambda content: b"\xff" * len(content))

    def truncate(self, below: str) -> int:
        """Cut every file to half its size. An empty file would be a valid SQLite database."""
        return self._rewrite(below, lambda content: content[: len(content) // 2])

    def _rewrite(self, below: str, change: Callable[[bytes], bytes]) -> int:
        paths = [path for path in self._inside(below).rglob("*") if path.is_file()]
        own = [path for path in paths if path.resolve().is_relative_to(self._root)]
        for path in own:
            path.write_bytes(change(path.read_bytes()))
        return len(own)

    def _inside(self, name: str) -> Path:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise ContractError(f"the path {name!r} leads out of the working directory")
        return path

    def remember_files(self) -> None:
        self._noted = self._digests()

    def files_unchanged(self) -> bool:
        return self._noted.items() <= self._digests().items()

    def growth(self) -> int:
        before, self._size = (
            self._size,
            sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file()),
        )
        return self._size - before

    def exposed(self) -> list[str]:
        """Files and directories that other users of the machine may read or change."""
        return [
            f"{path.relative_to(self._root).as_posix()} {path.stat().st_mode & 0o777:04o}"
            for path in sorted(self._root.rglob("*"))
            if path.stat().st_mode & 0o077 and not path.is_symlink()
        ]

    def _digests(self) -> dict[str, str]:
        return {
            path.relative_to(self._root).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in self._root.rglob("*")
            if path.is_file()
        }
