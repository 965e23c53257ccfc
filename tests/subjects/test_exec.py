"""Sessions behind a host that the user names, and hosts that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.running import ROOT, Project

PERL_HOST = ROOT / "examples" / "perl_host.pl"


def _exec(*words: str | Path) -> str:
    quoted = " ".join(f"'{word}'" for word in words)
    return f"--session-impl=exec:{quoted}"


def test_the_session_in_perl_meets_every_rule(project: Project) -> None:
    done = project.pytest(_exec("perl", PERL_HOST), "--session-strict", timeout=120)
    assert done.code == 0, done.text
    (verdict,) = [line for line in done.out.splitlines() if "checks passed" in line]
    assert "perl_host.pl' (memory): passes, " in verdict
    passed, of, every = verdict.partition("passes, ")[2].split()[:3]
    assert of == "of"
    assert passed == every
    assert int(passed) > 1000


def test_the_command_is_found_in_the_directory_of_pytest(project: Project) -> None:
    project.write("hosts/mine.pl", PERL_HOST.read_text(encoding="utf-8"))
    done = project.pytest("--session-impl=exec:perl hosts/mine.pl", "-k", "FRESH-1")
    assert done.code == 0, done.text


def test_a_failing_check_shows_what_the_session_printed(project: Project) -> None:
    source = PERL_HOST.read_text(encoding="utf-8")
    broken = source.replace(
        "sub dc_id ($self) { return $self->{dc_id} }",
        'sub dc_id ($self) { print "asked for it"; warn "still"; return 7 }',
    )
    assert broken != source
    project.write("mine.pl", broken)
    done = project.pytest("--session-impl=exec:perl mine.pl", "-k", "FRESH-1[before-load]")
    assert done.code == 1, done.text
    assert "Got              7" in done.out
    assert "asked for it" in done.out
    assert "still at mine.pl line" in done.out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("no-such-program --fast", "the program no-such-program does not exist or cannot be run"),
        ("./host.pl", "the program ./host.pl does not exist or cannot be run"),
        ("", "write exec: and the command that starts a host"),
        ("  ", "write exec: and the command that starts a host"),
        ("perl 'host.pl", "it is not a valid command (no closing quotation)"),
    ],
)
def test_a_command_that_starts_nothing_is_refused_in_one_line(
    project: Project, command: str, says: str
) -> None:
    line = project.pytest(f"--session-impl=exec:{command}").refusal()
    assert line.startswith(f"--session-impl=exec:{command}: {says}")


HELLO = """
import json, os, sys
request = json.loads(sys.stdin.readline())
said = {"protocol": 1, "language": "python", "name": "Mine", "pid": os.getpid()}
said |= {"promised": "memory", "guess": None}
"""

USELESS = {
    "prints-before-it-answers": (
        "print('good morning', flush=True)\n" + HELLO + "print(json.dumps({'returned': said}))\n",
        "the program wrote into the answer channel of its host",
    ),
    "answers-without-a-word": (
        HELLO + "print('{}')\n",
        "the host's answer has no members; it must have returned, raised, refused or fault",
    ),
    "dies-at-once": (
        "import sys\nprint('starting', file=sys.stderr)\nsys.exit('no such engine')\n",
        "the process ended itself with exit code 1 (no such engine)",
    ),
    "is-killed": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        "the process was ended by SIGKILL",
    ),
    "speaks-an-older-protocol": (
        HELLO + "said['protocol'] = 0\nprint(json.dumps({'returned': said}), flush=True)\n"
        "sys.stdin.read()\n",
        "its host speaks protocol 0, and this suite 1",
    ),
    "leaves-something-out": (
        HELLO + "del said['pid'], said['guess']\n"
        "print(json.dumps({'returned': said}), flush=True)\nsys.stdin.read()\n",
        "its host left pid, guess out of its answer to hello (spec/HOSTS.md)",
    ),
    "says-no-versions": (
        HELLO + "said['versions'] = {'Engine': 4}\n"
        "print(json.dumps({'returned': said}), flush=True)\nsys.stdin.read()\n",
        "`versions` in the answer to hello must map names to non-empty strings",
    ),
    "fails-itself": (
        HELLO + "print(json.dumps({'fault': 'no members'}), flush=True)\nsys.stdin.read()\n",
        "the host failed, not the session: no members",
    ),
    "is-nested-too-deeply": (
        HELLO + "print('{\"returned\":' + '[' * 100000 + ']' * 100000 + '}', flush=True)\n"
        "sys.stdin.read()\n",
        "the program wrote into the answer channel of its host",
    ),
    "closes-the-channel": (
        HELLO + "os.close(1)\nsys.stdin.read()\n",
        "the process closed the channel to the suite",
    ),
}


@pytest.mark.parametrize("name", USELESS)
def test_a_broken_host_is_refused_in_one_line(project: Project, name: str) -> None:
    program, says = USELESS[name]
    path = project.write("host.py", program)
    line = project.pytest(_exec(sys.executable, path), timeout=30).refusal()
    assert line.startswith("--session-impl=exec:")
    assert says in line


def test_a_script_that_waits_for_its_host_is_refused_in_one_line(project: Project) -> None:
    project.write("host.sh", f"perl '{PERL_HOST}'\nexit 0\n")
    line = project.pytest("--session-impl=exec:sh host.sh").refusal()
    assert line.startswith("--session-impl=exec:sh host.sh: process ")
    assert " answers, but the suite started process " in line
    assert "if a script starts the host, use `exec` there" in line


def test_if_the_host_refuses_a_class_its_reason_is_shown(project: Project) -> None:
    says = (
        "print(json.dumps({'refused': 'there is no such class'}), flush=True)\nsys.stdin.read()\n"
    )
    path = project.write("host.py", HELLO + says)
    assert project.pytest(_exec(sys.executable, path)).refusal() == "there is no such class"


def test_an_unknown_profile_is_refused_in_one_line(project: Project) -> None:
    program = HELLO + (
        "said['promised'] = 'cloud'\nprint(json.dumps({'returned': said}), flush=True)\n"
        "sys.stdin.read()\n"
    )
    line = project.pytest(_exec(sys.executable, project.write("host.py", program))).refusal()
    assert "there is no profile 'cloud'; use one of memory, string, store" in line


def test_a_host_that_does_not_answer_hello_is_given_up(project: Project) -> None:
    project.write(
        "conftest.py",
        "from teleproto_conformance.subjects import pool\npool._IMPORTING = 1.0\n",
    )
    path = project.write("host.py", "import sys, time\nsys.stdin.read(1)\ntime.sleep(60)\n")
    line = project.pytest(_exec(sys.executable, path), timeout=30).refusal()
    assert line.startswith("--session-impl=exec:")
    assert "importing it took longer than 1 seconds" in line


def test_a_fault_during_a_check_fails_the_run_and_blames_the_host(project: Project) -> None:
    source = PERL_HOST.read_text(encoding="utf-8")
    broken = source.replace('die "there is no key', 'die "there is NO key')
    broken = broken.replace("{ $value->{key} } // die", "{ $value->{key} . '?' } // die")
    assert broken != source
    project.write("mine.pl", broken)
    done = project.pytest("--session-impl=exec:perl mine.pl", "-k", "DC-1[ids-smallest] or KEY-1[")
    assert done.code == 1, done.text
    assert "the host failed, not the session: there is NO key" in done.out
    assert "Traceback" not in done.text
    assert "INTERNALERROR" not in done.text
    assert "1 passed" in done.out
