"""Notices that the storage of a session no longer answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .failure import Failure

ALIKE: Final = 3
"""Checks in a row that fail alike before the storage is tried."""


class Outage:
    """Watches the failures of a run. ``tried`` opens a new session and returns its failure.

    A class that fails many checks alike is faulty, or its storage is gone. In the second case, not
    even an empty session can be opened.
    """

    def __init__(self, tried: Callable[[], Failure | None]) -> None:
        self._tried = tried
        self._last = ""
        self._alike = 0
        self._ruled_out: set[str] = set()

    def after(self, cause: str, *, hung: bool = False) -> bool:
        """Return whether the storage is gone.

        ``cause`` says how the last check failed; it is empty if the check passed. A call that
        ``hung`` is reason enough to try the storage.
        """
        self._alike = self._alike + 1 if cause and cause == self._last else int(bool(cause))
        self._last = cause
        suspected = hung or (self._alike >= ALIKE and cause not in self._ruled_out)
        if not suspected:
            return False
        self._ruled_out.add(cause)
        return self._tried() is not None
