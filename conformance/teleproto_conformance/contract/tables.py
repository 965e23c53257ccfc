"""The tables of the contract as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal, Self


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of a session; ``spec/surface.yaml`` has all of them.

    ``teleproto`` is its name in JavaScript. An ``awaitable`` member may return something to await;
    any other takes effect before it returns. ``since`` is the first release of teleproto that has
    the member.
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
        """Write the entry, without members that are not set."""
        given = {key: value for key, value in asdict(self).items() if value or value == ()}
        return {**given, "awaitable": self.awaitable}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a session's state; ``empty`` lists the values that an empty field may have."""

    doc: str
    empty: tuple[Any, ...]

    @classmethod
    def load(cls, entry: dict[str, Any]) -> Self:
        """Read an entry of the table."""
        return cls(doc=entry["doc"], empty=tuple(entry["empty"]))


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a class promises; ``spec/profiles.yaml`` has all profiles.

    ``takes`` is the constructor's argument, ``keeps`` is what survives. ``names`` says who sees the
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


@dataclass(frozen=True, kw_only=True)
class LayoutField:
    """A field of a saved string; ``spec/formats.yaml`` has all layouts.

    ``type`` has Kaitai Struct's names; it is None for the bytes of an auth key. ``encoding`` is
    the encoding of a text. If ``counts`` names a field, this one holds its size in bytes.
    """

    id: str
    type: Literal["u1", "u2be", "str", "ipv4", "ipv6"] | None = None
    encoding: str = "UTF-8"
    counts: str | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of a saved string: ``version``, then all ``fields`` together as base64."""

    version: str
    alphabet: Literal["standard", "url"]
    fields: tuple[LayoutField, ...]


@dataclass(frozen=True, kw_only=True)
class KeyMember:
    """A member of the JSON object of an auth key in a file.

    ``contents`` is its constant value; it is None for the member that holds the bytes.
    """

    id: str
    contents: str | None


@dataclass(frozen=True)
class Tables:
    """All tables of the contract. ``document`` has the form of ``tables`` in
    ``vectors/contract.json``.
    """

    document: Mapping[str, Any] = field(repr=False)

    @cached_property
    def members(self) -> dict[str, Member]:
        """The members of a session, by their names in Python."""
        table = self.document["surface"]["members"]
        return {name: Member.load(entry) for name, entry in table.items()}

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields of a session's state, by name."""
        table = self.document["state"]["fields"]
        return {name: Field.load(entry) for name, entry in table.items()}

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """The profiles, by name."""
        return {name: Profile(**entry) for name, entry in self.document["profiles"].items()}

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """The layouts of saved strings, by name."""
        return {
            name: Layout(
                version=entry["version"],
                alphabet=entry["alphabet"],
                fields=tuple(
                    LayoutField(**{key: given[key] for key in _OF_A_FIELD if key in given})
                    for given in entry["fields"]
                ),
            )
            for name, entry in self.document["formats"]["layouts"].items()
        }

    @cached_property
    def key_members(self) -> tuple[KeyMember, ...]:
        """The members of an auth key in a file."""
        entries = self.document["formats"]["directory"]["values"]["auth_key"]["members"]
        return tuple(KeyMember(id=entry["id"], contents=entry.get("contents")) for entry in entries)


_OF_A_FIELD = ("id", "type", "encoding", "counts")
