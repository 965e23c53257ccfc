"""Interrupting a process at one system call that writes, and observing what it writes at all.

strace does both to any process, whatever language it is written in. Where it is missing or may not
attach, a process can still be killed at moments spread over the time that a change takes; a write
cannot be made to fail there, and says so.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from ..subject import Fault, Impossible, Point
from .process import HostProcess

_CALLS = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg",
    "sendfile", "copy_file_range", "splice", "fallocate", "ftruncate", "truncate", "rename",
    "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "link", "linkat",
    "symlink", "symlinkat", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync",
)  # fmt: skip
"""System calls that change what is stored, or promise that it is."""

_OPENS = ("open", "openat", "openat2", "creat")

_MOMENTS = 12
"""Kills spread over a change where strace cannot count its writes."""

STRACE = "strace"
TIMER = "a timer"

_LINE = re.compile(r"(\d+) +(\w+)\((.*)")
_PATH = re.compile(r'"([^"]*)"')
_INSIDE = re.compile(r"\d+<(?:pipe:\[|anon_inode:|UNIX-STREAM:\[\d+->\d+\]>)")
_ATTACHED = 5.0
"""Seconds that strace has to attach."""


_missing: dict[str, str | None] = {}


def missing(process: HostProcess) -> str | None:
    """Say why strace cannot be used on a process like this one, or None."""
    if STRACE not in _missing:
        _missing[STRACE] = _attaching(process)
    return _missing[STRACE]


def _attaching(process: HostProcess) -> str | None:
    if shutil.which(STRACE) is None:
        return "strace is not installed (Debian, Ubuntu: apt-get install strace)"
    try:
        with _Strace(process.pid, _CALLS):
            return None
    except _NotAttached as error:
        return f"strace cannot attach to a process here ({error})"


class _NotAttached(Exception):
    pass


class _Strace:
    """strace from entering to leaving; ``lines`` is what it saw.

    It looks at a process with all its threads, or at one of the ``threads`` that it has by now.
    """

    def __init__(
        self, pid: int, calls: Iterable[str], *options: str, thread: int | None = None
    ) -> None:
        self.threads = _threads(pid)
        one = thread is not None and thread < len(self.threads)
        self._whom = ("-p", str(self.threads[thread or 0])) if one else ("-f", "-p", str(pid))
        known = f"trace={','.join('?' + call for call in calls)}"
        self._options = ("-e", known, "-e", "signal=none", *options)
        self.injects = any("signal=KILL" in option for option in options)
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        fd, self._log = tempfile.mkstemp(prefix="strace-")
        os.close(fd)
        self._strace = subprocess.Popen(
            [STRACE, "-yy", "-s", "0", *self._options, "-o", self._log, *self._whom],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the suite
        )
        assert self._strace.stderr is not None
        timer = threading.Timer(_ATTACHED, self._strace.kill)
        timer.start()
        said = self._strace.stderr.readline().decode("utf-8", "replace").strip()
        timer.cancel()
        if "attached" not in said:
            self._end()
            raise _NotAttached(said or "no answer")
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def _end(self) -> None:
        self._strace.send_signal(signal.SIGINT)  # it lets go of the process, and ends
        self._strace.communicate()
        with contextlib.suppress(OSError):
            self.lines = Path(self._log).read_text("utf-8", "replace").splitlines()
            Path(self._log).unlink()


@contextlib.contextmanager
def fault(process: HostProcess, kind: str, at: Point | None) -> Iterator[Fault]:
    """Do ``kind`` (``kill``, or the name of an error) at ``at`` of what is done in here.

    Without ``at`` nothing is done and the points are counted.

    :raises Impossible: where an error is asked for and strace cannot be used.
    """
    if at is not None and at.call == _MICROSECOND:
        reason: str | None = "it names a moment, and not a call"
    else:
        reason = missing(process)
    if reason is None:
        try:
            tracing = _strace(process, kind, at).__enter__()
        except _NotAttached as error:
            raise Impossible(f"strace cannot do that here ({error})") from None
        with contextlib.ExitStack() as stack:
            stack.push(tracing)
            made = Fault(STRACE)
            yield made
        hit = [line for line in tracing.lines if "(INJECTED)" in line]
        made.fired = bool(hit) or _was_killed(tracing)
        made.missed = any(_is_inside(line) for line in hit)
        if at is None:
            made.points = _points(tracing)
    elif kind == "kill" and (at is None or at.call == _MICROSECOND):
        with _timed(process, at) as made:
            yield made
    else:
        raise Impossible(f"{reason}; without it no write can be made to fail")


def _strace(process: HostProcess, kind: str, at: Point | None) -> _Strace:
    if at is None:
        return _Strace(process.pid, _CALLS)
    what = "signal=KILL" if kind == "kill" else f"error={kind}"
    injection = f"inject={at.call}:{what}:when={at.number}"
    thread = at.thread if at.thread >= 0 else None
    return _Strace(process.pid, _CALLS, "-e", injection, thread=thread)


def _was_killed(tracing: _Strace) -> bool:
    """Say whether the process ended in the middle of a call, which is not written down."""
    return tracing.injects and not any(" exited with " in line for line in tracing.lines)


def _threads(pid: int) -> list[int]:
    return sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())


def _points(tracing: _Strace) -> list[Point]:
    """Return the calls that reach something outside the process.

    Its answers to the suite go into a pipe, and the wake-up of one thread by another into a pipe or
    a pair of sockets; a program whose wake-up fails just hangs. strace counts for each thread and
    each call by itself.
    """
    seen: Counter[tuple[int, str]] = Counter()
    points: dict[Point, None] = {}
    known = {str(thread): place for place, thread in enumerate(tracing.threads)}
    for line in tracing.lines:
        if (match := _LINE.match(line)) is None:
            continue
        thread, call, rest = known.get(match[1], -1), match[2], match[3]
        seen[thread, call] += 1
        if not _is_inside(line):
            points[Point(call, seen[thread, call], _told(call, rest), thread)] = None
    return [*points]


def _is_inside(line: str) -> bool:
    """Say whether a call reaches nothing but the process itself or the suite."""
    match = _LINE.match(line)
    return match is not None and _INSIDE.match(match[3]) is not None


def _told(call: str, rest: str) -> str:
    """Say which call it is, and the names of the files that it is about, without their places."""
    held = re.match(r"\d+<([^>]*)>", rest)
    named = [held[1]] if held else _PATH.findall(rest)
    files = [name.rpartition("/")[2] for name in named if "[" not in name]
    return f"{call}({', '.join(files)})"


@contextlib.contextmanager
def _timed(process: HostProcess, at: Point | None) -> Iterator[Fault]:
    """Kill after a part of the time that the same change took when nothing was done to it."""
    made = Fault(TIMER)
    if at is None:
        start = time.monotonic()
        yield made
        took = int((time.monotonic() - start) * 1e6)
        moments = {took * moment // _MOMENTS + 1: None for moment in range(_MOMENTS)}
        made.points = [Point(_MICROSECOND, moment) for moment in moments]
        return

    def kill() -> None:
        made.fired = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)

    timer = threading.Timer(at.number / 1e6, kill)
    timer.start()
    try:
        yield made
    finally:
        timer.cancel()
        timer.join()


_MICROSECOND = "microsecond"


class Watch:
    """Observes which files a process opens for writing, makes or removes, below any directory."""

    def __init__(self, process: HostProcess, workdir: Path) -> None:
        if (reason := missing(process)) is not None:
            raise Impossible(f"{reason}; without it nobody sees what is written elsewhere")
        self._strace = _Strace(process.pid, (*_OPENS, *_CALLS))
        self._strace.__enter__()
        self._workdir = workdir

    def stop(self) -> list[str]:
        """End it; return the paths, those below the working directory as seen from there."""
        self._strace.__exit__()
        found = dict.fromkeys(path for line in self._strace.lines for path in _written_by(line))
        return [_shown(path, self._workdir) for path in found]


_NO_FILES = re.compile(r"/dev/(?!shm/)|/proc/|[A-Za-z0-9_-]+:\[")
"""Devices, kernel tables, and what strace writes for a pipe or a socket."""


def _written_by(line: str) -> list[str]:
    if (match := _LINE.match(line)) is None or " = -1 " in line:
        return []
    call, rest = match[2], match[3]
    if call in _OPENS:
        changes = call == "creat" or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", rest)
        made = re.search(r" = \d+<(/[^>]*)>", rest)  # where it lies, however it was named
        paths = [made[1]] if changes and made else []
    elif call in ("sync", "msync"):
        return []
    else:
        first = rest.partition(",")[0]
        held = re.search(r"<(/[^>]*)>", first)
        paths = [held[1]] if held else _PATH.findall(rest)
    return [path for path in paths if path and not _NO_FILES.match(path)]


def _shown(path: str, workdir: Path) -> str:
    inside = os.path.relpath(workdir / path, workdir)
    return path if inside.startswith("..") else inside
