"""Splits a long run of the suite into one part for each chapter, so that all cores share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from teleproto_conformance.checks.effort import STANDARD
from teleproto_conformance.contract import vectors
from teleproto_conformance.findings.result import Result
from teleproto_conformance.run import FAULTS, Run, Settings

CONTRACT = vectors.load()


def chapters(profile: str) -> list[str]:
    """Return the chapters of all checks of ``profile``."""
    rules = CONTRACT.rules
    return list(dict.fromkeys(rules[check.rule].chapter for check in CONTRACT.checks(profile)))


@dataclass(frozen=True)
class Part:
    """The checks of one chapter on one class, in a strict run with ``--session-require=faults``."""

    session: str
    profile: str
    chapter: str

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
            return [
                run.judge(check)
                for check in run.checks
                if run.rules[check.rule].chapter == self.chapter
            ]
        finally:
            run.close()


def told(results: list[Result], *usual: str) -> str:
    """Describe all results except those with a ``usual`` outcome."""
    return "\n\n".join(
        f"{result.check}: {result.outcome} {result.finding or result.reason}"
        for result in results
        if result.outcome not in usual
    )
