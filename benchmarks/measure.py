"""Time two sides by turns, so that other load on the machine affects both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds one call of ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(
    title: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int, limit: float
) -> None:
    """Print the median time of each side and the median ratio, with its limit."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    first, second = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"{title:<58} {first * 1e3:10.3f} ms {second * 1e3:10.3f} ms  "
        f"ratio {ratio:6.3f}  (at most {limit:g})"
    )
