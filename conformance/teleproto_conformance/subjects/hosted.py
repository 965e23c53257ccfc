"""Sessions in processes of their own, seen through the host protocol."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from signal import SIGKILL
from typing import Any, Self

from ..contract.keys import KEYS
from ..contract.secrets import masked
from ..errors import ConformanceError, UsageError
from .fork_server import Launcher
from .process import Gone, HostProcess, Silent
from .subject import PROTOCOL, Died, Fault, Hung, Outcome, Point, Raised, Request, Returned, Text
from .tracing import interruptions as faults

_PIPE = 1 << 15
"""Characters of requests that any pipe takes in at once."""

_IMPORTING = 60.0
"""Seconds that importing the class may take; it is no call of the session."""


class HostFault(ConformanceError):
    """The host failed, not the session that it serves; the text is what it said of that."""


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
            return process, _said(answer, option, process.pid)
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
        _value(process.ask({"do": "begin", "workdir": str(workdir)}, self.limit))

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


def _said(answer: dict[str, Any], option: str, pid: int) -> dict[str, Any]:
    """Return what a host says to hello.

    :raises UsageError: where the class cannot be had, or a process ``pid`` only stands before it.
    """
    if "refused" in answer:
        raise UsageError(masked(str(answer["refused"])))
    try:
        said = _value(answer)
    except HostFault as fault:
        raise UsageError(f"{option}: {fault}") from None
    spoken = said.get("protocol") if isinstance(said, dict) else None
    if spoken != PROTOCOL:
        raise UsageError(
            f"{option}: its host speaks protocol {spoken}, and this suite {PROTOCOL}; update the "
            "older of the two (spec/HOSTS.md)"
        )
    missing = [name for name in _SAID if name not in said]
    if missing:
        raise UsageError(
            f"{option}: its host left {', '.join(missing)} out of its answer to hello "
            "(spec/HOSTS.md)"
        )
    versions = said.get("versions", {})
    if not isinstance(versions, dict) or not all(
        isinstance(v, str) and v for v in versions.values()
    ):
        raise UsageError(
            f"{option}: the versions in its host's answer to hello are no texts by name "
            "(spec/HOSTS.md)"
        )
    if said["pid"] != pid:
        raise UsageError(
            f"{option}: process {said['pid']} answers, which the one that was started ({pid}) has "
            "started in turn; let the command become the host (`exec` in a script), so that it can "
            "be killed"
        )
    return dict(said)


PLACES = ("repr", "errors", "logs", "warnings")
"""Where a host can see what a session shows."""

_SAID = ("language", "name", "pid", "promised", "guess")


def _last_line(output: bytes | bytearray) -> str:
    """Return what a program said in the end, as a part of a line."""
    lines = output.decode("utf-8", "backslashreplace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" ({masked(said[:200])})" if said else ""


def _value(answer: dict[str, Any]) -> Any:
    outcome = _outcome(answer)
    if isinstance(outcome, Returned):
        return outcome.value
    raise HostFault(f"the host answered with an error where none can come: {masked(outcome.text)}")


class HostSubject:
    """Sessions of one trace, in ``workdir``, each in the process that it was opened in."""

    def __init__(self, pool: Pool, workdir: Path) -> None:
        self.workdir = workdir
        self._pool = pool
        self._processes: dict[str, HostProcess] = {}
        self._ended: list[HostProcess] = []
        self._lives: dict[str, str] = {}
        self._over: set[str] = set()
        """Processes in which the trace is over."""
        self._worn: set[str] = set()
        """Processes that are in no order to serve another one."""
        self._watching: faults.Watch | None = None
        self._sent: deque[tuple[str, dict[str, Any]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._watching is not None:
            self._watching.stop()
        try:
            if self._pool.keep and error[0] is None and "" in self._processes.keys() - self._over:
                with contextlib.suppress(HostFault):
                    self._finish("")
        finally:
            for name, process in self._processes.items():
                if self._pool.keep and name == "" and name in self._over - self._worn:
                    self._pool.give_back(process)
                else:
                    process.let_go()

    def pause(self, milliseconds: int) -> Outcome:
        self._forget_what_was_sent()
        for process in self._processes.values():
            process.tell({"do": "pause", "milliseconds": milliseconds})
        return _first_failed([self._hear(name) for name in [*self._processes]])

    def finish(self) -> Outcome:
        return _first_failed(
            [self._finish(name) for name in [*self._processes.keys() - self._over]]
        )

    def _finish(self, process: str) -> Outcome:
        self._forget_what_was_sent()
        self._processes[process].tell({"do": "finish"})
        outcome = self._hear(process)
        self._over.add(process)
        if outcome != Returned(True):
            self._worn.add(process)
        return outcome

    def open(self, session: str, arguments: list[str], process: str) -> Outcome:
        if process in self._over:
            self._begin_again(process)
        if process not in self._processes:
            self._processes[process] = self._pool.take(self.workdir)
        self._lives[session] = process
        return self._do(session, {"do": "open", "session": session, "arguments": arguments})

    def _begin_again(self, process: str) -> None:
        """Begin another trace in a process that has served one, or end it where it does not."""
        self._over.discard(process)
        if process in self._processes:
            try:
                self._pool.begin(self._processes[process], self.workdir)
            except (Silent, Gone):
                self._end(process)

    def drop(self, session: str) -> None:
        if self._lives[session] in self._processes:
            self._do(session, {"do": "drop", "session": session})

    def end(self, session: str, how: str) -> Outcome:
        process = self._processes.pop(self._lives[session], None)
        if process is None:
            return Returned()
        self._ended.append(process)
        if how == "kill":
            process.kill()
        elif not process.finish(self._pool.limit):
            return Hung(self._pool.limit)
        return Returned()

    def has(self, session: str, member: str) -> Outcome:
        return self._do(session, _message("has", session, member, None))

    def get(self, session: str, member: str) -> Outcome:
        return self._do(session, _message("get", session, member, None))

    def set(self, session: str, member: str, value: Any) -> Outcome:
        return self._do(session, _message("set", session, member, value))

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        return self._do(session, _message("call", session, member, arguments))

    def together(self, calls: Sequence[tuple[str, str, list[Any]]]) -> list[Outcome]:
        lives = {self._lives[session] for session, _, _ in calls}
        if len(lives) == 1:
            outcome = self._do(calls[0][0], {"do": "together", "calls": [[*one] for one in calls]})
            if not isinstance(outcome, Returned):
                return [outcome for _ in calls]
            answers = outcome.value
            if not isinstance(answers, list) or len(answers) != len(calls):
                raise HostFault(
                    f"the host gave no list of {len(calls)} answers to together (spec/HOSTS.md)"
                )
            return [_outcome(answer) for answer in answers]
        asked: list[Callable[[], Outcome]] = []
        for session, member, arguments in calls:
            asked.append(self._ask(session, _message("call", session, member, arguments)))
        return [hear() for hear in asked]

    def texts(self, session: str) -> list[Text]:
        outcome = self._do(session, {"do": "texts", "session": session})
        if isinstance(outcome, Raised):
            raise HostFault("the host answered texts with an error (spec/HOSTS.md)")
        texts = []
        if isinstance(outcome, Returned):
            if not are_texts(outcome.value):
                raise HostFault("the host gave no list of [where, by what, text] (spec/HOSTS.md)")
            texts = [Text(*text) for text in outcome.value]
        return [*texts, Text("output", "standard output or error", self.printed())]

    def printed(self) -> str:
        for process in self._processes.values():
            process.drain()
        output = b"".join(
            bytes(process.output) for process in [*self._ended, *self._processes.values()]
        )
        return output.decode("utf-8", "backslashreplace")

    @contextlib.contextmanager
    def fault(self, session: str, kind: str, at: Point | None) -> Iterator[Fault]:
        process = self._processes[self._lives[session]]
        with faults.fault(process, kind, at) as fault:
            yield fault
        fault.killed = fault.fired and not process.alive and process.code == -SIGKILL

    def watch(self, session: str) -> None:
        self._watching = faults.Watch(self._processes[self._lives[session]], self.workdir)

    def written(self, session: str) -> list[str]:
        assert self._watching is not None
        paths, self._watching = self._watching.stop(), None
        return paths

    def ahead(self, requests: Sequence[Request]) -> None:
        """Send what will be asked, as far as it goes to one process, so that nobody waits."""
        size = 0
        for do, session, member, given in requests:
            name = self._lives.get(session)
            message = _message(do, session, member, given)
            size += len(json.dumps(message))
            # More than a pipe takes in could keep both sides waiting for the other.
            if name is None or name != self._lives[requests[0][1]] or size > _PIPE:
                return
            if name not in self._processes:
                return
            self._processes[name].tell(message)
            self._sent.append((name, message))

    def _do(self, session: str, message: dict[str, Any]) -> Outcome:
        return self._ask(session, message)()

    def _ask(self, session: str, message: dict[str, Any]) -> Callable[[], Outcome]:
        """Send a request; what is returned waits for its answer."""
        name = self._lives[session]
        if self._sent and self._sent[0] == (name, message):
            self._sent.popleft()
        else:
            self._forget_what_was_sent()
            process = self._processes.get(name)
            if process is None:
                return lambda: Died("its process has ended before")
            process.tell(message)
        return partial(self._hear, name)

    def _forget_what_was_sent(self) -> None:
        """Wait for the answers that nobody wants any more."""
        while self._sent:
            name, _ = self._sent.popleft()
            if name in self._processes:
                self._hear(name)

    def _hear(self, name: str) -> Outcome:
        process = self._processes.get(name)
        if process is None:
            return Died("its process has ended before")
        try:
            answer = process.hear(self._pool.limit)
        except Silent:
            self._end(name)
            return Hung(self._pool.limit)
        except Gone as gone:
            self._end(name)
            return Died(str(gone))
        except BaseException:  # Ctrl-C: the answer would be taken for that of the next request
            self._end(name)
            raise
        return _outcome(answer)

    def _end(self, name: str) -> None:
        """End a process that is of no further use."""
        process = self._processes.pop(name)
        self._over.discard(name)
        process.kill()
        self._ended.append(process)
        self._sent.clear()


def _first_failed(outcomes: list[Outcome]) -> Outcome:
    return next((one for one in outcomes if not isinstance(one, Returned)), Returned())


def are_texts(value: Any) -> bool:
    """Say whether ``value`` is what ``texts`` is answered with."""
    return isinstance(value, list) and all(
        isinstance(text, list)
        and len(text) == 3
        and all(isinstance(part, str) for part in text)
        and text[0] in PLACES
        for text in value
    )


def _outcome(answer: Any) -> Returned | Raised:
    match answer:
        case {"returned": value}:
            return Returned(value)
        case {"raised": str(text), "everything": str(everything), "fatal": bool(fatal)}:
            return Raised(text, everything, fatal)
        case {"fault": str(text)}:
            raise HostFault(f"the host failed, not the session: {masked(text)}")
        case _:
            held = ", ".join(answer) if isinstance(answer, dict) else type(answer).__name__
            raise HostFault(
                f"the host gave an answer with {held or 'nothing'} in it, where returned, raised, "
                "refused or fault is due (spec/HOSTS.md)"
            )


def _message(do: str, session: str, member: str, given: Any) -> dict[str, Any]:
    message = {"do": do, "session": session, "member": member}
    match do:
        case "get":
            message["do"] = "observe"
        case "set":
            message["value"] = given
        case "call":
            message["arguments"] = given
    return message


def driver(pool: Pool) -> Callable[[Path], HostSubject]:
    """Return what makes subjects whose sessions live in the processes of ``pool``."""
    return partial(HostSubject, pool)
