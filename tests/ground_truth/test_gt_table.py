"""Every entry of the table of differences names a case and a rule."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from .cases import cases_of_teleproto, cases_of_telethon, entity_queries, store_sessions
from .differences import DIFFERENCES, patterns

CASES = [
    *(name for name, _ in cases_of_teleproto()),
    *(name for name, _ in cases_of_telethon()),
    *(name for name, *_ in entity_queries()),
    *(f"store-read/{directory}" for directory, _ in store_sessions()),
]


@pytest.mark.parametrize(("rule", "pattern"), patterns())
def test_names_a_case(rule: str, pattern: str) -> None:
    if pattern.startswith("store-write/"):  # the table names the files of such a case one by one
        directories = [directory for directory, _ in store_sessions()]
        assert pattern.split("/")[1] in directories
    else:
        assert any(fnmatchcase(case, pattern) for case in CASES)


def test_no_two_patterns_match_one_case() -> None:
    assert all(DIFFERENCES.values())
    for case in CASES:
        assert sum(fnmatchcase(case, pattern) for _, pattern in patterns()) <= 1, case
