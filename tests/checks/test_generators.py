"""The generators find faults, shorten their traces, and report no false alarm."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from teleproto_conformance.checks.checker import Checker
from teleproto_conformance.checks.effort import STANDARD, Effort
from teleproto_conformance.checks.failure import Failure
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case, Check, Contract, Generated
from teleproto_conformance.contract.trace import dump
from teleproto_conformance.subjects.in_process import driver
from teleproto_sessions import AuthKey, MemorySession, StoreSession, StringSession, tl

CONTRACT: Contract = vectors.load()
CHECKS = [check for chapter in CONTRACT.chapters for check in chapter.generated]
REFERENCES: dict[str, Callable[..., Any]] = {
    "memory": MemorySession,
    "string": StringSession,
    "store": StoreSession,
    "teleproto-store": StoreSession,
    "custom": StoreSession,
}
MORE = replace(STANDARD, examples=150)
"""More examples than a standard run of the suite draws."""
STEPS = 8
"""The most steps that a shortened failure may have."""


class HalfKeys(MemorySession):
    """Hides the key of a data centre with an even id while another one is current."""

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        elsewhere = dc_id is not None and dc_id != self.dc_id and dc_id % 2 == 0
        return None if elsewhere else super().get_auth_key(dc_id)


class Sticky(MemorySession):
    """Keeps the old address when the current data centre gets a new one."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        kept = self.server_address if self.dc_id == dc_id else None
        super().set_dc(dc_id, kept or server_address, port)


class Loose(MemorySession):
    """Unlocks the flag when a data centre is chosen again."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._free = True

    @property
    def test_servers(self) -> bool:
        return getattr(self, "_flag", False)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if getattr(self, "_free", True) or not self.get_auth_key():
            self._flag = value


class Clipped(MemorySession):
    """Forgets the sign of an access hash."""

    def get_input_entity(self, key: object) -> Any:
        found = super().get_input_entity(key)
        if isinstance(found, tl.InputPeerUser | tl.InputPeerChannel):
            return replace(found, access_hash=abs(found.access_hash))
        return found


class Signed(StringSession):
    """Has signed ports."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port if port < 2**15 else 2**16 - port)


class Lenient(StringSession):
    """Skips characters that are not base64."""

    def __init__(self, saved: str = "") -> None:
        legal = "=+/-_"
        super().__init__("".join(c for c in saved if c.isascii() and (c.isalnum() or c in legal)))


class Shifted(StringSession):
    """Swaps the two bytes of a port above 32767."""

    @property
    def port(self) -> int:
        high, low = divmod(super().port, 256)
        return super().port if high < 128 else low * 256 + high


class Lossy(StoreSession):
    """Keeps the keys of other data centres only in memory."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._others: dict[int, AuthKey | None] = {}

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if dc_id in (None, self.dc_id):
            super().set_auth_key(auth_key, dc_id)
        else:
            self._others[dc_id] = auth_key

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        return self._others.get(dc_id or 0) or super().get_auth_key(dc_id)

    def delete(self) -> None:
        super().delete()
        self._others.clear()


FAULTS: list[tuple[str, str, Callable[..., Any]]] = [
    ("DC-9", "memory", Sticky),
    ("KEY-12", "memory", HalfKeys),
    ("TEST-12", "memory", Loose),
    ("ENT-24", "memory", Clipped),
    ("STR-15", "string", Signed),
    ("STR-16", "string", Lenient),
    ("TLT-6", "string", Shifted),
    ("LIFE-11", "store", Lossy),
    ("DUR-8", "store", Lossy),
]


def _of(rule: str, profile: str) -> Generated:
    return next(check for check in CHECKS if check.rule == rule and profile in check.profiles)


def _search(
    check: Check, profile: str, factory: Callable[..., Any], effort: Effort = STANDARD
) -> Failure | None:
    return Checker(CONTRACT, profile, driver(factory, CONTRACT), effort=effort).run(check)


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store files in memory if the system allows it, because that is faster."""
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


@pytest.mark.parametrize(("rule", "profile", "factory"), FAULTS)
def test_a_fault_is_found_and_shown_in_few_steps(
    rule: str, profile: str, factory: Callable[..., Any]
) -> None:
    check = _of(rule, profile)
    failure = _search(check, profile, factory)
    assert failure is not None
    assert len(failure.done) <= STEPS, failure
    assert failure.repeats == "always"
    assert _search(check, profile, factory) == failure
    again = Case(
        id=check.id,
        rule=check.rule,
        profiles=check.profiles,
        comment=check.comment,
        notation=dump(failure.done),
    )
    assert _search(again, profile, factory) == failure
    assert _search(again, profile, REFERENCES[profile]) is None


def test_every_generated_check_has_a_fault_here() -> None:
    assert {check.rule for check in CHECKS} == {rule for rule, _, _ in FAULTS}


@pytest.mark.parametrize(
    ("check", "profile"),
    [
        pytest.param(check, profile, id=f"{check.id}-{profile}")
        for check in CHECKS
        for profile in check.profiles
        if profile != "teleproto-store"  # it draws the same histories as store
    ],
)
def test_the_reference_has_no_fault(check: Generated, profile: str) -> None:
    assert _search(check, profile, REFERENCES[profile], MORE) is None


def test_a_session_that_fails_only_once_is_reported_as_such() -> None:
    answers = iter([81])

    class Moody(MemorySession):
        """Returns a wrong port once."""

        @property
        def port(self) -> int:
            port = super().port
            return next(answers, port) if port else port

    failure = _search(_of("DC-9", "memory"), "memory", Moody)
    assert failure is not None
    assert failure.repeats == "not every time"
