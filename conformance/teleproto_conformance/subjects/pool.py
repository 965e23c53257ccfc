"""The processes that run a class. Each can run several traces, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract.secrets import masked
from ..contract.tables import Member
from ..errors import Gone, HostError, Silent, UsageError
from .answers import read_value
from .fork_server import Launcher
from .hello import Hello, hello_request
from .process import HostProcess

_IMPORTING = 60.0
"""Seconds that importing the class may take. The time limit of calls does not apply to it."""

TRACES = 100
"""Traces that a process runs. Their files stay as long as the process, so it must not grow old."""


class Pool:
    """Processes that have imported the class.

    ``limit`` is how many seconds a call may take. If ``keep`` is true, a process runs another trace
    unless the last one ended it or left work running. ``spare`` is the number of processes to start
    in advance. ``reused`` becomes true when a trace gets a process that may have run one before.
    """

    def __init__(
        self,
        launch: Launcher,
        implementation: str,
        path: Sequence[str],
        members: Mapping[str, Member],
        limit: float,
    ) -> None:
        self.limit = limit
        self.keep = True
        self.spare = 0
        self.reused = False
        self._launch = launch
        self._hello = hello_request(implementation, path, members)
        self._implementation = implementation
        self._option = f"--session-impl={implementation}"
        self._idle: list[HostProcess] = []
        self._ahead: list[HostProcess] = []

    def hello(self) -> Hello:
        """Start a process, and return what its host says about the class.

        :raises UsageError: in one line, if the class or the host cannot be used.
        """
        process, hello = self._start()
        self._idle.append(process)
        return hello

    def _start(self, unlike: int | None = None) -> tuple[HostProcess, Hello]:
        process = self._launched(unlike)
        try:
            answer = process.hear(_IMPORTING)
        except Silent:
            process.kill()
            raise UsageError(
                f"{self._option}: importing it took longer than {_IMPORTING:g} seconds"
            ) from None
        except Gone as gone:
            reason = f"{gone}{_last_line(process.output)}"
            if self._implementation.startswith("exec:"):
                command = self._implementation.removeprefix("exec:")
                raise UsageError(
                    f"{self._option}: before the host answered, {reason}; `teleproto-conformance "
                    f"host {command}` tests the host step by step"
                ) from None
            raise UsageError(f"{self._option}: importing it failed: {reason}") from None
        except BaseException:
            process.kill()
            raise
        try:
            return process, self._read_hello(answer, process.pid)
        except UsageError:
            process.kill()
            raise

    def _read_hello(self, answer: dict[str, Any], pid: int) -> Hello:
        """Read the answer to hello of process ``pid``."""
        if "refused" in answer:
            raise UsageError(masked(str(answer["refused"])))
        try:
            hello = Hello.read(read_value(answer))
        except HostError as error:
            raise UsageError(f"{self._option}: {error}") from None
        if hello.pid != pid:
            raise UsageError(
                f"{self._option}: process {hello.pid} answers, but the suite started process "
                f"{pid}; if a script starts the host, use `exec` there, so that the suite can kill "
                "the host"
            )
        return hello

    def _launched(self, unlike: int | None) -> HostProcess:
        """Return a process that was started in advance, or else a new one."""
        for process in self._ahead:
            if unlike is None or process.hash_seed != unlike:
                self._ahead.remove(process)
                return process
        return self._launch_one(unlike)

    def _launch_one(self, unlike: int | None) -> HostProcess:
        """Start a process, and make it import the class."""
        process = self._launch(unlike)
        process.tell(self._hello)
        return process

    def take(
        self, workdir: Path, *, new: bool = False, young: bool = False, unlike: int | None = None
    ) -> HostProcess:
        """Return a process with a trace begun in ``workdir``.

        A ``new`` one has run no trace. If ``young`` is true as well, it may have run the end of
        one, after a restart. Its hash seed, if it has one, is another than ``unlike``.
        """
        while self._idle and _suits(self._idle[-1], new, young, unlike):
            process = self._idle.pop()
            try:
                self.begin(process, workdir)
            except (Silent, Gone):
                process.kill()  # it has ended since the last trace, or is busy
            except BaseException:
                process.kill()
                raise
            else:
                self.reused |= process.traces > 0
                return process
        process, _ = self._start(unlike)
        try:
            self.begin(process, workdir)
        except (Silent, Gone) as error:
            process.kill()
            how = str(error) or f"it did not answer within {self.limit:g} seconds"
            raise UsageError(
                f"{self._option}: a worker process stopped after importing the class: {how}"
            ) from None
        while len(self._ahead) < self.spare:
            # These import while this one works. A restart asks for another hash seed each time.
            last = self._ahead[-1] if self._ahead else process
            self._ahead.append(self._launch_one(last.hash_seed))
        return process

    def begin(self, process: HostProcess, workdir: Path) -> None:
        """Begin a trace in ``workdir``.

        :raises Silent, Gone, HostError: if the process cannot begin one.
        """
        read_value(process.ask({"do": "begin", "workdir": str(workdir)}, self.limit))

    def renew(self) -> None:
        """End the idle processes that have run a trace, so that the next traces run in new ones."""
        for process in self._idle:
            if process.traces:
                process.let_go()
        self._idle = [process for process in self._idle if not process.traces]

    def give_back(self, process: HostProcess) -> None:
        """Keep a process for the next trace, if there is none yet or if it is ``young``."""
        process.traces += 1
        process.young &= process.traces == 1
        if process.young:
            self.renew()
        if self._idle or process.traces == TRACES:
            process.let_go()
            return
        process.drain()
        process.output.clear()
        self._idle.append(process)

    def close(self) -> None:
        """End all processes of the pool."""
        for process in (*self._idle, *self._ahead):
            process.kill()


def _suits(process: HostProcess, new: bool, young: bool, unlike: int | None) -> bool:
    """Return whether :meth:`Pool.take` may return an idle process."""
    if not new:
        return True
    fresh = process.traces == 0 or (young and process.young)
    return fresh and (unlike is None or process.hash_seed != unlike)


def _last_line(output: bytes | bytearray) -> str:
    """Return the last line that a program printed, in brackets; empty if it printed nothing."""
    lines = output.decode("utf-8", "backslashreplace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({masked(last[:200])})" if last else ""
