"""A finding: a failed check in words, for the author of the session."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..checks.failure import Failure, Repeats
from ..contract.rules import Check, Generated, Rule
from ..contract.secrets import masked
from ..contract.trace import Step
from . import notation, signature, telling
from .words import Words


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The rule, the steps, the expected and the actual outcome, and the command that replays it.

    The last step of ``done`` failed; if ``afterwards`` is true, the failure came after it.
    ``steps`` and ``mismatches`` are the same facts in the notation of traces, for programs.
    If the check is ``blocked``, the last step is on the way to the question of the rule.
    ``cause`` is equal for findings with one cause. ``repeats`` says whether a failure occurs again.
    """

    check: str
    rule: str
    level: str
    sentence: str
    comment: str
    done: list[str]
    expected: str
    got: str
    why: str
    source: str
    replay: str
    hung: bool = False
    blocked: bool = False
    afterwards: bool = False
    printed: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    mismatches: list[dict[str, Any]] = field(default_factory=list)
    cause: str = ""
    repeats: Repeats = "always"

    @classmethod
    def of(
        cls,
        check: Check,
        rule: Rule,
        failure: Failure,
        *,
        session: str,
        name: str | None,
        replay: str,
        words: Words,
    ) -> Finding:
        """Put ``failure`` of ``check`` into words.

        ``session`` is the short name of the class. Steps without a name of their own show ``name``.
        It is None for a class that takes no name.
        """
        return cls(
            check=check.id,
            rule=rule.id,
            level=rule.level,
            sentence=words.prose(rule.rule),
            comment=words.prose(_comment(check, failure)),
            done=[*_lines(failure, session, name, words)],
            expected=telling.expected(failure, words),
            got=telling.got(failure, words),
            why=words.prose(rule.why),
            source=words.prose(rule.source),
            replay=replay,
            hung=failure.hung,
            blocked=failure.blocked and failure.repeats != "not every time",
            afterwards=failure.afterwards,
            printed=masked(failure.printed),
            steps=notation.steps(failure),
            mismatches=notation.mismatches(failure),
            cause=signature.of(failure),
            repeats=failure.repeats,
        )

    @property
    def title(self) -> str:
        """The rule that the session breaks; or that the rule could not be asked."""
        rule = f"{self.rule} ({self.level})"
        if self.blocked:
            return f"{rule} is blocked: a step before its question fails."
        return f"{rule} {self.sentence}"

    @property
    def matters(self) -> str:
        """What breaks for a user; or which question has to wait."""
        if self.blocked:
            return f"This step must work before the suite can ask {self.rule}: {self.sentence}"
        return self.why

    def __str__(self) -> str:
        steps = [f"  {number:>3}  {line}" for number, line in enumerate(self.done, 1)]
        if not self.afterwards:
            steps[-1] = f">{steps[-1][1:]}"
        return "\n".join(
            [
                *_fill(self.title, ""),
                "",
                f"What was done    {self.comment}",
                *steps,
                "",
                *_labelled("Expected", self.expected),
                *_labelled("Got", self.got),
                *_labelled("Why it matters", self.matters),
                *_labelled("Source", self.source),
                "",
                f"Replay           {self.replay}",
            ]
        )


def _comment(check: Check, failure: Failure) -> str:
    comment = check.comment
    if failure.afterwards:
        comment += " All steps succeeded; the failure came afterwards."
    if isinstance(check, Generated) and not failure.hung:
        comment += (
            " The trace is shortened as far as possible."
            if failure.shortest
            else " A shorter trace may fail as well."
        )
    return comment


def _lines(failure: Failure, session: str, name: str | None, words: Words) -> Iterator[str]:
    for place, step in enumerate(failure.done):
        if place in failure.saved:
            yield words.step(Step("save", [], session=step.session))
        yield words.step(step, session, name)


def _fill(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 96, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _labelled(label: str, text: str) -> list[str]:
    return _fill(f"{label:<16} {text}", " " * 17)
