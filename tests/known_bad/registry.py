"""The register of faulty sessions: which rule each was written to break."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

Session = TypeVar("Session", bound=type[Any])


@dataclass(frozen=True)
class KnownBad:
    """A faulty session class.

    `rule` is the one it was written for. `also` are those that fail with it of necessity: their
    scenarios cannot be played without the behaviour that is broken. `using` names a member that no
    scenario can use; every rule with such a scenario fails.
    """

    session: type[Any]
    rule: str
    also: frozenset[str]
    using: str | None

    @property
    def profile(self) -> str:
        return str(self.session.session_profile)

    def __str__(self) -> str:
        return f"{self.rule}-{self.session.__name__}"


REGISTERED: list[KnownBad] = []


def breaks(
    rule: str, *, also: Iterable[str] = (), using: str | None = None
) -> Callable[[Session], Session]:
    """Register a class as one that breaks `rule`, and `also` a few others."""

    def register(session: Session) -> Session:
        REGISTERED.append(KnownBad(session, rule, frozenset(also), using))
        return session

    return register
