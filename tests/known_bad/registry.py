"""The register of known-bad sessions, each with the rule that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

Session = TypeVar("Session", bound=type[Any])


@dataclass(frozen=True)
class KnownBad:
    """A known-bad session class.

    The class breaks `rule`. It also fails the rules in `also`, because their scenarios need the
    broken behaviour. `using` names a broken member: every rule with a scenario that uses it fails.
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
    """Register a class that breaks `rule`, and `also` a few others."""

    def register(session: Session) -> Session:
        REGISTERED.append(KnownBad(session, rule, frozenset(also), using))
        return session

    return register
