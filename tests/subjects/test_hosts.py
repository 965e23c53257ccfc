"""Sessions in separate processes: results arrive complete, and faults stay in their own check."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import schemas
from support.running import BIN, Project, environment
from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case
from teleproto_conformance.subjects import hosted, in_process
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool
from teleproto_conformance.subjects.process import HostProcess
from teleproto_sessions import AuthKey, MemorySession, StringSession

CONTRACT = vectors.load()
MEMBERS = CONTRACT.members
PATH = [str(Path(__file__).parents[1]), *sys.path]
WITH_PROCESSES = {"restart", "interrupt", "together", "watch", "written", "leaks"}


class Forgets(MemorySession):
    """Returns only the key of the current data centre."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return super().get_auth_key() if dc_id in (None, self.dc_id) else None


class Rough(StringSession):
    """Raises unusual errors, and returns unusual values."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if port == 65535:
            raise KeyboardInterrupt
        super().set_dc(dc_id, server_address.upper(), port)

    def save(self) -> str:
        return super().save()[::-1]

    def get_input_entity(self, key: object) -> Any:
        return [key, object()] if isinstance(key, int) else self.get_input_entity(key)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Start the processes in which sessions run."""
    made = ForkServer()
    yield made
    made.close()


def _pool(server: ForkServer, session: type[Any]) -> Pool:
    text = f"{session.__module__}:{session.__qualname__}"
    return Pool(server, text, PATH, MEMBERS, 10)


def _is_plain(case: Case) -> bool:
    return all(step.operation not in WITH_PROCESSES and not step.process for step in case.trace)


@pytest.fixture
def project_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """Start processes that import ``mine.py`` in an empty project."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    server = ForkServer()
    pool = Pool(server, "mine.Session", [str(tmp_path), *PATH], MEMBERS, 10)
    yield pool
    pool.close()
    server.close()


TELLS_WHAT_WAS_THERE = """
import sys
there = "wave" in sys.modules
import wave
class Session:
    session_profile = getattr(wave, "mine", f"wave was there: {there}")
