"""A check that fails before its question is blocked: its rule is not blamed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from support import schemas
from support.running import Project, Run

SESSIONS = '''
from teleproto_sessions import EntityNotFound, MemorySession

class FindsNoText(MemorySession):
    """Finds nothing by text."""
    session_profile = "memory"
    def get_input_entity(self, key):
        if isinstance(key, str):
            raise EntityNotFound("this is a text")
        return super().get_input_entity(key)

class OneKey(MemorySession):
    """Takes no key for another data centre."""
    session_profile = "memory"
    def set_auth_key(self, key, dc_id=None):
        if dc_id is not None:
            raise ValueError("one key is enough")
        super().set_auth_key(key)
'''
TEXTS, KEYS = (f"--session-impl=bad.{name}" for name in ("FindsNoText", "OneKey"))


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with faulty sessions in ``bad``."""
    project.write("bad.py", SESSIONS)
    return project


def _run(project: Project, *options: str) -> tuple[Run, dict[str, dict[str, Any]], Any]:
    """Run the suite; return the results by check, and the report."""
    done = project.pytest("--session-report=r.json", "--session-report=r.md", *options)
    report = schemas.read(project.path / "r.json")
    assert schemas.problems(report, "report.schema.json") == []
    return done, {result["check"]: result for result in report["results"]}, report


def test_a_rule_that_was_not_asked_is_not_blamed(sessions: Project) -> None:
    done, results, report = _run(sessions, TEXTS, "-k", "ENT-1[ or SEC-3[", "--junitxml=j.xml")
    blocked = [result for result in results.values() if result["outcome"] == "blocked"]
    (only,) = blocked
    assert only["rule"] == "SEC-3"
    assert results[only["blocked_by"]]["rule"] == "ENT-1"
    assert report["verdict"] == "fails"
    assert done.code == 1
    assert "; 1 check blocked" in done.out
    assert "\nBlocks           SEC-3 (1 check)\n" in done.out
    assert "\nblocked, as a step before the question fails: SEC-3 (1 check)\n" in done.out
    assert not [line for line in done.out.splitlines() if line.startswith("SEC-3 (MUST)")]
    assert "1 blocked" in done.out.splitlines()[-1]
    page = (sessions.path / "r.md").read_text("utf-8")
    assert f"\n- Blocks: `{only['check']}`" in page
    cases = ElementTree.parse(sessions.path / "j.xml").iter("testcase")
    texts = {case.get("name"): "".join(case.itertext()) for case in cases}
    assert "SEC-3 (MUST) is blocked: a step before its question fails." in texts[only["check"]]


def test_checks_that_are_blocked_without_a_failure_are_shown(sessions: Project) -> None:
    done, results, report = _run(sessions, KEYS, "-k", "DC-5[stored-beforehand")
    assert {result["outcome"] for result in results.values()} == {"blocked"}
    assert {result["blocked_by"] for result in results.values()} == {None}
    assert report["verdict"] == "blocked"
    assert done.code == 1
    assert done.out.count("DC-5 (MUST) is blocked: a step before its question fails.") == 1
    assert "ValueError: one key is enough, at bad.py:" in done.out
    assert "This step must work before the suite can ask DC-5:" in " ".join(done.out.split())


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--session-strict"], 1)])
def test_a_blocked_should_fails_only_a_strict_run(
    sessions: Project, strict: list[str], code: int
) -> None:
    done, results, _ = _run(sessions, KEYS, "-k", "DC-6[refused-zero or DC-8[refused-on", *strict)
    outcomes = {result["outcome"] for result in results.values()}
    assert outcomes == {"blocked" if strict else "advised"}
    assert done.code == code
    assert f"; {len(results)} checks blocked" in done.out
    assert strict or "checks run, every MUST passes;" in done.out
    assert "SHOULD not met" not in done.out.partition(" rules that are not met ")[2].splitlines()[1]


def test_the_cause_that_blocks_the_most_checks_is_mended_first(sessions: Project) -> None:
    source = (
        SESSIONS
        + '''
class Both(FindsNoText, OneKey):
    """Finds nothing by text, and takes no key for another data centre."""
'''
    )
    sessions.write("bad.py", source)
    done, results, _ = _run(
        sessions, "--session-impl=bad.Both", "-k", "ENT-1[ or SEC-3[ or KEY-3[ or DC-5[ or KEY-7["
    )
    rules = [replay.partition("-k ")[2].strip("'").partition("[")[0] for replay in done.replays]
    assert rules == ["KEY-3", "ENT-1"]
    by = [result["blocked_by"] for result in results.values() if result["blocked_by"]]
    assert len([check for check in by if check.startswith("KEY-3[")]) > 1


def test_a_check_that_a_known_failure_blocks_names_it(sessions: Project) -> None:
    known = "KEY-3[beside-the-current-dc-1]"
    sessions.write("known.yaml", f"known:\n  - {{check: '{known}', reason: one key}}\n")
    chosen = f"{known} or DC-5[stored-beforehand-1-to-2]"
    done, results, _ = _run(sessions, KEYS, "-k", chosen, "--session-baseline=known.yaml")
    assert results[known]["outcome"] == "known"
    assert results["DC-5[stored-beforehand-1-to-2]"]["blocked_by"] == known
    assert "\nBlocked by       KEY-3 (1 check)" in done.out
    assert "\n1 failed check" not in done.out
