"""The requirements of ``spec/HOSTS.md``, each a small function, in the order they are asked.

A function talks to a process of its own and raises what it does not find as it should be:
:class:`Wrong` where the host is to blame, :class:`Mistake` where the session behind it may be.
"""

from __future__ import annotations

from . import ending, errors, members, order, sessions, starting, values
from .table import Requirement

_GROUPS = (
    starting.GROUP,
    members.GROUP,
    values.GROUP,
    errors.GROUP,
    sessions.GROUP,
    order.GROUP,
    ending.GROUP,
)

REQUIREMENTS: list[Requirement] = [one for group in _GROUPS for one in group.requirements]

__all__ = ["REQUIREMENTS", "Requirement"]
