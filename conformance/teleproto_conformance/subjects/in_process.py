"""Python sessions in this process, for the Python host and for the reference model."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ..contract.rules import Contract
from ..contract.tables import Member
from .objects import Objects, show
from .subject import Driver, Fault, Outcome, Point, Raised, Request, Returned, Text

Factory = Callable[..., Any]

_GRACE = 1.0
"""Seconds in which running tasks of a session must end after they are cancelled."""


def driver(factory: Factory, contract: Contract) -> Driver:
    """Return a driver for sessions of ``factory``."""

    def drive(workdir: Path, *, alone: bool, young: bool = False) -> PythonSubject:
        return PythonSubject(factory, workdir, members=contract.members)

    return drive


class NotImmediate(Exception):
    """A member that must take effect at once returned something to await."""


class PythonSubject:
    """Sessions made by ``factory``, in ``workdir``.

    The subject has one event loop. Constructors run outside it, like module level code. Everything
    else runs inside it, like the code of a client. The loop runs only while a call awaits
    something, so work that a call defers may still wait when the call returns. Other processes are
    only simulated: all sessions run in this process, and the end of another process only drops
    its sessions. They share one working directory, and the end of any process changes back to
    ``workdir``.
    """

    def __init__(self, factory: Factory, workdir: Path, *, members: Mapping[str, Member]) -> None:
        self.workdir = workdir
        self._factory = factory
        self._members = members
        self._objects = Objects()
        self._sessions: dict[str, Any] = {}
        self._processes: dict[str, str] = {}
        self._errors: list[Text] = []
        self._loop = asyncio.new_event_loop()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Change to ``workdir``.

        :raises OSError: if it does not exist.
        """
        self._stack.enter_context(contextlib.chdir(self.workdir))
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._let_go()
        finally:
            self._stack.close()

    def afterwards(self, tidy: Callable[[], None]) -> None:
        tidy()

    def ahead(self, requests: Sequence[Request]) -> None:
        """Do nothing: calls in this process are fast enough."""

    def open(self, session: str, arguments: list[str], process: str = "") -> Outcome:
        def construct() -> None:
            made = self._factory(*arguments)
            if made is None or inspect.isclass(made):
                what = "None" if made is None else f"the class {made.__name__}"
                raise TypeError(f"it returned {what} instead of a session")
            self._sessions[session] = made

        self._sessions.pop(session, None)
        self._processes[session] = process
        return self._attempt("the constructor", construct, inside=False)

    def drop(self, session: str) -> None:
        self._sessions.pop(session, None)
        if not self._sessions:
            # This ends work that a call has started, as the end of a process would.
            self._let_go()

    def end(self, session: str, how: str) -> Outcome:
        process = self._processes[session]
        for name in [name for name, where in self._processes.items() if where == process]:
            self.drop(name)
        os.chdir(self.workdir)  # where a new process starts
        return Returned()

    def pause(self, milliseconds: int) -> Outcome:
        self._loop.run_until_complete(asyncio.sleep(milliseconds / 1000))
        return Returned()

    def chdir(self, session: str, directory: Path) -> Outcome:
        os.chdir(directory)
        return Returned()

    def finish(self) -> Outcome:
        self._let_go()
        return Returned()

    def has(self, session: str, member: str) -> Outcome:
        thing = self._sessions[session]
        return self._attempt(member, lambda: self._there(thing, member))

    def _there(self, thing: Any, member: str) -> bool:
        if self._members[member].kind == "method":
            return callable(getattr(thing, member, None))
        # A property may raise before load(). Other rules judge that.
        return hasattr(type(thing), member) or hasattr(thing, member)

    def get(self, session: str, member: str) -> Outcome:
        thing = self._sessions[session]
        return self._attempt(member, lambda: getattr(thing, member))

    def set(self, session: str, member: str, value: Any) -> Outcome:
        thing, built = self._sessions[session], self._objects.build(value)
        return self._attempt(member, lambda: setattr(thing, member, built))

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        thing = self._sessions[session]
        built = [self._objects.build(argument) for argument in arguments]
        return self._attempt(member, lambda: getattr(thing, member)(*built))

    def together(self, calls: Sequence[tuple[str, str, list[Any]]]) -> list[Outcome]:
        """Begin each call while earlier calls wait for something."""
        outcomes: list[Outcome] = []

        async def one(session: str, member: str, arguments: list[Any]) -> Any:
            result = getattr(self._sessions[session], member)(*arguments)
            return show(await result if inspect.isawaitable(result) else result)

        async def every() -> list[Any]:
            begun = []
            for session, member, arguments in calls:
                built = [self._objects.build(argument) for argument in arguments]
                begun.append(asyncio.ensure_future(one(session, member, built)))
            return await asyncio.gather(*begun, return_exceptions=True)

        def done() -> None:
            for result in self._loop.run_until_complete(every()):
                failed = isinstance(result, BaseException)
                outcomes.append(raised(result) if failed else Returned(result))

        stopped = self._attempt("together", done, inside=False)
        return outcomes or [stopped for _ in calls]

    def texts(self, session: str) -> list[Text]:
        shown = [*self._errors]
        for name, show_it in (("repr()", repr), ("str()", str), ("format()", format)):
            with contextlib.suppress(BaseException):
                shown.append(Text("repr", name, show_it(self._sessions[session])))
        return shown

    def printed(self) -> str:
        return ""

    @contextlib.contextmanager
    def fault(self, session: str, kind: str, at: Point | None, calls: str) -> Iterator[Fault]:
        yield Fault()

    def watch(self, session: str) -> None:
        """Do nothing: this process also writes files of its own."""

    def written(self, session: str) -> list[str]:
        return []

    def _attempt(self, member: str, action: Callable[[], Any], *, inside: bool = True) -> Outcome:
        if self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            if not inside:
                return Returned(action())
            return Returned(show(self._result(action, member)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a session may raise anything, and every error is a finding
            outcome = raised(error)
            what = f"the error of {member}, one of its notes or one of its causes"
            self._errors.append(Text("errors", what, outcome.everything))
            return outcome
        finally:
            asyncio.set_event_loop(None)

    def _result(self, action: Callable[[], Any], member: str) -> Any:
        result = self._called(action)
        if not inspect.isawaitable(result):
            return result
        if self._members[member].awaitable:
            return self._loop.run_until_complete(_awaited(result))
        if inspect.iscoroutine(result):
            result.close()
        raise NotImmediate(f"{member} returned something to await; it has to take effect at once")

    def _called(self, action: Callable[[], Any]) -> Any:
        """Run ``action`` inside the loop. Work that it defers does not run."""
        asyncio._set_running_loop(self._loop)
        try:
            return action()
        finally:
            asyncio._set_running_loop(None)

    def _let_go(self) -> None:
        self._sessions.clear()
        self._close_loop()
        gc.collect(0)

    def _close_loop(self) -> None:
        if self._loop.is_closed():
            return
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if pending:
                waiting = asyncio.wait(pending, timeout=_GRACE)
                self._loop.run_until_complete(waiting)
            self._loop.close()


async def _awaited(thing: Any) -> Any:
    return await thing


def raised(error: BaseException) -> Raised:
    """Return the outcome of an operation that raised ``error``."""
    never = (RecursionError, MemoryError, NotImmediate)
    fatal = not isinstance(error, Exception) or isinstance(error, never)
    return Raised(f"{one_line(error)}{_place(error)}", "\n".join(_texts(error)), fatal)


def one_line(error: BaseException) -> str:
    try:
        message = " ".join(str(error).split())
    except BaseException:  # __str__ of the session's error may raise anything
        message = "(its text cannot be read)"
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def _place(error: BaseException) -> str:
    """Return where an error comes from: the innermost line of the user's code or of a package."""
    # Not by extract_tb: it looks at the source of each frame.
    places = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    theirs = [place for place in places if not place[0].startswith(_SUITE)]
    own = [place for place in theirs if not place[0].startswith(_LIBRARIES)]
    if not theirs:
        return ""
    file, line, name = (own or theirs)[-1]
    return f", at {Path(file).name}:{line} in {name}"


_SUITE = str(Path(__file__).parents[1])
_LIBRARIES = (*{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}, "<frozen")


def _notes(error: BaseException) -> str:
    return "\n".join(map(str, getattr(error, "__notes__", ())))


def _texts(error: BaseException | None, depth: int = 10) -> list[str]:
    if error is None or depth == 0:
        return []
    texts = []
    for show_it in (str, repr, _notes):
        try:
            texts.append(show_it(error))
        except BaseException:  # a log could not show it either
            continue
    # Like a traceback, leave out what `raise ... from None` hides.
    context = None if error.__suppress_context__ else error.__context__
    return texts + _texts(error.__cause__, depth - 1) + _texts(context, depth - 1)
