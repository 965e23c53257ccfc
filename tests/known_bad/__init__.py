"""Known-bad sessions, at least one for every rule: the suite must find their faults.

Most are a correct session with one typical mistake. If a published library makes the same mistake,
the docstring names it. New processes import one module again and again, so this package imports
the others only in `registered`.
"""

from importlib import import_module
from pkgutil import iter_modules

from known_bad.registry import REGISTERED, KnownBad


def registered() -> list[KnownBad]:
    """Import all modules, and return all known-bad sessions."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return REGISTERED
