"""A failed trace as data: the steps, the expected and the actual outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..contract.trace import NOTHING, Step, Trace
from ..subjects.subject import Died, Hung, Outcome

INPUT = "input"
"""The value of ``reveals`` for an error that repeats its input."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A step whose outcome differs from its expectation.

    For ``observe``, ``member`` is the property that differs. ``reveals`` says which secret an error
    shows: ``INPUT``, or a key and its encoding.
    """

    step: Step
    outcome: Outcome
    member: str = ""
    reveals: str = ""

    @property
    def expected(self) -> Any:
        """The expected value; ``NOTHING`` if the step states none."""
        return self.step.argument[self.member] if self.member else self.step.gives

    @property
    def ends_all(self) -> bool:
        """Whether the session can take no further step."""
        return isinstance(self.outcome, Hung | Died)

    def dump(self) -> dict[str, Any]:
        """The step, the member and the expectation, in the notation of traces."""
        stated = {} if self.expected is NOTHING else {"gives": self.expected}
        if self.step.raises is not None:
            stated["raises"] = self.step.raises
        return {"step": self.step.dump(), "member": self.member or None, "expected": stated}


Repeats = Literal["always", "not alone", "not every time"]
"""When a failure occurs again: always, not if its trace runs alone, or only in some runs."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The failure of a trace.

    ``done`` are the steps up to the one that failed. If ``afterwards`` is true, all steps
    succeeded, but work that they left running failed. A step that permits several answers has a
    mismatch for each. Before the steps at the places ``saved``, the suite called ``save()``, as the
    profile demands. ``shortest`` is true for a drawn trace that cannot be shortened further.
    """

    done: Trace
    mismatches: tuple[Mismatch, ...]
    afterwards: bool = False
    printed: str = ""
    saved: frozenset[int] = frozenset()
    repeats: Repeats = "always"
    shortest: bool = field(default=False, compare=False)

    @property
    def blocked(self) -> bool:
        """Whether the failure is on the way to the question, so that the rule was not asked."""
        return not self.afterwards and not self.done[-1].asks

    @property
    def hung(self) -> bool:
        """Whether a call did not return within its time limit."""
        return any(isinstance(each.outcome, Hung) for each in self.mismatches)
