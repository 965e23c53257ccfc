"""A trace that failed, as data: the steps, what was expected and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..contract.trace import NOTHING, Step, Trace
from ..subjects.subject import Died, Hung, Outcome

INPUT = "input"
"""What an error reveals that repeats what it was given."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A step that did not come out as it states.

    Of ``observe``, ``member`` is the property that differs. ``reveals`` says what the error shows
    and must hide: ``INPUT``, or which key and in which encoding.
    """

    step: Step
    outcome: Outcome
    member: str = ""
    reveals: str = ""

    @property
    def expected(self) -> Any:
        """The value that had to come back; ``NOTHING`` if the step states none."""
        return self.step.argument[self.member] if self.member else self.step.gives

    @property
    def ends_all(self) -> bool:
        """Whether the session cannot be asked anything more."""
        return isinstance(self.outcome, Hung | Died)

    def dump(self) -> dict[str, Any]:
        """The step, what it states and the member, in the notation of traces."""
        stated = {} if self.expected is NOTHING else {"gives": self.expected}
        if self.step.raises is not None:
            stated["raises"] = self.step.raises
        return {"step": self.step.dump(), "member": self.member or None, "expected": stated}


Repeats = Literal["always", "not alone", "not every time"]
"""How a failure comes back: always; only after the checks before it; or by chance."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Where a trace went wrong.

    ``done`` are the steps up to the one that failed. If the failure came ``afterwards``, all steps
    went well, and what they left running failed. A step that allows several answers has a mismatch
    for each. ``shortest`` says of a drawn trace that no step can be left out.
    """

    done: Trace
    mismatches: tuple[Mismatch, ...]
    afterwards: bool = False
    printed: str = ""
    repeats: Repeats = "always"
    shortest: bool = field(default=False, compare=False)

    @property
    def hung(self) -> bool:
        """Whether a call did not return within its time limit."""
        return any(isinstance(each.outcome, Hung) for each in self.mismatches)
