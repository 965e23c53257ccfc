"""Shortens a failing history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ...contract.trace import Step, Trace
from ..failure import Failure

_OPENING = 2
"""The number of steps that open the session."""


def shortened(
    failure: Failure,
    answered: Callable[[Trace], Trace | None],
    run: Callable[[Trace], Failure | None],
    attempts: int,
) -> Failure:
    """Remove from a history everything that its failure does not need.

    Large pieces are tried first, then smaller ones, then parts of single steps. ``answered`` gives
    a changed history new expectations, or returns None if the contract leaves them open. ``run`` is
    called at most ``attempts`` times. A failure that cannot be shortened further is marked as
    ``shortest``.
    """
    cutter = _Cutter(failure, answered, run, attempts)
    try:
        cutter.drop_questions()
        size = len(failure.done) // 2
        while size > 2:
            cutter.drop_pieces(size)
            size //= 2
        # Two calls may belong together, such as closing a session and opening it again.
        while any([cutter.drop_pieces(2), cutter.drop_pieces(1), cutter.drop_parts()]):
            pass
    except _Spent:
        return cutter.failure
    return replace(cutter.failure, shortest=True)


class _Spent(Exception):
    """All attempts are used, or one of them hung."""


class _Cutter:
    """Holds the shortest ``failure`` so far."""

    def __init__(
        self,
        failure: Failure,
        answered: Callable[[Trace], Trace | None],
        run: Callable[[Trace], Failure | None],
        attempts: int,
    ) -> None:
        self.failure = failure
        self._answered = answered
        self._run = run
        self._left = attempts

    def _fails(self, steps: Trace) -> bool:
        trace = self._answered(steps)
        if trace is None:
            return False
        if self._left == 0:
            raise _Spent
        self._left -= 1
        failure = self._run(trace)
        if failure is None:
            return False
        if failure.hung:
            raise _Spent
        self.failure = failure
        return True

    @property
    def _end(self) -> int:
        """The end of the steps that may be left out; the step that failed stays."""
        return len(self.failure.done) - (not self.failure.afterwards)

    def drop_questions(self) -> None:
        """Leave out all questions except the one with the wrong answer."""
        before, last = self.failure.done[: self._end], self.failure.done[self._end :]
        fewer = (*(step for step in before if not step.questions), *last)
        if fewer != self.failure.done:
            self._fails(fewer)

    def drop_pieces(self, size: int) -> bool:
        """Leave out pieces of ``size`` steps, from the end. Return whether one was left out."""
        any_gone = False
        end = self._end
        while end > _OPENING:
            start = max(_OPENING, end - size)
            done = self.failure.done
            gone = self._fails(done[:start] + done[end:])
            any_gone |= gone
            end = min(start if gone else end - max(1, size // 2), self._end)
        return any_gone

    def drop_parts(self) -> bool:
        """Leave out entities of a batch. Return whether one was left out."""
        any_gone = False
        place = _OPENING
        while place < self._end:
            done = self.failure.done
            smaller = _smaller(done[place])
            if any(self._fails((*done[:place], step, *done[place + 1 :])) for step in smaller):
                any_gone = True  # try the same batch again
            else:
                place += 1
        return any_gone


def _smaller(step: Step) -> Iterator[Step]:
    if step.operation == "process_entities":
        (entities,) = step.argument
        for at in range(len(entities) if len(entities) > 1 else 0):
            yield replace(step, argument=[entities[:at] + entities[at + 1 :]])
