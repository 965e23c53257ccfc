"""Faulty sessions, at least one for every rule: what the suite has to find.

Most are a correct session with one mistake, of the kind that authors make; where a published
library makes it, its docstring says so. `REGISTERED` lists them all.
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
    "sec",
    "store",
    "strings",
    "surface",
]
