"""The directory that each test's programs run in."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without any file."""
    path = tmp_path / "project"
    path.mkdir()
    return Project(path)