"""


def test_later_processes_begin_with_the_standard_library_of_the_class(
    project_pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(TELLS_WHAT_WAS_THERE)
    assert project_pool.hello().promised == "wave was there: False"
    assert project_pool._start()[1].promised == "wave was there: True"


def test_a_module_of_the_user_with_a_standard_name_is_the_one_imported(
    project_pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(TELLS_WHAT_WAS_THERE)
    (tmp_path / "wave.py").write_text("import colorsys\nmine = 'colorsys and mine'\n")
    promised = {project_pool._start()[1].promised for _ in range(3)}
    assert promised == {"colorsys and mine"}


def test_the_class_is_compiled_once_but_a_trace_leaves_no_bytecode(
    project_pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("class Session:\n    def load(self):\n        import later\n")
    (tmp_path / "later.py").write_text("")
    project_pool.hello()
    (tmp_path / "work").mkdir()
    process = project_pool.take(tmp_path / "work")
    process.ask({"do": "open", "session": "", "arguments": []}, 10)
    process.ask({"do": "call", "session": "", "member": "load", "arguments": []}, 10)
    (written,) = (tmp_path / "__pycache__").iterdir()
    assert written.name.startswith("mine.")


def test_a_session_that_was_never_opened_can_be_dropped(server: ForkServer, tmp_path: Path) -> None:
    """Cleaning drops all sessions, also after their process could not be started."""
    pool = _pool(server, MemorySession)
    with hosted.driver(pool)(tmp_path, alone=True) as subject:
        subject.drop("session")
    pool.close()


@pytest.mark.parametrize("session", [MemorySession, StringSession, Forgets, Rough])
def test_a_trace_has_the_same_result_in_process_and_through_a_host(
    session: type[Any], server: ForkServer
) -> None:
    profile = session.session_profile
    pool = _pool(server, session)
    here = Checker(CONTRACT, profile, in_process.driver(session, CONTRACT), scratch=in_memory())
    there = Checker(CONTRACT, profile, hosted.driver(pool), scratch=in_memory())
    cases = [c for c in CONTRACT.checks(profile) if isinstance(c, Case) and _is_plain(c)]
    failures = 0
    for case in cases:
        if session is Rough and any(_presses_ctrl_c(step.argument) for step in case.trace):
            continue
        failure = here.run(case)
        assert there.run(case) == failure, case.id
        failures += failure is not None
    pool.close()
    assert len(cases) > 900
    assert (failures > 20) == (session in (Forgets, Rough))


def _presses_ctrl_c(argument: Any) -> bool:
    """Say whether a step raises KeyboardInterrupt, which would end this test run."""
    return isinstance(argument, list) and 65535 in argument


def test_requests_and_answers_fit_the_schema(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[Any] = []
    send = HostProcess.send
    hear = HostProcess.hear

    def sent(self: Any, data: bytes) -> None:
        lines.extend(map(json.loads, data.splitlines()))
        send(self, data)

    def heard(self: Any, limit: float) -> Any:
        lines.append(hear(self, limit))
        return lines[-1]

    monkeypatch.setattr(HostProcess, "send", sent)
    monkeypatch.setattr(HostProcess, "hear", heard)
    pool = _pool(server, Rough)
    checker = Checker(CONTRACT, "string", hosted.driver(pool), scratch=in_memory())
    seen: set[str] = set()
    for check in CONTRACT.checks("string"):
        if check.rule not in seen and isinstance(check, Case):
            seen.add(check.rule)
            checker.run(check)
    pool.close()
    asked = {line["do"] for line in lines if "do" in line}
    assert asked >= {"hello", "begin", "open", "has", "observe", "set", "call", "texts", "finish"}
    for line in lines:
        assert schemas.problems(line, "host.schema.json") == [], line


def test_a_host_speaks_over_standard_input_and_output(tmp_path: Path) -> None:
    talk = [
        {
            "do": "hello",
            "protocol": 1,
            "implementation": "teleproto_sessions.MemorySession",
            "path": sys.path,
            "members": {name: member.dump() for name, member in MEMBERS.items()},
            "keys": {},
        },
        {"do": "begin", "workdir": str(tmp_path)},
        {"do": "open", "session": "session", "arguments": []},
        {"do": "observe", "session": "session", "member": "dc_id"},
        {"do": "call", "session": "session", "member": "set_dc", "arguments": [0, "", 0]},
        {"do": "finish"},
        {"do": "exit"},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "teleproto_conformance.subjects.hosts.python"],
        input="".join(f"{json.dumps(line)}\n" for line in talk),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=20,
    )
    hello, begun, opened, dc_id, refused, finished = map(json.loads, done.stdout.splitlines())
    assert hello["returned"]["promised"] == "memory"
    assert begun == opened == {"returned": None}
    assert dc_id == {"returned": 0}
    assert refused["raised"].startswith("InvalidDataCentre: ")
    assert finished == {"returned": True}


def test_a_host_refuses_another_protocol() -> None:
    hello = {"do": "hello", "protocol": 2, "implementation": "a.B", "path": [], "members": {}}
    done = subprocess.run(
        [sys.executable, "-m", "teleproto_conformance.subjects.hosts.python"],
        input=json.dumps(hello) + "\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=20,
    )
    assert json.loads(done.stdout) == {"refused": "this host speaks protocol 1, not 2"}


HOSTILE = """
import os, signal, sys, threading, time
from teleproto_sessions import MemorySession

class Forgets(MemorySession):
    def get_auth_key(self, dc_id=None):
        return super().get_auth_key() if dc_id in (None, self.dc_id) else None

class Exits(Forgets):
    def process_entities(self, tlo):
        os._exit(3)

class Aborts(Forgets):
    def process_entities(self, tlo):
        os.abort()

class Leaves(Forgets):
    def process_entities(self, tlo):
        sys.exit("leaving")

class Closes(Forgets):
    def process_entities(self, tlo):
        os.closerange(0, 256)

class Speaks(Forgets):
    def process_entities(self, tlo):
        for fd in range(3, 64):
            try:
                os.write(fd, b"good morning\\n")
            except OSError:
                pass

class Recurses(Forgets):
    def process_entities(self, tlo):
        self.process_entities(tlo)

