"""Running one check on one session class, in a working directory of its own."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from secrets import token_hex

from .contract import Case, Check, Contract
from .replay import Failure, replay
from .subject import Driver
from .trace import Trace

_RUN = f"conformance-{os.getpid()}-{token_hex(4)}"
_numbers = itertools.count(1)


def run_trace(
    trace: Trace,
    contract: Contract,
    profile: str,
    driver: Driver,
    scratch: Path | None = None,
) -> Failure | None:
    """Replay ``trace`` on a new subject, and remove what it stored.

    Its working directory is made in ``scratch``, or where temporary files go.
    """
    with tempfile.TemporaryDirectory(
        prefix="session-", dir=scratch, ignore_cleanup_errors=True
    ) as directory:
        # One level down, so that a session that leaves it still leaves nothing behind.
        workdir = Path(directory, "work")
        workdir.mkdir()
        with driver(workdir, f"{_RUN}-{next(_numbers)}") as subject:
            return replay(
                trace,
                subject,
                state=contract.tables["state"],
                keeps=contract.profiles[profile]["keeps"],
            )


def run_check(check: Check, contract: Contract, profile: str, driver: Driver) -> Failure | None:
    """Replay a case, or generate traces and replay each, until one fails."""
    if isinstance(check, Case):
        return run_trace(check.trace, contract, profile, driver)
    # Hypothesis takes longer to import than most runs of the command line take in all.
    from . import generators

    return generators.search(
        check,
        contract,
        contract.profiles[profile]["keeps"],
        lambda trace: run_trace(trace, contract, profile, driver),
    )
