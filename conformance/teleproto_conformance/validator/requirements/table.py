"""What a requirement is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..talk import Talk

STARTED, KNOWN, BEGUN, OPENED = range(4)
"""How far a talk has come when the check of a requirement begins."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What a host has to do. ``title`` says it, and ``check`` tests it.

    The check begins with a talk that has come as far as ``since``. If a ``gate`` fails, the
    requirements after it cannot be tested.
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
        """Make a check a requirement of this group."""

        def put(check: _Check) -> _Check:
            self.requirements.append(
                Requirement(group=self.title, title=title, since=since, gate=gate, check=check)
            )
            return check

        return put