class Kills(Forgets):
    def process_entities(self, tlo):
        os.killpg(0, signal.SIGKILL)

class Forks(Forgets):
    def process_entities(self, tlo):
        if os.fork() == 0:
            time.sleep(60)
        super().process_entities(tlo)

class ForksOn(Forgets):
    def process_entities(self, tlo):
        os.fork()
        super().process_entities(tlo)

class Threads(Forgets):
    def process_entities(self, tlo):
        threading.Thread(target=time.sleep, args=(60,)).start()
        super().process_entities(tlo)

class Ends(Forgets):
    def process_entities(self, tlo):
        os.kill(os.getpid(), signal.SIGRTMIN + 6)

class Notes(Forgets):
    def process_entities(self, tlo):
        error = ValueError("noted")
        error.__notes__ = [1, None]
        raise error

class Bomb(Forgets):
    def process_entities(self, tlo):
        threading.Thread(target=lambda: (time.sleep(0.02), os._exit(7)), daemon=True).start()
        super().process_entities(tlo)

class Floods(Forgets):
    def process_entities(self, tlo):
        for _ in range(2000):
            print("x" * 5000)
        super().process_entities(tlo)
"""
FEW = "KEY-3[before-the-current-dc-4] or SURFACE-2 or ENT-1[ or FRESH-1["
SAYS = {
    "Exits": "the process ended itself with exit code 3",
    "Aborts": "the process was ended by SIGABRT",
    "Leaves": "SystemExit: leaving",
    "Closes": "exit code",
    "Speaks": "the program wrote into the answer channel of its host",
    "Recurses": "RecursionError",
    "Kills": "the process was ended by SIGKILL",
    "Ends": "the process was ended by signal 40",
    "Notes": "ValueError: noted",
}


def _hosts(directory: Path) -> list[str]:
    """Return the host processes that run in a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").readlink() == directory
            command = (process / "cmdline").read_text()
        except OSError:
            continue
        if here and "teleproto_conformance.subjects.hosts.python" in command:
            found.append(command)
    return found


@pytest.mark.parametrize(
    "session",
    [*SAYS, "Forks", "ForksOn", "Threads", "Bomb", "Floods"],
)
def test_a_hostile_session_fails_only_its_own_checks(project: Project, session: str) -> None:
    project.write("hostile.py", HOSTILE)
    scratch = project.path / "scratch"
    scratch.mkdir()
    done = project.pytest(
        f"--session-impl=hostile.{session}",
        "-k",
        FEW,
        "--session-report=report.json",
        TMPDIR=str(scratch),
    )
    assert done.code == 1, done.text
    assert "Traceback" not in done.text
    report = json.loads((project.path / "report.json").read_text(encoding="utf-8"))
    failed = {result["check"]: result for result in report["results"] if result["finding"]}
    own = {check for check in failed if check.startswith("ENT-1[")}
    assert set(failed) - own == {"KEY-3[before-the-current-dc-4]"}
    if session in SAYS:
        assert own
        for check in own:
            assert SAYS[session] in failed[check]["finding"]["got"]
    assert len(report["results"]) == report["counts"]["checks"] > 8
    assert _hosts(project.path) == []
    assert [*scratch.iterdir()] == []


