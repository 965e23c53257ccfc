"""Faults are found in processes that run one trace after the other, and none is made up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from known_bad import dur, program
from known_bad.blob import ThroughSession
from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.checks.failure import Failure
from teleproto_conformance.checks.sharing import PATIENCE, Sharing
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case
from teleproto_conformance.contract.trace import Trace
from teleproto_conformance.subjects import hosted
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import TRACES, Pool
from teleproto_conformance.subjects.process import HostProcess
from teleproto_conformance.subjects.subject import Returned, Subject

CONTRACT = vectors.load()
MADE: list[str] = []


class Counts(ThroughSession):
    """Is right in the first traces of a program, and then stores nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        MADE.append(name)

    def _put(self, path: Path, content: bytes) -> None:
        if len(MADE) < 10:
            super()._put(path, content)


class Soon(ThroughSession):
    """Is right in the first trace of a program, and then stores nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        MADE.append(name)

    def _put(self, path: Path, content: bytes) -> None:
        if {*MADE} == {path.parent.name}:
            super()._put(path, content)


class DeletesAll(ThroughSession):
    """Its delete() also deletes what the other sessions of the program have stored."""

    made: ClassVar[list[DeletesAll]] = []

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._home = Path.cwd()
        self.made.append(self)

    def delete(self) -> None:
        for session in self.made:
            assert session._home.is_dir()
        super().delete()


class WritesMore(ThroughSession):
    """Writes one more file, if the program has opened another session before."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        MADE.append(name)

    def _put(self, path: Path, content: bytes) -> None:
        if {*MADE} != {path.parent.name}:
            path.with_name("more").write_bytes(b"more")
        super()._put(path, content)

    def delete(self) -> None:
        self._path.with_name("more").unlink(missing_ok=True)
        super().delete()


class FirstInMemory(ThroughSession):
    """Stores nothing before the program has opened three sessions."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        MADE.append(name)

    def _put(self, path: Path, content: bytes) -> None:
        if len(MADE) > 2:
            super()._put(path, content)


class Tells(ThroughSession):
    """Answers with its process and its hash seed in place of an address."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, f"{os.getpid()} {hash('a')}", port)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Starts the processes that sessions run in."""
    made = ForkServer()
    yield made
    made.close()


def _pool(server: ForkServer, session: type[Any]) -> Pool:
    text = f"{session.__module__}:{session.__qualname__}"
    return Pool(server, text, sys.path, CONTRACT.members, 10)


def _checker(pool: Pool, session: type[Any]) -> Checker:
    profile = session.session_profile
    return Checker(CONTRACT, profile, hosted.driver(pool), scratch=in_memory())


def _cases(rule: str, profile: str) -> Iterator[Case]:
    for check in CONTRACT.checks(profile):
        if check.rule == rule and isinstance(check, Case):
            yield check


@pytest.mark.parametrize(
    "session",
    [
        dur.KeepsAllInTheProgram,
        program.SecretOfTheProgram,
        program.NamedByItsHash,
        FirstInMemory,
    ],
)
def test_a_fault_that_a_program_conceals_is_found(session: type[Any], server: ForkServer) -> None:
    pool = _pool(server, session)
    sharing = Sharing(_checker(pool, session), pool, forgiving=True)
    profile = session.session_profile
    for case in islice(_cases("DC-1", profile), 5):
        assert sharing.run(case) is None
    assert pool.reused
    assert any(sharing.run(case) is not None for case in _cases("DUR-1", profile))
    assert pool.keep
    pool.close()


def test_a_class_that_takes_a_name_may_fail_in_a_used_process(server: ForkServer) -> None:
    pool = _pool(server, Soon)
    sharing = Sharing(_checker(pool, Soon), pool, forgiving=True)
    forgiven = 0
    for case in islice(_cases("STORE-2", "store"), 12):
        assert sharing.run(case) is None
        forgiven += sharing.forgiven
        assert pool.keep == (forgiven < PATIENCE)
    assert forgiven == PATIENCE
    pool.close()


