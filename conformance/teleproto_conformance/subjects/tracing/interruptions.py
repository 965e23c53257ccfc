"""Interrupting or observing a process at its system calls."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from pathlib import Path

from ...errors import UsageError
from ..process import HostProcess
from ..subject import Fault, Point
from .system_calls import ALL, OPENS, READS, WRITES, Call
from .tracer import Action, Fail, Kill, Shorten, Tracer

_CALLS = {"writes": WRITES, "reads": READS, "opens": OPENS}


class Interruption:
    """A fault of this kind at point ``at`` of the processes that it traces, one after the other.

    ``kind`` is ``kill``, the name of an error such as ``ENOSPC``, or ``short``. A short call moves
    half of its bytes or pieces, if it has two or more. Without ``at``, this only counts the points
    at which a process makes one of ``calls``: ``writes``, ``reads`` or ``opens``. A program also
    reads its own code, so reads and opens count only below ``workdir``, and reads on sockets.

    :raises UsageError: if the suite does not know the system call.
    """

    def __init__(self, kind: str, at: Point | None, calls: str, workdir: Path) -> None:
        if at is not None and at.call not in ALL:
            raise UsageError(f"the suite does not know the system call {at.call}")
        self.fault = Fault()
        self._kind = kind
        self._at = at
        self._names = _CALLS[calls] if at is None else tuple({*_CALLS[calls], at.call})
        self._storage = None if calls == "writes" else (f"{workdir.resolve()}/", "socket:")
        self._seen = Counter[str]()

    def trace(self, process: HostProcess) -> Tracer:
        """Return a context in which the operations of this process meet the fault.

        On enter, it raises ``Impossible`` if the process cannot be traced.
        """
        return Tracer(process.pid, self._names, self._decide)

    def _decide(self, call: Call) -> Action | None:
        if self.fault.fired or not self._counts(call):
            return None
        self._seen[call.name] += 1
        point = Point(call.name, self._seen[call.name], str(call))
        self.fault.points.append(point)
        if self._at is not None and (point.call, point.number) == (self._at.call, self._at.number):
            action = _action(self._kind)
            if not isinstance(action, Shorten) or call.moved[1] > 1:
                self.fault.fired = True
                return action
        return None

    def _counts(self, call: Call) -> bool:
        return self._storage is None or any(
            f"{file}/".startswith(self._storage) for file in call.files
        )


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
