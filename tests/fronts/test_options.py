"""One line reports what is wrong with the options of a run."""

from __future__ import annotations

import pytest
from support.running import Project

SESSIONS = '''
from teleproto_sessions import MemorySession, StoreSession, StringSession

class Whole(MemorySession):
    pass

class Unmade(MemorySession):
    def __init__(self):
        raise RuntimeError("no such host")

class Odd(MemorySession):
    session_profile = "eternal"

class Partial:
    """Lacks three members."""
    session_profile = "memory"
    dc_id = port = test_servers = 0
    server_address = auth_key = None
    def set_dc(self, dc_id, server_address, port): ...
    def set_auth_key(self, auth_key, dc_id=None): ...
    def get_auth_key(self, dc_id=None): ...
    def process_entities(self, tlo): ...
    def save(self): ...
    def load(self): ...

def nothing():
    return None

number = 7
'''

WHOLE = "--session-impl=mypkg.Whole"


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with session classes of many kinds in ``mypkg``."""
    project.write("mypkg.py", SESSIONS)
    return project


@pytest.mark.parametrize(
    ("session", "says"),
    [
        (
            "mypgk.Whole",
            "module mypgk does not exist; run pytest where it can be imported, or install it",
        ),
        ("mypkg.sub.Whole", "mypkg has no sub"),
        ("./mine.js#Mine", "write a JavaScript class as node:MODULE#EXPORT"),
        ("mypkg.Whole.inner", "Whole has no inner"),
        ("mypkg.Whoel", "mypkg has no Whoel; did you mean Whole?"),
        ("mypkg:Whoel", "mypkg has no Whoel; did you mean Whole?"),
        ("mypgk:Whole", "module mypgk does not exist"),
        ("mypkg.number", "it is of type int, not a class or factory"),
        ("mypkg", "write a class as package.module.Class"),
        ("mypkg/Whole", "write a class as package.module.Class"),
        ("mypkg.", "write a class as package.module.Class"),
        ("", "write a class as package.module.Class"),
        (":", "write a class as package.module.Class"),
        ("mypkg.Unmade", "failed with RuntimeError: no such host, at mypkg.py:"),
        ("mypkg:nothing", "it returned None instead of a session"),
        ("mypkg.Partial", "the session has no get_input_entity, close, delete (SURFACE-1: "),
        ("mypkg.Odd", "there is no profile 'eternal'; use one of memory, string, store"),
    ],
)
def test_a_session_that_cannot_be_run(sessions: Project, session: str, says: str) -> None:
    line = sessions.pytest(f"--session-impl={session}").refusal()
    assert says in line
    assert f"--session-impl={session}" in line or session in line


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import hiredis",
            "importing broken raised ModuleNotFoundError: No module named 'hiredis'",
        ),
        ("1 / 0", "importing broken raised ZeroDivisionError: division by zero"),
        ("def f(:", "importing broken raised SyntaxError"),
        ("raise SystemExit(3)", "importing broken raised SystemExit: 3"),
        ("raise RuntimeError('a\\nb')", "importing broken raised RuntimeError: a b"),
        ("raise BaseException", "importing broken raised BaseException"),
    ],
)
def test_a_module_that_cannot_be_imported(project: Project, source: str, says: str) -> None:
    project.write("broken.py", source)
    assert says in project.pytest("--session-impl=broken.Session").refusal()


def test_a_package_that_cannot_be_imported(project: Project) -> None:
    project.write("broken/__init__.py", "1 / 0")
    project.write("broken/sessions.py", "class Session: ...")
    line = project.pytest("--session-impl=broken.sessions.Session").refusal()
    assert "raised ZeroDivisionError: division by zero" in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--session-profile=eternal"],
            "there is no profile 'eternal'; use one of memory, string",
        ),
        ([WHOLE], "--session-impl is given 2 times (mypkg.Whole, mypkg.Whole); give it once"),
        (["--session-profile=memory"] * 2, "--session-profile is given 2 times"),
        (["--session-baseline=a.yaml", "--session-baseline=b.yaml"], "is given 2 times"),
        (
            ["--session-time-limit=soon"],
            "--session-time-limit=soon: write a number of seconds above 0",
        ),
        (["--session-time-limit=0"], "write a number of seconds above 0"),
        (["--session-time-limit=-1"], "write a number of seconds above 0"),
        (["--session-time-limit=nan"], "write a number of seconds above 0"),
        (["--session-time-limit=inf"], "write a number of seconds"),
        (["--session-report=report.txt"], "end the name in .json or .md"),
        (["--session-report=mypkg.py/report.md"], "mypkg.py is not a directory"),
        (["--session-report=made.json"], "made.json: that is a directory"),
        (["--session-baseline=known.yaml"], "known.yaml: cannot be read: No such file"),
        (["--session-baseline=."], "cannot be read: Is a directory"),
        (["--session-replay=trace.json"], "trace.json: cannot be read: No such file"),
    ],
)
def test_an_option_that_cannot_be_used(sessions: Project, options: list[str], says: str) -> None:
    (sessions.path / "made.json").mkdir()
    assert says in sessions.pytest(WHOLE, *options).refusal()


@pytest.mark.parametrize(
    "option",
    [
        "--session-profile=memory",
        "--session-baseline=known.yaml",
        "--session-replay=trace.json",
        "--session-report=report.json",
        "--session-time-limit=5",
        "--session-strict",
    ],
)
def test_an_option_without_a_session(sessions: Project, option: str) -> None:
    name = option.partition("=")[0]
    needs = f"{name} needs --session-impl=package.module.Class"
    assert sessions.pytest(option).refusal() == needs


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ("known: ]", "known.yaml:1: "),
        (
            "known:\n  - check: DC-1[ids-smallest]\n",
            "known.yaml:2: known.0: 'reason' is a required",
        ),
        (
            "known:\n  - {check: DC-1, reason: slow}\n",
            "known.yaml:2: known.0.check: 'DC-1' does not",
        ),
        ("- DC-1[ids-smallest]\n", "known.yaml:1: the document: "),
        ("", "known.yaml:1: the document: "),
        (
            "known:\n  - {check: 'DC-1[ids-smalest]', reason: slow}\n",
            "the memory profile has no check DC-1[ids-smalest]; did you mean DC-1[ids-smallest]?",
        ),
        (
            "known:\n  - {check: 'STR-1[empty]', reason: slow}\n",
            "the memory profile has no check STR-1[empty]",
        ),
        (
            "known:\n"
            "  - {check: 'DC-1[ids-smallest]', reason: slow}\n"
            "  - {check: 'DC-1[ids-smallest]', reason: odd}\n",
            "DC-1[ids-smallest] occurs twice",
        ),
        (
            "known:\n"
            "  - {check: 'DC-1[ids-smallest]', reason: slow}\n"
            "  - {check: 'DC-1[ids-smallest]', reason: slow}\n",
            "DC-1[ids-smallest] occurs twice",
        ),
    ],
)
def test_a_baseline_that_cannot_be_used(sessions: Project, known: str, says: str) -> None:
    sessions.write("known.yaml", known)
    line = sessions.pytest(WHOLE, "--session-baseline=known.yaml").refusal()
    assert line.startswith("--session-baseline=")
    assert says in line


@pytest.mark.parametrize(
    ("trace", "says"),
    [
        ("no trace\n", "trace.json:1: Expecting value"),
        ('"no trace"', "the document: 'no trace' is not of type 'object'"),
        ('{"trace": [{"process_entities": [{"_": "user", "bogus": "5"}]}]}', "user has no bogus"),
        ('{"trace": [{"get_auth_key": [{"int": "x"}]}]}', "x is not a whole number"),
        ('{"trace": ]', "trace.json:1: "),
        ('{"trace": []}', "trace: [] should be non-empty"),
        ('{"trace": [{"lode": []}]}', "trace.0: "),
        ('{"trace": [{"load": [], "save": []}]}', "a step must have exactly one operation"),
        ('{"trace": [{"set_auth_key": [{"key": "Z"}]}]}', "there is no key Z"),
        ('{"trace": [{"set_auth_key": [{"key": []}]}]}', "there is no key []"),
        ('{"trace": [{"set_auth_key": ["$key"]}]}', "variable $key has no value"),
        ('{"trace": [{"load": [], "session": "b"}]}', "session b is used before it is opened"),
        (
            '{"trace": [{"reopen": []}, {"open": []}]}',
            "session session is used before it is opened",
        ),
    ],
)
def test_a_replay_that_cannot_be_used(sessions: Project, trace: str, says: str) -> None:
    sessions.write("trace.json", trace)
    line = sessions.pytest(WHOLE, "--session-replay=trace.json").refusal()
    assert line.startswith("--session-replay=")
    assert says in line
