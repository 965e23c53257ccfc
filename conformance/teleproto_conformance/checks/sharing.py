"""Run checks in processes that play one trace after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..contract.rules import Check
from ..errors import Impossible
from ..subjects.pool import Pool
from .checker import Checker
from .failure import Failure

PATIENCE: Final = 3
"""Checks that a class may fail because of other traces before it gets no more used processes.

One such check says little about the others, but each one is run three times.
"""


class Sharing:
    """Runs the checks of ``checker``, whose subjects get their processes from ``pool``.

    The first check of each rule begins in a new process: the first session of a program may differ
    from the later ones. If processes are ``dear``, this holds only for the rules whose checks are
    ``apart``; of the others, the first check of each chapter begins in a new process. Then a fault
    of first sessions may pass in most rules. It must show in one of those checks, or after a
    restart, as each restart starts a new process.

    If a check fails in a process that has played other traces, it is repeated in a new process. If
    it passes there, the other traces are the reason. That is a fault, unless this is ``forgiving``
    and the check fails again in a used process. Then ``forgiven`` is true, and the check runs with
    a new process for each trace. After :data:`PATIENCE` such checks, every check does.

    The first failure of each rule in a new process is repeated as well. A failure that is gone when
    its trace is repeated does not occur every time. If the check is ``known`` to fail, only the
    first failure of each rule in a used process is repeated.

    Forgive a class that may remember a name which two traces have. Forgive one that may remember an
    event loop: the Python host makes a new loop for each trace.
    """

    def __init__(self, checker: Checker, pool: Pool, *, forgiving: bool) -> None:
        self._checker = checker
        self._pool = pool
        self._forgiving = forgiving
        self._begun: set[str] = set()
        self._looked_at: set[tuple[str, bool]] = set()
        self._patience = PATIENCE
        self.forgiven = False

    def run(self, check: Check, *, known: bool = False) -> Failure | None:
        """Run a check, and return its failure. See :meth:`Checker.run` for ``known`` and errors."""
        by_chapter = self._checker.dear and not self._checker.apart(check)
        part = check.rule.partition("-")[0] if by_chapter else check.rule
        if part not in self._begun:
            self._begun.add(part)
            self._pool.renew()
        self._pool.reused = self.forgiven = False
        failure = self._checker.run(check, known=known)
        if failure is None:
            return None
        look = (check.rule, known)
        looked_at = look in self._looked_at
        if not self._pool.reused:
            if known or failure.hung or looked_at:
                return failure
            self._looked_at.add(look)
            return self._asked_again(failure)
        if known and looked_at:
            return failure
        if not self._forgiving and (known or failure.hung or looked_at):
            return failure
        self._looked_at.add(look)
        self._pool.renew()
        try:
            again = self._checker.replay(failure.done)
        except Impossible:
            return failure
        if not self._forgiving:
            return failure if again is not None else replace(failure, repeats="not alone")
        if again is not None:
            return replace(again, repeats=failure.repeats, shortest=failure.shortest)
        # The process that has just played the trace alone now plays it among others.
        if self._checker.replay(failure.done, alone=False) is None:
            return replace(failure, repeats="not every time")
        self.forgiven = True
        self._patience -= 1
        self._pool.keep = False
        self._pool.renew()
        try:
            return self._checker.run(check, known=known)
        finally:
            self._pool.keep = self._patience > 0

    def _asked_again(self, failure: Failure) -> Failure:
        try:
            again = self._checker.replay(failure.done)
        except Impossible:
            return failure
        return failure if again is not None else replace(failure, repeats="not every time")
