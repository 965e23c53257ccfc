"""Which steps of a trace ask what its rule says, and which only lead there.

If a step that asks goes wrong, the session breaks the rule. If another step goes wrong, nothing can
be asked: the check is blocked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from .operations import OPERATIONS

_OPENING: Final = ("open", "load", "restore", "reopen", "restart")


class Statement(Protocol):
    """What must be known of a step."""

    @property
    def operation(self) -> str: ...

    @property
    def states(self) -> bool:
        """Whether the step says what its result has to be."""


def by_default(steps: Sequence[Statement]) -> list[bool]:
    """Return for each step whether it asks, if its trace does not say so.

    These are the last step that changes the session, and all later steps that state a result. If
    the session is opened again after that last change, the change asks only if it states a result.
    """
    changes = [place for place, step in enumerate(steps) if _changes(step)]
    last = changes[-1] if changes else -1
    opened_again = any(step.operation in _OPENING for step in steps[last + 1 :])
    return [
        place >= last and (step.states or (place == last and not opened_again))
        for place, step in enumerate(steps)
    ]


def _changes(step: Statement) -> bool:
    if step.operation == "save" and step.states:
        return False  # a question: which string is it?
    return step.operation not in _OPENING and not OPERATIONS[step.operation].questions
