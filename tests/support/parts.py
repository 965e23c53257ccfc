"""Splits a long run of the suite into parts, so that all cores share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from teleproto_conformance.checks.effort import STANDARD
from teleproto_conformance.contract import vectors
from teleproto_conformance.findings.result import Result
from teleproto_conformance.run import FAULTS, Run, Settings

CONTRACT = vectors.load()


LONG = ("ISO", "DUR")
"""Chapters that take as long as all others together: they start many programs."""
REST = "rest"
"""The part with all other chapters. Each part starts a run of its own, so there are few."""


def names(profile: str) -> list[str]:
    """Return the names of the parts with all checks of ``profile``."""
    return list(dict.fromkeys(map(of, (check.rule for check in CONTRACT.checks(profile)))))


def of(check: str) -> str:
    """Return the part of a check or rule with this id."""
    chapter = CONTRACT.rules[check.partition("[")[0]].chapter
    return chapter if chapter in LONG else REST


@dataclass(frozen=True)
class Part:
    """The checks of one part on one class, in a strict run with ``--session-require=faults``."""

    session: str
    profile: str
    name: str

    def results(self, directory: Path, baseline: Path | None = None) -> list[Result]:
        """Run the checks from ``directory``, in which the class is installed."""
        run = Run(
            Settings(
                implementation=self.session,
                profile=self.profile,
                baseline=baseline,
                replay=None,
                limit=10,
                effort=STANDARD,
                strict=True,
                require=frozenset({FAULTS}),
                here=directory,
                base=directory,
                keep=None,
            )
        )
        try:
            return [run.judge(check) for check in run.checks if of(check.rule) == self.name]
        finally:
            run.close()


def told(results: list[Result], *usual: str) -> str:
    """Describe all results except those with a ``usual`` outcome."""
    return "\n\n".join(
        f"{result.check}: {result.outcome} {result.finding or result.reason}"
        for result in results
        if result.outcome not in usual
    )
