"""Correct sessions of very different designs pass the whole suite, without a false alarm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.checks.effort import EFFORTS, Effort
from teleproto_conformance.checks.sharing import Sharing
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Check, Generated
from teleproto_conformance.findings import telling
from teleproto_conformance.findings.words import PYTHON
from teleproto_conformance.subjects import hosted
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool

CONTRACT = vectors.load()
PATH = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "examples"), *sys.path]
SESSIONS = [
    "correct.plain.PlainSession",
    "correct.plain.GroupsSession",
    "correct.bytes_keys.BytesSession",
    "correct.slotted.SlottedSession",
    "correct.duck.DuckSession",
    "correct.struct_string.StructStringSession",
    "correct.struct_string.ForgivingStringSession",
    "correct.json_store.JsonStoreSession",
    "correct.log_store.LogSession",
    "correct.threaded.ThreadedSession",
    "correct.threaded.PooledSession",
    "correct.asynchronous.AsyncSession",
    "correct.strict.StrictSession",
    "correct.key_value:key_value_session",
    "correct.locked:locked_session",
    "sqlite_session.SqliteSession",
]
REFERENCE = [
    "teleproto_sessions.MemorySession",
    "teleproto_sessions.StringSession",
    "teleproto_sessions.StoreSession",
]
"""Only drawn checks run on them here. ``tox run -e conformance`` runs the whole suite on them."""
SEEDS = range(4)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Start the processes in which sessions run."""
    made = ForkServer()
    yield made
    made.close()


def findings(server: ForkServer, session: str, effort: Effort, *, drawn: bool) -> Iterator[str]:
    """Run all checks, or only the drawn ones, and yield a line for each failure."""
    pool = Pool(server, session, PATH, CONTRACT.members, 10)
    profile = pool.hello().promised
    assert isinstance(profile, str)
    checker = Checker(CONTRACT, profile, hosted.driver(pool), effort=effort, scratch=in_memory())
    sharing = Sharing(checker, pool, forgiving=checker.promise.takes == "name")

    def tell(check: Check) -> Iterator[str]:
        failure = sharing.run(check)
        if failure is not None:
            steps = "; ".join(PYTHON.step(step) for step in failure.done)
            expected, got = telling.expected(failure, PYTHON), telling.got(failure, PYTHON)
            yield f"{check.id}: {steps}: expected {expected}, got {got}"

    for check in CONTRACT.checks(profile):
        if isinstance(check, Generated) or not drawn:
            yield from tell(check)
    assert pool.keep, "a correct session was given a new process for each trace"
    pool.close()


@pytest.mark.parametrize("session", SESSIONS)
def test_has_no_finding(session: str, server: ForkServer) -> None:
    found = list(findings(server, session, EFFORTS["quick"], drawn=False))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("session", [*SESSIONS, *REFERENCE])
def test_has_no_finding_with_another_seed(session: str, seed: int, server: ForkServer) -> None:
    effort = replace(EFFORTS["quick"], seed=seed)
    found = list(findings(server, session, effort, drawn=True))
    assert not found, "\n".join(found)
