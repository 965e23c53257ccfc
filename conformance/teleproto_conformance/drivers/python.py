"""Python classes in this process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self

from ..contract import Contract
from ..limits import LIMIT, Interrupted, TimedOut, handlers, time_limit
from ..subject import Driver, Hung, Outcome, Raised, Returned
from ..values import Objects, show

Factory = Callable[..., Any]

DEFAULT_NAME = "my-account"
_CLEANING = "cleaning"


_GRACE = 1.0
"""Seconds that tasks which a session left running have to end once they are cancelled."""


def driver(factory: Factory, contract: Contract, profile: str, limit: float = LIMIT) -> Driver:
    """Return what makes subjects of ``factory``; each call is stopped after ``limit`` seconds."""
    return partial(
        PythonSubject,
        factory,
        surface=contract.tables["surface"],
        profile=contract.profiles[profile],
        limit=limit,
    )


class NotImmediate(Exception):
    """A member that has to take effect before it returns gave something to await."""


class PythonSubject:
    """Sessions made by ``factory``, in ``workdir``, each call stopped after ``limit`` seconds.

    One event loop lives as long as the subject. Constructors run beside it, as a program's module
    level does; everything else runs inside it, as a client does. Where sessions of all programs
    share one storage, ``prefix`` begins every name.
    """

    def __init__(
        self,
        factory: Factory,
        workdir: Path,
        prefix: str,
        *,
        surface: dict[str, Any],
        profile: dict[str, Any],
        limit: float,
    ) -> None:
        self.workdir = workdir
        self._factory = factory
        self._members = surface["members"]
        self._takes = profile["takes"]
        self._shared = profile.get("names") == "shared"
        self._prefix = prefix
        self._limit = limit
        self._objects = Objects()
        self._sessions: dict[str, Any] = {}
        self._names: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Go to ``workdir``; :raises OSError: where there is none."""
        self._stack.enter_context(contextlib.chdir(self.workdir))
        self._stack.enter_context(handlers())
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._finish()
        finally:
            self._stack.close()

    def open(self, session: str, argument: str | None) -> Outcome:
        arguments = self._constructor_arguments(argument)

        def construct() -> None:
            made = self._factory(*arguments)
            if made is None or inspect.isclass(made):
                what = "None" if made is None else f"the class {made.__name__}"
                raise TypeError(f"it returned {what} where a session is due")
            self._sessions[session] = made

        self._sessions.pop(session, None)
        return self._attempt(construct, inside=False)

    def _constructor_arguments(self, argument: str | None) -> list[str]:
        if self._takes == "nothing":
            return []
        if self._takes == "saved":
            return [] if argument is None else [argument]
        name = DEFAULT_NAME if argument is None else argument
        if self._shared:
            name = f"{self._prefix}-{name}"
            self._names.add(name)
        return [name]

    def drop(self, session: str) -> None:
        self._sessions.pop(session, None)
        if not self._sessions:
            # What a call only started ends here, as it would with the process.
            self._let_go()

    def has(self, session: str, member: str) -> Outcome:
        return self._attempt(lambda: self._there(self._sessions[session], member))

    def _there(self, thing: Any, member: str) -> bool:
        if self._members[member]["kind"] == "method":
            return callable(getattr(thing, member, None))
        # A property that is there may raise before load(), which other rules judge.
        return hasattr(type(thing), member) or hasattr(thing, member)

    def get(self, session: str, member: str) -> Outcome:
        return self._attempt(lambda: getattr(self._sessions[session], member), member)

    def set(self, session: str, member: str, value: Any) -> Outcome:
        built = self._objects.build(value)
        return self._attempt(lambda: setattr(self._sessions[session], member, built), member)

    def call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        built = [self._objects.build(argument) for argument in arguments]
        return self._attempt(lambda: getattr(self._sessions[session], member)(*built), member)

    def _attempt(
        self, action: Callable[[], Any], member: str | None = None, *, inside: bool = True
    ) -> Outcome:
        if self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        try:
            with time_limit(self._limit):
                if not inside:
                    return Returned(action())
                return Returned(show(self._loop.run_until_complete(self._inside(action, member))))
        except TimedOut:
            self._close_loop()
            return Hung(self._limit)
        except Interrupted:
            raise
        except BaseException as error:  # a session may raise anything; all of it is a finding
            return _raised(error)
        finally:
            asyncio.set_event_loop(None)

    async def _inside(self, action: Callable[[], Any], member: str | None) -> Any:
        result = action()
        if not inspect.isawaitable(result):
            return result
        if member is None or self._members[member]["awaitable"]:
            return await result
        if inspect.iscoroutine(result):
            result.close()
        raise NotImmediate(f"{member} gave something to await; it has to take effect at once")

    def _finish(self) -> None:
        self._let_go()
        for name in self._names:
            self._delete(name)
        self._let_go()

    def _let_go(self) -> None:
        self._sessions.clear()
        self._close_loop()
        gc.collect(0)

    def _delete(self, name: str) -> None:
        """Delete what was stored under ``name``; what a faulty delete() leaves is its own."""
        self._attempt(partial(self._construct_again, name), inside=False)
        for member in ("load", "delete"):
            self.call(_CLEANING, member, [])

    def _construct_again(self, name: str) -> None:
        self._sessions[_CLEANING] = self._factory(name)

    def _close_loop(self) -> None:
        if self._loop.is_closed():
            return
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        try:
            with time_limit(_GRACE), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if pending:
                    self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        except (TimedOut, RuntimeError):
            self._abandon(task for task in pending if not task.done())
        self._loop.close()

    def _abandon(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """End coroutines that will not be cancelled; the garbage collector would wait for them."""
        for task in tasks:
            coroutine: Any = task.get_coro()
            with contextlib.suppress(TimedOut, RuntimeError), time_limit(_GRACE):
                coroutine.close()


def _raised(error: BaseException) -> Raised:
    never = (RecursionError, MemoryError, NotImmediate)
    fatal = not isinstance(error, Exception) or isinstance(error, never)
    return Raised(_one_line(error), "\n".join(_texts(error)), fatal)


def _one_line(error: BaseException) -> str:
    try:
        message = " ".join(str(error).split())
    except Exception:
        message = "(its text cannot be read)"
    name = type(error).__name__
    return f"{name}: {message}" if message else name


def _texts(error: BaseException | None, depth: int = 10) -> list[str]:
    if error is None or depth == 0:
        return []
    texts = [*getattr(error, "__notes__", ())]
    for show_it in (str, repr):
        try:
            texts.append(show_it(error))
        except Exception:  # an error that cannot be shown shows nothing
            continue
    # As a traceback does: what `raise ... from None` leaves out is not shown.
    context = None if error.__suppress_context__ else error.__context__
    return texts + _texts(error.__cause__, depth - 1) + _texts(context, depth - 1)
