"""A trace leads to a question; only some of its steps ask what the rule says."""

from __future__ import annotations

from typing import Any

import pytest
from teleproto_conformance.contract import trace as traces
from teleproto_conformance.contract import vectors

OPENED: list[dict[str, Any]] = [{"open": []}, {"load": []}]
SWITCH: dict[str, Any] = {"set_dc": [2, "149.154.167.51", 443]}
KEY: dict[str, Any] = {"set_auth_key": [{"key": "A"}]}
SEEN: dict[str, Any] = {"observe": {"auth_key": {"key": "A"}}}
REFUSED: dict[str, Any] = {"set_dc": [0, "149.154.167.51", 443], "raises": True}


def _asking(*steps: dict[str, Any]) -> list[int]:
    """Return the places of the steps that ask, counted after `open` and `load`."""
    trace = traces.parse([*OPENED, *steps])
    return [place - len(OPENED) for place, step in enumerate(trace) if step.asks]


@pytest.mark.parametrize(
    ("steps", "asking"),
    [
        pytest.param([SWITCH, KEY, SEEN], [1, 2], id="the last change and the question"),
        pytest.param([SWITCH, SEEN, KEY, SEEN], [2, 3], id="not an earlier question"),
        pytest.param([SWITCH, KEY, SEEN, SEEN], [1, 2, 3], id="all last questions"),
        pytest.param([SWITCH, KEY, {"reopen": []}, SEEN], [3], id="not a change before reopen"),
        pytest.param([KEY, REFUSED, {"reopen": []}, SEEN], [1, 3], id="but a refusal before it"),
        pytest.param([KEY, {"get_auth_key": []}], [0], id="not a question without an answer"),
        pytest.param([{**KEY, "raises": "maybe"}, {"load": []}, SEEN], [2], id="not a permission"),
        pytest.param([{**SWITCH, "asks": True}, KEY, SEEN], [0, 1, 2], id="marked"),
        pytest.param([SWITCH, KEY, {**SEEN, "asks": False}, SEEN], [1, 3], id="marked as the way"),
    ],
)
def test_by_default_the_last_change_and_the_questions_after_it_ask(
    steps: list[dict[str, Any]], asking: list[int]
) -> None:
    assert _asking(*steps) == asking


@pytest.mark.parametrize("wrong", range(4))
def test_a_trace_that_is_cut_at_a_failure_keeps_what_asks(wrong: int) -> None:
    whole = traces.parse([*OPENED, SWITCH, KEY, SEEN, {"reopen": []}, SEEN])
    done = whole[: len(OPENED) + 1 + wrong]
    assert traces.parse(traces.dump(done)) == done


def test_every_case_asks_something() -> None:
    cases = [case for chapter in vectors.load().chapters for case in chapter.cases]
    assert [case.id for case in cases if not any(step.asks for step in case.trace)] == []
