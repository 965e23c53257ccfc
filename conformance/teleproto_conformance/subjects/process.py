"""A process that runs sessions."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ..contract.secrets import masked
from ..errors import Gone, Silent

_OUTPUT = 1 << 20
"""Bytes of a program's output that are kept. The rest is discarded."""

_CHUNK = 1 << 16
_ANSWER = 1 << 24
"""The largest size of an answer, in bytes."""

_SHOWN = 80
"""Bytes that messages show of an invalid answer."""

_TAKING_IN = 10.0
"""Seconds in which a process must read a request. A slower process counts as hanging."""

_LAST_WORDS = 0.2
"""Seconds that a process gets to end after it has closed the channel."""


class HostProcess:
    """A process that answers requests. Each is one line of JSON.

    All three streams are descriptors: ``requests`` takes requests, ``replies`` gives answers, and
    ``output`` gives printed text. ``wait`` waits for the end of the process and returns its exit
    code, negative for a signal. ``hash_seed`` is that of a Python host. ``traces`` is the number of
    traces that it has finished; ``young`` is true if it ran only the end of one, after a restart.
    ``at_end`` is closed when the process ends.
    """

    def __init__(
        self,
        pid: int,
        requests: int,
        replies: int,
        output: int,
        wait: Callable[[], int],
        hash_seed: int | None = None,
    ) -> None:
        self.pid = pid
        self.hash_seed = hash_seed
        self.replies = replies
        self.output = bytearray()
        self.alive = True
        self.traces = 0
        self.young = False
        self.at_end = contextlib.ExitStack()
        self._end: int | None = None
        self._requests = requests
        self._printed = output
        self._wait = wait
        self._rest = b""
        self._listening = True
        self._poll = select.poll()
        for fd in (replies, output):
            self._poll.register(fd, select.POLLIN)
        for fd in (requests, replies, output):
            os.set_blocking(fd, False)
        if hasattr(os, "pidfd_open"):
            # A child of the session can keep the channel open after the process has ended.
            with contextlib.suppress(OSError):
                self._end = os.pidfd_open(pid)
                self._poll.register(self._end, select.POLLIN)

    def ask(self, message: dict[str, Any], limit: float) -> dict[str, Any]:
        """Send a request and return its answer.

        :raises Silent: if the answer takes longer than ``limit`` seconds.
        :raises Gone: if the process has ended or has broken the protocol.
        """
        self.tell(message)
        return self.hear(limit)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a request. If the process does not read it, :meth:`hear` raises."""
        self.send(line(message))

    def send(self, data: bytes) -> None:
        """Send the lines of some requests. See :meth:`tell`."""
        deadline = time.monotonic() + _TAKING_IN
        with contextlib.suppress(OSError):
            while data and self.alive and time.monotonic() < deadline:
                try:
                    data = data[os.write(self._requests, data) :]
                except BlockingIOError:
                    select.select([], [self._requests], [], _LAST_WORDS)

    def end_input(self) -> None:
        """Close the input of the process. Do not send a request after that."""
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123  # Path has no way to a device
            os.dup2(nothing.fileno(), self._requests, inheritable=False)

    def hear(self, limit: float) -> dict[str, Any]:
        """Return the answer to the oldest open request. Raises the errors of :meth:`ask`."""
        if not self.alive:
            raise Gone("its process had already ended")
        deadline = time.monotonic() + limit
        while (at := self._rest.find(b"\n")) < 0:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Silent
            ready = {fd for fd, _ in self._poll.poll(left * 1000)}
            if self._printed in ready:
                self.drain()
            if self.replies in ready:
                self._receive()
            elif self._end in ready and not self._receive():
                raise Gone(self._how())
        line, self._rest = self._rest[:at], self._rest[at + 1 :]
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self._refuse(line)
        return dict(answer)

    def _refuse(self, written: bytes) -> NoReturn:
        self.kill()
        line = masked(written[:_SHOWN].decode("utf-8", "backslashreplace"))
        raise Gone(f"the program wrote into the answer channel of its host ({line})")

    def _receive(self) -> bool:
        """Read from the channel. Return whether it had any data."""
        try:
            data = os.read(self.replies, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            raise Gone(self._how())
        self._rest += data
        if len(self._rest) > _ANSWER and b"\n" not in self._rest:
            self._refuse(self._rest)
        return True

    def drain(self) -> None:
        """Read what the program has printed."""
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._printed, _CHUNK):
                self.output += data[: _OUTPUT - len(self.output)]
                if len(data) < _CHUNK:
                    return
            if self._listening:
                self._poll.unregister(self._printed)
                self._listening = False

    def _how(self) -> str:
        """Return how the process ended. If it has only closed its channel, kill it."""
        gone = self._ended(_LAST_WORDS)
        self.drain()
        self.kill()
        code = self.code
        if code == -signal.SIGKILL and not gone:
            return "the process closed the channel to the suite"
        if code < 0:
            known = -code in {*signal.Signals}
            name = signal.Signals(-code).name if known else f"signal {-code}"
            return f"the process was ended by {name}"
        return f"the process ended itself with exit code {code}"

    def _ended(self, seconds: float) -> bool:
        """Wait for the end of the process. Return whether it ended; False if this is not known."""
        if self._end is None:
            time.sleep(seconds)
            return False
        return bool(select.select([self._end], [], [], seconds)[0])

    @functools.cached_property
    def code(self) -> int:
        """The exit code of a process that has ended or been killed, negative for a signal."""
        return self._wait()

    def finish(self, limit: float) -> bool:
        """Ask the process to end. Return whether it did within ``limit`` seconds."""
        self.tell({"do": "exit"})
        deadline = time.monotonic() + limit
        try:
            while True:  # skip answers to earlier requests
                self.hear(deadline - time.monotonic())
        except Gone:
            return True
        except Silent:
            self.kill()
        return False

    def kill(self) -> None:
        """Kill the process and its children. When this returns, its files are closed."""
        if self.alive:
            self.let_go()
            if self._end is None:
                self.code  # noqa: B018  # waits for the end
            else:
                self._ended(_LAST_WORDS * 10)

    def let_go(self) -> None:
        """Kill the process without waiting for its end."""
        if not self.alive:
            return
        self.drain()
        self.alive = False
        # Until wait() has returned, no other process can get this process id.
        if "code" not in vars(self):
            for end in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(self.pid, signal.SIGKILL)
        for fd in (self._requests, self.replies, self._printed):
            os.close(fd)
        self.at_end.close()

    def __del__(self) -> None:
        end = getattr(self, "_end", None)
        if end is not None:
            os.close(end)


def line(message: dict[str, Any]) -> bytes:
    """Return a request as it is sent: one line of JSON."""
    return json.dumps(message).encode() + b"\n"
