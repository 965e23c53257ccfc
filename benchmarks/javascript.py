"""Sessions in Node compared with sessions in Python: a request, a whole run, and a quick run.

First run ``npm ci`` in ``conformance/published`` and in ``examples/node``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from teleproto_conformance.contract import vectors
from teleproto_conformance.subjects import hosted, programs
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool

from .measure import seconds

_TELEPROTO = "node:teleproto/sessions#MemorySession"
_REFERENCE = "teleproto_sessions.MemorySession"
_REQUESTS = 2000
_ROOT = Path(__file__).parents[1]


def javascript() -> None:
    """Print the median time of a request, and the time of the suite on JavaScript classes."""
    published = _ROOT / "conformance" / "published"
    node, python = (_request(name, published) for name in (_TELEPROTO, _REFERENCE))
    print(
        f"a request to Node: {node * 1e3:.3f} ms (at most 0.5 ms), to Python: "
        f"{python * 1e3:.3f} ms, ratio {node / python:.2f}"
    )
    theirs = _run(published, _TELEPROTO)
    ours = _run(published, _REFERENCE)
    print(
        f"suite on teleproto's MemorySession: {theirs:.2f} s, on the reference: {ours:.2f} s, "
        f"ratio {theirs / ours:.2f} (at most 4)"
    )
    took = _run(
        _ROOT / "examples" / "node",
        "node:./sqlite-session.js#SqliteSession",
        "--session-effort=quick",
    )
    print(f"suite on the example for Node, quick: {took:.2f} s (at most 20 s)")


def _request(implementation: str, directory: Path) -> float:
    members = vectors.load().members
    server = ForkServer(programs.program(implementation, directory))
    pool = Pool(server, implementation, [str(directory), *sys.path], members, 10)
    with TemporaryDirectory() as workdir, hosted.HostSubject(pool, Path(workdir)) as subject:
        subject.open("session", [], "")
        ask = partial(subject.get, "session", "dc_id")
        times = [seconds(ask) for _ in range(_REQUESTS)]
    pool.close()
    server.close()
    return statistics.median(times)


def _run(directory: Path, implementation: str, *options: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q"]
    command += [f"--session-impl={implementation}", *options]
    # No exit code is checked: teleproto's class fails some checks.
    return seconds(lambda: subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL))
