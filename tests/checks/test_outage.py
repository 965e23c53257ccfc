"""The storage is tried after some failures that are alike, and once for each kind."""

from __future__ import annotations

import pytest
from teleproto_conformance.checks.failure import Failure, Mismatch
from teleproto_conformance.checks.outage import Outage
from teleproto_conformance.contract.trace import Step
from teleproto_conformance.subjects.subject import Raised

LOAD = Step("load", [])
FAILURE = Failure(done=(LOAD,), mismatches=(Mismatch(step=LOAD, outcome=Raised("E")),))


@pytest.mark.parametrize(
    ("causes", "tries"),
    [
        pytest.param("aaa", [2], id="three alike"),
        pytest.param("aab", [], id="two alike"),
        pytest.param("aa.a", [], id="one passes"),
        pytest.param("aaaaaa", [2], id="only once"),
        pytest.param("aaabbb", [2, 5], id="another cause"),
        pytest.param("aaa.aaa", [2], id="the same cause later"),
    ],
)
def test_the_storage_is_tried_after_failures_that_are_alike(causes: str, tries: list[int]) -> None:
    tried: list[int] = []
    done: list[str] = []
    outage = Outage(lambda: tried.append(len(done)))
    for cause in causes:
        assert not outage.after(cause.strip("."))
        done.append(cause)
    assert tried == tries


def test_a_storage_that_is_gone_is_noticed() -> None:
    outage = Outage(lambda: FAILURE)
    assert [outage.after("a") for _ in range(3)] == [False, False, True]


def test_a_call_that_hangs_is_reason_enough() -> None:
    assert Outage(lambda: FAILURE).after("a", hung=True)
    assert not Outage(lambda: None).after("a", hung=True)
