"""The Python host: runs one session class for the suite (``spec/HOSTS.md``)."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import platform
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ....contract.tables import Member
from ....errors import UsageError
from ...in_process import PythonSubject, raised
from ...subject import PROTOCOL, Outcome, Raised, Returned, Text
from .locate import Located, locate


class Host:
    """Carries out requests, and collects the texts that a trace shows."""

    def __init__(self) -> None:
        self._located: Located | None = None
        self._members: dict[str, Member] = {}
        self._subject: PythonSubject | None = None
        self._shown: list[Text] = []
        self._warnings: list[warnings.WarningMessage] = []
        self._trace = contextlib.ExitStack()
        self._threads = 1

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """Carry out a request, and return the answer, or None for ``exit``."""
        try:
            message = json.loads(line)
            if message["do"] == "exit":
                return None
            given = {key: value for key, value in message.items() if key != "do"}
            done = getattr(self, f"do_{message['do']}")(**given)
        except UsageError as error:
            return {"refused": str(error)}
        except KeyboardInterrupt as error:  # raised by the session: the host ignores Ctrl-C
            done = raised(error)
        except Exception:
            return {"fault": traceback.format_exc()}
        return _reply(done if isinstance(done, Returned | Raised) else Returned(done))

    def do_hello(
        self,
        protocol: int,
        implementation: str,
        path: list[str],
        members: dict[str, Any],
        keys: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Import the class, and describe it.

        Hosts in other languages need ``keys``; this one has them already.
        """
        if protocol != PROTOCOL:
            raise UsageError(f"this host speaks protocol {PROTOCOL}, not {protocol}")
        sys.path[:] = dict.fromkeys([*path, *sys.path])
        self._members = {name: Member.load(entry) for name, entry in members.items()}
        self._located = locate(implementation)
        promised = self._located.promised
        return {
            "protocol": PROTOCOL,
            "language": "python",
            "name": implementation.replace(":", ".").rpartition(".")[2],
            "pid": os.getpid(),
            "promised": promised if promised is None else str(promised),
            "guess": self._located.guess,
            "versions": {"Python": platform.python_version()},
        }

    def do_begin(self, workdir: str) -> None:
        """Begin a trace in an empty directory."""
        assert self._located is not None
        self._shown, self._warnings = [], []
        self._threads = threading.active_count()
        self._subject = PythonSubject(self._located.factory, Path(workdir), members=self._members)
        self._trace.enter_context(self._listening())
        self._trace.enter_context(self._subject)

    def do_finish(self) -> bool:
        """End the trace, and drop its sessions. Return whether all its work has ended."""
        self._subject = None
        self._trace.close()
        return threading.active_count() <= self._threads and not _has_children()

    def do_open(self, session: str, arguments: list[str]) -> Outcome:
        return self._playing.open(session, arguments)

    def do_drop(self, session: str) -> None:
        self._playing.drop(session)
        gc.collect()  # errors refer to it in cycles, and it may hold a lock until it is gone

    def do_has(self, session: str, member: str) -> Outcome:
        return self._playing.has(session, self._known(member))

    def do_observe(self, session: str, member: str) -> Outcome:
        return self._playing.get(session, self._known(member))

    def do_set(self, session: str, member: str, value: Any) -> Outcome:
        return self._playing.set(session, self._known(member), value)

    def do_call(self, session: str, member: str, arguments: list[Any]) -> Outcome:
        return self._playing.call(session, self._known(member), arguments)

    def _known(self, member: str) -> str:
        if member not in self._members:
            raise LookupError(f"a session has no member {member}")
        return member

    def do_together(self, calls: list[list[Any]]) -> list[dict[str, Any]]:
        """Begin several calls, each while earlier calls wait. Return an answer for each."""
        return [_reply(outcome) for outcome in self._playing.together([(*c,) for c in calls])]

    def do_pause(self, milliseconds: int) -> Outcome:
        return self._playing.pause(milliseconds)

    def do_chdir(self, directory: str) -> Outcome:
        return self._playing.chdir("", Path(directory))

    def do_texts(self, session: str) -> list[list[str]]:
        """Return all texts of this trace, except printed output: the suite reads that itself."""
        warned = [
            Text("warnings", f"a {w.category.__name__}", str(w.message)) for w in self._warnings
        ]
        texts = [*self._playing.texts(session), *self._shown, *warned]
        return [[text.where, text.detail, text.text] for text in texts]

    @property
    def _playing(self) -> PythonSubject:
        assert self._subject is not None
        return self._subject

    @contextlib.contextmanager
    def _listening(self) -> Any:
        """Collect all log records and warnings, also of loggers that do not propagate."""
        make = logging.getLogRecordFactory()

        def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
            made = make(*args, **kwargs)
            self._shown.append(
                Text("logs", f"a {made.levelname} record of {made.name}", _logged(made))
            )
            return made

        level = logging.root.level
        logging.setLogRecordFactory(record)
        logging.root.setLevel(logging.DEBUG)
        try:
            with warnings.catch_warnings(record=True) as self._warnings:
                warnings.simplefilter("always")
                yield
        finally:
            logging.root.setLevel(level)
            logging.setLogRecordFactory(make)


def _has_children() -> bool:
    """Return whether the process has children, if the system can show that. Do not reap them."""
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _logged(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception:
        text = f"{record.msg!r} {record.args!r}"
    if record.exc_info and record.exc_info[1] is not None:
        text += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
    return text


def _reply(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Raised):
        return {
            "raised": outcome.text,
            "everything": outcome.everything,
            "fatal": outcome.fatal,
        }
    assert isinstance(outcome, Returned)
    return {"returned": outcome.value}


def serve(requests: int, replies: int, after_import: Callable[[], None] = lambda: None) -> None:
    """Answer requests until ``exit`` or the end of the input. Each is one line of JSON.

    Call ``after_import`` after the first request, hello. It imports the class.
    """
    host, process, imported = Host(), os.getpid(), False
    for line in os.fdopen(requests, "rb"):
        answer = host.answer(line)
        if not imported:
            sys.dont_write_bytecode = True  # from here on, only the session writes files
            after_import()
            imported = True
        if answer is None:
            return
        if os.getpid() != process:
            os._exit(0)  # the session has forked, and this is the child
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(replies, data) :]


def serve_over_standard_streams() -> None:
    requests, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # output of the session must not reach the channel
    serve(requests, replies)
