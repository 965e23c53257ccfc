"""Checks that fail alike have one cause. It is shown once, by the check with the fewest steps."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from support import schemas
from support.running import Project
from teleproto_conformance.checks.failure import Failure, Mismatch
from teleproto_conformance.contract import keys
from teleproto_conformance.contract.secrets import leaked_key
from teleproto_conformance.contract.trace import Step
from teleproto_conformance.findings import signature
from teleproto_conformance.subjects.subject import Outcome, Raised, Returned

SESSIONS = '''
from teleproto_sessions import EntityNotFound, MemorySession

class KeepsTheKey(MemorySession):
    """Carries its auth key over to another data centre."""
    def set_dc(self, dc_id, server_address, port):
        key = self.auth_key
        super().set_dc(dc_id, server_address, port)
        if key:
            self.auth_key = key

class FindsNoText(KeepsTheKey):
    """Carries its auth key over, and finds nothing by text."""
    def get_input_entity(self, key):
        if isinstance(key, str):
            raise EntityNotFound("this is a text")
        return super().get_input_entity(key)

class TwoPlaces(MemorySession):
    """Raises the same error at two places."""
    def get_input_entity(self, key):
        if isinstance(key, str):
            raise EntityNotFound("this is a text")
        if isinstance(key, int) and key < 0:
            raise EntityNotFound("this is negative")
        return super().get_input_entity(key)
'''
KEYS, BOTH, PLACES = (
    f"--session-impl=bad.{name}" for name in ("KeepsTheKey", "FindsNoText", "TwoPlaces")
)
SWITCHES = "DC-2[ or DC-5[ or KEY-7[ or CLIENT-4["


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with faulty sessions in ``bad``."""
    project.write("bad.py", SESSIONS)
    return project


def _findings(project: Project) -> list[dict[str, Any]]:
    return _with_outcome(project, "failed")


def _with_outcome(project: Project, *outcomes: str) -> list[dict[str, Any]]:
    results = schemas.read(project.path / "r.json")["results"]
    return [result["finding"] for result in results if result["outcome"] in outcomes]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one-process", "two-workers"])
def test_a_fault_that_breaks_many_rules_is_shown_by_its_causes(
    sessions: Project, workers: list[str]
) -> None:
    done = sessions.pytest(KEYS, "-k", SWITCHES, "--session-report=r.json", *workers)
    findings = _findings(sessions)
    causes = {finding["cause"] for finding in findings}
    assert causes == {"auth_key: null expected, {key}", "auth_key: {key} expected, {key}"}
    assert {finding["rule"] for finding in findings} == {"DC-2", "DC-5", "KEY-7"}
    blocked = _with_outcome(sessions, "blocked")
    assert {finding["rule"] for finding in blocked} >= {"CLIENT-4"}
    assert {finding["cause"] for finding in blocked} <= causes
    assert done.out.count("Why it matters") == len(done.replays) == 2
    counts = f"{len(findings)} failed checks and {len(blocked)} blocked checks have 2 causes"
    assert f"{counts}; mend them in the order shown" in done.out
    assert "2 failed, " in done.out.splitlines()[-1]
    assert f"{len(blocked)} blocked, {len(findings) - 2} more of the same" in done.out


def test_a_run_that_stops_early_counts_every_failure(sessions: Project) -> None:
    done = sessions.pytest(KEYS, "-k", "DC-2[", "--maxfail=4")
    assert "1 failed, " in done.out.splitlines()[-1]
    assert "3 more of the same" in done.out.splitlines()[-1]


