"""Fixtures for the tests of JavaScript sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import installed


@pytest.fixture(scope="session")
def published() -> Path:
    """Return the directory in which the published packages are installed."""
    return installed.install()
