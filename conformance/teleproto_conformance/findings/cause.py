"""Group the findings of a run by cause: checks that fail alike are shown as one."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .finding import Finding
from .result import ADVISED, KNOWN, RED, Result

Found = tuple[Result, Finding]


@dataclass(frozen=True)
class Cause:
    """The findings with one cause. ``first`` is the simplest; it comes before the ``others``."""

    first: Found
    others: tuple[Found, ...]

    def __str__(self) -> str:
        text = str(self.first[1])
        return "\n".join([text, "", *self._also()]) if self.others else text

    @property
    def alike(self) -> list[Found]:
        """The other checks that fail."""
        return [found for found in self.others if not found[1].blocked]

    @property
    def blocked(self) -> list[Found]:
        """The other checks that are blocked."""
        return [found for found in self.others if found[1].blocked]

    @property
    def is_new(self) -> bool:
        """Whether one of its checks fails the run."""
        return any(result.outcome in RED for result, _ in (self.first, *self.others))

    def _also(self) -> list[str]:
        if self.first[1].blocked:
            by = _counted("Blocked by", self.alike)
            return [*by, *_counted("Same cause", self.blocked)]
        return [*_counted("Same cause", self.alike), *_counted("Blocks", self.blocked)]


def causes(found: Iterable[Found]) -> list[Cause]:
    """Group findings by cause. The causes to mend first come first.

    New failures come before known ones, and MUST before SHOULD. Then come causes that block other
    checks, those with the most checks first.

    The first of a cause is a check that fails, if there is one. Failures that depend on earlier
    checks or on chance are preferred, as the others of their cause may, too; then the fewest steps.
    """
    groups: dict[str, list[Found]] = {}
    for result, finding in sorted(found, key=_simplicity):
        groups.setdefault(finding.cause, []).append((result, finding))
    made = [Cause(first, tuple(others)) for first, *others in groups.values()]
    return sorted(made, key=_urgency)


def _simplicity(found: Found) -> tuple[bool, bool, bool, bool, bool, int]:
    result, finding = found
    return (
        result.outcome == KNOWN,
        finding.blocked,
        result.outcome == ADVISED,
        result.level != "MUST",
        finding.repeats == "always",
        len(finding.done),
    )


def _urgency(cause: Cause) -> tuple[bool, bool, bool, int]:
    result, _ = cause.first
    return (
        result.outcome == KNOWN,
        not cause.is_new,
        result.level != "MUST" and not cause.blocked,
        -len(cause.blocked),
    )


def _counted(label: str, found: list[Found]) -> list[str]:
    rules = Counter(result.rule for result, _ in found)
    counts = ", ".join(f"{rule} ({_checks(number)})" for rule, number in rules.items())
    return textwrap.wrap(f"{label:<16} {counts}", 96, subsequent_indent=" " * 17) if counts else []


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"
