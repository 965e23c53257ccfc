"""The checks that come before all others."""

from __future__ import annotations

from typing import NoReturn

from teleproto_conformance.checks import gate
from teleproto_conformance.checks.checker import Checker
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case, Check
from teleproto_conformance.subjects.in_process import driver
from teleproto_sessions import MemorySession

CONTRACT = vectors.load()
GATE = [check for check in CONTRACT.checks("memory") if CONTRACT.rules[check.rule].gate]


class Without:
    """A session that lacks two members."""

    def __init__(self) -> None:
        self._session = MemorySession()

    def __getattr__(self, name: str) -> object:
        if name in ("save", "test_servers"):
            raise AttributeError(name)
        return getattr(self._session, name)


class Broken(MemorySession):
    """A session that cannot be constructed."""

    def __init__(self) -> NoReturn:
        raise RuntimeError("no such host")


def _failing(factory: type) -> list[str]:
    checker = Checker(CONTRACT, "memory", driver(factory, CONTRACT))
    return [check.id for check, _ in gate.failures(GATE, checker.run)]


def test_a_class_that_passes_is_asked_for_all_members_in_one_trace() -> None:
    ran: list[Check] = []
    assert gate.failures(GATE, ran.append) == []
    (one,) = ran
    assert isinstance(one, Case)
    asked = [step.argument for step in one.trace if step.operation == "has"]
    assert sorted(asked) == sorted(CONTRACT.members)
    assert _failing(MemorySession) == []


def test_each_check_that_fails_is_named() -> None:
    assert _failing(Without) == ["SURFACE-1[member-test-servers]", "SURFACE-1[member-save]"]


def test_a_class_that_cannot_be_constructed_is_asked_once() -> None:
    assert _failing(Broken) == ["SURFACE-1[member-set-dc]"]


def test_without_such_checks_nothing_is_asked() -> None:
    assert gate.failures([], lambda check: None) == []
