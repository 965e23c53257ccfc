"""A check that fails and then passes is flaky: the run fails and says so."""

from __future__ import annotations

import pytest
from support import schemas
from support.running import Project

SESSIONS = '''
from pathlib import Path
from teleproto_sessions import MemorySession, StoreSession

class Once(MemorySession):
    """Fails at the first change that it ever makes."""
    session_profile = "memory"
    def set_dc(self, dc_id, server_address, port):
        marker = Path(__file__).with_name("tried")
        if not marker.exists():
            marker.touch()
            raise TimeoutError("slow today")
        super().set_dc(dc_id, server_address, port)

class OnceStored(StoreSession):
    """Fails at the tenth change that it ever makes, in a process that has played other traces."""
    session_profile = "store"
    def set_dc(self, dc_id, server_address, port):
        tried = Path(__file__).with_name("tried")
        number = int(tried.read_text()) + 1 if tried.exists() else 1
        tried.write_text(str(number))
        if number == 10:
            raise TimeoutError("slow today")
        super().set_dc(dc_id, server_address, port)

class Always(MemorySession):
    """Fails at every change."""
    session_profile = "memory"
    def set_dc(self, dc_id, server_address, port):
        raise TimeoutError("slow every day")
'''


@pytest.mark.parametrize(
    ("session", "outcome", "said"),
    [
        ("Once", "flaky", "; 1 check flaky ="),
        ("Always", "failed", "fails, 0 of 1 checks passed (the profile has "),
    ],
)
def test_a_check_that_passes_when_it_is_asked_again_is_flaky(
    project: Project, session: str, outcome: str, said: str
) -> None:
    project.write("bad.py", SESSIONS)
    done = project.pytest(
        f"--session-impl=bad.{session}", "-k", "DC-1[ids-smallest]", "--session-report=r.json"
    )
    report = schemas.read(project.path / "r.json")
    assert schemas.problems(report, "report.schema.json") == []
    assert [result["outcome"] for result in report["results"]] == [outcome]
    assert report["verdict"] == "fails"
    assert done.code == 1
    assert said in done.out
    told = "(flaky: it passes when it is asked again)" in " ".join(done.out.split())
    assert told == (outcome == "flaky")


def test_a_failure_that_does_not_come_back_is_no_matter_of_used_processes(project: Project) -> None:
    project.write("bad.py", SESSIONS)
    options = ("--session-impl=bad.OnceStored", "-k", "DC-1[", "--session-report=r.json")
    done = project.pytest(*options)
    outcomes = [result["outcome"] for result in schemas.read(project.path / "r.json")["results"]]
    assert outcomes.count("flaky") == 1
    assert outcomes.count("passed") == len(outcomes) - 1 > 10
    assert done.code == 1
    assert "had opened other sessions" not in done.out
