"""The contract in memory: chapters, their rules, and the checks that show each rule.

:mod:`authoring` makes it from ``spec/``, and :mod:`vectors` reads it back from ``vectors/``. A run
of the suite needs only the second.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from . import trace as traces
from .operations import Notation
from .tables import Field, Layout, Member, Profile, Tables
from .trace import Trace


@dataclass(frozen=True, kw_only=True)
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
        return _dump(self)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A trace that shows a rule. ``id`` is unique, such as ``DC-1[published-production-1]``.

    ``notation`` is the trace in its notation. It is parsed at its first use, because most runs play
    only some of the cases.
    """

    id: str
    rule: str
    profiles: tuple[str, ...]
    comment: str
    notation: Notation

    @cached_property
    def trace(self) -> Trace:
        return traces.parse(self.notation)

    def dump(self) -> dict[str, Any]:
        head = _dump(self)
        del head["notation"]
        return {**head, "trace": traces.dump(self.trace)}


@dataclass(frozen=True, kw_only=True)
class Generated:
    """Traces that show a rule. The generator ``by`` makes them at run time."""

    id: str
    rule: str
    profiles: tuple[str, ...]
    comment: str
    by: str
    operations: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        return _dump(self)


Check = Case | Generated


def _dump(record: Rule | Check) -> dict[str, Any]:
    """Return the fields of a record for JSON, without flags and texts that are not set."""
    given = {field.name: getattr(record, field.name) for field in fields(record)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None and value is not False
    }


@dataclass(frozen=True, kw_only=True)
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
    tables: Tables

    @property
    def members(self) -> dict[str, Member]:
        return self.tables.members

    @property
    def fields(self) -> dict[str, Field]:
        return self.tables.fields

    @property
    def profiles(self) -> dict[str, Profile]:
        return self.tables.profiles

    @property
    def layouts(self) -> dict[str, Layout]:
        return self.tables.layouts

    @property
    def rules(self) -> dict[str, Rule]:
        return {rule.id: rule for chapter in self.chapters for rule in chapter.rules}

    def checks(self, profile: str) -> list[Check]:
        """All checks for a session of ``profile``, chapter by chapter."""
        return [
            check
            for chapter in self.chapters
            for check in chapter.checks
            if profile in check.profiles
        ]
