"""A program for a tracer to trace: on request, it does what sessions do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """
import asyncio, os, signal, socket, subprocess, sys, threading

def write():
    with open("new.txt", "w") as file:
        file.write("0123456789")
    os.rename("new.txt", "kept.txt")

def read():
    with open("kept.txt") as file:
        assert file.read()

def in_a_thread():
    failed = []
    def work():
        try:
            write()
        except OSError as error:
            failed.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    for error in failed:
        raise error

def in_a_child():
    subprocess.run([sys.executable, "-Sc", "import os; os.mkdir('made')"], check=True)

async def wake():
    await asyncio.to_thread(print, end="")

def among_themselves():
    read, write = os.pipe()
    os.write(write, b"x")
    one, other = socket.socketpair()
    one.send(b"x")
    asyncio.run(wake())

def to_others():
    tcp, unix = ("127.0.0.1", int(sys.argv[1])), sys.argv[2]
    for family, place in ((socket.AF_INET, tcp), (socket.AF_UNIX, unix)):
        with socket.socket(family) as client:
            client.connect(place)
            client.sendall(b"x")

def stops():
    os.kill(os.getpid(), signal.SIGSTOP)

def handles():
    caught = []
    signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert caught == [signal.SIGUSR1]

def helper():
    global HELPER
    program = "import os; input(); os.mkdir('by-the-helper'); print(); input()"
    HELPER = subprocess.Popen(
        [sys.executable, "-Sc", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

def by_the_helper():
    HELPER.stdin.write(b"\\n")
    HELPER.stdin.flush()
    HELPER.stdout.readline()

def goes_on():
    def go_on():
        while True:
            os.kill(os.getpid(), signal.SIGCONT)
    threading.Thread(target=go_on, daemon=True).start()

def datagrams():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", sys.argv[1])

def makes():
    os.mkfifo("pipe")
    try:
        os.setxattr("pipe", "user.kept", b"x")
    except OSError:
        pass  # some file systems do not support it; the attempt is enough

def bustle():
    def come_and_go():
        while True:
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
    for _ in range(2):
        threading.Thread(target=come_and_go, daemon=True).start()

print("ready", flush=True)
for line in sys.stdin:
    try:
        globals()[line.strip()]()
    except OSError as error:
        print(type(error).__name__, error.errno, flush=True)
    else:
        print("done", flush=True)
"""

_BETWEEN = """
import subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]])
print(child.pid, flush=True)
print(child.wait(), flush=True)
"""
"""Starts the program as a grandchild: like a session, it is not a child of the tracer."""


@dataclass
class Tracee:
    """The program, which runs in ``directory``."""

    pid: int
    directory: Path
    between: subprocess.Popen[str]

    def tell(self, request: str) -> None:
        """Send a request."""
        assert self.between.stdin is not None
        self.between.stdin.write(f"{request}\n")
        self.between.stdin.flush()

    def hear(self) -> str:
        """Wait for the answer, or for the exit code of the program."""
        assert self.between.stdout is not None
        return self.between.stdout.readline().strip()

    def ask(self, request: str) -> str:
        """Send a request; return ``done``, an error, or the exit code of the program."""
        self.tell(request)
        return self.hear()

    @property
    def status(self) -> dict[str, str]:
        """Its status in ``/proc``; empty if it has ended."""
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{self.pid}/status").read_text("utf-8").splitlines()
            return {name: text.strip() for name, _, text in (line.partition(":") for line in lines)}
        return {}


@contextlib.contextmanager
def tracee(directory: Path, *arguments: str) -> Iterator[Tracee]:
    """Run the program in ``directory``."""
    command = [sys.executable, "-c", _BETWEEN, "-c", PROGRAM, *arguments]
    with subprocess.Popen(
        command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as between:
        made = Tracee(0, directory, between)
        made.pid = int(made.hear())
        try:
            assert made.hear() == "ready"
            yield made
        finally:
            between.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(made.pid, signal.SIGKILL)