def test_but_not_only_after_many_traces(server: ForkServer) -> None:
    pool = _pool(server, Counts)
    sharing = Sharing(_checker(pool, Counts), pool, forgiving=True)
    failures = [sharing.run(case) for case in islice(_cases("STORE-2", "store"), 12)]
    found = [failure for failure in failures if failure is not None]
    assert found[0].repeats == "not every time"
    assert not sharing.forgiven
    pool.close()


def test_a_known_failure_is_repeated_once_for_each_rule(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = _pool(server, Tells)
    checker = _checker(pool, Tells)
    repeated: list[Trace] = []

    def replay(checker: Checker, trace: Trace) -> Failure | None:
        repeated.append(trace)
        return played(checker, trace)

    played = Checker.replay
    monkeypatch.setattr(Checker, "replay", replay)
    sharing = Sharing(checker, pool, forgiving=True)
    known = [sharing.run(case, known=True) for case in islice(_cases("DC-1", "store"), 4)]
    assert all(known)
    assert len(repeated) == 1
    assert sharing.run(next(_cases("DC-1", "store"))) is not None
    assert len(repeated) == 2
    pool.close()


def test_the_files_of_earlier_traces_stay_until_the_process_ends(
    server: ForkServer, tmp_path: Path
) -> None:
    pool = _pool(server, DeletesAll)
    profile = DeletesAll.session_profile
    checker = Checker(CONTRACT, profile, hosted.driver(pool), scratch=tmp_path)
    sharing = Sharing(checker, pool, forgiving=True)
    cases = [*islice(_cases("LIFE-6", "store"), 5)]
    for case in cases:
        assert sharing.run(case) is None
        assert not sharing.forgiven
    assert pool.reused
    assert len([*tmp_path.iterdir()]) == len(cases)
    pool.close()
    assert not [*tmp_path.iterdir()]


def test_a_process_ends_after_so_many_traces(server: ForkServer, tmp_path: Path) -> None:
    pool = _pool(server, ThroughSession)
    checker = Checker(CONTRACT, "store", hosted.driver(pool), scratch=tmp_path)
    case = next(_cases("SURFACE-1", "store"))
    kept = []
    for _ in range(2 * TRACES + 1):
        assert checker.replay(case.trace, alone=False) is None
        kept.append(len([*tmp_path.iterdir()]))
    assert max(kept) == TRACES - 1
    assert kept[-1] == 1
    pool.close()


def test_another_class_may_not_fail_there(server: ForkServer) -> None:
    pool = _pool(server, Counts)
    sharing = Sharing(_checker(pool, Counts), pool, forgiving=False)
    failures = [sharing.run(case) for case in islice(_cases("STORE-2", "store"), 12)]
    found = [failure for failure in failures if failure is not None]
    assert found[0].repeats == "not alone"
    assert pool.keep
    pool.close()


def _program(subject: Subject, session: str = "session", process: str = "") -> tuple[str, str]:
    """Open a session, and return its process and its hash."""
    assert subject.open(session, ["my-account"], process) == Returned()
    assert subject.call(session, "load", []) == Returned()
    assert subject.call(session, "set_dc", [2, "149.154.167.51", 443]) == Returned()
    told = subject.get(session, "server_address")
    assert isinstance(told, Returned)
    pid, of_text = told.value.split()
    return pid, of_text


def test_the_next_trace_gets_the_process_of_the_last_unless_it_is_alone(
    server: ForkServer, tmp_path: Path
) -> None:
    pool = _pool(server, Tells)
    drive = hosted.driver(pool)

    def trace(*, alone: bool) -> str:
        with drive(tmp_path, alone=alone) as subject:
            pid, _ = _program(subject)
            assert subject.finish() == Returned()
            return pid

    first, second = trace(alone=False), trace(alone=False)
    assert first == second
    assert trace(alone=True) != first
    assert trace(alone=False) == first
    pool.close()


@pytest.mark.parametrize("alone", [False, True])
def test_the_first_trace_gets_the_process_that_said_hello(
    alone: bool, server: ForkServer, tmp_path: Path
) -> None:
    pool = _pool(server, Tells)
    pid = pool.hello().pid
    pool.renew()
    with hosted.driver(pool)(tmp_path, alone=alone) as subject:
        assert _program(subject)[0] == str(pid)
        assert subject.end("session", "kill") == Returned()
        assert _program(subject)[0] != str(pid)
    assert not pool.reused
    pool.close()


@pytest.mark.parametrize("dear", [False, True])
def test_each_rule_begins_in_a_new_process_or_each_chapter(dear: bool, server: ForkServer) -> None:
    pool = _pool(server, ThroughSession)
    sharing = Sharing(replace(_checker(pool, ThroughSession), dear=dear), pool, forgiving=True)
    first = []
    for rule in ("DC-1", "DC-2", "DC-3", "KEY-1", "KEY-2"):
        for case in islice(_cases(rule, "store"), 2):
            assert sharing.run(case) is None
            if not pool.reused:
                first.append(rule)
    assert first == (["DC-1", "KEY-1"] if dear else ["DC-1", "DC-2", "DC-3", "KEY-1", "KEY-2"])
    pool.close()


def test_a_young_process_has_played_only_the_end_of_one_trace(
    server: ForkServer, tmp_path: Path
) -> None:
    pool = _pool(server, Tells)
    drive = hosted.driver(pool)

    def trace(*, young: bool, restarts: bool = True) -> list[str]:
        with drive(tmp_path, alone=True, young=young) as subject:
            pids = [_program(subject)[0]]
            if restarts:
                assert subject.end("session", "kill") == Returned()
                pids.append(_program(subject)[0])
            assert subject.finish() == Returned()
            return pids

    first, ended = trace(young=True)
    again, ended_again = trace(young=True)
    assert again == ended
    new, ended_third = trace(young=False)
    assert new not in {first, ended, ended_again}
    assert trace(young=True, restarts=False) == [ended_third]
    assert trace(young=True)[0] != ended_third
    pool.close()


@pytest.mark.parametrize(
    ("session", "rule", "starts"),
    [
        (ThroughSession, "DUR-3", lambda points: 2 + points),
        (ThroughSession, "DUR-4", lambda points: points),
        (WritesMore, "DUR-3", None),
        (WritesMore, "DUR-4", None),
    ],
)
def test_changes_in_a_used_process_are_interrupted_where_they_are_in_a_new_one(
    session: type[Any],
    rule: str,
    starts: Callable[[int], int] | None,
    server: ForkServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launched: list[int] = []
    launch = Pool._launch_one

    def launch_one(pool: Pool, unlike: int | None) -> HostProcess:
        launched.append(1)
        return launch(pool, unlike)

    monkeypatch.setattr(Pool, "_launch_one", launch_one)
    tried = []
    for dear in (False, True):
        pool = _pool(server, session)
        checker = replace(_checker(pool, session), dear=dear)
        launched.clear()
        assert checker.run(next(_cases(rule, "store"))) is None
        tried.append([(point.call, point.number) for point in checker.tried])
        pool.close()
    assert tried[0] == tried[1]
    points = len(tried[0])
    assert points > 2
    if starts is None:
        assert len(launched) > (2 + 2 * points if rule == "DUR-3" else points)
    else:
        assert len(launched) <= starts(points)


@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize("alone", [False, True])
def test_each_further_program_of_a_trace_is_new_and_hashes_otherwise(
    alone: bool, spare: int, server: ForkServer, tmp_path: Path
) -> None:
    pool = _pool(server, Tells)
    pool.spare = spare
    drive = hosted.driver(pool)
    seen: list[str] = []
    for _ in range(3):
        with drive(tmp_path, alone=alone) as subject:
            programs = [_program(subject)]
            for how in ("kill", "exit", "kill"):
                assert subject.end("session", how) == Returned()
                programs.append(_program(subject))
            programs.append(_program(subject, "other", "other"))
            assert subject.finish() == Returned()
        assert all(one != other for (_, one), (_, other) in pairwise(programs))
        pids = [pid for pid, _ in programs]
        assert not {*pids[1:]} & {*seen}
        assert (pids[0] in seen) == (not alone and bool(seen))
        seen += pids
        assert len({*pids}) == 5
    pool.close()
