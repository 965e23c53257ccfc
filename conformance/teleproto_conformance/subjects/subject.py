"""What a check sees of the session under test: operations go in, outcomes come out.

Values cross as they stand in a trace: keys by name, 64-bit integers as text, TL objects as
mappings with their constructor's name under ``_``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

PROTOCOL = 1
"""The version of the host protocol, in which a subject is asked across processes."""


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
    """The operation was stopped after ``seconds``, and its process with it."""

    seconds: float


@dataclass(frozen=True)
class Died:
    """The process that the session lived in ended during the operation; ``how`` says it."""

    how: str


Outcome = Returned | Raised | Hung | Died


class Impossible(Exception):
    """A trace asks for something that this machine does not allow.

    The text is the reason, ``remedy`` what the user can do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Text:
    """Something that the program showed: ``where``, such as ``logs``, and in ``detail`` by what."""

    where: str
    detail: str
    text: str


@dataclass(frozen=True)
class Point:
    """A moment at which a change can be interrupted: before its ``number``-th ``call``.

    ``call`` names a system call. All threads of the program are counted together, from 1; calls
    that reach nothing outside the program are not counted. ``what`` shows the call to people.
    """

    call: str
    number: int
    what: str = ""

    def __str__(self) -> str:
        endings = {1: "st", 2: "nd", 3: "rd"}
        ending = "th" if self.number % 100 in (11, 12, 13) else endings.get(self.number % 10, "th")
        return f"{self.number}{ending} {self.what or self.call}"


@dataclass
class Fault:
    """What is done to a process while it carries out a change.

    ``points`` are the moments that were counted, where nothing was done. ``fired`` says that the
    moment came, ``killed`` that the process was ended on purpose.
    """

    points: list[Point] = field(default_factory=list)
    fired: bool = False
    killed: bool = False


Request = tuple[str, str, str, Any]
"""What is asked: ``has``, ``get``, ``set`` or ``call``, the session, the member, and the value or
the arguments."""


class Subject(Protocol):
    """A session class, wherever it runs. ``session`` tells objects of one trace apart."""

    @property
    def workdir(self) -> Path:
        """The empty directory that the sessions of this trace run in."""

    def ahead(self, requests: Sequence[Request]) -> None:
        """Take notice of what will be asked next, in this order, unless one of it fails."""

    def open(self, session: str, arguments: list[str], process: str) -> Outcome:
        """Construct a session in the process of that name, which is started where it is not."""

    def drop(self, session: str) -> None:
        """Let go of a session without a word to it."""

    def end(self, session: str, how: str) -> Outcome:
        """End the process that a session lives in: ``exit`` in good order, or ``kill``."""

    def has(self, session: str, member: str) -> Outcome:
        """Say whether the member is there."""

    def get(self, session: str, member: str) -> Outcome:
        """Read a property."""

    def set(self, session: str, member: str, value: Any) -> Outcome:
        """Assign a property."""

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        """Call a method, and wait for what it promises."""

    def together(self, calls: Sequence[tuple[str, str, list[Any]]]) -> list[Outcome]:
        """Call methods before the first has answered: in different processes at once, in one
        process each while those before it wait for something.
        """

    def texts(self, session: str) -> list[Text]:
        """Return all that the program has shown so far, and what the session shows of itself."""

    def pause(self, milliseconds: int) -> Outcome:
        """Let time pass in every process, while what the sessions have begun goes on."""

    def finish(self) -> Outcome:
        """Let go of all sessions, and say what came of that which they had left running. What is
        opened afterwards is another trace.
        """

    def printed(self) -> str:
        """Return what the processes of this trace have printed."""

    def fault(self, session: str, kind: str, at: Point | None) -> AbstractContextManager[Fault]:
        """Do ``kind`` at moment ``at`` of what is done to a session in here; None only counts.

        :raises Impossible: where the process cannot be traced; so does :meth:`watch`.
        """

    def watch(self, session: str) -> None:
        """Begin to observe what the process of a session writes to the disk."""

    def written(self, session: str) -> list[str]:
        """End that, and return the paths."""

    def __enter__(self) -> Self:
        """Begin a trace."""

    def __exit__(self, *error: object) -> None:
        """End it."""


Driver = Callable[[Path], Subject]
"""Makes the subject of one trace, for a working directory."""
