"""Correct sessions of very different build pass the whole suite, without a single false alarm."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import teleproto_sessions
from correct.asynchronous import AsyncSession
from correct.bytes_keys import BytesSession
from correct.duck import DuckSession
from correct.json_store import JsonStoreSession
from correct.key_value import key_value_session
from correct.log_store import LogSession
from correct.plain import PlainSession
from correct.slotted import SlottedSession
from correct.strict import StrictSession
from correct.struct_string import StructStringSession
from teleproto_conformance import describe, vectors
from teleproto_conformance.checking import run_check
from teleproto_conformance.drivers import python

CONTRACT = vectors.load()
EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    """Import one of the examples, which is no package."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


SESSIONS: list[Any] = [
    PlainSession,
    BytesSession,
    SlottedSession,
    DuckSession,
    StructStringSession,
    JsonStoreSession,
    LogSession,
    AsyncSession,
    StrictSession,
    key_value_session,
    example("sqlite_session").SqliteSession,
    teleproto_sessions.MemorySession,
    teleproto_sessions.StringSession,
    teleproto_sessions.StoreSession,
]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.__name__)
def test_has_no_finding(session: Callable[..., Any]) -> None:
    profile: str = session.session_profile  # type: ignore[attr-defined]  # the factory has one, too
    subject = python.driver(session, CONTRACT, profile)
    findings = []
    for check in CONTRACT.checks(profile):
        failure = run_check(check, CONTRACT, profile, subject)
        if failure is not None:
            steps = "; ".join(describe.step(step, "Session") for step in failure.done)
            findings.append(f"{check.id}: {steps}: expected {failure.expected}, got {failure.got}")
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)
