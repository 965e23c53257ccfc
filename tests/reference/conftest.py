"""Fixtures for the tests of the reference model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from teleproto_sessions import AuthKey


@pytest.fixture
def key() -> Callable[[int], AuthKey]:
    """Return a function that makes the synthetic auth key of a number."""
    return lambda number: AuthKey(bytes((number + i) % 256 for i in range(256)))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
