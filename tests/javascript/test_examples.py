"""The session that users copy holds all that the contract asks of it."""

from __future__ import annotations

import sys
from pathlib import Path

from support.running import run

from . import installed

EXAMPLE = Path(__file__).parents[2] / "examples" / "node"


def test_the_session_on_node_sqlite_passes_everything() -> None:
    installed.install(EXAMPLE)
    done = run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            "--session-impl=node:./sqlite-session.js#SqliteSession",
            *("--session-strict", "--session-require=faults"),
        ],
        EXAMPLE,
        timeout=1800,
    )
    assert done.code == 0, done.text
    assert ": passes, " in done.out
    assert "(the profile has" not in done.out  # every check was carried out
