"""The requests of ptrace(2) that a tracer needs, on x86-64 and arm64.

Unless its docstring says otherwise, a function acts on a stopped thread that the calling thread
traces. All raise OSError, and ProcessLookupError if the thread has ended.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from typing import Final

_CONT, _POKEUSER, _DETACH, _SYSCALL = 7, 6, 17, 24
_GETEVENTMSG, _GETREGSET, _SETREGSET = 0x4201, 0x4204, 0x4205
_SEIZE, _INTERRUPT, _LISTEN, _GET_SYSCALL_INFO = 0x4206, 0x4207, 0x4208, 0x420E

EXECUTED, STOPPED = 4, 128
"""Events that a stop of a thread may report: a new program, or a stop by a signal or a request."""

AT_SYSTEM_CALL: Final = 5 | 0x80
"""The signal that a thread reports when it stops at a system call: a marked SIGTRAP."""

_FORKED, _VFORKED, _CLONED = 1, 2, 3
_OPTIONS = 0x1 | 1 << _FORKED | 1 << _VFORKED | 1 << _CLONED | 1 << EXECUTED | 1 << 20
"""Mark stops at system calls. Follow new threads, processes and programs. Kill the traced processes
if the tracer ends before it has detached from them."""

_WALL, _WNOTHREAD = 0x40000000, 0x20000000

if os.name == "posix":
    # PyDLL keeps Python's lock. That is harmless, as these requests return at once.
    _ptrace = ctypes.PyDLL(None, use_errno=True).ptrace
    _ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    _ptrace.restype = ctypes.c_long


def _request(request: int, thread: int, address: int | None = None, data: object = None) -> int:
    result: int = _ptrace(request, thread, address, data)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def seize(thread: int) -> None:
    """Begin to trace a thread. The thread continues to run."""
    _request(_SEIZE, thread, 0, _OPTIONS)


def interrupt(thread: int) -> None:
    """Make a running thread stop.

    If it waits in a system call, the call usually begins again. Some calls, such as epoll_wait,
    return EINTR; see signal(7).
    """
    _request(_INTERRUPT, thread)


def wait() -> tuple[int, int] | None:
    """Wait for a thread that the calling thread traces. Return its number and wait status.

    Return None if it does not trace any thread.
    """
    try:
        return os.waitpid(-1, _WALL | _WNOTHREAD)
    except ChildProcessError:
        return None


def to_system_call(thread: int, signal: int) -> None:
    """Let a thread run until its next system call begins or ends."""
    _request(_SYSCALL, thread, 0, signal)


def resume(thread: int, signal: int) -> None:
    """Let a thread run. It no longer stops at system calls."""
    _request(_CONT, thread, 0, signal)


def stay_stopped(thread: int) -> None:
    """Leave a thread in the stop that a signal has caused, until SIGCONT."""
    _request(_LISTEN, thread)


def let_go(thread: int, signal: int) -> None:
    """Stop tracing a thread. The thread continues to run."""
    _request(_DETACH, thread, 0, signal)


def event_message(thread: int) -> int:
    """Return the number of the event: after exec, the former number of the thread."""
    message = ctypes.c_ulong()
    _request(_GETEVENTMSG, thread, 0, ctypes.addressof(message))
    return message.value


@dataclass(frozen=True)
class Entry:
    """A thread is about to make system call ``number``."""

    number: int
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Exit:
    """A system call has returned ``result``. An error is a negative number."""

    result: int


_Info = ctypes.c_char * 88
_HEAD = struct.Struct("=B3xI16x")
_ENTRY = struct.Struct("=7Q")
_EXIT = struct.Struct("=q")


def system_call(thread: int) -> Entry | Exit | None:
    """Return the entry or the exit at which a thread has stopped; None if it stopped elsewhere.

    :raises NotImplementedError: if the program is for another processor.
    """
    info = _Info()
    _request(_GET_SYSCALL_INFO, thread, len(info), info)
    kind, architecture = _HEAD.unpack_from(info)
    if MACHINE is None or architecture != MACHINE.architecture:
        raise NotImplementedError
    match kind:
        case 1:
            number, *arguments = _ENTRY.unpack_from(info, _HEAD.size)
            return Entry(number, tuple(arguments))
        case 2:
            return Exit(*_EXIT.unpack_from(info, _HEAD.size))
        case _:
            return None


class _X86:
    name = "x86"
    architecture = 0xC000003E
    _NUMBER, _RESULT = 15 * 8, 10 * 8
    _ARGUMENTS = (14 * 8, 13 * 8, 12 * 8, 7 * 8, 9 * 8, 8 * 8)

    def skip(self, thread: int) -> None:
        _request(_POKEUSER, thread, self._NUMBER, _word(-1))

    def set_result(self, thread: int, result: int) -> None:
        _request(_POKEUSER, thread, self._RESULT, _word(result))

    def set_argument(self, thread: int, place: int, value: int) -> None:
        _request(_POKEUSER, thread, self._ARGUMENTS[place], value)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Arm64:
    name = "arm"
    architecture = 0xC00000B7
    _GENERAL, _NUMBER = 1, 0x404
    _REGISTERS = 34

    def skip(self, thread: int) -> None:
        number = ctypes.c_int(-1)
        self._ask(_SETREGSET, thread, self._NUMBER, number)

    def set_result(self, thread: int, result: int) -> None:
        self.set_argument(thread, 0, _word(result))

    def set_argument(self, thread: int, place: int, value: int) -> None:
        registers = (ctypes.c_uint64 * self._REGISTERS)()
        self._ask(_GETREGSET, thread, self._GENERAL, registers)
        registers[place] = value
        self._ask(_SETREGSET, thread, self._GENERAL, registers)

    def _ask(self, request: int, thread: int, kind: int, held: ctypes._CData) -> None:
        vector = _Vector(ctypes.addressof(held), ctypes.sizeof(held))
        _request(request, thread, kind, ctypes.addressof(vector))


def _word(number: int) -> int:
    return number & (1 << 64) - 1


_MACHINES: dict[str, _X86 | _Arm64] = {"x86_64": _X86(), "aarch64": _Arm64()}
MACHINE: Final = _MACHINES.get(platform.machine())
"""How this machine stores a call's number, arguments and result; None for an unknown machine.

``skip`` at the entry of a call prevents the call. Set its result at its exit.
"""
