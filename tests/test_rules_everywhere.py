"""Every rule id in the tree exists in the contract, and every rule is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Chapter, Check

ROOT = Path(__file__).parent.parent
CONTRACT = vectors.load()
CHAPTERS = "|".join(chapter.id for chapter in CONTRACT.chapters)
ID = re.compile(rf"\b(?:{CHAPTERS})-[0-9]+\b")
MADE_UP = {
    ROOT / "tests" / name
    for name in ("contract/test_documents.py", "publishing/test_vectors.py", "support/contracts.py")
}
"""Tests that invent contracts."""
SOURCES = sorted(
    path
    for folder in ("conformance", "reference", "tests", "examples", "spec")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".md", ".yaml") and path not in MADE_UP
)


def checks_of(chapter: Chapter) -> list[Check]:
    return [*chapter.cases, *chapter.generated]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_names_only_rules_that_exist(path: Path) -> None:
    unknown = set(ID.findall(path.read_text(encoding="utf-8"))) - set(CONTRACT.rules)
    assert not unknown, f"{path.relative_to(ROOT)} names {', '.join(sorted(unknown))}"


def test_every_rule_is_checked_or_excluded() -> None:
    checked = {check.rule for chapter in CONTRACT.chapters for check in checks_of(chapter)}
    for rule in CONTRACT.rules.values():
        assert (rule.id in checked) != bool(rule.excluded), (
            f"{rule.id} must have either a check or a reason to exclude it"
        )


def test_every_rule_is_checked_in_every_profile_it_binds() -> None:
    for profile in CONTRACT.profiles:
        checked = {check.rule for check in CONTRACT.checks(profile)}
        for rule in CONTRACT.rules.values():
            if profile in rule.profiles and rule.excluded is None:
                assert rule.id in checked, (
                    f"{rule.id} binds {profile}, but no check of this profile tests it"
                )


def test_every_check_belongs_to_a_rule_of_its_chapter() -> None:
    for chapter in CONTRACT.chapters:
        for check in checks_of(chapter):
            assert check.rule in {rule.id for rule in chapter.rules}
            assert check.id.startswith(f"{check.rule}[")
