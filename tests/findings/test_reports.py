"""The results of a run: reports, the table, and the exit code."""

from __future__ import annotations

import copy
import platform
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest
from support import schemas
from support.running import Project, Run
from teleproto_conformance.contract import vectors

SESSIONS = '''
from teleproto_sessions import MemorySession

class Whole(MemorySession):
    pass

class Faulty(MemorySession):
    """Returns only the current data centre's key, and accepts every port."""
    def get_auth_key(self, dc_id=None):
        return super().get_auth_key() if dc_id in (None, self.dc_id) else None

    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, min(max(port, 1), 65535))
'''

WHOLE, FAULTY = "--session-impl=bad.Whole", "--session-impl=bad.Faulty"
SOME = "DC-1[ or DC-7[ or KEY-3["
CHECKS = [check.id for check in vectors.load().checks("memory")]
WHOLE_RUN = len(CHECKS)
RUN = sum(check.startswith(("DC-1[", "DC-7[", "KEY-3[")) for check in CHECKS)
KNOWN = "known:\n  - {{check: '{}', reason: not ours}}\n"


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with sessions in ``bad``."""
    project.write("bad.py", SESSIONS)
    return project


@dataclass(frozen=True)
class Written:
    """The reports of one run on a faulty session."""

    lines: list[str]
    json: Any
    markdown: str
    junit: ElementTree.Element


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Run the suite once, and read its reports."""
    project = Project(tmp_path_factory.mktemp("written"))
    project.write("bad.py", SESSIONS)
    reports = ("--session-report=made/report.json", "--session-report=made/report.md")
    done = project.pytest(FAULTY, "-k", SOME, *reports, "--junitxml=made/junit.xml")
    made = project.path / "made"
    return Written(
        done.out.splitlines(),
        schemas.read(made / "report.json"),
        (made / "report.md").read_text(encoding="utf-8"),
        ElementTree.parse(made / "junit.xml").getroot(),
    )


def test_the_json_report(written: Written) -> None:
    report = written.json
    assert schemas.problems(report, "report.schema.json") == []
    assert report["session"] == "bad.Faulty"
    assert (report["profile"], report["verdict"]) == ("memory", "fails")
    assert (report["effort"], report["seed"]) == ("standard", None)
    assert report["versions"] == {"Python": platform.python_version()}
    counts = {
        outcome: sum(result["outcome"] == outcome for result in report["results"])
        for outcome in ("passed", "failed", "blocked", "advised")
    }
    assert report["counts"] == {"checks": len(report["results"]), **counts}
    assert min(counts.values()) > 0
    for result in report["results"]:
        if result["outcome"] == "failed":
            assert result["level"] == "MUST"
            assert f"-k '{result['check']}'" in result["finding"]["replay"]
        if result["outcome"] == "advised":
            assert result["level"] == "SHOULD"


def test_the_schema_of_the_report_refuses_a_wrong_step(written: Written) -> None:
    report = copy.deepcopy(written.json)
    failed = next(result for result in report["results"] if result["outcome"] == "failed")
    failed["finding"]["done"] = [{"lode": []}]
    assert schemas.problems(report, "report.schema.json") != []


def test_the_markdown_report(written: Written) -> None:
    page, report = written.markdown, written.json
    assert page.startswith("# bad.Faulty\n\n**fails, ")
    assert "\n- Profile: `memory` (the class says so)\n" in page
    assert f"\n- Runs on: Python {platform.python_version()}\n" in page
    assert f" by teleproto-conformance {report['suite']}, effort standard\n" in page
    assert (
        "| chapter | rules | checks | passed | MUST failed | SHOULD failed | blocked | known "
        "| not verified |" in page
    )
    found = [result["finding"] for result in report["results"] if result["finding"]]
    findings = [finding for finding in found if not finding["blocked"]]
    for finding in findings:
        assert f"- {finding['rule']} ({finding['level']}) {finding['sentence']} [" in page
        assert f"`{finding['check']}`" in page
    causes = {finding["cause"]: finding["level"] for finding in findings}
    shown = re.findall(r"^### \S+ \((MUST|SHOULD)\)", page, re.MULTILINE)
    assert shown == sorted(causes.values())
    for label in ("Expected", "Got", "Why it matters", "Source", "Replay"):
        assert page.count(f"\n- {label}: ") == len(causes)
    musts = [finding for finding in findings if finding["level"] == "MUST"]
    first = min(musts, key=lambda finding: len(finding["done"]))
    steps = "\n".join(first["done"])
    assert f"```python\n{steps}\n```" in page


