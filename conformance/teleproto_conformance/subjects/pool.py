"""The processes that run a class, for one trace after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.keys import KEYS
from ..contract.secrets import masked
from ..errors import ConformanceError, UsageError
from .answers import read_hello, read_value
from .fork_server import Launcher
from .process import Gone, HostProcess, Silent
from .subject import PROTOCOL

_IMPORTING = 60.0
"""Seconds that importing the class may take; it is no call of the session."""


class Pool:
    """Processes that have imported the class.

    ``limit`` is how many seconds a call may take. While ``keep`` is true, a process that a trace
    has left in order serves the next one. ``spare`` is how many new ones are started ahead.
    ``reused`` becomes true where a process was taken that had served a trace before.
    """

    def __init__(
        self,
        launch: Launcher,
        implementation: str,
        path: Sequence[str],
        members: dict[str, Any],
        limit: float,
    ) -> None:
        self.limit = limit
        self.keep = True
        self.spare = 0
        self.reused = False
        self._launch = launch
        self._hello = {
            "do": "hello",
            "protocol": PROTOCOL,
            "implementation": implementation,
            "path": [*path],
            "members": members,
            "keys": {name: key.hex() for name, key in KEYS.items()},
        }
        self._implementation = implementation
        self._idle: list[HostProcess] = []
        self._ahead: deque[HostProcess] = deque()

    def hello(self) -> dict[str, Any]:
        """Start a process, and return what it says of the class.

        :raises UsageError: in one line, where the class cannot be had.
        """
        process, said = self._start()
        self._idle.append(process)
        return said

    def _start(self) -> tuple[HostProcess, dict[str, Any]]:
        process = self._ahead.popleft() if self._ahead else self._begun()
        option = f"--session-impl={self._implementation}"
        try:
            answer = process.hear(_IMPORTING)
        except Silent:
            process.kill()
            raise UsageError(
                f"{option}: importing it did not come to an end within {_IMPORTING:g} seconds"
            ) from None
        except Gone as gone:
            said = f"{gone}{_last_line(process.output)}"
            if self._implementation.startswith("exec:"):
                command = self._implementation.removeprefix("exec:")
                raise UsageError(
                    f"{option}: before the host answered, {said}; `teleproto-conformance host "
                    f"{command}` asks it one thing after the other"
                ) from None
            raise UsageError(f"{option}: importing it failed: {said}") from None
        except BaseException:
            process.kill()
            raise
        try:
            return process, read_hello(answer, option, process.pid)
        except ConformanceError:
            process.kill()
            raise

    def _begun(self) -> HostProcess:
        """Return a process that is about to import the class."""
        process = self._launch()
        process.tell(self._hello)
        return process

    def take(self, workdir: Path) -> HostProcess:
        """Return a process that nobody uses, in ``workdir``."""
        while self._idle:
            process = self._idle.pop()
            try:
                self.begin(process, workdir)
            except (Silent, Gone):
                process.kill()  # it has died, or was busy, since the last trace
            except BaseException:
                process.kill()
                raise
            else:
                self.reused = True
                return process
        process, _ = self._start()
        try:
            self.begin(process, workdir)
        except (Silent, Gone) as error:
            process.kill()
            how = str(error) or f"it did not answer within {self.limit:g} seconds"
            raise UsageError(
                f"--session-impl={self._implementation}: a process that had imported it was of no "
                f"use: {how}"
            ) from None
        while len(self._ahead) < self.spare:
            self._ahead.append(self._begun())  # while this one is at work
        return process

    def begin(self, process: HostProcess, workdir: Path) -> None:
        """Begin a trace in ``workdir``; :raises Silent, Gone, HostFault: where it does not."""
        read_value(process.ask({"do": "begin", "workdir": str(workdir)}, self.limit))

    def renew(self) -> None:
        """Let the next traces have processes that have served none."""
        while self._idle:
            self._idle.pop().let_go()

    def give_back(self, process: HostProcess) -> None:
        """Keep a process for the next trace."""
        process.drain()
        process.output.clear()
        self._idle.append(process)

    def close(self) -> None:
        """End all processes."""
        for process in (*self._idle, *self._ahead):
            process.kill()


def _last_line(output: bytes | bytearray) -> str:
    """Return what a program said in the end, as a part of a line."""
    lines = output.decode("utf-8", "backslashreplace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({masked(said[:200])})" if said else ""