def test_the_check_with_the_fewest_steps_shows_the_cause_and_counts_the_others(
    sessions: Project,
) -> None:
    done = sessions.pytest(KEYS, "-k", SWITCHES, "--session-report=r.json")
    findings = [finding for finding in _findings(sessions) if "null expected" in finding["cause"]]
    fewest = min(len(finding["done"]) for finding in findings)
    (shown,) = re.findall(r"-k '(DC-2\[.+\])'", done.out)
    assert [len(each["done"]) for each in findings if each["check"] == shown] == [fewest]
    (line,) = re.findall(r"^Same cause +(DC-2 .+)$", done.out, re.MULTILINE)
    for rule in ("DC-2", "KEY-7"):
        others = [each for each in findings if each["rule"] == rule and each["check"] != shown]
        assert f"{rule} ({len(others)} checks)" in line


def test_two_faults_have_causes_of_their_own(sessions: Project) -> None:
    done = sessions.pytest(BOTH, "-k", "DC-2[ or ENT-4[", "--session-report=r.json")
    causes = {finding["rule"]: finding["cause"] for finding in _findings(sessions)}
    assert causes["ENT-4"].startswith("get_input_entity: success expected, EntityNotFound at ")
    assert causes["ENT-4"].endswith(" in get_input_entity")
    assert causes["DC-2"] == "auth_key: null expected, {key}"
    assert "DC-2[" in "".join(done.replays)
    assert "ENT-4[" in "".join(done.replays)


def test_one_error_at_two_places_has_two_causes(sessions: Project) -> None:
    sessions.pytest(PLACES, "-k", "ENT-2[", "--session-report=r.json")
    places = {finding["cause"].rpartition(" at ")[2] for finding in _findings(sessions)}
    assert len(places) == 2


def test_every_failed_check_keeps_its_message_in_junit(sessions: Project) -> None:
    sessions.pytest(KEYS, "-k", SWITCHES, "--session-report=r.json", "--junitxml=junit.xml")
    cases = ElementTree.parse(sessions.path / "junit.xml").iter("testcase")
    texts = {
        case.get("name"): "".join(failure.itertext())
        for case in cases
        if (failure := case.find("failure")) is not None
    }
    findings = _with_outcome(sessions, "failed", "blocked")
    assert set(texts) == {finding["check"] for finding in findings}
    for finding in findings:
        assert finding["replay"] in texts[finding["check"]]


def _signature(notation: dict[str, Any], outcome: Outcome, *, afterwards: bool = False) -> str:
    step = Step.parse(notation)
    failed = Mismatch(step=step, outcome=outcome)
    return signature.of(Failure(done=(step,), mismatches=(failed,), afterwards=afterwards))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ValueError: no 1: 2, at a.py:3 in load", "ValueError at a.py:3 in load"),
        ("ValueError, at a.py:3 in load", "ValueError at a.py:3 in load"),
        ("Error: no place", "Error"),
        ("a thrown undefined, not an Error", "a thrown undefined, not an Error"),
    ],
)
def test_an_error_has_its_class_and_its_place(text: str, told: str) -> None:
    assert _signature({"load": []}, Raised(text)) == f"load: success expected, {told}"


def test_an_error_that_must_say_something_is_expected() -> None:
    cause = _signature({"save": [], "raises": {"says": "IPv6"}}, Raised("E: no, at a.py:3 in save"))
    assert cause == "save: an error expected, E at a.py:3 in save"


def test_a_secret_that_shows_in_two_places_has_two_causes() -> None:
    leak = Returned([{"told": "key A (bytes) in repr()"}])
    places = {_signature({"leaks": [place], "gives": []}, leak) for place in ("repr", "output")}
    assert len(places) == 2


def test_an_error_after_all_steps_has_one_cause_whatever_the_last_step() -> None:
    late = Raised("E: late, at a.py:3 in write")
    steps: list[dict[str, Any]] = [{"load": []}, {"get_auth_key": [], "gives": {"key": "A"}}]
    causes = {_signature(step, late, afterwards=True) for step in steps}
    assert causes == {"afterwards: E at a.py:3 in write"}


def test_a_cause_never_holds_a_key() -> None:
    key = keys.KEYS["A"].hex()
    for text in (f"{key}: bad", f"bad, at {key}"):
        assert leaked_key(_signature({"load": []}, Raised(text))) is None