def test_the_table_adds_up(written: Written) -> None:
    lines = written.lines
    start = next(n for n, line in enumerate(lines) if line.startswith("chapter "))
    table = [line.rsplit(maxsplit=8) for line in lines[start + 1 : start + 4]]
    numbers = [[int(cell) for cell in row[1:]] for row in table]
    assert [row[0].split()[0] for row in table] == ["DC", "KEY", "total"]
    assert numbers[2] == [a + b for a, b in zip(numbers[0], numbers[1], strict=True)]
    counts = written.json["counts"]
    assert numbers[2][1:] == [
        counts["checks"],
        counts["passed"],
        counts["failed"],
        counts["advised"],
        counts["blocked"],
        0,
        0,
    ]


def test_junit(written: Written) -> None:
    report = written.json
    cases = written.junit.findall(".//testcase")
    assert {case.get("name") for case in cases} == {result["check"] for result in report["results"]}
    failed = {case.get("name"): case for case in cases if case.find("failure") is not None}
    assert set(failed) == {
        result["check"]
        for result in report["results"]
        if result["outcome"] in ("failed", "blocked")
    }
    for case in failed.values():
        text = "".join(case.find("failure").itertext())  # type: ignore[union-attr]  # just found
        assert "Expected " in text
        assert "Got " in text


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (
            [WHOLE, "-k", SOME],
            0,
            f"bad.Whole (memory): partial: {RUN} of {WHOLE_RUN} checks run, all pass =",
        ),
        ([FAULTY, "-k", "DC-7["], 0, "checks run, every MUST passes; 1 SHOULD not met ="),
        ([FAULTY, "-k", "DC-7[", "--session-strict"], 1, "bad.Faulty (memory): fails"),
        ([FAULTY, "-k", "KEY-3["], 1, "bad.Faulty (memory): fails"),
        ([FAULTY, "-k", "KEY-3[before", "-x"], 1, "bad.Faulty (memory): fails"),
        ([WHOLE, "-k", "nothing-of-that-name"], 5, "nothing was checked"),
        ([WHOLE, "test_own.py", "-k", "test_good"], 5, "nothing was checked"),
        ([WHOLE, "test_own.py", "-k", "test_good or DC-1["], 0, "bad.Whole (memory): partial: "),
        ([WHOLE, "test_own.py", "-k", "test_poor or DC-1["], 1, "bad.Whole (memory): partial: "),
    ],
)
def test_exit_codes(sessions: Project, options: list[str], code: int, says: str) -> None:
    sessions.write("test_own.py", "def test_good(): ...\n\n\ndef test_poor():\n    assert 0\n")
    done = sessions.pytest(*options)
    assert done.code == code, done.text
    assert says in done.out


@pytest.mark.parametrize("option", [WHOLE, FAULTY])
def test_a_report_is_written_in_every_case(sessions: Project, option: str) -> None:
    for choice in ("nothing-of-that-name", SOME):
        report = _report(sessions, option, "-x", "-k", choice)
        assert schemas.problems(report, "report.schema.json") == []
    assert _report(sessions, option, "-k", "nothing-of-that-name")["verdict"] == "nothing checked"


def test_known_failures(sessions: Project) -> None:
    sessions.write("known.yaml", KNOWN.format("KEY-3[before-the-current-dc-1]"))
    options = [FAULTY, "--session-baseline=known.yaml", "-k", "KEY-3[before-the-current"]
    report = _report(sessions, *options)
    assert schemas.problems(report, "report.schema.json") == []
    known = [result for result in report["results"] if result["outcome"] == "known"]
    assert [(result["check"], result["reason"]) for result in known] == [
        ("KEY-3[before-the-current-dc-1]", "not ours")
    ]
    assert sessions.pytest(*options, "--session-report=made/report.md").code == 1
    page = (sessions.path / "made/report.md").read_text("utf-8")
    # The page names the known failure, and shows the steps of another one.
    assert "\n`KEY-3[before-the-current-dc-1]` " not in page
    assert "`KEY-3[before-the-current-dc-1]`" in page
    assert sessions.pytest(*options[:2], "-k", "KEY-3[before-the-current-dc-1]").code == 0


