"""Entities: every query of the ground truth, compared with teleproto's MemorySession."""

from __future__ import annotations

import pytest
from teleproto_sessions import MemorySession

from .cases import ask, entity_queries, feed
from .differences import explained

QUERIES = {name: parts for name, *parts in entity_queries()}


@pytest.mark.parametrize("name", QUERIES)
def test_teleproto(name: str) -> None:
    case, query, theirs = QUERIES[name]
    session = MemorySession()
    for step in case["steps"]:
        feed(session, step)
    assert (ask(session, query) != theirs) == explained(name)
