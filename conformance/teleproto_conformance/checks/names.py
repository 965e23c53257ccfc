"""The names of sessions in a trace, and in the storage.

A program may remember something under the name of a session. So traces that share a process use
different names, unless a trace is about names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from zlib import crc32

from ..contract.tables import Profile
from ..contract.trace import Step, Trace
from ..subjects.subject import Outcome, Raised, Returned

DEFAULT_NAME: Final = "my-account"
"""The name of a session if its trace gives none."""

_NUMBER: Final = re.compile(r"[\d.e+ -]+")
"""Names that some language reads as a number."""


def matter(trace: Trace) -> bool:
    """Return whether a trace is about names: it gives a session another name than the default."""
    return any(step.argument not in ([], [DEFAULT_NAME]) for step in _opens(trace))


def _opens(trace: Trace) -> list[Step]:
    return [step for step in trace if step.opens]


class Names:
    """The names of the sessions in trace ``number`` of a run.

    If all programs share one storage, every name contains a text that no other trace has: ``run``
    and the number. Names that begin with the same letter begin with this text. In other names, it
    follows the first letter or digit that all of them contain, so that they begin as in the trace.
    Names that can be read as numbers contain 14 more digits instead, so that they remain numbers.

    If the storage is the working directory, the default name ends with the number, and other names
    do not change. Failures show the names of the trace. If ``fixed`` is true, other traces may use
    them, too.
    """

    def __init__(self, promise: Profile, run: str, number: int, trace: Trace) -> None:
        self._own, self._common, self._after = "", "", 0
        if promise.names == "shared":
            given = [step.argument[0] if step.argument else DEFAULT_NAME for step in _opens(trace)]
            self._common, self._after = _place(given)
            self._own = f"-{run}-{number}-" if self._after else f"{run}-{number}-"
            if self._after and all(map(_NUMBER.fullmatch, given)):
                self._own = f"{crc32(run.encode()) % 10**9:09}{number:05}"
        self.fixed = promise.names == "own" and matter(trace)
        numbered = promise.names == "own" and not self.fixed
        self._default = f"{DEFAULT_NAME}-{number}" if numbered else DEFAULT_NAME

    def stored(self, name: str | None) -> str:
        """Return the name to construct a session with, if the trace calls it ``name``."""
        given: str = self.into(DEFAULT_NAME if name is None else name)
        place = max(given.find(self._common), 0) + self._after
        return given[:place] + self._own + given[place:]

    def into(self, value: Any) -> Any:
        """Return a value of the trace, such as a path, with the names in the storage."""
        return _replaced(value, DEFAULT_NAME, self._default)

    def back(self, value: Any) -> Any:
        """Return a value of the session with the names in the trace."""
        return _replaced(_replaced(value, self._own, ""), self._default, DEFAULT_NAME)

    def told(self, outcome: Outcome) -> Outcome:
        """Return an outcome with the names in the trace."""
        match outcome:
            case Returned(value):
                return Returned(self.back(value))
            case Raised(text, everything):
                return replace(outcome, text=self.back(text), everything=self.back(everything))
        return outcome


def _place(names: Sequence[str]) -> tuple[str, int]:
    """Return the longest text that all ``names`` contain, and its length up to a letter or digit.

    If this text or such a letter is missing, or all names begin with one letter, return "" and 0.
    """
    if not names or (len({name[:1] for name in names}) == 1 and names[0][:1].isalpha()):
        return "", 0
    common = _common(names)
    found = re.match(r"[\W_]*[^\W_]", common)
    return (common, found.end()) if found else ("", 0)


def _common(names: Sequence[str]) -> str:
    """Return the longest text that all of ``names`` contain."""
    shortest = min(names, key=len)
    for length in range(len(shortest), 0, -1):
        for start in range(len(shortest) - length + 1):
            if all(shortest[start : start + length] in name for name in names):
                return shortest[start : start + length]
    return ""


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
