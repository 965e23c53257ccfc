"""Failure messages in the programming language of the session; the default is Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..contract.tables import Member
from ..subjects.hello import Hello
from .words import PYTHON, Words

_NAME = re.compile(r"\b([a-z]+(_[a-z]+)+|None|raise[sd]?|tracebacks)\b")
"""Names to translate in a sentence. Members of one word have the same name in JavaScript."""

_ELSEWHERE = {
    "None": "undefined",
    "raise": "throw",
    "raises": "throws",
    "raised": "thrown",
    "tracebacks": "stack traces",
}

_LITERALS = {"None": "undefined", "True": "true", "False": "false"}


_PREAMBLE = """\
const {{ Api }} = require("{library}");
const {{ AuthKey }} = require("{library}/crypto/AuthKey");
const bigInt = require("big-integer");
const keyA = new AuthKey();
await keyA.setKey(Buffer.alloc(256, "A")); // use other bytes for the other keys
let session;
"""


class JavaScript(Words):
    """JavaScript for users of ``library``. ``members`` is the table of the surface."""

    remark = "//"
    fence = "js"
    blank = "new AuthKey()"
    factory = "node:MODULE#factory"
    views = "util.inspect(), String() and JSON.stringify()"

    def __init__(self, members: Mapping[str, Member], library: str) -> None:
        self._members = members
        self.preamble = (*_PREAMBLE.format(library=library).splitlines(),)

    def member(self, name: str) -> str:
        return self._members[name].teleproto

    def prose(self, text: str) -> str:
        return _NAME.sub(lambda match: self._named(match[0]), text)

    def _named(self, name: str) -> str:
        return self.member(name) if name in self._members else _ELSEWHERE.get(name, name)

    def key(self, name: str) -> str:
        return f"key{name[0].upper()}{_camel_case(name[1:])}"

    def literal(self, thing: Any) -> str:
        return _LITERALS.get(repr(thing), repr(thing))

    def long(self, digits: str) -> str:
        return f'bigInt("{digits}")'

    def construct(self, session: str, arguments: str) -> str:
        # A name with a small first letter is a factory, which may return a promise.
        return f"{'new' if session[:1].isupper() else 'await'} {session}({arguments})"

    def call(self, name: str, member: str, arguments: str) -> str:
        waits = "await " if self._members[member].awaitable else ""
        return f"{waits}{name}.{self.member(member)}({arguments})"

    def together(self, calls: list[str]) -> str:
        begun = ", ".join(call.removeprefix("await ") for call in calls)
        return f"await Promise.all([{begun}])"

    def pause(self, milliseconds: int) -> str:
        return f"await new Promise((go) => setTimeout(go, {milliseconds}))"

    def chdir(self, directory: str) -> str:
        return f"fs.mkdirSync({directory}); process.chdir({directory})"

    def entity(self, constructor: str, fields: list[tuple[str, str]]) -> str:
        space, dot, kind = constructor.rpartition(".")
        given = ", ".join(f"{_camel_case(field)}: {entry}" for field, entry in fields)
        return f"new Api.{space}{dot}{kind[:1].upper()}{kind[1:]}({{{given}}})"


def _camel_case(name: str) -> str:
    return re.sub("_([a-z0-9])", lambda match: match[1].upper(), name)


def words(hello: Hello, members: Mapping[str, Member]) -> Words:
    """Return the words for the language and library in the answer to ``hello``."""
    if hello.language != "javascript":
        return PYTHON
    known = ("teleproto", "telegram")
    library = next((name for name in known if name in hello.versions), "teleproto")
    return JavaScript(members, library)
