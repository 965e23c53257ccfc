"""The signature of a failure: failures with one signature have one cause.

They fail at one operation, in one way, and at one place in the user's code.
"""

from __future__ import annotations

from typing import Any

from ..checks.failure import Failure, Mismatch
from ..contract.secrets import masked
from ..contract.trace import NOTHING, PERMITTED
from ..subjects.subject import Died, Hung, Outcome, Raised, Returned


def of(failure: Failure) -> str:
    """Return the signature: the operation, what was expected and what came, without any value.

    A failure after all steps has no operation, since work of any step may have failed.
    """
    if failure.afterwards:
        return masked(f"afterwards: {_outcome(failure.mismatches[0].outcome)}")
    operation = failure.done[-1].operation
    differences = dict.fromkeys(_difference(operation, each) for each in failure.mismatches)
    return masked("; ".join(differences))


def _difference(operation: str, mismatch: Mismatch) -> str:
    match operation:
        case "observe":
            asked = mismatch.member
        case "get_auth_key":
            asked = "auth_key"
        case "leaks":
            asked = f"leaks in {mismatch.step.argument[0]}"
        case "load" | "restore" | "reopen" | "restart":
            asked = "load"
        case _:
            asked = operation
    if mismatch.step.raises not in (None, *PERMITTED):
        expected = "an error"
    elif isinstance(mismatch.outcome, Returned) and mismatch.expected is not NOTHING:
        expected = _kind(mismatch.expected)
    else:
        expected = "success"
    got = "an error with a secret" if mismatch.reveals else _outcome(mismatch.outcome)
    return f"{asked}: {expected} expected, {got}"


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case Returned(value):
            return _kind(value)
        case Raised(text):
            # Errors of one class at one place have one cause, whatever else they say.
            said, _, place = text.rpartition(", at ")
            return f"{said.partition(':')[0]} at {place}" if said else text.partition(":")[0]
        case Hung():
            return "no answer"
        case Died(how):
            return how


def _kind(value: Any) -> str:
    """Describe a value without its content: two wrong values of one kind have one cause."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case {"_": str(name)}:
            return name
        case dict():
            return f"{{{', '.join(value)}}}"
        case _:
            return type(value).__name__
