"""A tracer: stops a process, with all its threads and children, at system calls of some kinds."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from . import ptrace
from .system_calls import Call, numbers

_LETTING_GO = 5.0
"""Seconds in which a process has to take notice that it is traced no longer."""


class NotTraceable(Exception):
    """A process cannot be traced here; the text says why, ``remedy`` what can be done."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Fail:
    """A call is not made, and returns the error of this number."""

    errno: int


@dataclass(frozen=True)
class Shorten:
    """A call moves half of the bytes that it would."""


@dataclass(frozen=True)
class Kill:
    """All traced processes are killed before a call is made."""


Action = Fail | Shorten | Kill


class Tracer:
    """Traces a process from entering to leaving; ``calls`` are those of ``names`` that it made.

    ``decide`` is asked at the beginning of each what is to be done to it; once it has said so,
    nothing else is done, and nothing is listed any more. Calls that reach nothing outside the
    program are passed over.

    The kernel knows the thread that traces, and takes requests from no other, so each tracer is a
    thread of its own. Where it ends without having let go, as when the suite is killed, the kernel
    kills the process: none stays behind stopped.

    :raises NotTraceable: on entering.
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
        """Threads that have not stopped for the first time."""
        self._processes: dict[int, int] = {}
        """The process of each thread that is traced."""
        self._made: dict[int, Call] = {}
        """Calls that threads are in the middle of."""
        self._changed: dict[int, Fail | Shorten] = {}
        """What was done to the call that a thread is in the middle of."""
        self._done = False
        self._ending: int | None = None
        """The process that was told of the end, by a signal that nobody else gets to see."""
        self._letting_go = False

    def __enter__(self) -> Self:
        if sys.platform != "linux" or ptrace.MACHINE is None:
            raise NotTraceable(
                "system calls are traced on Linux on x86-64 and arm64 only",
                "run the suite there as well",
            )
        self._thread.start()
        try:
            self._ready.wait()
        except BaseException:  # Ctrl-C
            self._stop()
            raise
        if self._error is not None:
            self._thread.join()
            raise _reason(self._error) from None
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        if self._error is not None and error[0] is None:
            raise self._error

    def _stop(self) -> None:
        # The tracer waits for the process, and the process for the suite: wake it.
        for process in dict.fromkeys([self._pid, *self._processes.values()]):
            if process in self._processes.values():
                self._ending = process
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
                    break
        self._thread.join(_LETTING_GO)
        if self._thread.is_alive():
            self._kill()
            self._thread.join()

    # All below is done in the tracer's thread.

    def _trace(self) -> None:
        try:
            self._attach()
            while self._processes:
                try:
                    thread, status = ptrace.wait()
                except ChildProcessError:
                    break
                with contextlib.suppress(ProcessLookupError):  # killed since: it is told next
                    self._see(thread, status)
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    def _attach(self) -> None:
        known: set[int] = set()
        while new := _threads(self._pid) - known:
            for thread in sorted(new):
                try:
                    ptrace.seize(thread)
                except ProcessLookupError:
                    continue
                except PermissionError:
                    if not self._processes:
                        raise
                    continue  # made since by one that is traced, and so it is traced itself
                self._processes[thread] = self._pid
                self._starting.add(thread)
                with contextlib.suppress(ProcessLookupError):
                    ptrace.interrupt(thread)
            known |= new

    def _see(self, thread: int, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._stopped(thread, os.WSTOPSIG(status), status >> 16)
        else:
            self._forget(thread)
        if not self._starting and self._error is None:
            self._ready.set()
        if self._ending is not None and self._ending not in self._processes.values():
            self._let_go()

    def _forget(self, thread: int) -> None:
        self._starting.discard(thread)
        for table in (self._processes, self._made, self._changed):
            table.pop(thread, None)

    def _stopped(self, thread: int, number: int, event: int) -> None:
        if thread in self._starting:
            self._starting.remove(thread)
            self._try(thread)
        if thread not in self._processes:
            self._processes[thread] = _process(thread)
        passed_on = 0
        match event:
            case 0 if number == ptrace.AT_SYSTEM_CALL:
                self._at_call(thread)
            case 0 if number == signal.SIGSTOP and self._ending is not None:
                self._let_go()
            case 0:
                passed_on = number
            case ptrace.STOPPED if number in _STOPPING and not self._letting_go:
                ptrace.stay_stopped(thread)
                return
            case ptrace.FORKED | ptrace.VFORKED | ptrace.CLONED:
                made = ptrace.event_message(thread)
                self._processes.setdefault(made, _process(made))
            case ptrace.EXECUTED if (former := ptrace.event_message(thread)) != thread:
                self._forget(former)
        if self._letting_go and thread not in self._changed:
            ptrace.let_go(thread, passed_on)
            self._forget(thread)
        elif self._done and thread not in self._changed:
            ptrace.run(thread, passed_on)
        else:
            ptrace.to_system_call(thread, passed_on)

    def _let_go(self) -> None:
        """Have every thread stop, so that it can be let go of."""
        if not self._letting_go:
            self._letting_go = True
            for thread in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    ptrace.interrupt(thread)

    def _try(self, thread: int) -> None:
        """Find out whether the system calls of a thread can be told at all."""
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
        except NotImplementedError:  # another program that it has started
            return
        if isinstance(where, ptrace.Entry):
            name = self._names.get(where.number)
            if name is not None and not self._done:
                self._begins(Call.read(name, thread, where.arguments))
        elif isinstance(where, ptrace.Exit):
            self._ends(thread, where.result)

    def _begins(self, call: Call) -> None:
        if call.is_inside:
            return
        self.calls.append(call)
        self._made[call.thread] = call
        action = self._decide(call)
        if action is None:
            return
        self._done = True
        assert ptrace.MACHINE is not None
        match action:
            case Kill():
                self._kill()
                return
            case Fail():
                ptrace.MACHINE.skip(call.thread)
            case Shorten() if call.length is not None:
                half = call.arguments[call.length] // 2
                ptrace.MACHINE.set_argument(call.thread, call.length, half)
        self._changed[call.thread] = action

    def _ends(self, thread: int, result: int) -> None:
        call, action = self._made.pop(thread, None), self._changed.pop(thread, None)
        if call is None:
            return
        assert ptrace.MACHINE is not None
        match action:
            case Fail(errno):
                result = -errno
                ptrace.MACHINE.set_result(thread, result)
            case Shorten() if call.length is not None:
                # The program may count on its registers to be as they were.
                ptrace.MACHINE.set_argument(thread, call.length, call.arguments[call.length])
        call.ended(result)

    def _kill(self) -> None:
        for process in {self._pid, *self._processes.values()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def _threads(pid: int) -> set[int]:
    return {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()}


def _process(thread: int) -> int:
    """Return the process that a thread belongs to."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{thread}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith("Tgid:"):
                return int(line.split()[1])
    return thread


