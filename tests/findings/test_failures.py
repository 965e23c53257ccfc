"""The message of a failing check: the order of its parts, and no secret."""

from __future__ import annotations

import json
import re

import pytest
from support import schemas
from support.running import Project
from teleproto_conformance.checks.failure import Failure, Mismatch
from teleproto_conformance.contract.keys import KEYS
from teleproto_conformance.contract.secrets import leaked_key
from teleproto_conformance.contract.trace import Step
from teleproto_conformance.findings import notation, signature
from teleproto_conformance.subjects.subject import Returned

SESSIONS = '''
import asyncio, logging, sys, warnings
from base64 import b64encode
from teleproto_sessions import AuthKey, MemorySession, StringSession, tl

class Forgets(MemorySession):
    """Returns only the key of the current data centre."""
    def get_auth_key(self, dc_id=None):
        return super().get_auth_key() if dc_id in (None, self.dc_id) else None

class Signed(StringSession):
    """Lowers every port above 32767 by one."""
    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, port - (port > 32767))

class Tells(StringSession):
    """Puts its arguments into errors, warnings, logs and output."""
    def __init__(self, saved=""):
        try:
            super().__init__(saved)
        except ValueError as error:
            raise ValueError(f"cannot read {saved}") from error

    def set_auth_key(self, auth_key, dc_id=None):
        key = auth_key.key if auth_key else None
        if not key:
            return super().set_auth_key(auth_key, dc_id)
        print("raw", key)
        print("numbers", list(key), file=sys.stderr)
        logging.getLogger("session").warning("base64 %s", b64encode(key))
        warnings.warn(f"hexadecimal {key.hex()}")
        super().set_auth_key(auth_key, dc_id)
        if dc_id is not None:
            raise ValueError(f"no room for {key.hex()}")

    def get_auth_key(self, dc_id=None):
        return self.save()

class Counts(MemorySession):
    """Loses its keys at the third call of set_dc()."""
    def set_dc(self, dc_id, server_address, port):
        self.chosen = getattr(self, "chosen", 0) + 1
        if self.chosen == 3:
            self.delete()
        super().set_dc(dc_id, server_address, port)

class Careless(MemorySession):
    """Accepts every port."""
    def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, min(max(port, 1), 65535))

class Stores(MemorySession):
    """Has a name, but stores nothing."""
    session_profile = "custom"
    def __init__(self, name):
        super().__init__()

class Own(BaseException):
    pass

def failing(error):
    class Failing(MemorySession):
        def set_dc(self, dc_id, server_address, port):
            error(self)
    return Failing

def exit(session):
    sys.exit(0)

def interrupt(session):
    raise KeyboardInterrupt

def recurse(session):
    recurse(session)

def own(session):
    raise Own("bare")

Exits, Interrupts, Recurses, Owns = map(failing, (exit, interrupt, recurse, own))

class Later(MemorySession):
    async def set_dc(self, dc_id, server_address, port):
        super().set_dc(dc_id, server_address, port)
'''


@pytest.fixture
def sessions(project: Project) -> Project:
    """A project with faulty sessions of many kinds in ``bad``."""
    project.write("bad.py", SESSIONS)
    return project


def test_a_message_has_the_calls_both_results_and_the_replay_command(
    sessions: Project,
) -> None:
    done = sessions.pytest("--session-impl=bad.Forgets", "-k", "KEY-3[before-the-current-dc-4]")
    message = _message(done.out)
    assert re.fullmatch(
        r"KEY-3 \(MUST\) [A-Z][^.]+\.\n\n"
        r"What was done    [A-Z][^.]+\.\n"
        r"    1  session = Forgets\(\)\n"
        r"    2  session\.load\(\)\n"
        r"(    \d  session\..+\n)*"
        r">   \d  session\.get_auth_key\(\d\)\n\n"
        r"Expected         key_[a-f]\n"
        r"Got              None\n"
        r"Why it matters   [^.]+\.\n"
        r"Source           .+\n(                 .+\n)*\n"
        r"Replay           pytest --session-impl=bad\.Forgets "
        r"-k 'KEY-3\[before-the-current-dc-4\]'",
        message,
    ), message


