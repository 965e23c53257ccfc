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
from ..subjects.answers import PLACES, are_texts
from ..subjects.hello import Hello
from ..subjects.process import Gone, HostProcess, Silent
from .problems import Answer, problem_of, problem_of_hello, problem_of_value
from .requests import TEXTS, Request, call
from .setting import Setting
from .showing import printed_shown, request_shown, shown

_IMPORTING = 4
"""So many times as long as for an answer may a host take to start and to find the class."""


_OF_THE_SESSION = ("open", "has", "observe", "set", "call", "together")
"""Requests whose answer may be the session's doing."""


class Wrong(Exception):
    """The host did not do what the page says; the text says what was expected, and what came."""

    def __init__(self, expected: str, came: str, request: Request | str) -> None:
        asked = request if isinstance(request, str) else request_shown(request)
        super().__init__(f"expected {expected}, came {came}, asked {asked}")


class Mistake(Exception):
    """Something is wrong that the session may have done, as the text says."""


class Talk:
    """A talk with one process, which is sent to the empty directory ``workdir`` first."""

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
        """Return the oldest request that has no answer yet, and its answer.

        :raises Wrong: where none comes, or none that fits the schema.
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
            raise self._no_answer("one that is nested too deeply", request) from None
        if problem := problem_of(answer):
            raise Wrong(
                "an answer of spec/schema/host.schema.json", f"{shown(answer)} ({problem})", request
            )
        return request, answer

    def _no_answer(self, came: str, request: Request) -> Wrong:
        silent = self.process.alive
        if silent:
            self.process.drain()
        if printed := printed_shown(bytes(self.process.output)):
            came += f"; it printed {printed!r}"
        if request["do"] in _OF_THE_SESSION and (silent or self.process.code != -SIGKILL):
            came += " (the session may have done that)"
        return Wrong("an answer", came, request)

    def ask(self, request: Request) -> Answer:
        """Send a request and return its answer."""
        self.tell(request)
        return self.hear()[1]

    def value(self, request: Request) -> Any:
        """Return what a member gave."""
        value = returned(request, self.ask(request))
        if problem := problem_of_value(value):
            came = f"{shown({'returned': value})} ({problem})"
            raise Wrong("a value of a trace", came, request)
        return value

    def done(self, request: Request) -> None:
        """Have something done that gives nothing."""
        value = returned(request, self.ask(request))
        if value is not None:
            raise Wrong('{"returned": null}', shown({"returned": value}), request)

    def flag(self, request: Request) -> bool:
        """Return a flag."""
        value = returned(request, self.ask(request))
        if not isinstance(value, bool):
            raise Wrong("true or false", shown({"returned": value}), request)
        return value

    def texts(self) -> list[list[str]]:
        """Return all that was shown since ``begin``."""
        value = returned(TEXTS, self.ask(TEXTS))
        if not are_texts(value):
            expected = f"a list of [where, by what, text], where one of {', '.join(PLACES)}"
            raise Wrong(expected, shown({"returned": value}), TEXTS)
        return list(value)

    def tried(self, request: Request) -> None:
        """Have something done that a session may refuse."""
        answer = self.ask(request)
        if "returned" not in answer and "raised" not in answer:
            raise Wrong("returned or raised", shown(answer), request)

    def fault(self, request: Request) -> None:
        """Ask what makes no sense."""
        answer = self.ask(request)
        if "fault" not in answer:
            raise Wrong("fault", shown(answer), request)

    def agrees(self, request: Request, expected: Any, empty: Sequence[Any] = ()) -> None:
        """Ask what a good session answers in this way; another one may be its own mistake."""
        value = self.value(request)
        if not matches(expected, value, list(empty)):
            came = shown({"returned": value})
            raise Mistake(
                f"expected {shown(expected)}, came {came}, asked {request_shown(request)}"
            )

    def hello(self) -> None:
        """Introduce the suite, and take note of the answer."""
        request = self.setting.hello()
        answer = self.ask(request)
        if "refused" in answer:
            raise Wrong("returned", f"{shown(answer)}; --implementation names the class", request)
        value = returned(request, answer)
        if problem := problem_of_hello(value):
            raise Wrong("what is returned to a hello", f"{shown(answer)} ({problem})", request)
        self._known = Hello.read(value)

    def begin(self, directory: Path | None = None) -> None:
        """Begin a trace, and look where the process is then, on a system that shows it."""
        directory = directory or self.workdir
        directory.mkdir(exist_ok=True)
        request = {"do": "begin", "workdir": str(directory)}
        self.done(request)
        places = [*filter(None, map(_place, {self.process.pid, self.known.pid}))]
        if places and directory not in places:
            raise Wrong("the process in that directory", f"it is in {places[0]}", request)

    def open(self, session: str = MAIN) -> None:
        """Construct a session in which nothing has ever been done, and load it."""
        promise = self.setting.promise(self.known)
        given = {"nothing": [], "saved": [""], "name": [self.name()]}[promise["takes"]]
        self.done({"do": "open", "session": session, "arguments": given})
        self.value(call("load", session=session))

    def name(self) -> str:
        """Return a name that no session has had."""
        self._names.append(f"conformance-host-{os.getpid()}-{self.process.pid}-{len(self._names)}")
        return self._names[-1]

    def close(self, *, in_order: bool) -> None:
        """End the process, and remove what its sessions have left where others see it."""
        try:
            shared = in_order and self._names and self.setting.promise(self.known).get("names")
            for name in self._names if shared == "shared" and self.process.alive else ():
                self.ask({"do": "open", "session": "last", "arguments": [name]})
                self.ask(call("load", session="last"))
                self.ask(call("delete", session="last"))
        except Wrong:
            pass
        finally:
            self.process.kill()


def _place(pid: int) -> Path | None:
    """Return the working directory of a process, where the system shows it."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def returned(request: Request, answer: Answer) -> Any:
    """Return what was returned."""
    if "returned" in answer:
        return answer["returned"]
    if "raised" in answer and request["do"] in _OF_THE_SESSION:
        raise Mistake(f"came {shown(answer)}, asked {request_shown(request)}")
    raise Wrong("returned", shown(answer), request)
