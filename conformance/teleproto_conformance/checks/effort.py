"""How much of what could be tried is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How many traces are drawn for a check, at how many moments each change is interrupted, and
    how many cases of each scenario are run; None is for all. ``seed`` is where drawing starts, None
    for always the same. ``shortening`` is how many attempts are made to shorten one that fails.
    """

    name: str
    examples: int
    points: int | None = None
    cases: int | None = None
    seed: int | None = None
    shortening: int = 400


def choose(things: Sequence[T], count: int | None) -> Sequence[T]:
    """Return ``count`` of ``things``: the first, the last, and some between."""
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
