"""Interrupting or observing a process at its system calls."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...errors import UsageError
from ..process import HostProcess
from ..subject import Fault, Point
from .system_calls import ALL, OPENS, WRITES, Call
from .tracer import Action, Fail, Kill, Shorten, Tracer


@contextlib.contextmanager
def fault(
    process: HostProcess, kind: str, at: Point | None, calls: tuple[str, ...] = WRITES
) -> Iterator[Fault]:
    """Inject a fault of this kind at point ``at`` of the operations in the ``with`` block.

    ``kind`` is ``kill``, the name of an error such as ``ENOSPC``, or ``short``. A short call moves
    half of its bytes or pieces, if it has two or more. Without ``at``, this only counts the points
    at which the process makes one of ``calls``.

    :raises Impossible: if the process cannot be traced.
    :raises UsageError: if the suite does not know the system call.
    """
    if at is not None and at.call not in ALL:
        raise UsageError(f"the suite does not know the system call {at.call}")
    made, seen = Fault(), Counter[str]()

    def decide(call: Call) -> Action | None:
        seen[call.name] += 1
        point = Point(call.name, seen[call.name], str(call))
        if at is None:
            made.points.append(point)
        elif (point.call, point.number) == (at.call, at.number):
            action = _action(kind)
            if not isinstance(action, Shorten) or call.moved[1] > 1:
                made.fired = True
                return action
        return None

    with Tracer(process.pid, calls if at is None else (at.call,), decide):
        yield made


def _action(kind: str) -> Action:
    match kind:
        case "kill":
            return Kill()
        case "short":
            return Shorten()
        case name:
            return Fail(getattr(errno, name))


class Watch:
    """Observes which files a process opens for writing, creates or removes, in any directory.

    :raises Impossible: if the process cannot be traced.
    """

    def __init__(self, process: HostProcess, workdir: Path) -> None:
        self._workdir = workdir
        self._tracer = Tracer(process.pid, (*OPENS, *WRITES), lambda call: None).__enter__()

    def stop(self) -> list[str]:
        """Stop, and return the paths. Those below the working directory are relative to it."""
        self._tracer.__exit__()
        found = dict.fromkeys(path for call in self._tracer.calls for path in _written_by(call))
        return [_shown(path, self._workdir) for path in found]


_NOT_STORED = re.compile(r"/dev/(?!shm/(?!sem[.]))|/proc/|/memfd:")
"""Devices, information from the kernel, and memory that only looks like a file."""


def _written_by(call: Call) -> list[str]:
    failed = call.result is None or call.result < 0
    if failed or not call.changes:
        return []
    return [file for file in call.files if file.startswith("/") and not _NOT_STORED.match(file)]


def _shown(path: str, workdir: Path) -> str:
    inside = os.path.relpath(path, workdir)
    return path if inside.startswith("..") else inside
