"""A talk with one process of a host."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL
from typing import Any

from ..checks.matching import matches
from ..contract.trace import MAIN
from ..errors import Gone, Silent
from ..subjects.answers import PLACES, are_texts
from ..subjects.hello import Hello
from ..subjects.process import HostProcess
from .problems import Answer, problem_of, problem_of_hello, problem_of_value
from .requests import TEXTS, Request, call
from .setting import Setting
from .showing import printed_shown, request_shown, shown

_IMPORTING = 4
"""The limit of ``hello`` is this many times longer, as the host has to start."""


_OF_THE_SESSION = ("open", "has", "observe", "set", "call", "together")
"""Requests that the session carries out. Wrong answers to them may be its fault."""


class Wrong(Exception):
    """The host broke the protocol. The text has the request, the expected and the real answer."""

    def __init__(self, expected: str, got: str, request: Request | str) -> None:
        asked = request if isinstance(request, str) else request_shown(request)
        super().__init__(f"expected {expected}, got {got}, after {asked}")


class Mistake(Exception):
    """The session may have made a mistake. The text describes it."""


class Talk:
    """A talk with one process. Its first trace begins in the empty directory ``workdir``."""

    def __init__(self, setting: Setting, workdir: Path) -> None:
        self.setting = setting
        self.workdir = workdir
        self.process: HostProcess = setting.launch()
        self._known: Hello | None = None
        self._asked: deque[Request] = deque()
        self._names: list[str] = []

    @property
    def known(self) -> Hello:
        """What the host has answered to ``hello``."""
        assert self._known is not None
        return self._known

    def tell(self, request: Request) -> None:
        """Send a request."""
        self.process.tell(request)
        self._asked.append(request)

    def hear(self) -> tuple[Request, Answer]:
        """Return the oldest open request and its answer.

        :raises Wrong: if the answer does not come, or does not fit the schema.
        """
        request = self._asked.popleft()
        limit = self.setting.limit * (_IMPORTING if request["do"] == "hello" else 1)
        try:
            answer = self.process.hear(limit)
        except Silent:
            raise self._no_answer(f"none within {limit:g} seconds", request) from None
        except Gone as gone:
            raise self._no_answer(f"none: {gone}", request) from None
        except RecursionError:
            raise self._no_answer("one with too many nested levels", request) from None
        if problem := problem_of(answer):
            raise Wrong(
                "an answer of spec/schema/host.schema.json", f"{shown(answer)} ({problem})", request
            )
        return request, answer

    def _no_answer(self, got: str, request: Request) -> Wrong:
        silent = self.process.alive
        if silent:
            self.process.drain()
        if printed := printed_shown(bytes(self.process.output)):
            got += f"; it printed {printed!r}"
        if request["do"] in _OF_THE_SESSION and (silent or self.process.code != -SIGKILL):
            got += " (the session may have caused this)"
        return Wrong("an answer", got, request)

    def ask(self, request: Request) -> Answer:
        """Send a request and return its answer."""
        self.tell(request)
        return self.hear()[1]

    def value(self, request: Request) -> Any:
        """Return the value of a member."""
        value = returned(request, self.ask(request))
        if problem := problem_of_value(value):
            got = f"{shown({'returned': value})} ({problem})"
            raise Wrong("a value of a trace", got, request)
        return value

    def done(self, request: Request) -> None:
        """Send a request whose answer must be null."""
        value = returned(request, self.ask(request))
        if value is not None:
            raise Wrong('{"returned": null}', shown({"returned": value}), request)

    def flag(self, request: Request) -> bool:
        """Send a request whose answer must be a flag, and return the flag."""
        value = returned(request, self.ask(request))
        if not isinstance(value, bool):
            raise Wrong("true or false", shown({"returned": value}), request)
        return value

    def texts(self) -> list[list[str]]:
        """Return everything that the session has shown since ``begin``."""
        value = returned(TEXTS, self.ask(TEXTS))
        if not are_texts(value):
            expected = f"a list of [where, by what, text]; where is one of {', '.join(PLACES)}"
            raise Wrong(expected, shown({"returned": value}), TEXTS)
        return list(value)

    def tried(self, request: Request) -> None:
        """Send a request that the session may refuse."""
        answer = self.ask(request)
        if "returned" not in answer and "raised" not in answer:
            raise Wrong("returned or raised", shown(answer), request)

    def fault(self, request: Request) -> None:
        """Send an invalid request, which the host must answer with ``fault``."""
        answer = self.ask(request)
        if "fault" not in answer:
            raise Wrong("fault", shown(answer), request)

    def agrees(self, request: Request, expected: Any, empty: Sequence[Any] = ()) -> None:
        """Send a request that a correct session answers with ``expected``."""
        value = self.value(request)
        if not matches(expected, value, list(empty)):
            got = shown({"returned": value})
            raise Mistake(f"expected {shown(expected)}, got {got}, after {request_shown(request)}")

    def hello(self) -> None:
        """Send ``hello``, and keep the answer."""
        request = self.setting.hello()
        answer = self.ask(request)
        if "refused" in answer:
            raise Wrong(
                "returned", f"{shown(answer)}; name the class with --implementation", request
            )
        value = returned(request, answer)
        if problem := problem_of_hello(value):
            raise Wrong("the answer to hello", f"{shown(answer)} ({problem})", request)
        self._known = Hello.read(value)

    def begin(self, directory: Path | None = None) -> None:
        """Begin a trace, and check the directory of the process if the system shows it."""
        directory = directory or self.workdir
        directory.mkdir(exist_ok=True)
        request = {"do": "begin", "workdir": str(directory)}
        self._changed(request, directory)

    def change(self, directory: Path) -> None:
        """Change to a new directory within a trace, and check that as :meth:`begin` does."""
        directory.mkdir()
        self._changed({"do": "chdir", "directory": str(directory)}, directory)

    def _changed(self, request: Request, directory: Path) -> None:
        self.done(request)
        places = [*filter(None, map(_place, {self.process.pid, self.known.pid}))]
        if places and directory not in places:
            raise Wrong("the process in that directory", f"it is in {places[0]}", request)

    def open(self, session: str = MAIN) -> None:
        """Construct and load a new session."""
        promise = self.setting.promise(self.known)
        given = {"nothing": [], "saved": [""], "name": [self.name()]}[promise.takes]
        self.done({"do": "open", "session": session, "arguments": given})
        self.value(call("load", session=session))

    def name(self) -> str:
        """Return a new name for a session."""
        self._names.append(f"conformance-host-{os.getpid()}-{self.process.pid}-{len(self._names)}")
        return self._names[-1]

    def close(self, *, in_order: bool) -> None:
        """Delete what its sessions have stored in shared storage, and end the process."""
        try:
            shared = in_order and self._names and self.setting.promise(self.known).names
            for name in self._names if shared == "shared" and self.process.alive else ():
                self.ask({"do": "open", "session": "last", "arguments": [name]})
                self.ask(call("load", session="last"))
                self.ask(call("delete", session="last"))
        except Wrong:
            pass
        finally:
            self.process.kill()


def _place(pid: int) -> Path | None:
    """Return the working directory of a process, if the system shows it."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def returned(request: Request, answer: Answer) -> Any:
    """Return the value of an answer."""
    if "returned" in answer:
        return answer["returned"]
    if "raised" in answer and request["do"] in _OF_THE_SESSION:
        raise Mistake(f"got {shown(answer)}, after {request_shown(request)}")
    raise Wrong("returned", shown(answer), request)
