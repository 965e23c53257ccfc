"""The suite itself: how long a whole run takes and how that divides, and writing the vectors."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from functools import partial
from pathlib import Path

from teleproto_conformance import vectors
from teleproto_conformance.checking import run_check
from teleproto_conformance.drivers.python import driver
from teleproto_conformance.paths import SPEC
from teleproto_sessions import MemorySession

from .measure import seconds


def whole_run() -> None:
    """The suite on MemorySession as a user runs it, and its checks chapter by chapter."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--session-impl=teleproto_sessions.MemorySession",
        ]
        took = seconds(
            lambda: subprocess.run(command, check=True, cwd=directory, stdout=subprocess.DEVNULL)
        )
    contract = vectors.load()
    checks = contract.checks("memory")
    memory = driver(MemorySession, contract, "memory")
    times: dict[str, float] = defaultdict(float)
    for check in checks:
        part = "generated" if hasattr(check, "by") else contract.rules[check.rule].chapter
        times[part] += seconds(partial(run_check, check, contract, "memory", memory))
    loading = seconds(vectors.load)
    rest = took - sum(times.values()) - loading
    print(f"suite on MemorySession: {len(checks)} checks in {took:.2f} s (at most 6 s)")
    parts = {"loading the vectors": loading, **times, "pytest and start-up": rest}
    for part, time in parts.items():
        print(f"  {part:<24} {time:6.2f} s  {time / took:4.0%}")


def generate() -> None:
    """Writing all vectors, each run on the reference model first."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable, "-m", "teleproto_conformance", "vectors", "generate",
            "--spec", str(SPEC), "--vectors", str(Path(directory, "vectors")),
        ]  # fmt: skip
        took = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"vectors generate: {took:.2f} s (under 3 s)")
