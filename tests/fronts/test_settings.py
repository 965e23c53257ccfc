"""Where the settings of a run come from, and when the user's own tests run too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.running import BIN, ROOT, Project, run

SESSIONS = '''
from teleproto_sessions import MemorySession, StoreSession, StringSession

class Silent(MemorySession):
    session_profile = None

class Keyword(MemorySession):
    session_profile = None
    def __init__(self, *, verbose=False):
        super().__init__()

class Saved(StringSession):
    session_profile = None

class Named(StoreSession):
    session_profile = None

class Default(StoreSession):
    session_profile = None
    def __init__(self, name="bot"):
        super().__init__(name)

class Several(StoreSession):
    session_profile = None
    def __init__(self, *arguments):
        super().__init__(*arguments)

class Careless(MemorySession):
    """Accepts every port, and so breaks a SHOULD."""
    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, min(max(port, 1), 65535))

def make():
    return MemorySession()

def keep(name):
    return StoreSession(name)

class Space:
    Inner = MemorySession
'''

FEW = ["-k", "SURFACE-2"]
"""A few checks that take little time."""


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with session classes of many kinds in ``mypkg``."""
    project.write("mypkg.py", SESSIONS)
    return project


@pytest.mark.parametrize(
    ("session", "options", "profile"),
    [
        ("mypkg.Silent", [], "memory (guessed from its constructor)"),
        ("mypkg.Keyword", [], "memory (guessed from its constructor)"),
        ("mypkg.Saved", [], "string (guessed from its constructor)"),
        ("mypkg.Named", [], "custom (guessed from its constructor)"),
        ("mypkg.Default", [], "custom (guessed from its constructor)"),
        ("mypkg.Several", [], "custom (guessed from its constructor)"),
        ("mypkg:make", [], "memory (guessed from its constructor)"),
        ("mypkg:keep", [], "custom (guessed from its constructor)"),
        ("mypkg.Space.Inner", [], "memory (the class says so)"),
        ("mypkg:Space.Inner", [], "memory (the class says so)"),
        ("teleproto_sessions.StringSession", [], "string (the class says so)"),
        ("teleproto_sessions.StoreSession", [], "teleproto-store (the class says so)"),
        ("teleproto_sessions.StoreSession", ["--session-profile=custom"], "custom (given)"),
    ],
)
def test_the_profile(sessions: Project, session: str, options: list[str], profile: str) -> None:
    done = sessions.pytest(f"--session-impl={session}", *options, *FEW)
    assert done.code == 0, done.text
    assert f"session: {session}, profile {profile}, contract 1." in done.out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pytest.ini",
            "[pytest]\nsession_impl = mypkg.Careless\nsession_profile = memory\n"
            "session_strict = true\nsession_report = made/report.json\n",
        ),
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\nsession_impl = "mypkg.Careless"\n'
            'session_profile = "memory"\nsession_strict = true\n'
            'session_report = ["made/report.json"]\n',
        ),
    ],
)
def test_settings_in_a_file(sessions: Project, name: str, text: str) -> None:
    sessions.write(name, text)
    assert sessions.pytest("-k", "DC-7").code == 1
    assert _report(sessions)["profile_from"] == "given"
    assert _report(sessions)["strict"] is True


def test_the_command_line_replaces_the_file(sessions: Project) -> None:
    sessions.write(
        "pytest.ini", "[pytest]\nsession_impl = mypkg.Silent\nsession_report = made/other.json\n"
    )
    done = sessions.pytest(
        "--session-impl=mypkg.Careless", "--session-report=made/report.json", "-k", "DC-7"
    )
    assert done.code == 0
    assert _report(sessions)["session"] == "mypkg.Careless"
    assert not (sessions.path / "made/other.json").exists()


def test_a_mistake_in_a_file_is_one_line_too(sessions: Project) -> None:
    sessions.write(
        "pytest.ini", "[pytest]\nsession_impl = mypkg.Silent\nsession_time_limit = soon\n"
    )
    assert "write a number of seconds" in sessions.pytest().refusal()


def test_a_should_fails_under_strict_only(sessions: Project) -> None:
    done = sessions.pytest("--session-impl=mypkg.Careless", "-k", "DC-7")
    assert (done.code, ": partial: " in done.out) == (0, True)
    assert "DC-7 (SHOULD)" in done.out
    assert "every MUST passes; 1 SHOULD not met" in done.out
    strict = sessions.pytest("--session-impl=mypkg.Careless", "-k", "DC-7", "--session-strict")
    assert (strict.code, ": fails, " in strict.out) == (1, True)


OWN = "def test_own():\n    open('ran', 'a').close()\n"


def test_testpaths_are_left_alone(sessions: Project) -> None:
    sessions.write("pytest.ini", "[pytest]\ntestpaths = own\n")
    sessions.write("own/test_own.py", OWN)
    done = sessions.pytest("--session-impl=mypkg.Silent", *FEW)
    assert done.code == 0
    assert not (sessions.path / "ran").exists()


def test_file_arguments_run_together_with_the_suite(sessions: Project) -> None:
    sessions.write("own/test_own.py", OWN)
    done = sessions.pytest(
        "--session-impl=mypkg.Silent", "own/test_own.py", "-k", "SURFACE-2 or test_own"
    )
    assert done.code == 0
    assert (sessions.path / "ran").exists()
    assert "mypkg.Silent (memory): partial: " in done.out


def test_a_session_named_in_the_file_runs_with_the_users_tests(sessions: Project) -> None:
    sessions.write("pytest.ini", "[pytest]\ntestpaths = own\nsession_impl = mypkg.Silent\n")
    sessions.write("own/test_own.py", OWN)
    done = sessions.pytest("-k", "SURFACE-2 or test_own", "-v")
    assert done.code == 0
    assert (sessions.path / "ran").exists()
    assert "SURFACE::SURFACE-2[data-centre] PASSED" in done.out


def test_without_a_session_only_the_users_tests_run(sessions: Project) -> None:
    sessions.write("test_own.py", OWN)
    done = sessions.pytest()
    assert (done.code, "1 passed" in done.out, "SURFACE" in done.text) == (0, True, False)


def test_a_conftest_a_virtual_environment_and_a_root_elsewhere(
    sessions: Project, tmp_path: Path
) -> None:
    sessions.write(".venv/pyvenv.cfg", "home = /usr/bin\n")
    sessions.write(
        "conftest.py",
        "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef own():\n    yield\n",
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "conftest.py").write_text("1 / 0\n")
    for root in (sessions.path, elsewhere):
        done = sessions.pytest("--session-impl=mypkg.Silent", f"--rootdir={root}", *FEW)
        assert done.code == 0, done.text
        assert f"rootdir: {root}" in done.out


def test_in_a_checkout_of_this_project(tmp_path: Path) -> None:
    command = [str(BIN / "pytest"), "--session-impl=teleproto_sessions.MemorySession", *FEW]
    done = run([*command, "-o", f"cache_dir={tmp_path}"], ROOT)
    assert done.code == 0, done.text
    assert "teleproto_sessions.MemorySession (memory): partial: " in done.out


def _report(project: Project) -> Any:
    return json.loads((project.path / "made/report.json").read_text(encoding="utf-8"))
