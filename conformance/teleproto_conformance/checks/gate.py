"""The gate: checks that come before all others. A class that fails one is not checked further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..contract import trace as traces
from ..contract.rules import Case, Check
from .failure import Failure


def failures(
    checks: Sequence[Check], run: Callable[[Check], Failure | None]
) -> list[tuple[Check, Failure]]:
    """Return the checks that fail. Stop at the first that cannot construct its session.

    Most classes pass. So all checks first run as one trace. If it fails, they run one by one.
    """
    joined = _joined(checks)
    if joined is not None:
        failure = run(joined)
        if failure is None:
            return []
        if _cannot_open(failure):
            return [(checks[0], failure)]
    found = []
    for check in checks:
        failure = run(check)
        if failure is not None:
            found.append((check, failure))
            if _cannot_open(failure):
                break
    return found


def _joined(checks: Sequence[Check]) -> Case | None:
    """Return one case for all the checks, if they differ in their last step only."""
    cases = [check for check in checks if isinstance(check, Case)]
    beginnings = [case.trace[:-1] for case in cases]
    if not cases or len(cases) < len(checks) or beginnings.count(beginnings[0]) < len(cases):
        return None
    trace = (*beginnings[0], *(case.trace[-1] for case in cases))
    return replace(cases[0], notation=traces.dump(trace))


def _cannot_open(failure: Failure) -> bool:
    return failure.done[-1].operation == "open"
