"""Group the findings of a run by cause: checks that fail alike are shown as one."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .finding import Finding
from .result import FAILED, KNOWN, Result

Found = tuple[Result, Finding]


@dataclass(frozen=True)
class Cause:
    """The findings with one cause. ``first`` is the simplest; it comes before the ``others``."""

    first: Found
    others: tuple[Found, ...]

    def __str__(self) -> str:
        text = str(self.first[1])
        return "\n".join([text, "", *self._also()]) if self.others else text

    def _also(self) -> list[str]:
        rules = Counter(result.rule for result, _ in self.others)
        counts = [f"{rule} ({_checks(number)})" for rule, number in rules.items()]
        return textwrap.wrap(
            f"Same cause       {', '.join(counts)}", 96, subsequent_indent=" " * 17
        )


def causes(found: Iterable[Found]) -> list[Cause]:
    """Group findings by cause. The causes to mend first come first.

    These are new failures, then MUST, then failures that depend on earlier checks or on chance, as
    the others of their cause may, too. Then come those with the fewest steps.
    """
    groups: dict[str, list[Found]] = {}
    for result, finding in sorted(found, key=_urgency):
        groups.setdefault(finding.cause, []).append((result, finding))
    return [Cause(first, tuple(others)) for first, *others in groups.values()]


def _urgency(found: Found) -> tuple[bool, bool, bool, bool, int]:
    result, finding = found
    return (
        result.outcome == KNOWN,
        result.outcome != FAILED,
        result.level != "MUST",
        finding.repeats == "always",
        len(finding.done),
    )


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"
