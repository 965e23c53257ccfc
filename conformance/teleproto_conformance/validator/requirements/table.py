"""The record of a requirement, and groups of requirements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..talk import Talk

STARTED, KNOWN, BEGUN, OPENED = range(4)
"""The stages of a talk. The check of a requirement begins at one of them."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A requirement for a host. ``title`` states it, and ``check`` tests it.

    The check begins with a talk at the stage ``since``. If a ``gate`` fails, later requirements
    cannot be tested.
    """

    group: str
    title: str
    since: int
    gate: bool
    check: Callable[[Talk], None]


_Check = TypeVar("_Check", bound=Callable[[Talk], None])


class Group:
    """Requirements with a common title, in the order in which they are tested."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.requirements: list[Requirement] = []

    def requirement(
        self, title: str, since: int = OPENED, *, gate: bool = False
    ) -> Callable[[_Check], _Check]:
        """Return a decorator that adds a check to this group as a requirement."""

        def put(check: _Check) -> _Check:
            self.requirements.append(
                Requirement(group=self.title, title=title, since=since, gate=gate, check=check)
            )
            return check

        return put
