"""Every operation of traces is known in all places that must know it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.running import SPEC, VECTORS
from teleproto_conformance.checks.player import plays
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.operations import MODIFIERS, OPERATIONS
from teleproto_conformance.contract.rules import Case
from teleproto_conformance.contract.trace import Step
from teleproto_conformance.findings.languages import JavaScript
from teleproto_conformance.findings.words import PYTHON, Words

NAMES = sorted(OPERATIONS)
CONTRACT = vectors.load()
MEMBERS = CONTRACT.members
JAVASCRIPT = JavaScript(MEMBERS, "teleproto")


def _within(step: Step) -> Iterator[Step]:
    """Yield a step and the steps in its argument."""
    yield step
    for trace in OPERATIONS[step.operation].steps(step.argument):
        for inner in trace:
            yield from _within(Step.parse(inner))


STEPS: dict[str, Step] = {}
for chapter in CONTRACT.chapters:
    for check in chapter.checks:
        if isinstance(check, Case):
            for outer in check.trace:
                for found in _within(outer):
                    STEPS.setdefault(found.operation, found)


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_has_it(name: str) -> None:
    schema = json.loads((SPEC / "schema" / "trace.schema.json").read_text(encoding="utf-8"))
    step = schema["$defs"]["step"]
    assert set(step["properties"]) == {*OPERATIONS, *MODIFIERS}
    assert OPERATIONS[name].argument in step["properties"][name]["anyOf"]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_for_ports_has_it(name: str) -> None:
    lines = (VECTORS / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith("| `") and f"`{name}`" in _first(line)]
    assert row.endswith(f"| {OPERATIONS[name].shown} | {OPERATIONS[name].about} |")


def _first(row: str) -> str:
    return row.split("|")[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_of_the_contract_uses_it(name: str) -> None:
    assert name in STEPS


@pytest.mark.parametrize("name", NAMES)
def test_the_player_plays_it(name: str) -> None:
    assert plays(OPERATIONS[name])


@pytest.mark.parametrize("words", [PYTHON, JAVASCRIPT], ids=["python", "javascript"])
@pytest.mark.parametrize("name", NAMES)
def test_there_are_words_for_it(name: str, words: Words) -> None:
    line = words.step(STEPS[name])
    assert line.strip(f" {words.remark}")


@pytest.mark.parametrize("name", [name for name in NAMES if OPERATIONS[name].asks == "call"])
def test_a_method_is_a_member_of_a_session(name: str) -> None:
    assert MEMBERS[name].kind == "method"
