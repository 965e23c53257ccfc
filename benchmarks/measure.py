"""Timing two sides by turns, so that whatever else the machine does meets both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(
    title: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int, limit: float
) -> None:
    """Print the median of each side and their ratio, beside the most it should be."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"{title:<58} {first * 1e3:10.3f} ms {second * 1e3:10.3f} ms  "
        f"ratio {ratio:6.3f}  (at most {limit:g})"
    )
