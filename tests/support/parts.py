"""A long run of the suite in parts, one a chapter of the contract, so that all cores share it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from teleproto_conformance.checks.effort import STANDARD
from teleproto_conformance.contract import vectors
from teleproto_conformance.findings.result import Result
from teleproto_conformance.run import FAULTS, Run, Settings

CONTRACT = vectors.load()


def chapters(profile: str) -> list[str]:
    """The chapters that hold checks of ``profile``; each of its checks is in one of them."""
    rules = CONTRACT.rules
    return list(dict.fromkeys(rules[check.rule].chapter for check in CONTRACT.checks(profile)))


@dataclass(frozen=True)
class Part:
    """The checks of one chapter on one class, as a strict run that requires faults has them."""

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
    """Say in words which results are none of the ``usual`` outcomes."""
    return "\n\n".join(
        f"{result.check}: {result.outcome} {result.finding or result.reason}"
        for result in results
        if result.outcome not in usual
    )
