"""The register of known-bad sessions, each with the rule that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

Session = TypeVar("Session", bound=type[Any])


@dataclass(frozen=True)
class KnownBad:
    """A known-bad session class.

    The class breaks `rule`. It also breaks the rules in `also`, which ask about the same behaviour.
    """

    session: type[Any]
    rule: str
    also: frozenset[str]

    @property
    def profile(self) -> str:
        return str(self.session.session_profile)

    def __str__(self) -> str:
        return f"{self.rule}-{self.session.__name__}"


REGISTERED: list[KnownBad] = []


def breaks(rule: str, *, also: Iterable[str] = ()) -> Callable[[Session], Session]:
    """Register a class that breaks `rule`, and `also` a few others."""

    def register(session: Session) -> Session:
        REGISTERED.append(KnownBad(session, rule, frozenset(also)))
        return session

    return register


AMONG_OTHERS: dict[type[Any], str] = {}
"""Sessions that are correct alone, and the rule that each breaks in a storage with others."""


def breaks_among_others(rule: str) -> Callable[[Session], Session]:
    """Register a class that breaks `rule`. Alone, and with a plain name, it acts as its base.

    So the kill matrix runs only this rule on it. Its base must be correct.
    """

    def register(session: Session) -> Session:
        AMONG_OTHERS[session] = rule
        return session

    return register
