"""Known-bad sessions, at least one for every rule: the suite must find their faults.

Most are a correct session with one typical mistake. If a published library makes the same mistake,
the docstring names it. `REGISTERED` lists all of them.
"""

from known_bad import (
    client,
    dc,
    dur,
    ent,
    flag,
    fresh,
    iso,
    key,
    life,
    memory,
    program,
    sec,
    store,
    strings,
    surface,
)
from known_bad.registry import REGISTERED, KnownBad

__all__ = [
    "REGISTERED",
    "KnownBad",
    "client",
    "dc",
    "dur",
    "ent",
    "flag",
    "fresh",
    "iso",
    "key",
    "life",
    "memory",
    "program",
    "sec",
    "store",
    "strings",
    "surface",
]
