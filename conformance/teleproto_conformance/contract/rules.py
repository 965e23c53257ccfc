"""The contract in memory: chapters, their rules, and the checks that show each rule.

It is made from ``spec/`` by :mod:`authoring` and read back from ``vectors/`` by :mod:`vectors`;
whoever runs the suite needs only the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import trace as traces
from .tables import Field, Member, Profile
from .trace import Trace


@dataclass(frozen=True)
class Rule:
    """One sentence of the contract. ``profiles`` are those that promise it."""

    id: str
    level: str
    profiles: tuple[str, ...]
    rule: str
    why: str
    source: str
    gate: bool = False
    excluded: str | None = None

    @property
    def chapter(self) -> str:
        return self.id.rpartition("-")[0]

    def dump(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "level": self.level,
            "profiles": list(self.profiles),
            "rule": self.rule,
            "why": self.why,
            "source": self.source,
            **({"gate": True} if self.gate else {}),
            **({"excluded": self.excluded} if self.excluded else {}),
        }


@dataclass(frozen=True)
class Case:
    """A trace that shows a rule. ``id`` is unique, such as ``DC-1[published-production-1]``."""

    id: str
    rule: str
    profiles: tuple[str, ...]
    comment: str
    trace: Trace

    def dump(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rule": self.rule,
            "profiles": list(self.profiles),
            "comment": self.comment,
            "trace": traces.dump(self.trace),
        }


@dataclass(frozen=True)
class Generated:
    """Traces that show a rule and are made at run time, ``by`` a generator of that name."""

    id: str
    rule: str
    profiles: tuple[str, ...]
    comment: str
    by: str
    operations: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rule": self.rule,
            "profiles": list(self.profiles),
            "comment": self.comment,
            "by": self.by,
            "operations": list(self.operations),
            "watch": list(self.watch),
        }


Check = Case | Generated


@dataclass(frozen=True)
class Chapter:
    """Rules about one thing. ``vectors`` names the file that holds its cases."""

    id: str
    title: str
    about: str
    vectors: str
    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]
    generated: tuple[Generated, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        return (*self.cases, *self.generated)


@dataclass(frozen=True)
class Contract:
    """All chapters, and the tables that the suite works from."""

    version: str
    chapters: tuple[Chapter, ...]
    tables: dict[str, Any] = field(repr=False)

    @cached_property
    def members(self) -> dict[str, Member]:
        """The members of a session, by their names in Python."""
        table = self.tables["surface"]["members"]
        return {name: Member.load(entry) for name, entry in table.items()}

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields of a session's state, by name."""
        return {name: Field.load(entry) for name, entry in self.tables["state"]["fields"].items()}

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """The profiles, by name."""
        return {name: Profile(**entry) for name, entry in self.tables["profiles"].items()}

    @property
    def layouts(self) -> dict[str, Any]:
        """The layouts of saved strings, as :mod:`formats` reads them."""
        layouts: dict[str, Any] = self.tables["formats"]["layouts"]
        return layouts

    @property
    def rules(self) -> dict[str, Rule]:
        return {rule.id: rule for chapter in self.chapters for rule in chapter.rules}

    def checks(self, profile: str) -> list[Check]:
        """Everything that a session of ``profile`` is asked, chapter by chapter."""
        return [
            check
            for chapter in self.chapters
            for check in chapter.checks
            if profile in check.profiles
        ]
