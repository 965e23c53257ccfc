"""The effort of a run: how many traces, cases and points it tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """The limits of a run; None means no limit.

    ``examples`` is the number of traces drawn for a check. ``points`` is the number of points at
    which a change is interrupted. ``cases`` is the number of cases run for each scenario.
    ``shortening`` is the number of attempts to shorten a failing trace. ``seed`` is the random
    seed; None draws the same traces in every run.
    """

    name: str
    examples: int
    points: int | None = None
    cases: int | None = None
    seed: int | None = None
    shortening: int = 400

    @property
    def samples(self) -> bool:
        """Whether only some points are tried, so that a failure at another point is missed."""
        return self.points is not None


def choose(things: Sequence[T], count: int | None) -> Sequence[T]:
    """Return ``count`` of ``things``: the first, the last, and some between, evenly spread."""
    if count is None or len(things) <= count:
        return things
    last = len(things) - 1
    places = {round(place * last / (count - 1)) for place in range(count)}
    return [things[place] for place in sorted(places)]


EFFORTS: Final = {
    effort.name: effort
    for effort in (
        Effort(name="quick", examples=10, points=3, cases=2, shortening=60),
        Effort(name="standard", examples=100),
        Effort(name="deep", examples=1000),
    )
}
STANDARD: Final = EFFORTS["standard"]
