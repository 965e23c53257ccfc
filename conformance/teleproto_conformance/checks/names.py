"""The names of sessions in a trace, and in the storage.

A program may remember something under the name of a session. So traces that share a process use
different names, unless a trace is about names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ..contract.tables import Profile
from ..contract.trace import Trace
from ..subjects.subject import Outcome, Raised, Returned

DEFAULT_NAME: Final = "my-account"
"""The name of a session if its trace gives none."""


def matter(trace: Trace) -> bool:
    """Return whether a trace is about names: it gives a session another name than the default."""
    return any(step.argument not in ([], [DEFAULT_NAME]) for step in trace if step.opens)


class Names:
    """The names of the sessions in trace ``number`` of a run.

    If all programs share one storage, every name begins with ``run`` and the number. If the storage
    is the working directory, the default name ends with the number, and other names do not change.
    Failures show the names of the trace. If ``fixed`` is true, other traces may use them, too.
    """

    def __init__(self, promise: Profile, run: str, number: int, trace: Trace) -> None:
        self._prefix = f"{run}-{number}-" if promise.names == "shared" else ""
        self.fixed = promise.names == "own" and matter(trace)
        numbered = promise.names == "own" and not self.fixed
        self._default = f"{DEFAULT_NAME}-{number}" if numbered else DEFAULT_NAME

    def stored(self, name: str | None) -> str:
        """Return the name to construct a session with, if the trace calls it ``name``."""
        given: str = self.into(DEFAULT_NAME if name is None else name)
        return self._prefix + given

    def into(self, value: Any) -> Any:
        """Return a value of the trace, such as a path, with the names in the storage."""
        return _replaced(value, DEFAULT_NAME, self._default)

    def back(self, value: Any) -> Any:
        """Return a value of the session with the names in the trace."""
        return _replaced(_replaced(value, self._prefix, ""), self._default, DEFAULT_NAME)

    def told(self, outcome: Outcome) -> Outcome:
        """Return an outcome with the names in the trace."""
        match outcome:
            case Returned(value):
                return Returned(self.back(value))
            case Raised(text, everything):
                return replace(outcome, text=self.back(text), everything=self.back(everything))
        return outcome


def _replaced(value: Any, old: str, new: str) -> Any:
    if old == new:
        return value
    match value:
        case str():
            return value.replace(old, new)
        case list():
            return [_replaced(entry, old, new) for entry in value]
        case dict():
            return {_replaced(key, old, new): _replaced(value[key], old, new) for key in value}
    return value