def test_a_drawn_history_is_shortened_unless_it_is_known(sessions: Project) -> None:
    sessions.write("known.yaml", "known: [{check: 'KEY-12[histories]', reason: It counts.}]\n")
    options = ("--session-impl=bad.Counts", "-k", "KEY-12[histories]")
    done = sessions.pytest(*options, "--session-report=cut.json")
    cut = " ".join(_message(done.out).split())
    assert ". The trace is shortened as far as possible. 1 session = Counts()" in cut
    assert cut.count("session.set_dc(") == 3
    sessions.pytest(*options, "--session-baseline=known.yaml", "--session-report=known.json")
    (known,) = schemas.read(sessions.path / "known.json")["results"]
    assert known["outcome"] == "known"
    assert known["finding"]["comment"].endswith("A shorter trace may fail as well.")
    assert len(known["finding"]["done"]) > cut.count(" session.")


def test_the_command_replays_a_case(sessions: Project) -> None:
    first = sessions.pytest("--session-impl=bad.Forgets", "-k", "KEY-3[before-the-current-dc-4]")
    (command,) = first.replays
    again = sessions.shell(command)
    assert again.code == 1
    assert _message(again.out) == _message(first.out)


def test_the_command_replays_a_generated_trace(sessions: Project) -> None:
    first = sessions.pytest("--session-impl=bad.Signed", "-k", "STR-15")
    (command,) = first.replays
    assert "session-replay/bad.Signed-STR-15" in command
    again = sessions.shell(command)
    assert again.code == 1
    assert "1 failed" in again.out
    assert _between(again.out, "    1  ", "Why it") == _between(first.out, "    1  ", "Why it")
    sessions.write("bad.py", SESSIONS.replace("port - (port > 32767)", "port"))
    assert sessions.shell(command).code == 0


def test_the_command_repeats_the_given_profile(sessions: Project) -> None:
    done = sessions.pytest(
        "--session-impl=bad.Forgets",
        "--session-profile=memory",
        "-k",
        "KEY-3[before-the-current-dc-4]",
    )
    (command,) = done.replays
    assert "--session-profile=memory" in command
    assert sessions.shell(command).replays == [command]


def test_a_call_that_the_suite_makes_is_shown(sessions: Project) -> None:
    done = sessions.pytest("--session-impl=bad.Stores", "-k", "LIFE-9[new-address")
    steps = [line[7:] for line in done.out.splitlines() if re.match(r"[> ] +\d+  ", line)]
    again = [place for place, step in enumerate(steps) if "the program drops" in step]
    assert {steps[place - 1] for place in again} == {"session.save()"}


def test_neither_a_key_nor_a_saved_string_is_shown(sessions: Project) -> None:
    done = sessions.pytest(
        "--session-impl=bad.Tells",
        "--session-report=report.json",
        "--session-report=report.md",
        "--junitxml=junit.xml",
        "-rA",
        "-k",
        "KEY or STR or SURFACE",
    )
    assert done.code == 1
    files = ("report.json", "report.md", "junit.xml")
    written = [(sessions.path / name).read_text(encoding="utf-8") for name in files]
    for text in (done.text, *written):
        assert "it is not shown" in text
        assert leaked_key(text) is None
        assert not re.search("[A-Za-z0-9+]{100}", text)


def test_the_detector_of_keys_finds_one() -> None:
    assert leaked_key(f"the key {KEYS['C'].hex()}") == "key C (hexadecimal)"


@pytest.mark.parametrize(
    ("session", "got"),
    [
        ("Exits", "SystemExit: 0"),
        ("Interrupts", "KeyboardInterrupt"),
        ("Recurses", "RecursionError: maximum recursion depth exceeded"),
        ("Owns", "Own: bare"),
        (
            "Later",
            "NotImmediate: set_dc returned something to await; it has to take effect at once",
        ),
    ],
)
def test_errors_that_no_caller_handles(sessions: Project, session: str, got: str) -> None:
    """DC-6 requires that its first call raises; none of these errors counts."""
    done = sessions.pytest(f"--session-impl=bad.{session}", "-k", "DC-1[ids-smallest] or DC-6[")
    assert done.code == 1
    assert " 0 passed" not in done.out
    assert f"Got              {got}" in done.out
    assert re.search(r"\n=+ 1 failed, \d+ deselected, \d+ SHOULD not met in ", done.out), done.out


def _message(output: str) -> str:
    """Return the text of the only failure."""
    (_, _, message) = output.partition("= FAILURES =")
    return message.split("\n", 2)[2].partition("\n----")[0].strip()


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]


def test_a_key_in_the_name_of_a_field_is_not_in_the_report() -> None:
    step = Step.parse({"get_auth_key": [], "gives": {"key": "A"}})
    failed = Mismatch(step=step, outcome=Returned({KEYS["A"].hex(): 1}))
    failure = Failure(done=(step,), mismatches=(failed,))
    assert leaked_key(json.dumps(notation.mismatches(failure))) is None
    assert leaked_key(signature.of(failure)) is None
