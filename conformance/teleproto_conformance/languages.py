"""The languages that failure messages speak: that of the session, where it is known here."""

from __future__ import annotations

import re
from typing import Any

from .describe import PYTHON, Words


class JavaScript(Words):
    """As a user of teleproto writes it; ``members`` is the table of the surface."""

    remark = "//"
    factory = "node:MODULE#factory"
    views = "util.inspect(), String() and JSON.stringify()"

    def __init__(self, members: dict[str, Any]) -> None:
        self._members = members

    def member(self, name: str) -> str:
        known: str = self._members[name]["teleproto"]
        return known

    def literal(self, thing: Any) -> str:
        return {"None": "undefined", "True": "true", "False": "false"}.get(repr(thing), repr(thing))

    def long(self, digits: str) -> str:
        return f'bigInt("{digits}")'

    def construct(self, session: str, arguments: str) -> str:
        # A factory, as its name shows, is no constructor.
        return f"{'new ' if session[:1].isupper() else ''}{session}({arguments})"

    def call(self, name: str, member: str, arguments: str) -> str:
        waits = "await " if self._members[member]["awaitable"] else ""
        return f"{waits}{name}.{self.member(member)}({arguments})"

    def entity(self, constructor: str, fields: list[tuple[str, str]]) -> str:
        space, dot, kind = constructor.rpartition(".")
        given = ", ".join(f"{_camel_case(field)}: {entry}" for field, entry in fields)
        return f"new Api.{space}{dot}{kind[:1].upper()}{kind[1:]}({{{given}}})"


def _camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def words(language: str, members: dict[str, Any]) -> Words:
    """Return the words for sessions in ``language``, as its host calls it."""
    return JavaScript(members) if language == "javascript" else PYTHON
