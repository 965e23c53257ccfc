"""The requirements of ``spec/HOSTS.md``, in the order in which they are tested.

Each is a function that talks to its own process. It raises :class:`Wrong` if the host is at fault,
and :class:`Mistake` if the session may be at fault.
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
