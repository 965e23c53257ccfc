"""Calls into foreign code: one that does not come back is stopped, and Ctrl-C stays Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any


class TimedOut(BaseException):
    """Raised inside the call; no ``except Exception`` of a session catches it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; a plain KeyboardInterrupt under :func:`handlers` was raised by the session."""


LIMIT = 10.0
"""Seconds that one call of a session may take."""

_AGAIN = 0.05
"""Seconds after which a call that has swallowed :class:`TimedOut` meets it again."""


def _here() -> bool:
    return threading.current_thread() is threading.main_thread()


def _works() -> bool:
    return _here() and hasattr(signal, "setitimer")


@contextmanager
def handlers() -> Iterator[None]:
    """Make :func:`time_limit` work in here, and Ctrl-C raise :class:`Interrupted`.

    Both need signals in the main thread, the first SIGALRM too: on Windows nothing is stopped.
    """
    ours = {signal.SIGINT: _interrupt} if _here() else {}
    if _works():
        ours[signal.SIGALRM] = _stop
    theirs = {number: signal.signal(number, handler) for number, handler in ours.items()}
    try:
        yield
    finally:
        for number, handler in theirs.items():
            signal.signal(number, handler)


def time_limit(seconds: float) -> AbstractContextManager[None]:
    """Raise :class:`TimedOut` in here once ``seconds`` are over.

    Neither that nor Ctrl-C is lost where the code in here swallows it.
    """
    return _Limit(seconds) if _works() else nullcontext()


class _Limit:
    late = False
    """Whether the call that is running has met :class:`TimedOut`."""
    interrupted = False
    """Whether Ctrl-C was pressed meanwhile."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        _Limit.late = _Limit.interrupted = False
        self._tracing = sys.gettrace()
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN)

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if _Limit.late:
            sys.settrace(self._tracing)
        if _Limit.interrupted:
            raise Interrupted from None
        if _Limit.late:
            raise TimedOut from None


def _stop(number: int, frame: FrameType | None) -> None:
    again, _Limit.late = _Limit.late, True
    if frame is not None and frame.f_globals is globals():
        return  # the call is over, and its timer not yet stopped
    if again:
        _stop_at_next_line(frame)
    raise TimedOut


def _stop_at_next_line(frame: FrameType | None) -> None:
    """Raise once more on the line after: inside the handler, where it is caught no longer."""
    while frame is not None and not _is_ours(frame):
        frame.f_trace = _raise
        frame = frame.f_back
    sys.settrace(_raise)


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == __package__


def _raise(frame: FrameType, event: str, argument: object) -> Any:
    if event == "line":
        raise TimedOut
    # Not in calls made from here on: the one that stops the timer is among them.
    return None if event == "call" else _raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    _Limit.interrupted = True
    raise Interrupted