@pytest.mark.parametrize("option", [WHOLE, FAULTY])
def test_a_known_failure_that_passes(sessions: Project, option: str) -> None:
    sessions.write("known.yaml", KNOWN.format("DC-1[ids-smallest]"))
    done = sessions.pytest(option, "--session-baseline=known.yaml", "-k", SOME)
    assert done.code == (4 if option == WHOLE else 1)
    assert f"{option.partition('=')[2]} (memory): fails" in done.out
    (line,) = _naming(done, "passes now")
    assert line.startswith("DC-1[ids-smallest] passes now; remove its entry from ")
    assert line.endswith("known.yaml")


def test_junit_tells_known_failures_and_entries_that_pass(sessions: Project) -> None:
    failing, passing = "KEY-3[before-the-current-dc-1]", "DC-1[ids-smallest]"
    entries = "".join(
        f"  - {{check: '{check}', reason: not ours}}\n" for check in (failing, passing)
    )
    sessions.write("known.yaml", f"known:\n{entries}")
    chosen = "KEY-3[before-the-current-dc-1] or DC-1[ids-smallest]"
    done = sessions.pytest(
        FAULTY, "--session-baseline=known.yaml", "-k", chosen, "--junitxml=junit.xml"
    )
    assert done.code == 4
    cases = ElementTree.parse(sessions.path / "junit.xml").iter("testcase")
    found = {case.get("name"): [(each.tag, each.get("message")) for each in case] for case in cases}
    assert found[failing] == [("skipped", "not ours")]
    ((tag, message),) = found[passing]
    assert tag == "failure"
    assert str(message).startswith(f"{passing} passes now; remove its entry from ")


def test_the_verdict_counts_known_failures(sessions: Project) -> None:
    report = _report(sessions, FAULTY, "--session-effort=quick")
    red = ("failed", "blocked")
    failed = [each["check"] for each in report["results"] if each["outcome"] in red]
    entries = "".join(f"  - {{check: '{check}', reason: not ours}}\n" for check in failed)
    sessions.write("known.yaml", f"known:\n{entries}")
    done = sessions.pytest(FAULTY, "--session-baseline=known.yaml", "--session-effort=quick")
    assert done.code == 0, done.text
    assert f"checks run, every MUST passes but for {len(failed)} known failures; " in done.out


def test_a_known_failure_that_is_not_run_is_not_stale(sessions: Project) -> None:
    sessions.write("known.yaml", KNOWN.format("DC-1[ids-smallest]"))
    done = sessions.pytest(WHOLE, "--session-baseline=known.yaml", "-k", "KEY-3[")
    assert done.code == 0
    assert _naming(done, "passes now") == []


@pytest.mark.parametrize(
    ("check", "effort", "code"),
    [
        ("DUR-3[killed-data-centre-switched]", "quick", 0),
        ("DUR-3[killed-data-centre-switched]", "standard", 4),
        ("DC-9[histories]", "quick", 0),
        ("DC-9[histories]", "standard", 4),
        ("STORE-1[login-is-in-it-plain]", "quick", 4),
    ],
)
def test_a_known_failure_is_stale_only_if_a_whole_check_passes(
    project: Project, check: str, effort: str, code: int
) -> None:
    project.write("known.yaml", KNOWN.format(check))
    store = "--session-impl=teleproto_sessions.StoreSession"
    options = ("--session-baseline=known.yaml", "-k", check, f"--session-effort={effort}")
    assert project.pytest(store, *options).code == code


def _naming(done: Run, text: str) -> list[str]:
    return [line for line in done.text.splitlines() if text in line]


def _report(project: Project, *options: str) -> Any:
    project.pytest("--session-report=made/report.json", *options)
    return schemas.read(project.path / "made/report.json")
