"""What a check sees of the session under test: operations go in, outcomes come out.

Values cross as they stand in a trace: keys by name, 64-bit integers as text, TL objects as
mappings with their constructor's name under ``_``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self


@dataclass(frozen=True)
class Returned:
    """The operation returned ``value``."""

    value: Any = None


@dataclass(frozen=True)
class Raised:
    """The operation raised. ``text`` is one line; ``everything`` all that a log could show.

    ``fatal`` is no error that a caller can handle: a stack that ran out, no ``Exception`` at all,
    or something to await where none is due. It is never what a rule asks for.
    """

    text: str
    everything: str = ""
    fatal: bool = False


@dataclass(frozen=True)
class Hung:
    """The operation was stopped after ``seconds``."""

    seconds: float


Outcome = Returned | Raised | Hung


Driver = Callable[[Path, str], "Subject"]
"""Makes the subject of one trace, for a working directory and what names of its sessions in shared
storage begin with."""


class Subject(Protocol):
    """A session class, wherever it runs. ``session`` tells objects of one trace apart."""

    @property
    def workdir(self) -> Path:
        """The empty directory that the sessions of this trace run in."""

    def open(self, session: str, argument: str | None) -> Outcome:
        """Construct a session; ``argument`` is a name or a saved string, None the default."""

    def drop(self, session: str) -> None:
        """Let go of a session without a word to it."""

    def has(self, session: str, member: str) -> Outcome:
        """Say whether the member is there."""

    def get(self, session: str, member: str) -> Outcome:
        """Read a property."""

    def set(self, session: str, member: str, value: Any) -> Outcome:
        """Assign a property."""

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        """Call a method, and wait for what it promises."""

    def __enter__(self) -> Self:
        """Begin a trace."""

    def __exit__(self, *error: object) -> None:
        """End it: delete what its sessions stored in shared storage, and let go of all."""
