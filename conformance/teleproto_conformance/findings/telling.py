"""The expected and the actual outcome of a failure, in words."""

from __future__ import annotations

from ..checks.failure import INPUT, Failure, Mismatch
from ..contract.trace import PERMITTED
from ..subjects.subject import Died, Hung, Outcome, Raised, Returned
from .words import Words, error

_REPEATS = {
    "always": "",
    "not alone": " (passes alone in a new process; it depends on earlier checks, or is flaky)",
    "not every time": " (flaky: it passes when it is asked again)",
}


def expected(failure: Failure, words: Words) -> str:
    """Say what the last step had to give."""
    if failure.afterwards:
        return "no error after the last step"
    if len(failure.mismatches) == 1:
        return _expected(failure.mismatches[0], words)
    if failure.done[-1].operation == "settled":
        return "the whole state before the change, or the whole state after it"
    return "one of the permitted results"


def got(failure: Failure, words: Words) -> str:
    """Say what the last step gave instead."""
    if len(failure.mismatches) > 1:
        text = "; and ".join(_differs(each, words) for each in failure.mismatches)
    elif failure.afterwards and isinstance(hung := failure.mismatches[0].outcome, Hung):
        text = f"it was still busy after {hung.seconds:g} seconds; the suite stopped it"
    else:
        text = _got(failure.mismatches[0], words)
    return text + _REPEATS[failure.repeats]


def _expected(mismatch: Mismatch, words: Words) -> str:
    if mismatch.member:
        return f"{_property(mismatch, words)} is {words.value(mismatch.expected)}"
    return words.expectation(mismatch.step)


def _property(mismatch: Mismatch, words: Words) -> str:
    return f"{mismatch.step.session}.{words.member(mismatch.member)}"


def _differs(mismatch: Mismatch, words: Words) -> str:
    """Say how the outcome differs from one of several permitted answers."""
    came = _got(mismatch, words)
    if mismatch.member:
        wanted = words.value(mismatch.expected)
        return f"{_property(mismatch, words)} is {came}, not {wanted}"
    step, wanted = words.step(mismatch.step), words.expectation(mismatch.step)
    return f"{step}: it is {came}, not {wanted}"


def _got(mismatch: Mismatch, words: Words) -> str:
    if mismatch.reveals == INPUT:
        return "an error that repeats the string; it is not shown"
    if mismatch.reveals:
        return f"an error that holds {mismatch.reveals}; it is not shown"
    step = mismatch.step
    if not isinstance(mismatch.outcome, Returned) or mismatch.member:
        return outcome(mismatch.outcome, words)
    if step.raises not in (None, *PERMITTED):
        return f"no error; it returned {words.value(mismatch.outcome.value)}"
    return words.difference(step.gives, mismatch.outcome.value)


def outcome(came: Outcome, words: Words) -> str:
    """Describe the outcome of an operation."""
    match came:
        case Returned(value):
            return words.value(value)
        case Raised(text):
            return error(text)
        case Hung(seconds):
            return f"no answer within {seconds:g} seconds; the call was stopped"
        case Died(how):
            return how
