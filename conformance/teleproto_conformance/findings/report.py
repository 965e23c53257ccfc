"""The report of a run: the table on the terminal, and the files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..subjects.implementation import Implementation
from .cause import Cause, causes
from .finding import Finding
from .result import ADVISED, BLOCKED, FAILED, FLAKY, KNOWN, PASSED, STALE, UNVERIFIED, Result

FORMATS = (".json", ".md")
_GONE = "the storage no longer answers; start it, and run again"


@dataclass(kw_only=True)
class Report:
    """All results of a run, and its settings.

    ``fence`` is the language of the steps, ``preamble`` the code that they need before them.
    ``suite`` and ``contract`` are versions. ``seed`` is the random seed, or None if all runs draw
    alike. ``promised`` is the number of checks of the profile. ``required`` says whether a check
    that is not verified fails the run.
    """

    implementation: Implementation
    fence: str
    preamble: tuple[str, ...]
    suite: str
    contract: str
    effort: str
    seed: int | None
    strict: bool
    chapters: dict[str, str]
    promised: int
    required: bool = False
    results: list[Result] = field(default_factory=list)
    broken: int = 0
    """The number of checks that the suite could not run."""
    complete: bool = True
    """Whether the run was finished."""

    @property
    def findings(self) -> list[tuple[Result, Finding]]:
        """The results that have a finding, with the finding."""
        return [(each, each.finding) for each in self.results if each.finding is not None]

    def add(self, result: Result) -> None:
        """Add a result. If the storage is gone, the failures that showed it are no failures."""
        self.results.append(result)
        if result.unreachable and result.finding is not None:
            cause = result.finding.cause
            self.results = [
                replace(each, outcome=UNVERIFIED, finding=None, reason=_GONE)
                if each.finding is not None and each.finding.cause == cause
                else each
                for each in self.results
            ]

    def of(self, outcome: str) -> list[Result]:
        """The results with this outcome."""
        return [result for result in self.results if result.outcome == outcome]

    @property
    def verdict(self) -> str:
        """One of the values of ``verdict`` in ``spec/schema/report.schema.json``.

        ``unreachable``: the storage no longer answers. A stale baseline entry fails the run.
        ``blocked``: no rule is broken, but some could not be asked. ``partial``: only a part of the
        checks was run, as some are left out or not verified. ``known failures``: nothing but the
        baseline fails.
        """
        if any(result.unreachable for result in self.results):
            return "unreachable"
        unverified = self.of(UNVERIFIED)
        fails = any(self.of(outcome) for outcome in (FAILED, FLAKY, STALE))
        if self.broken or fails or (unverified and self.required):
            return "fails"
        if self.of(BLOCKED):
            return "blocked"
        if not self.complete:
            return "incomplete"
        if len(unverified) == len(self.results):
            return "nothing checked"
        if unverified or len(self.results) < self.promised:
            return "partial"
        return "known failures" if self.of(KNOWN) else "passes"

    @property
    def headline(self) -> str:
        """The verdict in words, with the numbers of checks, and the SHOULDs that are not met."""
        reasons = Counter(result.reason for result in self.of(UNVERIFIED))
        return "; ".join(
            [
                self._partly if self.verdict == "partial" else self._wholly,
                *([f"{_count(self.unmet, 'SHOULD')} not met"] if self.unmet else []),
                *([f"{_count(self.blocked, 'check')} blocked"] if self.blocked else []),
                *([f"{_count(len(flaky), 'check')} flaky"] if (flaky := self.of(FLAKY)) else []),
                *(f"{count} not verified: {reason}" for reason, count in reasons.items()),
            ]
        )

    @property
    def unmet(self) -> int:
        """The number of rules that are a SHOULD and not met, without known failures."""
        unmet = (*self.of(ADVISED), *self.of(FAILED), *self.of(FLAKY))
        return len({each.rule for each in unmet if each.level == "SHOULD" and not each.blocked})

    @property
    def blocked(self) -> int:
        """The number of checks that are blocked, without known failures."""
        return sum(result.blocked for result in self.results if result.outcome != KNOWN)

    @property
    def _partly(self) -> str:
        run = len(self.results) - len(self.of(UNVERIFIED))
        which = "every MUST passes" if self.unmet or self.blocked else "all pass"
        return f"partial: {run} of {self.promised} checks run, {which}{self._but_for}"

    @property
    def _wholly(self) -> str:
        words = "passes" + self._but_for if self.verdict == "known failures" else self.verdict
        passed = sum(result.outcome in (PASSED, STALE) for result in self.results)
        beyond = "" if len(self.results) == self.promised else f" (the profile has {self.promised})"
        return f"{words}, {passed} of {len(self.results)} checks passed{beyond}"

    @property
    def _but_for(self) -> str:
        known = len(self.of(KNOWN))
        return f" but for {_count(known, 'known failure')}" if known else ""

    @property
    def interrupted(self) -> int:
        """The number of system calls at which changes were interrupted."""
        return sum(result.tried for result in self.results)

    @property
    def forgiven(self) -> str:
        """A line about the check that failed only after other traces; empty if none did."""
        first = next((result.check for result in self.results if result.forgiven), None)
        if first is None:
            return ""
        return (
            f"{first} failed in a program that had opened other sessions before, but not in a new "
            "program; where that happens, the suite tries again in a new program"
        )

    def _by_rule(self) -> list[list[tuple[Result, Finding]]]:
        """The findings by rule, MUST before SHOULD."""
        rules: dict[str, list[tuple[Result, Finding]]] = {}
        for result, finding in self.findings:
            if not finding.blocked:
                rules.setdefault(result.rule, []).append((result, finding))
        return sorted(rules.values(), key=lambda findings: findings[0][1].level)

    def _line(self, findings: list[tuple[Result, Finding]]) -> str:
        """A rule that is not met, with the number of its failed checks."""
        first = findings[0][1]
        asked = sum(result.rule == first.rule for result in self.results)
        known = sum(result.outcome == KNOWN for result, _ in findings)
        note = f", {known} known" if known else ""
        return (
            f"{first.rule} ({first.level}) {first.sentence} "
            f"[{len(findings)} of {asked} checks{note}]"
        )

    def failed_rules(self) -> list[str]:
        """A line for each rule that is not met."""
        return [self._line(findings) for findings in self._by_rule()]

    @property
    def causes(self) -> list[Cause]:
        """The causes of all findings. Those to mend first come first."""
        return causes(self.findings)

    @property
    def summary(self) -> str:
        """A line about the causes of the failed checks; empty if fewer than two failed."""
        failed, blocked = len(self.of(FAILED)) + len(self.of(FLAKY)), len(self.of(BLOCKED))
        if failed + blocked < 2:
            return ""
        checks = [_count(failed, "failed check")] if failed else []
        checks += [_count(blocked, "blocked check")] if blocked else []
        number = sum(cause.is_new for cause in self.causes)
        if number == 1:
            return f"{' and '.join(checks)} have one cause; mend it, and run again"
        return f"{' and '.join(checks)} have {number} causes; mend them in the order shown"

    @property
    def waiting(self) -> str:
        """A line about the rules that could not be asked; empty if there is none."""
        rules = Counter(result.rule for result in self.results if result.blocked)
        counts = ", ".join(f"{rule} ({_count(number, 'check')})" for rule, number in rules.items())
        return f"blocked, as a step before the question fails: {counts}" if counts else ""

    def rows(self) -> list[tuple[str, ...]]:
        """The table by chapter: title, rules, checks, and a count of each outcome."""
        rows: list[tuple[str, ...]] = []
        for chapter, title in self.chapters.items():
            results = [result for result in self.results if result.chapter == chapter]
            if results:
                rows.append((f"{chapter} {title}", *_counts(results)))
        rows.append(("total", *_counts(self.results)))
        return rows

    def table(self) -> list[str]:
        """The table as lines of text."""
        rows = [_HEADINGS, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
        return [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]

    def dump(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "session": self.implementation.text,
            "profile": self.implementation.profile,
            "profile_from": self.implementation.profile_from,
            "versions": self.implementation.versions,
            "suite": self.suite,
            "contract": self.contract,
            "effort": self.effort,
            "seed": self.seed,
            "strict": self.strict,
            "required": self.required,
            "verdict": self.verdict,
            "promised": self.promised,
            "interrupted": self.interrupted,
            "counts": {"checks": len(self.results), **Counter(r.outcome for r in self.results)},
            "results": self._dumped(),
        }

    def _dumped(self) -> list[dict[str, Any]]:
        """The results. A blocked one says which failed check has the same cause."""
        by: dict[str, str] = {}
        for cause in self.causes:
            found = [finding for _, finding in (cause.first, *cause.others)]
            for failed in [each.check for each in found if not each.blocked][:1]:
                by |= {each.check: failed for each in found if each.blocked}
        return [{**asdict(each), "blocked_by": by.get(each.check)} for each in self.results]

    def markdown(self) -> str:
        """The report as a page."""
        tested = self.implementation
        lines = [
            f"# {tested.text}",
            "",
            f"**{self.headline}**",
            "",
            f"- Profile: `{tested.profile}` ({tested.profile_from})",
            *([f"- Runs on: {tested.runs_on}"] if tested.runs_on else []),
            f"- Checked against: session contract {self.contract} by teleproto-conformance "
            f"{self.suite}, effort {self.effort}"
            + (f", seed {self.seed}" if self.seed is not None else ""),
            *(
                [f"- Changes interrupted at {self.interrupted} system calls"]
                if self.interrupted
                else []
            ),
            "",
            f"| {' | '.join(_HEADINGS)} |",
            f"| :-- {'| --: ' * (len(_HEADINGS) - 1)}|",
            *(f"| {' | '.join(row)} |" for row in self.rows()),
        ]
        if not self.findings:
            return "\n".join(lines) + "\n"
        lines += ["", "## Rules that are not met", ""]
        lines += [f"- {line}" for line in self.failed_rules()]
        lines += [f"- {self.waiting}"] if self.waiting else []
        lines += ["", "## Causes", ""]
        if self.summary:
            lines += [f"{self.summary[0].upper()}{self.summary[1:]}.", ""]
        lines += ["Run this code before the steps:", "", *_fenced(self.preamble, self.fence)]
        for cause in self.causes:
            lines += ["", *_section(cause, self.fence)]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        """Write the report in the format that the suffix of ``path`` names."""
        text = self.markdown() if path.suffix == ".md" else json.dumps(self.dump(), indent=1) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


_HEADINGS = (
    "chapter",
    "rules",
    "checks",
    "passed",
    "MUST failed",
    "SHOULD failed",
    "blocked",
    "known",
    "not verified",
)


def _counts(results: list[Result]) -> tuple[str, ...]:
    new = [result for result in results if result.finding is not None and result.outcome != KNOWN]
    broken = [result.level for result in new if not result.blocked]
    return tuple(
        str(number)
        for number in (
            len({result.rule for result in results}),
            len(results),
            sum(result.outcome in (PASSED, STALE) for result in results),
            broken.count("MUST"),
            broken.count("SHOULD"),
            len(new) - len(broken),
            sum(result.outcome == KNOWN for result in results),
            sum(result.outcome == UNVERIFIED for result in results),
        )
    )


def _section(cause: Cause, fence: str) -> list[str]:
    """The simplest finding of a cause, and the names of the other failed checks."""
    result, finding = cause.first
    lines = [
        f"### {finding.title}",
        "",
        f"`{finding.check}` {finding.comment}",
        *([f"(known: {result.reason})"] if result.outcome == KNOWN else []),
        "",
        *_fenced(finding.done, fence),
        "",
        f"- Expected: {finding.expected}",
        f"- Got: {finding.got}",
        f"- Why it matters: {finding.matters}",
        f"- Source: {finding.source}",
        f"- Replay: `{finding.replay}`",
    ]
    for label, found in (("Same cause", cause.alike), ("Blocks", cause.blocked)):
        if found:
            lines.append(f"- {label}: {', '.join(f'`{other.check}`' for other, _ in found)}")
    return lines


def _fenced(lines: Sequence[str], fence: str) -> list[str]:
    return [f"```{fence}", *lines, "```"]
