"""Changes interrupted at their system calls: the findings, and machines that do not allow it."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any
from xml.etree import ElementTree

from support.hosts import HOST
from support.running import BIN, ROOT, Project, Run, run
from support.schemas import problems
from teleproto_conformance.contract import vectors

FORBIDDING = ROOT / "tests" / "support" / "forbidding.py"
INTERRUPTED = "DUR-3[killed-key-replaced] or DUR-4[failed-key-replaced-disk-full]"
STORE = "--session-impl=teleproto_sessions.StoreSession"

SESSIONS = """
from contextlib import suppress
from teleproto_sessions import StoreSession

class Swallows(StoreSession):
    def _write_state(self, state):
        with suppress(OSError):
            super()._write_state(state)

class Torn(StoreSession):
    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, self.port or port)
        super().set_dc(dc_id, server_address, port)
"""


def outcomes(
    project: Project, session: str, rules: str, module: str = "sessions"
) -> dict[str, Any]:
    """Run the checks of these rules, which interrupt changes, and return the report."""
    done = project.pytest(
        f"--session-impl={module}.{session}",
        "--session-report=report.json",
        "--session-require=faults",
        "-k",
        rules,
        timeout=300,
    )
    assert "Traceback" not in done.text
    report: dict[str, Any] = json.loads((project.path / "report.json").read_text("utf-8"))
    return report


def failed(report: dict[str, Any]) -> set[str]:
    """Return the rules that are not met."""
    return {result["rule"] for result in report["results"] if result["finding"] is not None}


def test_a_swallowed_error_and_a_torn_change_fail_and_a_correct_thread_passes(
    project: Project,
) -> None:
    project.write("sessions.py", SESSIONS)
    assert "DUR-4" in failed(outcomes(project, "Swallows", "DUR-4"))
    assert "DUR-3" in failed(outcomes(project, "Torn", "DUR-3"))
    shutil.copytree(ROOT / "tests" / "correct", project.path / "correct")
    every = "DUR-3 or DUR-4 or DUR-5"
    threads = outcomes(project, "ThreadedSession", every, module="correct.threaded")
    assert failed(threads) == set()
    assert threads["interrupted"] > 50


def test_a_host_that_the_user_names_is_interrupted_as_well(project: Project) -> None:
    host = HOST.replace("MemorySession", "StoreSession").replace('"memory"', '"store"')
    project.write("host.py", f"{host}\nHost().serve()\n")
    done = project.pytest(
        f"--session-impl=exec:{sys.executable} host.py",
        "--session-report=report.json",
        "--session-require=faults",
        *("-k", INTERRUPTED),
    )
    assert done.code == 0, done.text
    report = json.loads((project.path / "report.json").read_text("utf-8"))
    assert [result["tried"] > 5 for result in report["results"]] == [True, True]


def test_a_run_reports_the_number_of_interrupted_system_calls(project: Project) -> None:
    done = project.pytest(
        STORE, "--session-report=report.json", "-k", "DUR-3[killed-data-centre-switched]"
    )
    assert done.code == 0, done.text
    report = json.loads((project.path / "report.json").read_text("utf-8"))
    (result,) = report["results"]
    assert result["tried"] == report["interrupted"] >= 20
    assert f"changes interrupted at {result['tried']} system calls" in done.out


# If the system forbids tracing


def forbidden(project: Project, *options: str) -> Run:
    """Run pytest on a system that forbids tracing."""
    command = [sys.executable, str(FORBIDDING), str(BIN / "pytest"), STORE, *options]
    return run(command, project.path, timeout=300)


REASON = (
    "the system, or the program, does not let the suite trace it; in a container, add "
    "--cap-add=SYS_PTRACE; detach any debugger; leave the program dumpable (PR_SET_DUMPABLE)"
)


WHOLE = len(vectors.load().checks("teleproto-store"))
"""The number of checks of the profile."""
EXTENT = f"12 of 14 checks passed (the profile has {WHOLE}); 2 not verified: {REASON}"


def test_a_check_that_the_system_forbids_is_not_verified(project: Project) -> None:
    reports = ["--session-report=report.json", "--session-report=report.md", "--junitxml=junit.xml"]
    done = forbidden(project, *reports, "-k", f"{INTERRUPTED} or DUR-1[")
    assert done.code == 0, done.text
    assert f": partial: 12 of {WHOLE} checks run, all pass; 2 not verified: {REASON}" in done.out
    assert "2 not verified" in done.out.splitlines()[-1]
    report = json.loads((project.path / "report.json").read_text("utf-8"))
    assert problems(report, "report.schema.json") == []
    assert report["verdict"] == "partial"
    assert report["counts"]["unverified"] == 2
    unverified = [each for each in report["results"] if each["outcome"] == "unverified"]
    assert {each["reason"] for each in unverified} == {REASON}
    assert f"2 not verified: {REASON}" in (project.path / "report.md").read_text("utf-8")
    cases = ElementTree.parse(project.path / "junit.xml").iter("testcase")
    skipped = [case for case in cases if case.find("skipped") is not None]
    assert len(skipped) == 2


def test_a_run_can_require_tracing(project: Project) -> None:
    done = forbidden(project, "--session-require=faults", "-k", f"{INTERRUPTED} or DUR-1[")
    assert done.code == 1
    assert done.out.count(", and --session-require=faults makes that a failure: ") == 1
    assert f"1 failed, 12 passed, {WHOLE - 14} deselected, 1 more of the same" in done.out
    assert f": fails, {EXTENT}" in done.out


def test_if_every_check_is_not_verified_nothing_was_checked(project: Project) -> None:
    done = forbidden(project, "-k", INTERRUPTED)
    assert done.code == 5
    assert ": nothing checked, 0 of 2 checks passed" in done.out


def test_a_fault_is_found_although_other_checks_are_not_verified(project: Project) -> None:
    project.write("sessions.py", SESSIONS.replace("self.port or port", "443"))
    command = [str(BIN / "pytest"), "--session-impl=sessions.Torn", "-k", "DC-1 or DUR-3"]
    done = run([sys.executable, str(FORBIDDING), *command], project.path, timeout=300)
    assert done.code == 0, done.text  # a torn change is correct if it is never interrupted
    last = "        super().set_dc(dc_id, server_address, port)\n"
    project.write("sessions.py", SESSIONS.replace(last, ""))
    done = run([sys.executable, str(FORBIDDING), *command], project.path, timeout=300)
    assert done.code == 1


def test_an_unknown_requirement_is_refused(project: Project) -> None:
    done = project.pytest(STORE, "--session-require=strace")
    assert done.refusal() == "--session-require=strace: use faults"


def test_a_known_failure_that_is_not_verified_is_not_stale(project: Project) -> None:
    project.write(
        "known.yaml",
        "known:\n- reason: Known.\n  check: DUR-3[killed-key-replaced]\n",
    )
    done = forbidden(project, "--session-baseline=known.yaml", "-k", f"{INTERRUPTED} or DUR-1[")
    assert done.code == 0, done.text
    assert "2 not verified" in done.out


def test_the_replay_of_an_interruption_finds_the_same(project: Project) -> None:
    project.write("sessions.py", SESSIONS)
    report = outcomes(project, "Torn", "DUR-3")
    (first, *_) = [each for each in report["results"] if each["finding"] is not None]
    done = project.shell(first["finding"]["replay"])
    assert done.code == (1 if first["level"] == "MUST" else 0)
    assert first["finding"]["got"][:40] in " ".join(done.out.split())