def test_neither_processes_nor_files_are_left_after_ctrl_c(project: Project) -> None:
    project.write(
        "slow.py",
        """
import sqlite3, time
from pathlib import Path
from teleproto_sessions import StoreSession

KEPT = Path(__file__).with_name("kept")

class Slow(StoreSession):
    "Keeps a mark for each session outside the working directory, like a server."
    session_profile = "custom"
    def __init__(self, name):
        super().__init__(name)
        self._mark = KEPT / name
    def _write_state(self, state):
        super()._write_state(state)
        self._mark.parent.mkdir(exist_ok=True)
        self._mark.touch()
    def delete(self):
        super().delete()
        self._mark.unlink(missing_ok=True)
    def process_entities(self, tlo):
        KEPT.with_name("started").touch()
        time.sleep(60)
""",
    )
    scratch = project.path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [str(BIN / "pytest"), "--session-impl=slow.Slow", "-k", "CLIENT"],
        cwd=project.path,
        env=environment(TMPDIR=str(scratch)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as process:
        deadline = time.monotonic() + 30
        while not (project.path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 2, out
    assert [*(project.path / "kept").iterdir()] == []
    assert _hosts(project.path) == []
    assert [*scratch.iterdir()] == []


def test_the_workers_of_xdist_find_the_same_and_write_one_report(project: Project) -> None:
    project.write("hostile.py", HOSTILE)
    reports = []
    for name, options in (("one", []), ("two", ["-n", "2"])):
        done = project.pytest(
            "--session-impl=hostile.Forgets",
            "--session-effort=quick",
            f"--session-report={name}.json",
            *options,
        )
        assert done.code == 1, done.text
        reports.append(json.loads((project.path / f"{name}.json").read_text(encoding="utf-8")))
    one, two = reports
    assert {r["check"]: r["outcome"] for r in one["results"]} == {
        r["check"]: r["outcome"] for r in two["results"]
    }
    assert one["counts"] == two["counts"]
    assert one["verdict"] == two["verdict"] == "fails"


def test_output_is_shown_only_with_the_check_that_printed_it(project: Project) -> None:
    project.write(
        "prints.py",
        """
from teleproto_sessions import MemorySession

class Prints(MemorySession):
    def delete(self):
        print(list(self.auth_key.key) if self.auth_key else "nothing", end="")
        super().delete()

    def set_dc(self, dc_id, server_address, port):
        print("asked for", port, end="")
        super().set_dc(dc_id, server_address, 443)
""",
    )
    done = project.pytest("--session-impl=prints.Prints", "-k", "DC-1[ or LIFE-6 or SEC-5")
    assert "SEC-5[" not in done.out
    assert "Captured output of the session" in done.out
    assert "asked for 1" in done.out


def test_a_session_that_kills_itself_fails_its_check(
    project: Project,
) -> None:
    project.write(
        "kills.py",
        """
import os, signal
from teleproto_sessions import StoreSession

class Kills(StoreSession):
    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, port)
        if dc_id == 4:
            os.kill(os.getpid(), signal.SIGKILL)
""",
    )
    done = project.pytest(
        "--session-impl=kills.Kills", "--session-strict", "-k", "DUR-3[killed-data-centre-switched]"
    )
    assert done.code == 1
    assert "Got              the process was ended by SIGKILL" in done.out


def test_a_trace_that_names_a_system_call_is_replayed(project: Project) -> None:
    at = {"call": "write", "number": 1}
    steps = [
        {"open": []},
        {"load": []},
        {"interrupt": {"with": "kill", "during": [{"set_dc": [2, "192.0.2.1", 443]}], "at": at}},
        {"restart": ["kill"]},
        {"observe": {"dc_id": 2}},
    ]
    project.write("trace.json", json.dumps({"trace": steps}))
    few = ["--session-impl=teleproto_sessions.StoreSession", "--session-replay=trace.json"]
    done = project.pytest(*few)
    assert done.code == 1
    assert "the program is killed before its 1st write" in done.out
    at["call"] = "no_such_call"
    project.write("trace.json", json.dumps({"trace": steps}))
    done = project.pytest(*few)
    assert done.code == 1
    assert "could not be run: the suite does not know the system call no_such_call" in done.out


def test_deep_prints_a_seed_and_accepts_it_again(project: Project) -> None:
    few = ["--session-impl=teleproto_sessions.MemorySession", "-k", "DC-9"]
    first = project.pytest(*few, "--session-effort=deep")
    (seed,) = {word for word in first.out.split() if word.startswith("--session-seed=")}
    assert project.pytest(*few, seed).code == first.code == 0
    assert "--session-seed" not in project.pytest(*few).out
    assert project.pytest(*few, "--session-seed=x").refusal().startswith("--session-seed=x: ")
    assert (
        "use one of quick, standard, deep" in project.pytest(*few, "--session-effort=all").refusal()
    )


def test_the_time_limit_and_pytest_timeout_work_together(project: Project) -> None:
    few = ["--session-impl=teleproto_sessions.MemorySession", "-k", "SURFACE-2"]
    done = project.pytest(*few, "--timeout=30", "--session-time-limit=5")
    assert done.code == 0, done.text
