"""The tracer, tested on programs that behave like sessions."""

from __future__ import annotations

import errno
import os
import platform
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.tracees import Tracee, tracee
from teleproto_conformance.errors import ConformanceError, Impossible
from teleproto_conformance.subjects.tracing.system_calls import OPENS, READS, WRITES, Call
from teleproto_conformance.subjects.tracing.tracer import (
    Action,
    Fail,
    Kill,
    Shorten,
    Tracer,
)

EVERY = (*OPENS, *READS, *WRITES)
RENAME, MKDIR = ("renameat", "mkdirat") if platform.machine() == "aarch64" else ("rename", "mkdir")
"""The names of the calls that Python makes on this machine."""


def listed(calls: list[Call], directory: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Return the calls on files of a directory: their names, and the names of the files."""
    return [
        (call.name, tuple(Path(file).name for file in call.files))
        for call in calls
        if any(file.startswith(f"{directory}/") for file in call.files)
    ]


def at(name: str, action: Action, number: int = 1) -> Callable[[Call], Action | None]:
    """Return a decider that acts at the ``number``-th call of that name on a ``.txt`` file."""
    seen = 0

    def decide(call: Call) -> Action | None:
        nonlocal seen
        if call.name == name and any(file.endswith(".txt") for file in call.files):
            seen += 1
            return action if seen == number else None
        return None

    return decide


def ask(program: Tracee, request: str, **options: Any) -> tuple[str, list[Call]]:
    """Make the program do something while it is traced."""
    options.setdefault("decide", lambda call: None)
    with Tracer(program.pid, EVERY, **options) as tracer:
        answer = program.ask(request)
    return answer, tracer.calls


CHANGE = [
    ("openat", ("new.txt",)),
    ("write", ("new.txt",)),
    (RENAME, ("new.txt", "kept.txt")),
]


@pytest.mark.parametrize("request_", ["write", "in_a_thread"])
def test_the_calls_of_a_change_are_listed_in_their_order(tmp_path: Path, request_: str) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, request_)
        assert answer == "done"
        assert listed(calls, tmp_path) == CHANGE
        assert [call.result for call in calls if call.name == "write"] == [10]
        assert [call.name for call in calls if call.changes] == ["openat", "write", RENAME]


def test_the_calls_of_a_child_are_seen(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, "in_a_child")
        assert answer == "done"
        assert (MKDIR, ("made",)) in listed(calls, tmp_path)
        assert program.ask("in_a_thread") == "done"


def test_reads_are_listed_too(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("text", encoding="utf-8")
    with tracee(tmp_path) as program:
        answer, calls = ask(program, "read")
    assert answer == "done"
    assert [name for name, _ in listed(calls, tmp_path)] == ["openat", "read", "read"]
    assert not any(call.changes for call in calls)


def test_messages_between_threads_are_ignored(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, "among_themselves")
    assert answer == "done"
    assert [call for call in calls if call.name in WRITES] == []


def test_messages_to_another_program_are_seen(tmp_path: Path) -> None:
    place = str(tmp_path / "socket")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind(place)
        unix.listen()
        with tracee(tmp_path, str(tcp.getsockname()[1]), place) as program:
            answer, calls = ask(program, "to_others")
    assert answer == "done"
    assert [call.name for call in calls if call.name in WRITES] == ["sendto", "sendto"]


@pytest.mark.parametrize("request_", ["write", "in_a_thread"])
@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("openat", errno.EACCES, "PermissionError"),
        ("write", errno.ENOSPC, "OSError"),
        (RENAME, errno.EIO, "OSError"),
    ],
)
def test_a_call_fails(tmp_path: Path, request_: str, name: str, number: int, said: str) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, request_, decide=at(name, Fail(number)))
        assert answer == f"{said} {number}"
        assert calls[-1].result == -number
        assert not (tmp_path / "kept.txt").exists()
        assert (tmp_path / "new.txt").exists() == (name != "openat")
        assert program.ask(request_) == "done"
        assert (tmp_path / "kept.txt").read_text(encoding="utf-8") == "0123456789"


@pytest.mark.parametrize("name", ["openat", "read"])
def test_reading_fails(tmp_path: Path, name: str) -> None:
    (tmp_path / "kept.txt").write_text("text", encoding="utf-8")
    with tracee(tmp_path) as program:
        assert ask(program, "read", decide=at(name, Fail(errno.EIO)))[0] == f"OSError {errno.EIO}"
        assert program.ask("read") == "done"


def test_a_write_writes_only_half_of_its_bytes(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, "write", decide=at("write", Shorten()))
        assert calls[-1].result == 5
        assert answer == "done"
    # A program that checks the result writes the rest.
    assert (tmp_path / "kept.txt").read_text(encoding="utf-8") == "0123456789"


@pytest.mark.parametrize("request_", ["write", "in_a_thread"])
def test_a_program_is_killed_before_a_call(tmp_path: Path, request_: str) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, request_, decide=at(RENAME, Kill()))
        assert answer == str(-signal.SIGKILL)
        assert listed(calls, tmp_path) == CHANGE
        assert calls[-1].result is None
    assert (tmp_path / "new.txt").read_text(encoding="utf-8") == "0123456789"
    assert not (tmp_path / "kept.txt").exists()


def test_a_program_gets_its_signals_and_is_released(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        for _ in range(50):
            assert ask(program, "handles")[0] == "done"
            assert program.status["TracerPid"] == "0"
        assert program.status["State"].startswith(("S", "R"))
        assert program.ask("write") == "done"


def test_a_program_that_stops_itself_stays_stopped_until_sigcont(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        with Tracer(program.pid, EVERY, lambda call: None):
            program.tell("stops")
            _until(lambda: program.status["State"].startswith("t"))
            assert not _answers(program, 0.2)
            # SIGCONT sent before the stop is complete is lost, with or without a tracer.
            os.kill(program.pid, signal.SIGCONT)
            assert program.hear() == "done"
        assert program.ask("write") == "done"


TRACES = """
import sys
from teleproto_conformance.subjects.tracing.system_calls import WRITES
from teleproto_conformance.subjects.tracing.tracer import Tracer
with Tracer(int(sys.argv[1]), WRITES, lambda call: None):
    print("traced", flush=True)
    sys.stdin.read()
"""


def test_if_the_suite_is_killed_the_traced_program_ends_too(tmp_path: Path) -> None:
    with (
        tracee(tmp_path) as program,
        subprocess.Popen(
            [sys.executable, "-c", TRACES, str(program.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as suite,
    ):
        assert suite.stdout is not None
        assert suite.stdout.readline() == "traced\n"
        assert Path(f"/proc/{suite.pid}/task", program.status["TracerPid"]).exists()
        suite.kill()
        assert program.hear() == str(-signal.SIGKILL)


def test_a_process_that_is_already_traced_is_refused_and_runs_on(tmp_path: Path) -> None:
    with tracee(tmp_path) as program, Tracer(program.pid, WRITES, lambda call: None):
        with pytest.raises(Impossible, match="does not let") as refused:
            Tracer(program.pid, WRITES, lambda call: None).__enter__()
        assert "debugger" in refused.value.remedy
        assert program.ask("write") == "done"


@pytest.mark.parametrize("reaped", [True, False])
def test_a_process_that_has_ended_has_no_calls(tmp_path: Path, reaped: bool) -> None:
    """The tracer raises no error: the next request to the process finds that it has ended."""
    if reaped:
        with tracee(tmp_path) as program:
            os.kill(program.pid, signal.SIGKILL)
            assert program.hear() == str(-signal.SIGKILL)
            with Tracer(program.pid, WRITES, lambda call: None) as tracer:
                pass
    else:
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            _until(lambda: Path(f"/proc/{ended.pid}/stat").read_text().split()[2] == "Z")
            with Tracer(ended.pid, WRITES, lambda call: None) as tracer:
                pass
    assert tracer.calls == []


def test_an_error_of_the_tracer_is_reported_as_its_own(tmp_path: Path) -> None:
    def decide(call: Call) -> None:
        raise LookupError(call.name)

    with tracee(tmp_path) as program:
        with (
            pytest.raises(ConformanceError, match="the tracer failed: LookupError: openat"),
            Tracer(program.pid, OPENS, decide),
        ):
            assert program.ask("write") == "done"  # fails: the program is killed
        assert program.status == {}


def test_earlier_children_are_traced_too(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        assert program.ask("helper") == "done"
        answer, calls = ask(program, "by_the_helper")
        assert answer == "done"
        assert (MKDIR, ("by-the-helper",)) in listed(calls, tmp_path)


def test_a_program_that_sends_itself_sigcont_is_released(tmp_path: Path) -> None:
    """SIGCONT cancels the signal that wakes the tracer."""
    with tracee(tmp_path) as program:
        assert program.ask("goes_on") == "done"
        for _ in range(20):
            assert ask(program, "write")[0] == "done"
        assert not program.status["State"].startswith(("T", "t"))


def test_a_datagram_to_another_program_is_seen(tmp_path: Path) -> None:
    place = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(place)
        with tracee(tmp_path, place) as program:
            answer, calls = ask(program, "datagrams")
    assert answer == "done"
    assert [call.name for call in calls if call.name in WRITES] == ["sendto"]


def test_new_fifos_and_attributes_are_seen(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        answer, calls = ask(program, "makes")
    assert answer == "done"
    made = [name for name, _ in listed(calls, tmp_path)]
    assert made == ["mknod", "setxattr"] or made == ["mknodat", "setxattr"]


def test_threads_that_start_and_end_do_no_harm(tmp_path: Path) -> None:
    with tracee(tmp_path) as program:
        assert program.ask("bustle") == "done"
        for _ in range(50):
            answer, calls = ask(program, "write")
            assert answer == "done"
            assert listed(calls, tmp_path) == CHANGE
            (tmp_path / "kept.txt").unlink()


def _answers(program: Tracee, seconds: float) -> bool:
    assert program.between.stdout is not None
    return bool(select.select([program.between.stdout.fileno()], [], [], seconds)[0])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
