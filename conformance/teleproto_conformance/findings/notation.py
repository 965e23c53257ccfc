"""A failure in the notation of traces, for programs that read a report.

Long texts and large numbers could hold a key or a saved string. They are cut, and a digest is
added, so that two reports can be compared.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from ..checks.failure import Failure, Mismatch
from ..contract.secrets import masked
from ..subjects.subject import Died, Hung, Raised, Returned
from .words import error

_LONGEST = 40
_BEGINNING = 12
"""Characters shown of a text longer than ``_LONGEST``."""
_LARGEST = 2**64
_DIGITS = 16
"""Hexadecimal digits of a digest."""


def steps(failure: Failure) -> list[dict[str, Any]]:
    """Return the steps up to the failure."""
    return [_cut(step.dump()) for step in failure.done]


def mismatches(failure: Failure) -> list[dict[str, Any]]:
    """Return the expected and the actual outcome, once for each permitted answer."""
    return [{**_cut(each.dump()), "got": _outcome(each)} for each in failure.mismatches]


def _outcome(mismatch: Mismatch) -> dict[str, Any]:
    match mismatch.outcome:
        case Returned(value):
            return {"returned": _cut(value)}
        case Raised() if mismatch.reveals:
            return {"raised": "", "reveals": mismatch.reveals}
        case Raised(text):
            return {"raised": error(text)}
        case Hung(seconds):
            return {"hung": seconds}
        case Died(how):
            return {"died": how}


def _cut(value: Any) -> Any:
    match value:
        case str() if len(value) > _LONGEST:
            return {"cut": masked(value[:_BEGINNING]), "length": len(value), **_digest(value)}
        case str():
            return masked(value)
        case int() if abs(value) > _LARGEST:
            return {"cut": "a number", **_digest(str(value))}
        case dict():
            return {masked(key): _cut(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_cut(entry) for entry in value]
        case _:
            return value


def _digest(text: str) -> dict[str, str]:
    return {"sha256": sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]}
