"""The suite's tracer compared with strace: counting the writes of one change."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from teleproto_conformance.contract import vectors
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool
from teleproto_conformance.subjects.process import HostProcess
from teleproto_conformance.subjects.tracing.interruptions import Interruption
from teleproto_conformance.subjects.tracing.system_calls import WRITES

from .measure import compare


def tracing() -> None:
    """Compare the time of the tracer with that of strace, if strace is on PATH."""
    if shutil.which("strace") is None:
        print("tracer and strace: not measured; strace is not installed")
        return
    server = ForkServer()
    members = vectors.load().members
    pool = Pool(server, "teleproto_sessions.StoreSession", sys.path, members, 10)
    pool.hello()
    with tempfile.TemporaryDirectory() as directory:
        process = pool.take(Path(directory))
        _ask(process, "open", arguments=["my-account"])
        log = Path(directory, "log")

        def change() -> None:
            for port in (443, 80):
                _ask(process, "call", member="set_dc", arguments=[2, "149.154.167.51", port])

        def ours() -> None:
            counting = Interruption("kill", None, "writes", Path(directory))
            with counting.trace(process):
                change()
            assert counting.fault.points

        def theirs() -> None:
            calls = f"trace={','.join(f'?{name}' for name in WRITES)}"
            command = ["strace", "-f", "-yy", "-s", "0", "-e", calls, "-o", str(log)]
            with subprocess.Popen(
                [*command, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True
            ) as strace:
                assert strace.stderr is not None
                assert "attached" in strace.stderr.readline()
                change()
                strace.send_signal(signal.SIGINT)

        compare("the writes of a change counted: tracer, strace", ours, theirs, 50, 1)
        process.kill()
    pool.close()
    server.close()


def _ask(process: HostProcess, do: str, **message: object) -> None:
    answer = process.ask({"do": do, "session": "session", **message}, 10)
    assert "returned" in answer, answer
