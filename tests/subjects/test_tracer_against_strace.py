"""The tracer sees the calls that strace sees.

Needs strace on PATH, or in the variable STRACE.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from javascript import installed
from support.running import ROOT
from teleproto_conformance.contract import vectors
from teleproto_conformance.subjects import hosted, programs
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool
from teleproto_conformance.subjects.subject import Returned
from teleproto_conformance.subjects.tracing.system_calls import WRITES

STRACE = os.environ.get("STRACE") or shutil.which("strace")
pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed to compare with")

MEMBERS = vectors.load().members
TESTS = ROOT / "tests"
NODE = ROOT / "examples" / "node"
SESSIONS = [
    "teleproto_sessions.StoreSession",
    "examples.sqlite_session.SqliteSession",
    "correct.threaded.ThreadedSession",
    "correct.threaded.PooledSession",
    "correct.key_value:key_value_session",
    "correct.asynchronous.AsyncSession",
    "node:./sqlite-session.js#SqliteSession",
]
KEY_A, KEY_B = {"key": "A"}, {"key": "B"}
USER = {"_": "user", "id": "5123456789", "access_hash": "7", "username": "somebody"}
CHANGE: list[tuple[str, list[Any]]] = [
    ("set_dc", [4, "149.154.167.91", 443]),
    ("set_auth_key", [KEY_B]),
    ("process_entities", [{"_": "vector", "users": [USER]}]),
    ("save", []),
]

LINE = re.compile(r"\d+ +(\w+)\((.*)")
INSIDE = re.compile(r"\d+<(?:pipe:\[|anon_inode:|UNIX-STREAM:\[\d+->\d+\]>)")


@contextlib.contextmanager
def subject(session: str, workdir: Path) -> Iterator[hosted.HostSubject]:
    """A session that is logged in and saved."""
    base = NODE if session.startswith("node:") else ROOT
    server = ForkServer(programs.program(session, base))
    pool = Pool(server, session, [str(base), str(TESTS), *sys.path], MEMBERS, 20)
    pool.hello()
    try:
        with hosted.HostSubject(pool, workdir) as made:
            made.open("session", ["my-account"], "")
            for member, arguments in (
                ("load", []),
                ("set_dc", [2, "149.154.167.51", 443]),
                ("set_auth_key", [KEY_A]),
                ("save", []),
            ):
                assert isinstance(made.call("session", member, [*arguments]), Returned)
            yield made
    finally:
        pool.close()
        server.close()


def change(made: hosted.HostSubject) -> None:
    """Log in at another data centre, and see a user."""
    for member, arguments in CHANGE:
        assert isinstance(made.call("session", member, [*arguments]), Returned)


MADE_UP = re.compile(r"[0-9a-f]{64}|(?<=new-)[0-9a-z_]{8}|tmp[0-9a-z_]{8}|(?<=[.+])[0-9]+\b")
"""Random parts of file names, and process numbers."""


def normal(call: str) -> str:
    """Return the call without the random parts of file names."""
    name, _, files = call.partition("(")
    return f"{name}({MADE_UP.sub('*', files)}"


def by_strace(made: hosted.HostSubject, log: Path) -> Counter[str]:
    """Count the calls of a change with strace."""
    pid = made._processes[""].pid
    traced = ",".join(f"?{name}" for name in WRITES)
    command = [str(STRACE), "-f", "-yy", "-s", "0", "-e", f"trace={traced}", "-e", "signal=none"]
    with subprocess.Popen(
        [*command, "-o", str(log), "-p", str(pid)], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        change(made)
        strace.send_signal(signal.SIGINT)
    found: Counter[str] = Counter()
    for line in log.read_text("utf-8", "replace").splitlines():
        match = LINE.match(line)
        if match is None or INSIDE.match(match[2]):
            continue
        held = re.match(r"\d+<([^>]*)>", match[2])
        files = [held[1]] if held else re.findall(r'"([^"]*)"', match[2])
        names = ", ".join(name.rpartition("/")[2] for name in files if "[" not in name)
        found[normal(f"{match[1]}({names})")] += 1
    return found


def by_tracer(made: hosted.HostSubject) -> Counter[str]:
    """Count the calls of a change with the suite's tracer."""
    with made.fault("session", "kill", None, "writes") as fault:
        change(made)
    return Counter(normal(point.what) for point in fault.points)


@pytest.mark.parametrize("session", SESSIONS)
def test_both_see_the_same(session: str, tmp_path: Path) -> None:
    if session.startswith("node:"):
        installed.install(NODE)
    workdirs = tmp_path / "one" / "work", tmp_path / "other" / "work"
    for workdir in workdirs:
        workdir.mkdir(parents=True)
    with subject(session, workdirs[0]) as made:
        theirs = by_strace(made, tmp_path / "log")
    with subject(session, workdirs[1]) as made:
        ours = by_tracer(made)
    assert ours == theirs
    assert ours.total() > 0
