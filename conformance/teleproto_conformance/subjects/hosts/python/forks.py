"""The fork server: starts hosts as forks of itself."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import io
import itertools
import json
import os
import signal
import socket
import sys
import sysconfig
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from .host import serve


def fork_server(control: socket.socket, become: list[str]) -> None:
    """Start a process for every request. A request brings three descriptors for its streams.

    ``become`` is empty, or two descriptors and a command that expects its channel on them.
    """
    gc.freeze()
    library, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    library.setblocking(False)
    running: set[int] = set()
    ended: dict[int, int] = {}

    def reap(pid: int, how: int) -> None:
        with contextlib.suppress(ChildProcessError):
            while (child := os.waitpid(pid, how))[0]:
                running.discard(child[0])
                ended[child[0]] = os.waitstatus_to_exitcode(child[1])
                if pid > 0:
                    return

    while True:
        request, streams, *_ = socket.recv_fds(control, 1024, 3)
        if not request:
            break
        if request.startswith(b"wait"):
            pid = int(request[4:])
            if pid not in ended:
                reap(pid, 0)
            control.send(str(ended.pop(pid)).encode())
            continue
        reap(-1, os.WNOHANG)
        _import_what_was_told(library)
        pid = os.fork()
        if pid == 0:
            control.close()
            library.close()
            _set_apart(streams)
            if become:
                _replace(streams, int(become[0]), int(become[1]), become[2:])
            serve(streams[0], streams[1], partial(_tell, telling, len(sys.modules)))
            return
        for fd in streams:
            os.close(fd)
        running.add(pid)
        ended.pop(pid, None)
        control.send(str(pid).encode())
    for pid in running:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def _tell(telling: socket.socket, before: int) -> None:
    """Tell the fork server which modules of the standard library the class has imported.

    They are those after the first ``before`` modules. If the user has a module with the name of a
    standard one, tell nothing: the fork server would import the other one.
    """
    with telling, contextlib.suppress(OSError):
        # Not by looking at every module: the process would copy the memory of each.
        new = [*itertools.islice(reversed(sys.modules), len(sys.modules) - before)]
        if (wanted := [*filter(_has_standard_name, reversed(new))]) and _none_is_hidden():
            telling.send(json.dumps(wanted).encode())


def _has_standard_name(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _none_is_hidden() -> bool:
    """Return whether each module with a standard name is the one of the standard library."""
    loaded = [module for name, module in [*sys.modules.items()] if _has_standard_name(name)]
    specs = [getattr(module, "__spec__", None) for module in loaded]
    return all(_is_standard(spec.origin) for spec in specs if spec and spec.origin)


def _is_standard(origin: str) -> bool:
    return origin in ("built-in", "frozen") or (
        origin.startswith(_STANDARD) and not _INSTALLED.intersection(Path(origin).parts)
    )


_STANDARD = (*{f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")},)
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def _import_what_was_told(library: socket.socket) -> None:
    """Import the modules that forks have told of, so that later forks begin with them."""
    told: list[str] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            told += json.loads(library.recv(_TOLD))
    if not told:
        return
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in told:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    gc.freeze()


_TOLD = 1 << 16
"""Bytes of the longest list of modules."""


def _set_apart(streams: list[int]) -> None:
    """Give this process its own process session, and print into the third of ``streams``."""
    os.setsid()
    _let_anybody_trace()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for fd in (1, 2):
        os.dup2(streams[2], fd)
    os.close(streams.pop())
    # Unbuffered, so that the output reaches its trace even if the process is killed.
    sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)


def _replace(streams: list[int], requests: int, replies: int, command: list[str]) -> None:
    """Replace this process by a program, with the channel on the descriptors that it expects."""
    beyond = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _BEYOND) for fd in streams]
    for fd in streams:
        os.close(fd)
    for fd, place in zip(beyond, (requests, replies), strict=True):
        os.dup2(fd, place)
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # as a shell does
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)


_BEYOND = 10
"""A descriptor above all those that a program expects."""


def _unbuffered(fd: int) -> io.TextIOWrapper:
    raw: Any = io.FileIO(fd, "wb", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def _let_anybody_trace() -> None:
    """Allow the suite to trace this process, even if the system allows this only to a parent."""
    if Path("/proc/sys/kernel/yama/ptrace_scope").exists():
        import ctypes

        set_ptracer, anybody = 0x59616D61, ctypes.c_ulong(-1)  # see prctl(2)
        ctypes.CDLL(None).prctl(set_ptracer, anybody, 0, 0, 0)
