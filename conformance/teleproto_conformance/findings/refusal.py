"""The reason to refuse a class, in one line."""

from __future__ import annotations

from collections.abc import Mapping

from ..checks.failure import Failure
from ..contract.rules import Rule
from ..contract.tables import Member
from ..subjects.implementation import GUESSED, Implementation
from ..subjects.subject import Returned
from . import telling
from .words import Words


def refusal(
    implementation: Implementation,
    failures: list[tuple[Rule, Failure]],
    words: Words,
    members: Mapping[str, Member],
) -> str:
    """Say which gate rule a class fails, and what to do.

    ``failures`` has at least one entry. ``members`` is the table of members in the contract.
    """
    option = f"--session-impl={implementation.text}"
    rule, first = failures[0]
    came = telling.got(first, words)
    asked = first.done[-1]
    if first.afterwards:
        return (
            f"{option}: the session was constructed, but failed afterwards: {came}; fix the class"
        )
    if asked.operation == "open":
        remedy = f"fix its constructor, name a factory as {words.factory}"
        if implementation.profile_from == GUESSED:
            remedy += (
                f", or name its profile with --session-profile (guessed: {implementation.profile})"
            )
        return f"{option}: constructing the session failed with {came}; {remedy}"
    remedy = f"`teleproto-conformance explain {rule.id}` shows the rule and its checks"
    asks = f"({rule.id}: {words.prose(rule.rule)})"
    if not _is_absent(first):
        return f"{option}: {words.step(asked, implementation.name)} failed: {came} {asks}; {remedy}"
    missing = [
        str(failure.done[-1].argument)
        for other, failure in failures
        if other is rule and _is_absent(failure)
    ]
    named = ", ".join(map(words.member, missing))
    runs_on = f", on {implementation.runs_on}" if implementation.runs_on else ""
    since = [
        f"{words.member(name)} was added in {members[name].since}; "
        for name in missing
        if members[name].since
    ]
    return f"{option}: the session has no {named} {asks}{runs_on}; {''.join(since)}{remedy}"


def unopened(implementation: Implementation, failure: Failure, words: Words) -> str:
    """Say that a new session cannot be opened, and what to do."""
    step = words.step(failure.done[-1], implementation.name)
    return (
        f"--session-impl={implementation.text}: {step} of a new session failed: "
        f"{telling.got(failure, words)}; start its storage, or fix the class"
    )


def _is_absent(failure: Failure) -> bool:
    """Return whether the session lacks the member in question."""
    return failure.done[-1].operation == "has" and failure.mismatches[0].outcome == Returned(False)
