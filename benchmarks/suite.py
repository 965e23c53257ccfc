"""The suite itself: the time of a whole run and of its parts, and of writing the vectors."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from functools import partial
from pathlib import Path

from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.paths import SPEC
from teleproto_conformance.contract.rules import Generated
from teleproto_conformance.subjects import hosted
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.in_process import driver
from teleproto_conformance.subjects.pool import Pool
from teleproto_sessions import MemorySession

from .measure import seconds


def whole_run() -> None:
    """Run the suite on MemorySession as a user does, and its checks chapter by chapter."""
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
    memory = Checker(contract, "memory", driver(MemorySession, contract))
    times: dict[str, float] = defaultdict(float)
    for check in checks:
        part = "generated" if isinstance(check, Generated) else contract.rules[check.rule].chapter
        times[part] += seconds(partial(memory.run, check))
    loading = seconds(vectors.load)
    rest = took - sum(times.values()) - loading
    print(f"suite on MemorySession: {len(checks)} checks in {took:.2f} s (at most 6 s)")
    parts = {"loading the vectors": loading, **times, "pytest and start-up": rest}
    for part, time in parts.items():
        print(f"  {part:<24} {time:6.2f} s  {time / took:4.0%}")


def efforts() -> None:
    """Run the suite on StoreSession, interruptions included, with quick and standard effort."""
    for effort, limit in (("quick", 10), ("standard", 60)):
        with tempfile.TemporaryDirectory() as directory:
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--session-impl=teleproto_sessions.StoreSession",
                "--session-strict",
                f"--session-effort={effort}",
                "--session-report=report.json",
            ]
            took = seconds(
                lambda command=command, directory=directory: subprocess.run(  # type: ignore[misc]  # bound here
                    command, check=True, cwd=directory, stdout=subprocess.DEVNULL
                )
            )
            report = json.loads(Path(directory, "report.json").read_text(encoding="utf-8"))
        print(
            f"suite on StoreSession, {effort}: {report['counts']['checks']} checks, changes "
            f"interrupted at {report['interrupted']} system calls: {took:.2f} s (at most {limit} s)"
        )


def hosts() -> None:
    """Run the same traces in this process and through a host."""
    contract = vectors.load()
    here = Checker(contract, "memory", driver(MemorySession, contract), scratch=in_memory())
    server = ForkServer()
    members = contract.members
    pool = Pool(server, "teleproto_sessions.MemorySession", sys.path, members, 10)
    there = Checker(contract, "memory", hosted.driver(pool), scratch=in_memory())
    cases = [c for c in contract.checks("memory") if c.rule.startswith(("DC", "KEY", "ENT"))]
    cases = [case for case in cases if not isinstance(case, Generated)]
    for checker in (here, there):
        checker.run(cases[0])
    ours, theirs = [], []
    for case in cases:
        ours.append(seconds(partial(there.run, case)))
        theirs.append(seconds(partial(here.run, case)))
    more = statistics.mean(ours) - statistics.mean(theirs)
    ratio = statistics.mean(ours) / statistics.mean(theirs)
    pool.close()
    server.close()
    print(
        f"a trace through the host and in process: {more * 1e3:.2f} ms more (at most 3 ms), "
        f"ratio {ratio:.2f}, over {len(cases)} traces"
    )


def generate() -> None:
    """Write all vectors; the generator first runs each case on the reference model."""
    with tempfile.TemporaryDirectory() as directory:
        spec = shutil.copytree(SPEC, Path(directory, "spec"))  # the command writes a page there
        command = [
            sys.executable, "-m", "teleproto_conformance", "vectors", "generate",
            "--spec", str(spec), "--vectors", str(Path(directory, "vectors")),
        ]  # fmt: skip
        took = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"vectors generate: {took:.2f} s (under 3 s)")
