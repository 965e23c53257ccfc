"""A call that does not return is a finding, and Ctrl-C ends a run."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.running import BIN, Project, environment

SESSIONS = '''
import asyncio, time
from pathlib import Path
from teleproto_sessions import MemorySession

class Forgets(MemorySession):
    """Returns only the key of the current data centre."""
    def get_auth_key(self, dc_id=None):
        return super().get_auth_key() if dc_id in (None, self.dc_id) else None

class Busy(Forgets):
    def process_entities(self, tlo):
        while True:
            pass

class Sleeping(Forgets):
    def process_entities(self, tlo):
        time.sleep(60)

class Waiting(Forgets):
    async def process_entities(self, tlo):
        await asyncio.sleep(60)

class Retrying(Forgets):
    """Tries again after every exception."""
    def process_entities(self, tlo):
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass

class Stubborn(Forgets):
    """Ignores its cancellation."""
    async def process_entities(self, tlo):
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:
                pass

class Late(Forgets):
    """Returns normally at the first exception."""
    def process_entities(self, tlo):
        try:
            time.sleep(60)
        except BaseException:
            pass

class Stillborn(MemorySession):
    def __init__(self):
        time.sleep(60)

class Announcing(MemorySession):
    def process_entities(self, tlo):
        Path(__file__).with_name("started").touch()
        time.sleep(60)

class Deaf(MemorySession):
    def process_entities(self, tlo):
        Path(__file__).with_name("started").touch()
        try:
            time.sleep(60)
        except BaseException:
            pass
'''


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with sessions that hang in ``slow``."""
    project.write("slow.py", SESSIONS)
    return project


@pytest.mark.parametrize("session", ["Busy", "Sleeping", "Waiting", "Retrying", "Stubborn", "Late"])
def test_a_call_that_hangs_is_a_finding(sessions: Project, session: str) -> None:
    done = sessions.pytest(
        f"--session-impl=slow.{session}",
        "--session-time-limit=0.2",
        "--session-report=report.json",
        "-k",
        "KEY-3[before-the-current-dc-4] or ENT-1[ or ENT-13[",
    )
    assert done.code == 1
    assert "Got              no answer within 0.2 seconds; the call was stopped" in done.out
    assert "3 calls of the session did not return; the remaining checks are not run" in done.out
    assert "Traceback" not in done.text
    report = json.loads((sessions.path / "report.json").read_text(encoding="utf-8"))
    failed = [result for result in report["results"] if result["outcome"] == "failed"]
    assert failed[0]["check"] == "KEY-3[before-the-current-dc-4]"
    assert [result["finding"]["hung"] for result in failed] == [False, True, True, True]
    assert report["verdict"] == "fails"


def test_a_constructor_that_hangs_is_refused(sessions: Project) -> None:
    line = sessions.pytest("--session-impl=slow.Stillborn", "--session-time-limit=0.2").refusal()
    assert "constructing the session failed with no answer within 0.2 seconds" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("session", ["Announcing", "Deaf"])
def test_a_signal_ends_the_run_and_the_reports_are_written(
    sessions: Project, session: str, number: signal.Signals
) -> None:
    reports = ("--session-report=report.json", "--junitxml=junit.xml")
    with subprocess.Popen(
        [
            str(BIN / "pytest"),
            f"--session-impl=slow.{session}",
            "--session-time-limit=50",
            *reports,
        ],
        cwd=sessions.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        _wait_for(sessions.path / "started")
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "KeyboardInterrupt" in out or "Interrupted" in out
    assert "INTERNALERROR" not in out
    report = json.loads((sessions.path / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] in ("incomplete", "fails")
    cases = ElementTree.parse(sessions.path / "junit.xml").findall(".//testcase")
    assert len(cases) >= len(report["results"]) > 0


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
