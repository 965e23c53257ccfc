"""Compares a value of the session with what a trace expects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def matches(expected: Any, got: Any, empty: Sequence[Any] | None = None) -> bool:
    """Return whether ``got`` meets ``expected``.

    ``{one_of: [...]}`` accepts each of its entries, ``{at_most: n}`` every number up to ``n``, and
    ``{below: directory}`` one or more files, all below it. None accepts every value in ``empty``,
    the empty values of this member.
    """
    match expected:
        case None:
            return got is None or any(_equal(entry, got) for entry in empty or ())
        case {"one_of": choices}:
            return any(matches(choice, got, empty) for choice in choices)
        case {"at_most": limit}:
            return isinstance(got, int) and got <= limit
        case {"below": directory}:
            return bool(got) and all(path.startswith(f"{directory}/") for path in got)
        case {"key": _}:
            return isinstance(got, dict) and got.get("key") == expected["key"]
        case {"int": digits}:
            return isinstance(got, int) and got == int(digits)
        case _:
            return _equal(expected, got)


def _equal(expected: Any, got: Any) -> bool:
    # A flag may come back as 0 or 1, as from SQL. For 443, both "443" and 443.0 are wrong.
    return bool(expected == got) and isinstance(expected, float) == isinstance(got, float)
