"""Starting the processes that sessions run in."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from typing import Protocol

from ..errors import UsageError
from .process import HostProcess
from .programs import Program

_WRITES_ITSELF = ("NODE_COMPILE_CACHE", "NODE_V8_COVERAGE")
"""Variables that make Node write its own files. They would look like files of the session."""
_PLAIN_CALLS = {"UV_USE_IO_URING": "0"}
"""Makes Node write with system calls that the suite can trace."""
_HASH_SEEDS = (1, 2)
"""Seeds of the two kinds of Python hosts. What a program stores must not depend on its seed."""


class Launcher(Protocol):
    """Starts processes."""

    def __call__(self, unlike: int | None = None) -> HostProcess:
        """Start a process. If it is the Python host, its hash seed is another than ``unlike``."""


class ForkServer:
    """Starts hosts: ``program``, or else the Python host. A fork takes about a millisecond."""

    def __init__(self, program: Program | None = None) -> None:
        self._program = program
        self._tidying = contextlib.ExitStack()
        self._variables: dict[str, str] = {}
        if program is not None and program.compiled:
            kept = tempfile.TemporaryDirectory(prefix="compiled-", ignore_cleanup_errors=True)
            self._variables = {program.compiled: self._tidying.enter_context(kept)}
        self._seeds = _HASH_SEEDS if program is None else (None,)
        self._servers = {self._seeds[0]: _Server(program, self._seeds[0], self._variables)}

    def __call__(self, unlike: int | None = None) -> HostProcess:
        """Start a process, as :class:`Launcher` says."""
        seed = next((seed for seed in self._seeds if seed != unlike), None)
        if seed not in self._servers:
            self._servers[seed] = _Server(self._program, seed, self._variables)
        return self._servers[seed].start()

    def close(self) -> None:
        """End the servers and all processes that they have started."""
        for server in self._servers.values():
            server.close()
        self._tidying.close()


class _Server:
    """The process that forks. A fork has its hash seed; with None, a program chooses its own.

    ``variables`` are added to its environment.
    """

    def __init__(
        self, program: Program | None, hash_seed: int | None, variables: dict[str, str]
    ) -> None:
        self._hash_seed = hash_seed
        self._control, theirs = socket.socketpair()
        module = f"{__package__}.hosts.python"
        become: list[str] = []
        if program is not None:
            become = [str(program.requests), str(program.replies), *program.command]
        seed = {} if hash_seed is None else {"PYTHONHASHSEED": str(hash_seed)}
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", module, "--fork-server", str(theirs.fileno()), *become],
                cwd=None if program is None else program.cwd,
                env={name: text for name, text in os.environ.items() if name not in _WRITES_ITSELF}
                | _PLAIN_CALLS
                | variables
                | seed,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self) -> HostProcess:
        """Start a process."""
        requests, to_requests = os.pipe()
        from_replies, replies = os.pipe()
        from_output, output = os.pipe()
        theirs = [requests, replies, output]
        try:
            pid = self._asked([b"fork"], theirs)
        except BaseException:
            for fd in (to_requests, from_replies, from_output):
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        return HostProcess(
            pid=pid,
            requests=to_requests,
            replies=from_replies,
            output=from_output,
            wait=lambda: self._wait(pid),
            hash_seed=self._hash_seed,
        )

    def _wait(self, pid: int) -> int:
        return self._asked([f"wait {pid}".encode()], [])

    def _asked(self, request: list[bytes], fds: list[int]) -> int:
        """Return the answer to a request. Ctrl-C has to wait, so that every answer is read."""
        interrupted = signal.getsignal(signal.SIGINT)
        pressed: list[int] = []
        here = threading.current_thread() is threading.main_thread()
        if here and callable(interrupted):
            signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
        try:
            socket.send_fds(self._control, request, fds)
            answer = self._control.recv(64)
        except OSError:
            answer = b""
        finally:
            if here and callable(interrupted):
                signal.signal(signal.SIGINT, interrupted)
        if pressed:
            signal.raise_signal(signal.SIGINT)
        if not answer:
            raise UsageError("the process that starts the hosts has ended")
        return int(answer)

    def close(self) -> None:
        """End the server and all processes that it has started."""
        self._control.close()
        self._server.wait()