def _reason(error: BaseException) -> BaseException:
    """Say why a process cannot be traced, where that is why."""
    match error:
        case PermissionError():
            return _forbidden()
        case FileNotFoundError() | ProcessLookupError():
            return NotTraceable("the process has ended", "look at what it printed")
        case NotImplementedError():
            return NotTraceable(
                "the program was made for another processor", "run one that was made for this one"
            )
        case OSError():
            return NotTraceable(
                f"the system cannot trace a process as the suite does ({error.strerror})",
                "run the suite on Linux 5.3 or newer",
            )
        case _:
            return error


def _forbidden() -> NotTraceable:
    scope = ""
    with contextlib.suppress(OSError):
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text("ascii").strip()
    match scope:
        case "2":
            return NotTraceable(
                "only root may trace a process here (kernel.yama.ptrace_scope is 2)",
                "run `sysctl kernel.yama.ptrace_scope=1` as root",
            )
        case "3":
            return NotTraceable(
                "nobody may trace a process here (kernel.yama.ptrace_scope is 3)",
                "set it to 1 in /etc/sysctl.d, and restart the machine",
            )
        case _:
            return NotTraceable(
                "this system does not let the suite trace a process",
                "start a container with --cap-add=SYS_PTRACE, and detach any debugger",
            )
