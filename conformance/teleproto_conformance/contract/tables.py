"""The tables of the contract as records: the members, the fields and the profiles of a session."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of a session; ``spec/surface.yaml`` has all of them.

    ``teleproto`` is its name in JavaScript. An ``awaitable`` member may return something to await;
    any other takes effect before it returns. ``since`` is the release of teleproto that brought it.
    """

    teleproto: str
    kind: Literal["method", "property"]
    awaitable: bool
    doc: str
    arguments: tuple[str, ...] | None = None
    settable: bool = False
    since: str | None = None

    @classmethod
    def load(cls, entry: dict[str, Any]) -> Self:
        """Read an entry of the table."""
        arguments = tuple(entry["arguments"]) if "arguments" in entry else None
        return cls(**{**entry, "arguments": arguments})

    def dump(self) -> dict[str, Any]:
        """Write the entry, without what it leaves out."""
        given = {key: value for key, value in asdict(self).items() if value or value == ()}
        return {**given, "awaitable": self.awaitable}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a session's state; ``empty`` are the values that may be read if it is empty."""

    doc: str
    empty: tuple[Any, ...]

    @classmethod
    def load(cls, entry: dict[str, Any]) -> Self:
        """Read an entry of the table."""
        return cls(doc=entry["doc"], empty=tuple(entry["empty"]))


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a class promises; ``spec/profiles.yaml`` has all profiles.

    ``takes`` is what the constructor takes, ``keeps`` what survives. ``names`` says who sees the
    name of a session. It is ``own`` if the storage is the working directory, and ``shared`` if
    every program that uses the storage sees the name. It is None for sessions without a name.
    ``extends`` is the profile whose rules bind this one as well.
    """

    takes: Literal["nothing", "saved", "name"]
    keeps: Literal["nothing", "string", "changes", "saved"]
    constructed: str
    doc: str
    names: Literal["own", "shared"] | None = None
    extends: str | None = None
