"""Failing histories are shortened to the steps that they need, in a limited number of attempts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from teleproto_conformance.checks.drawn.shortening import shortened
from teleproto_conformance.checks.failure import Failure, Mismatch
from teleproto_conformance.contract.trace import Step, Trace
from teleproto_conformance.subjects.subject import Hung, Returned

OPEN = (Step("open", []), Step("load", []))
ASK = Step("observe", {"dc_id": 2})
CLOSE = (Step("close", []), Step("reopen", []))
USERS = [{"_": "user", "id": str(number), "access_hash": "1"} for number in range(1, 6)]
CLUTTER = tuple(Step("set_dc", [dc, "192.0.2.1", 443]) for dc in range(1, 21))
SEEN = Step("process_entities", [USERS])


def _failed(steps: Trace, *, hung: bool = False, afterwards: bool = False) -> Failure:
    outcome = Hung(1.0) if hung else Returned(3)
    mismatch = Mismatch(step=ASK, outcome=outcome, member="dc_id")
    return Failure(done=steps, mismatches=(mismatch,), afterwards=afterwards)


def _cut(
    trace: Trace, needed: Trace, attempts: int = 400, hung: bool = False
) -> tuple[Failure, int]:
    """Shorten a trace that fails if it contains ``needed`` in order; count the attempts."""
    tried = 0

    def answered(steps: Trace) -> Trace | None:
        """Return the steps if a ``reopen`` follows each ``close`` at once, else None."""
        closed = [at for at, step in enumerate(steps) if step.operation == "close"]
        opened = [at for at, step in enumerate(steps) if step.operation == "reopen"]
        return steps if [at + 1 for at in closed] == opened else None

    def run(steps: Trace) -> Failure | None:
        nonlocal tried
        tried += 1
        left = iter(steps)
        fails = all(any(_holds(step, wanted) for step in left) for wanted in needed)
        return _failed(steps, hung=hung) if fails else None

    return shortened(_failed(trace), answered, run, attempts), tried


def _holds(step: Step, wanted: Step) -> bool:
    if step.operation != "process_entities" or wanted.operation != "process_entities":
        return step == wanted
    return all(entity in step.argument[0] for entity in wanted.argument[0])


@pytest.mark.parametrize(
    "needed",
    [
        (),
        (CLUTTER[0],),
        (CLUTTER[-1],),
        (CLUTTER[3], CLUTTER[12]),
        CLOSE,
        (CLUTTER[7], *CLOSE, CLUTTER[15]),
        (replace(SEEN, argument=[USERS[2:3]]),),
        (CLUTTER[4], replace(SEEN, argument=[[USERS[0], USERS[4]]])),
    ],
    ids=lambda needed: "-".join(step.operation for step in needed) or "nothing",
)
def test_only_the_needed_steps_stay(needed: Trace) -> None:
    trace = (*OPEN, *CLUTTER[:8], ASK, SEEN, ASK, *CLOSE, *CLUTTER[8:], ASK, ASK, ASK)
    failure, tried = _cut(trace, (*needed, ASK))
    assert failure.done == (*OPEN, *needed, ASK)
    assert failure.shortest
    assert tried < 80


def test_every_step_may_be_needed() -> None:
    trace = (*OPEN, *CLUTTER, ASK)
    failure, _ = _cut(trace, trace)
    assert failure.done == trace
    assert failure.shortest


@pytest.mark.parametrize("attempts", [0, 1, 5])
def test_it_stops_after_the_given_attempts(attempts: int) -> None:
    trace = (*OPEN, *CLUTTER, ASK)
    failure, tried = _cut(trace, trace, attempts)
    assert (failure.done, failure.shortest, tried) == (trace, False, attempts)


def test_it_stops_if_a_shorter_trace_hangs() -> None:
    trace = (*OPEN, *CLUTTER, ASK)
    failure, tried = _cut(trace, (ASK,), hung=True)
    assert (failure.done, failure.shortest, tried) == (trace, False, 1)


def test_a_shorter_trace_may_fail_at_an_earlier_step() -> None:
    """The whole trace fails in its last step; with fewer users in a step, in its fourth."""
    seen = [replace(SEEN, argument=[USERS[:2]]), ASK, *(SEEN for _ in range(4)), ASK]
    trace = (*OPEN, *seen)

    def run(steps: Trace) -> Failure | None:
        if len(steps) < len(trace):
            return None  # every step is needed
        fewer = next((at for at, step in enumerate(steps) if step not in trace), None)
        return _failed(steps if fewer is None else steps[:4])

    failure = shortened(_failed(trace), lambda steps: steps, run, 400)
    assert failure.done[:2] == OPEN
    assert len(failure.done) == 4
    assert failure.shortest


def test_a_failure_after_the_trace_needs_no_last_step() -> None:
    trace = (*OPEN, *CLUTTER, ASK, ASK)
    found = _failed(trace, afterwards=True)

    def run(steps: Trace) -> Failure | None:
        return replace(found, done=steps) if CLUTTER[4] in steps else None

    failure = shortened(found, lambda steps: steps, run, 400)
    assert failure.done == (*OPEN, CLUTTER[4])
