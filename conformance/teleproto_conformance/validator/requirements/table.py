"""The table of requirements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..talk import Talk

STARTED, KNOWN, BEGUN, OPENED = range(4)
"""How far a talk has come when a requirement takes over."""


@dataclass(frozen=True)
class Requirement:
    """What a host has to do: ``title`` says it, and ``check`` finds out.

    Where a ``gate`` is not passed, nothing that stands behind it can be asked.
    """

    group: str
    title: str
    since: int
    gate: bool
    check: Callable[[Talk], None]


_Check = TypeVar("_Check", bound=Callable[[Talk], None])


class Group:
    """Requirements that belong together, in the order they are asked."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.requirements: list[Requirement] = []

    def requirement(
        self, title: str, since: int = OPENED, *, gate: bool = False
    ) -> Callable[[_Check], _Check]:
        """Put a check into the table."""

        def put(check: _Check) -> _Check:
            self.requirements.append(
                Requirement(group=self.title, title=title, since=since, gate=gate, check=check)
            )
            return check

        return put
