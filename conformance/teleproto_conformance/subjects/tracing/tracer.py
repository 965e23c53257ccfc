"""A tracer: stops a process, its threads and its children at chosen system calls."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ...errors import ConformanceError, Impossible
from . import ptrace
from .system_calls import Call, numbers

_PATIENCE = 5.0
"""Seconds for attaching to a process, and for detaching from it."""
_AGAIN = 0.1
"""Seconds until the suite wakes the tracer again. A SIGCONT can cancel the signal that wakes it."""


@dataclass(frozen=True)
class Fail:
    """Skip a call, and make it return the error with this number."""

    errno: int


@dataclass(frozen=True)
class Shorten:
    """Make a call move only half of its bytes or pieces."""


@dataclass(frozen=True)
class Kill:
    """Kill all traced processes before a call."""


Action = Fail | Shorten | Kill


class Tracer:
    """Traces a process and its children from enter to exit.

    ``calls`` lists their system calls among ``names``, without those that stay inside the program.
    The tracer calls ``decide`` before each of them. After the first action it no longer acts or
    lists calls.

    Only the thread that attached may send requests, so each tracer has its own thread. If that
    thread ends early, as when the suite is killed, the kernel kills the process. Otherwise the
    process would stay stopped.

    :raises Impossible: on enter, if the process cannot be traced.
    """

    def __init__(
        self, pid: int, names: tuple[str, ...], decide: Callable[[Call], Action | None]
    ) -> None:
        self.calls: list[Call] = []
        self._pid = pid
        self._names = numbers(names)
        self._decide = decide
        self._thread = threading.Thread(target=self._trace, name=f"tracer of {pid}", daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._starting: set[int] = set()
        """Threads that have not stopped yet."""
        self._process_of: dict[int, int] = {}
        """The process of each traced thread."""
        self._open: dict[int, tuple[Call, Action | None]] = {}
        """The call that a thread is making, and what the tracer did to it."""
        self._restarted: dict[int, Call] = {}
        """Calls that a signal has interrupted. Their threads make them again."""
        self._acted = False
        self._woken: int | None = None
        """The process that got a SIGSTOP to wake the tracer. The tracer discards this signal."""
        self._letting_go = False

    def __enter__(self) -> Self:
        if sys.platform != "linux" or ptrace.MACHINE is None:
            raise Impossible(
                "the suite can trace processes only on Linux on x86-64 and arm64",
                "run it there as well",
            )
        self._thread.start()
        try:
            if not self._ready.wait(_PATIENCE):
                self._error = Impossible(
                    f"the process could not be traced within {_PATIENCE:g} seconds",
                    "run the suite again when the machine is less busy",
                )
        finally:  # also on Ctrl-C
            if not self._ready.is_set():
                self._stop()
        if self._error is not None:
            self._thread.join()
            raise _reason(self._error) from self._error
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        if self._error is not None and KeyboardInterrupt not in error:
            # Errors inside may follow from this one, so the session is not to blame.
            raise _reason(self._error) from self._error

    def _stop(self) -> None:
        # The tracer waits for the process, and the process for the suite. So wake the tracer.
        deadline = time.monotonic() + _PATIENCE
        sent: list[int] = []
        while self._thread.is_alive() and time.monotonic() < deadline:
            if not self._letting_go and (process := self._living()) is not None:
                self._woken = process
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
                sent.append(process)
            self._thread.join(_AGAIN)
        if self._thread.is_alive():
            self._error = ConformanceError(
                f"the suite could not detach from a process within {_PATIENCE:g} seconds, and so "
                "had to kill it"
            )
            self._kill()
            self._thread.join()
        for process in sent[1:]:  # the tracer may have ended before it could discard a later signal
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def _living(self) -> int | None:
        """Return a traced process: the first one if it is alive, else any other."""
        processes = [*self._process_of.values()]
        return self._pid if self._pid in processes else next(iter(processes), None)

    # All methods below run in the thread of the tracer.

    def _trace(self) -> None:
        try:
            self._attach()
            # Until all threads have ended or are detached, even new ones that have not stopped yet.
            while (stopped := ptrace.wait()) is not None:
                with contextlib.suppress(ProcessLookupError):  # killed; wait() reports its end
                    self._handle(*stopped)
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    def _attach(self) -> None:
        """Attach to the process and its children."""
        try:
            self._seize(self._pid, self._pid)
        except (ProcessLookupError, PermissionError):
            if _has_ended(self._pid):
                return  # the next request to it finds this out
            raise
        known = {self._pid}
        while new := _family(self._pid) - known:
            for thread in new:
                # It may be ending. Or a traced thread started it, so it is traced already.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    self._seize(thread, _process(thread))
            known |= new

    def _seize(self, thread: int, process: int) -> None:
        ptrace.seize(thread)
        self._process_of[thread] = process
        self._starting.add(thread)
        ptrace.interrupt(thread)

    def _handle(self, thread: int, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._stopped(thread, os.WSTOPSIG(status), status >> 16)
        else:
            self._forget(thread)
        if not self._starting and self._error is None:
            self._ready.set()
        if self._woken is not None and self._woken not in self._process_of.values():
            self._let_go()

    def _forget(self, thread: int) -> None:
        self._starting.discard(thread)
        for table in (self._process_of, self._open, self._restarted):
            table.pop(thread, None)

    def _stopped(self, thread: int, number: int, event: int) -> None:
        if thread not in self._process_of:  # it is new
            self._process_of[thread] = _process(thread)
        if thread in self._starting:
            self._starting.remove(thread)
            self._check_readable(thread)
        passed_on = 0
        match event:
            case 0 if number == ptrace.AT_SYSTEM_CALL:
                self._at_call(thread)
            case 0 if number == signal.SIGSTOP and self._woken is not None:
                self._let_go()
            case 0:
                passed_on = number
            case ptrace.STOPPED if number in _STOPPING and not self._letting_go:
                ptrace.stay_stopped(thread)
                return
            case ptrace.EXECUTED if (former := ptrace.event_message(thread)) != thread:
                self._forget(former)
                self._open.pop(thread, None)
        _, changed = self._open.get(thread, (None, None))
        if changed is not None:
            ptrace.to_system_call(thread, passed_on)  # the exit of the call needs a change, too
        elif self._letting_go:
            ptrace.let_go(thread, passed_on)
            self._forget(thread)
        elif self._acted:
            ptrace.resume(thread, passed_on)
        else:
            ptrace.to_system_call(thread, passed_on)

    def _let_go(self) -> None:
        """Make every thread stop, to detach from it."""
        if not self._letting_go:
            self._letting_go = True
            for thread in self._process_of:
                with contextlib.suppress(ProcessLookupError):
                    ptrace.interrupt(thread)

    def _check_readable(self, thread: int) -> None:
        """Check that the kernel can describe the thread's system calls."""
        try:
            ptrace.system_call(thread)
        except ProcessLookupError:
            raise
        except (OSError, NotImplementedError) as error:
            self._error = error
            self._let_go()

    def _at_call(self, thread: int) -> None:
        try:
            where = ptrace.system_call(thread)
        except NotImplementedError:  # the process has started a program for another processor
            return
        if isinstance(where, ptrace.Entry):
            name = self._names.get(where.number)
            if name is not None and not self._acted:
                self._begins(Call.read(name, thread, where.arguments))
        elif isinstance(where, ptrace.Exit) and thread in self._open:
            self._ends(*self._open.pop(thread), where.result)

    def _begins(self, call: Call) -> None:
        if (begun := self._restarted.pop(call.thread, None)) is not None and begun.repeats(call):
            self._open[call.thread] = begun, None
            return
        if call.is_inside:
            return
        self.calls.append(call)
        action = self._decide(call)
        self._open[call.thread] = call, action
        self._acted = action is not None
        assert ptrace.MACHINE is not None
        match action:
            case Kill():
                self._kill()
            case Fail():
                ptrace.MACHINE.skip(call.thread)
            case Shorten():
                place, size = call.moved
                ptrace.MACHINE.set_argument(call.thread, place, size // 2)

    def _ends(self, call: Call, action: Action | None, result: int) -> None:
        assert ptrace.MACHINE is not None
        match action:
            case Fail(errno):
                result = -errno
                ptrace.MACHINE.set_result(call.thread, result)
            case Shorten():
                # The program may rely on its registers, so restore this one.
                ptrace.MACHINE.set_argument(call.thread, *call.moved)
        call.ended(result)
        if result in _RESTARTS:
            self._restarted[call.thread] = call

    def _kill(self) -> None:
        for process in set(self._process_of.values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


_RESTARTS = (-512, -513, -514, -516)
"""Results of a call that the kernel repeats after a signal (ERESTARTSYS and similar)."""
_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def _family(pid: int) -> set[int]:
    """Return the threads of a process and of all its descendants."""
    threads: set[int] = set()
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            threads.add(int(task.name))
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text("ascii").split():
                    threads |= _family(int(child))
    return threads


def _has_ended(pid: int) -> bool:
    """Return whether a process has ended. A zombie counts as ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
    except OSError:
        return True
    return state.split()[0] in ("Z", "X")


def _process(thread: int) -> int:
    """Return the process of a thread."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{thread}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith("Tgid:"):
                return int(line.split()[1])
    return thread


def _reason(error: BaseException) -> BaseException:
    """Return the error to raise in the suite for an error of the tracer."""
    match error:
        case PermissionError():
            return _forbidden()
        case NotImplementedError():
            return Impossible(
                "the program was made for another processor", "use one made for this processor"
            )
        case OSError():
            return Impossible(
                f"the system does not support the tracing that the suite needs ({error.strerror})",
                "run the suite on Linux 5.3 or newer",
            )
        case Impossible() | ConformanceError() | KeyboardInterrupt():
            return error
        case _:
            return ConformanceError(f"the tracer failed: {type(error).__name__}: {error}")


def _forbidden() -> Impossible:
    scope = ""
    with contextlib.suppress(OSError):
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text("ascii").strip()
    match scope:
        case "2":
            return Impossible(
                "only root may trace a process here (kernel.yama.ptrace_scope is 2)",
                "run `sysctl kernel.yama.ptrace_scope=1` as root",
            )
        case "3":
            return Impossible(
                "this machine forbids all tracing (kernel.yama.ptrace_scope is 3)",
                "set it to 1 in /etc/sysctl.d, and restart the machine",
            )
        case _:
            return Impossible(
                "the system, or the program, does not let the suite trace it",
                "in a container, add --cap-add=SYS_PTRACE; detach any debugger; leave the program "
                "dumpable (PR_SET_DUMPABLE)",
            )
