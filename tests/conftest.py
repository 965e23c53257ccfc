"""Shared by all tests: a project directory, the order of tests, and the kill matrix as a table."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from support.running import Project

# Thousands of processes import the same modules, so each is compiled only once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    path = tmp_path / "project"
    path.mkdir()
    return Project(path)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kill-matrix",
        action="store_true",
        help="print for each rule the known-bad sessions that break it",
    )
    parser.addoption(
        "--whole-matrix",
        action="store_true",
        help="on every known-bad session, also run the checks that never reach its mistake",
    )


_LONG = (
    "test_published.py::test_fails_exactly_the_checks_of_its_baseline[teleproto-StoreSession",
    "test_published.py::test_fails_exactly_the_checks_of_its_baseline[gramjs-StoreSession",
    "test_examples.py",
    "test_correct_sessions.py::test_has_no_finding[",
    "test_kill_matrix.py::test_the_session_without_the_mistake_is_correct[",
    "test_wheel.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the long tests first, so that all processes end at about the same time."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(_LONG) if name in item.nodeid), len(_LONG))

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--kill-matrix"):
        return
    failed: dict[str, list[str]] = defaultdict(list)
    sessions = 0
    for report in terminalreporter.stats.get("passed", []):
        rules = dict(report.user_properties).get("fails")
        if rules is not None:
            sessions += 1
            known = report.nodeid.partition("[")[2].rstrip("]")
            for rule in rules.split():
                failed[rule].append(known)
    terminalreporter.section(f"the kill matrix: {sessions} faulty sessions")
    for rule in sorted(failed, key=_place):
        own = [known for known in failed[rule] if known.startswith(f"{rule}-")]
        others = [known for known in failed[rule] if known not in own]
        terminalreporter.write_line(f"{rule:<11} {', '.join(name.split('-')[2] for name in own)}")
        if others:
            terminalreporter.write_line(
                f"{'':<11} and sessions of other rules: {', '.join(others)}"
            )


def _place(rule: str) -> tuple[str, int]:
    chapter, _, number = rule.partition("-")
    return chapter, int(number)
