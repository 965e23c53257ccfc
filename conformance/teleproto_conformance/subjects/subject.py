"""The interface between checks and the session under test: operations and their outcomes.

Values have the form of a trace: keys are names, 64-bit integers are strings, TL objects are
mappings with the name of their constructor under ``_``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

PROTOCOL = 1
"""The version of the host protocol."""


@dataclass(frozen=True)
class Returned:
    """The operation returned ``value``."""

    value: Any = None


@dataclass(frozen=True)
class Raised:
    """The operation raised.

    ``text`` is the error in one line. ``everything`` is all that a log could show of it. ``fatal``
    is true for an error that no caller can handle: an exhausted stack, an error that is not an
    ``Exception``, or something to await from a member that must take effect at once. A rule never
    expects a fatal error.
    """

    text: str
    everything: str = ""
    fatal: bool = False


@dataclass(frozen=True)
class Hung:
    """The operation took longer than ``seconds``, so its process was killed."""

    seconds: float


@dataclass(frozen=True)
class Died:
    """The process of the session ended during the operation. ``how`` says how."""

    how: str


Outcome = Returned | Raised | Hung | Died


@dataclass(frozen=True)
class Text:
    """A text that the program has shown, in a place such as ``logs``. ``detail`` is its source."""

    where: str
    detail: str
    text: str


@dataclass(frozen=True)
class Point:
    """A point at which the suite can interrupt a change: before its ``number``-th ``call``.

    ``call`` is the name of a system call. Numbers start at 1 and count the calls of all threads
    together, without calls that stay inside the program. ``what`` describes the call to people.
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
    """What the suite does to a process while it carries out a change.

    ``points`` has all points up to the fault. ``fired`` is true if the process reached the point of
    the fault, ``killed`` if the suite killed it there.
    """

    points: list[Point] = field(default_factory=list)
    fired: bool = False
    killed: bool = False


Request = tuple[str, str, str, Any]
"""``has``, ``get``, ``set`` or ``call``; the session; the member; the value or the arguments."""


class Subject(Protocol):
    """A session class. ``session`` is the name of an object in a trace."""

    @property
    def workdir(self) -> Path:
        """The empty directory that the sessions of this trace run in."""

    def ahead(self, requests: Sequence[Request]) -> None:
        """Announce the next requests, in their order. After a failure, the rest is left out."""

    def open(self, session: str, arguments: list[str], process: str) -> Outcome:
        """Construct a session in the process of that name. Start the process if necessary."""

    def drop(self, session: str) -> None:
        """Drop a session without calling it."""

    def end(self, session: str, how: str) -> Outcome:
        """End the process of a session; ``how`` is ``exit`` or ``kill``."""

    def has(self, session: str, member: str) -> Outcome:
        """Return whether the session has the member."""

    def get(self, session: str, member: str) -> Outcome:
        """Read a property."""

    def set(self, session: str, member: str, value: Any) -> Outcome:
        """Assign a property."""

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        """Call a method, and await its result."""

    def together(self, calls: Sequence[tuple[str, str, list[Any]]]) -> list[Outcome]:
        """Call methods at the same time. In one process, each call begins while earlier calls wait
        for something.
        """

    def texts(self, session: str) -> list[Text]:
        """Return all texts that the program has shown, with the text of the session itself."""

    def pause(self, milliseconds: int) -> Outcome:
        """Wait in every process. Work that the sessions have begun continues."""

    def chdir(self, session: str, directory: Path) -> Outcome:
        """Change the working directory of the process of a session."""

    def finish(self) -> Outcome:
        """Drop all sessions, and return the outcome of work that still ran. Later sessions belong
        to another trace.
        """

    def printed(self) -> str:
        """Return the output of the processes of this trace."""

    def fault(
        self, session: str, kind: str, at: Point | None, calls: str
    ) -> AbstractContextManager[Fault]:
        """Inject a fault of this kind at point ``at`` of the operations in the ``with`` block.

        If ``at`` is None, this only counts the points: the ``writes``, ``reads`` or ``opens`` of
        the process, and of those that take its place.

        :raises Impossible: if the process cannot be traced; :meth:`watch` raises it, too.
        """

    def watch(self, session: str) -> None:
        """Begin to observe which files the process of a session writes."""

    def written(self, session: str) -> list[str]:
        """Stop observing, and return the paths."""

    def __enter__(self) -> Self:
        """Begin a trace."""

    def __exit__(self, *error: object) -> None:
        """End the trace."""

    def afterwards(self, tidy: Callable[[], None]) -> None:
        """Call ``tidy`` as soon as no process remembers the trace, which has ended."""


class Driver(Protocol):
    """Makes the subject of one trace."""

    def __call__(self, workdir: Path, *, alone: bool, young: bool = False) -> Subject:
        """Make it for a working directory.

        If ``alone`` is true, its processes are new. If ``young`` is true as well, the first may
        have played the end of another trace, after a restart.
        """
