"""The example session for Node meets the whole contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import parts
from teleproto_conformance.findings.result import PASSED

from . import installed

EXAMPLE = Path(__file__).parents[2] / "examples" / "node"


@pytest.mark.parametrize("part", parts.names("custom"))
def test_the_session_on_node_sqlite_passes_everything(part: str) -> None:
    installed.install(EXAMPLE)
    run = parts.Part("node:./sqlite-session.js#SqliteSession", "custom", part)
    results = run.results(EXAMPLE)
    assert results
    unusual = parts.told(results, PASSED)
    assert not unusual, unusual
