"""What the tests of the reference model share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from teleproto_sessions import AuthKey


@pytest.fixture
def key() -> Callable[[int], AuthKey]:
    """A synthetic auth key by number."""
    return lambda number: AuthKey(bytes((number + i) % 256 for i in range(256)))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a working directory of its own."""
    monkeypatch.chdir(tmp_path)
