"""The verdict in words says no more than the run has shown."""

from __future__ import annotations

import pytest
from teleproto_conformance.findings.report import Report
from teleproto_conformance.findings.result import (
    ADVISED,
    FAILED,
    KNOWN,
    PASSED,
    STALE,
    UNVERIFIED,
    Result,
)
from teleproto_conformance.subjects.implementation import PROMISED, Implementation

SESSION = Implementation(
    text="bad.Whole", name="Whole", profile="memory", profile_from=PROMISED, versions={}
)


def _headline(outcomes: list[str], promised: int) -> str:
    """Return the verdict on checks with these outcomes; those that are advised are a SHOULD."""
    report = Report(
        implementation=SESSION,
        fence="python",
        preamble=(),
        suite="1",
        contract="1",
        effort="standard",
        seed=None,
        strict=False,
        chapters={},
        promised=promised,
    )
    for number, outcome in enumerate(outcomes, 1):
        report.results.append(
            Result(
                check=f"DC-{number}[it]",
                rule=f"DC-{number}",
                chapter="DC",
                level="SHOULD" if outcome == ADVISED else "MUST",
                outcome=outcome,
                reason="no ptrace" if outcome == UNVERIFIED else "",
            )
        )
    return report.headline


@pytest.mark.parametrize(
    ("outcomes", "promised", "words"),
    [
        ([PASSED, PASSED], 2, "passes, 2 of 2 checks passed"),
        ([PASSED, ADVISED], 2, "passes, 1 of 2 checks passed; 1 SHOULD not met"),
        ([PASSED, KNOWN], 2, "passes but for 1 known failure, 1 of 2 checks passed"),
        (
            [PASSED, KNOWN, KNOWN, ADVISED, ADVISED],
            5,
            "passes but for 2 known failures, 1 of 5 checks passed; 2 SHOULDs not met",
        ),
        ([PASSED, PASSED], 3, "partial: 2 of 3 checks run, all pass"),
        ([PASSED, ADVISED], 3, "partial: 2 of 3 checks run, every MUST passes; 1 SHOULD not met"),
        ([PASSED, KNOWN], 3, "partial: 2 of 3 checks run, all pass but for 1 known failure"),
        (
            [PASSED, UNVERIFIED],
            2,
            "partial: 1 of 2 checks run, all pass; 1 not verified: no ptrace",
        ),
        (
            [FAILED, ADVISED, PASSED],
            4,
            "fails, 1 of 3 checks passed (the profile has 4); 1 SHOULD not met",
        ),
        ([PASSED, STALE], 2, "fails, 2 of 2 checks passed"),
    ],
)
def test_the_verdict(outcomes: list[str], promised: int, words: str) -> None:
    assert _headline(outcomes, promised) == words
