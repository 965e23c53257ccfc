"""Sessions in processes of their own, behind the host protocol."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from signal import SIGKILL
from typing import Any, Self

from ..errors import Gone, HostError, Silent
from .answers import are_texts, read_outcome
from .pool import Pool
from .process import HostProcess, line
from .subject import Died, Driver, Fault, Hung, Outcome, Point, Raised, Request, Returned, Text
from .tracing import interruptions

_PIPE = 1 << 15
"""Bytes that a pipe can hold on every system."""


class HostSubject:
    """The sessions of one trace, in ``workdir``. A session stays in the process that opened it.

    Only the first process may have played other traces. If ``alone`` is true, it has played none,
    or with ``young`` as well, only the end of one, after a restart.
    """

    def __init__(
        self, pool: Pool, workdir: Path, *, alone: bool = False, young: bool = False
    ) -> None:
        self.workdir = workdir
        self._pool = pool
        self._alone = alone
        self._young = young
        self._last: HostProcess | None = None
        self._processes: dict[str, HostProcess] = {}
        self._ended: list[HostProcess] = []
        self._lives: dict[str, str] = {}
        self._over: set[str] = set()
        """Names of processes that have finished the trace."""
        self._worn: set[str] = set()
        """Names of processes that cannot run another trace."""
        self._watching: interruptions.Watch | None = None
        self._interrupting: Callable[[HostProcess], None] | None = None
        self._sent: deque[tuple[str, dict[str, Any]]] = deque()
        self._kept: HostProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self._watching is not None:
                self._watching.stop()
            if self._pool.keep and error[0] is None and "" in self._processes.keys() - self._over:
                with contextlib.suppress(HostError):
                    self._finish("")
        finally:
            for name, process in self._processes.items():
                if self._pool.keep and name == "" and name in self._over - self._worn:
                    self._pool.give_back(process)
                    self._kept = process
                else:
                    process.let_go()

    def afterwards(self, tidy: Callable[[], None]) -> None:
        if self._kept is not None and self._kept.alive:
            self._kept.at_end.callback(tidy)
        else:
            tidy()

    def pause(self, milliseconds: int) -> Outcome:
        self._forget_what_was_sent()
        for process in self._processes.values():
            process.tell({"do": "pause", "milliseconds": milliseconds})
        return _first_failed([self._hear(name) for name in [*self._processes]])

    def chdir(self, session: str, directory: Path) -> Outcome:
        return self._do(session, {"do": "chdir", "directory": str(directory)})

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
            self._processes[process] = self._take()
        self._lives[session] = process
        return self._do(session, {"do": "open", "session": session, "arguments": arguments})

    def _take(self) -> HostProcess:
        if self._last is None:
            self._last = self._pool.take(self.workdir, new=self._alone, young=self._young)
        else:
            unlike = self._last.hash_seed
            self._last = self._pool.take(self.workdir, new=True, unlike=unlike)
            self._last.young = True
        if self._interrupting is not None:
            self._interrupting(self._last)
        return self._last

    def _begin_again(self, process: str) -> None:
        """Begin another trace in a process. If that fails, end the process."""
        self._over.discard(process)
        if process in self._processes:
            try:
                self._pool.begin(self._processes[process], self.workdir)
            except (Silent, Gone):
                self._end(process)

    def drop(self, session: str) -> None:
        if self._lives.get(session) in self._processes.keys() - self._over:
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
                raise HostError(
                    f"the host must answer together with {len(calls)} answers (spec/HOSTS.md)"
                )
            return [read_outcome(answer) for answer in answers]
        asked: list[Callable[[], Outcome]] = []
        for session, member, arguments in calls:
            asked.append(self._ask(session, _message("call", session, member, arguments)))
        return [hear() for hear in asked]

    def texts(self, session: str) -> list[Text]:
        outcome = self._do(session, {"do": "texts", "session": session})
        if isinstance(outcome, Raised):
            raise HostError("the host must not answer texts with raised (spec/HOSTS.md)")
        texts = []
        if isinstance(outcome, Returned):
            if not are_texts(outcome.value):
                raise HostError(
                    "the host must answer texts with [where, by what, text] items (spec/HOSTS.md)"
                )
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
    def fault(self, session: str, kind: str, at: Point | None, calls: str) -> Iterator[Fault]:
        process = self._processes[self._lives[session]]
        interruption = interruptions.Interruption(kind, at, calls, self.workdir)
        fault = interruption.fault
        with contextlib.ExitStack() as tracers:

            def interrupt(begun: HostProcess) -> None:
                tracers.enter_context(interruption.trace(begun))

            interrupt(process)
            self._interrupting = interrupt
            try:
                yield fault
            finally:
                self._interrupting = None
        fault.killed = fault.fired and not process.alive and process.code == -SIGKILL

    def watch(self, session: str) -> None:
        self._watching = interruptions.Watch(self._processes[self._lives[session]], self.workdir)

    def written(self, session: str) -> list[str]:
        assert self._watching is not None
        paths, self._watching = self._watching.stop(), None
        return paths

    def ahead(self, requests: Sequence[Request]) -> None:
        """Send requests ahead, up to the first that goes to another process."""
        first = self._lives.get(requests[0][1]) if requests else None
        if first not in self._processes:
            return
        lines: list[bytes] = []
        size = 0
        for do, session, member, given in requests:
            message = _message(do, session, member, given)
            data = line(message)
            size += len(data)
            # If the pipe were full, both sides could wait for each other.
            if self._lives.get(session) != first or size > _PIPE:
                break
            lines.append(data)
            self._sent.append((first, message))
        # All at once, so that the process wakes up only once.
        self._processes[first].send(b"".join(lines))

    def _do(self, session: str, message: dict[str, Any]) -> Outcome:
        return self._ask(session, message)()

    def _ask(self, session: str, message: dict[str, Any]) -> Callable[[], Outcome]:
        """Send a request. Return a function that waits for the answer."""
        name = self._lives[session]
        if self._sent and self._sent[0] == (name, message):
            self._sent.popleft()
        else:
            self._forget_what_was_sent()
            process = self._processes.get(name)
            if process is None:
                return lambda: Died("its process had already ended")
            process.tell(message)
        return partial(self._hear, name)

    def _forget_what_was_sent(self) -> None:
        """Read and discard the answers to requests that were sent ahead."""
        while self._sent:
            name, _ = self._sent.popleft()
            if name in self._processes:
                self._hear(name)

    def _hear(self, name: str) -> Outcome:
        process = self._processes.get(name)
        if process is None:
            return Died("its process had already ended")
        try:
            answer = process.hear(self._pool.limit)
        except Silent:
            self._end(name)
            return Hung(self._pool.limit)
        except Gone as gone:
            self._end(name)
            return Died(str(gone))
        except BaseException:  # such as Ctrl-C: else the next request gets this answer
            self._end(name)
            raise
        return read_outcome(answer)

    def _end(self, name: str) -> None:
        """Kill a process that is no longer usable."""
        process = self._processes.pop(name)
        self._over.discard(name)
        process.kill()
        self._ended.append(process)
        self._sent.clear()


def _first_failed(outcomes: list[Outcome]) -> Outcome:
    return next((one for one in outcomes if not isinstance(one, Returned)), Returned())


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


def driver(pool: Pool) -> Driver:
    """Return a driver for sessions in the processes of ``pool``."""
    return partial(HostSubject, pool)
