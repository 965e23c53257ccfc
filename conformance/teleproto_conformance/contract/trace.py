"""The operation trace: the only way in which the suite drives a session.

Vectors and generated histories are traces. Failure messages show traces, and replay files hold
them. ``spec/schema/trace.schema.json`` is the notation in YAML and JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields, is_dataclass, replace
from typing import Any, Final

from teleproto_sessions import tl

from ..errors import ContractError
from . import asking
from .keys import KEYS
from .operations import MODIFIERS, OPERATIONS

MAIN: Final = "session"
INTEGERS: Final = ("id", "access_hash", "user_id", "chat_id", "channel_id")
"""Fields of TL objects that are 64-bit integers; a trace writes them as decimal text."""


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


PERMITTED: Final = ("maybe", "ends")
"""The values of ``raises`` that permit an error. With ``ends``, the trace ends there."""
NOTHING: Final = _Nothing()
"""The step expects no particular value. ``None`` would be an expected value."""


@dataclass(frozen=True)
class Step:
    """One operation and its expected result.

    ``asks`` says whether the step asks what the rule of its trace says; see :mod:`asking`.
    """

    operation: str
    argument: Any
    _: KW_ONLY
    gives: Any = NOTHING
    raises: Any = None
    asks: bool = True
    when: str | None = None
    session: str = MAIN
    process: str = ""
    times: int = 1

    @property
    def opens(self) -> bool:
        """Whether the step constructs its session."""
        return OPERATIONS[self.operation].session == "opens"

    @property
    def questions(self) -> bool:
        """Whether the step leaves the session unchanged."""
        return OPERATIONS[self.operation].questions

    @property
    def states(self) -> bool:
        """Whether the step says what its result has to be."""
        given = self.gives is not NOTHING or self.raises not in (None, *PERMITTED)
        return given or self.operation in ("observe", "settled", "either")

    @classmethod
    def parse(cls, notation: dict[str, Any]) -> Step:
        """Read a step that fits the schema."""
        (operation,) = (key for key in notation if key not in MODIFIERS)
        modifiers = {key: value for key, value in notation.items() if key != operation}
        return cls(operation, notation[operation], **modifiers)

    def dump(self) -> dict[str, Any]:
        """Write the step in its notation."""
        notation: dict[str, Any] = {self.operation: self.argument}
        if self.gives is not NOTHING:
            notation["gives"] = self.gives
        if self.raises is not None:
            notation["raises"] = self.raises
        if self.when is not None:
            notation["when"] = self.when
        if self.session != MAIN:
            notation["session"] = self.session
        if self.process:
            notation["process"] = self.process
        if self.times != 1:
            notation["times"] = self.times
        return notation


Trace = tuple[Step, ...]


def refuse_unusable(notation: Iterable[dict[str, Any]]) -> None:
    """Refuse mistakes that pass the schema: sessions used before they are opened, invalid values.

    :raises ContractError: for the first mistake.
    """
    steps = list(notation)
    _refuse_other_than_one_operation(steps)
    # `parse` opens the main session if the trace never does.
    opened = {MAIN} - {step.get("session", MAIN) for step in steps if _opens(step)}
    for step in steps:
        session = step.get("session", MAIN)
        if _opens(step):
            opened.add(session)
        elif session not in opened and _needs_session(step):
            raise ContractError(f"the session {session} is used before it is opened")
        _refuse_unknown_values(step)


def _refuse_other_than_one_operation(steps: list[dict[str, Any]]) -> None:
    for step in steps:
        given = [name for name in step if name not in MODIFIERS]
        if len(given) != 1:
            raise ContractError(
                f"a step must have exactly one operation; this one has {', '.join(given) or 'none'}"
            )
        for inner in OPERATIONS[given[0]].steps(step[given[0]]):
            _refuse_other_than_one_operation(inner)


def _needs_session(step: dict[str, Any]) -> bool:
    return all(OPERATIONS[name].session != "none" for name in step.keys() & OPERATIONS.keys())


def _opens(step: dict[str, Any]) -> bool:
    return any(OPERATIONS[name].session == "opens" for name in step.keys() & OPERATIONS.keys())


def _refuse_unknown_values(value: Any) -> None:
    match value:
        case str() if re.fullmatch(r"\$[a-z_]+", value):
            raise ContractError(f"variable {value} has no value")
        case {"key": name} if not isinstance(name, str) or name not in KEYS:
            raise ContractError(f"there is no key {name}; use one of {', '.join(KEYS)}")
        case {"int": digits} | {"long": digits} if not re.fullmatch("-?[0-9]+", str(digits)):
            raise ContractError(f"{digits} is not a whole number")
        case {"_": constructor}:
            _refuse_unknown_fields(value, str(constructor))
        case dict():
            for entry in value.values():
                _refuse_unknown_values(entry)
        case list():
            for entry in value:
                _refuse_unknown_values(entry)


def _refuse_unknown_fields(thing: dict[str, Any], constructor: str) -> None:
    """Check the fields of the types in ``tl``. Other types may have any field."""
    made = getattr(tl, constructor[:1].upper() + constructor[1:], None)
    known = {field.name for field in fields(made)} if is_dataclass(made) else None
    for name, entry in thing.items():
        if known is not None and name not in ("_", "self") and name not in known:
            raise ContractError(f"{constructor} has no {name}")
        if name in INTEGERS and not re.fullmatch("-?[0-9]+", str(entry or 0)):
            raise ContractError(f"{entry} is not a whole number")
        _refuse_unknown_values(entry)


def parse(notation: Sequence[dict[str, Any]]) -> Trace:
    """Read a trace. If it never opens its session, put ``open`` and ``load`` before it.

    A step that does not say whether it asks gets the default.
    """
    marks = [*notation]
    steps = [Step.parse(step) for step in notation]
    if not any(step.opens and step.session == MAIN for step in steps):
        marks = [{}, {}, *marks]
        steps = [Step("open", []), Step("load", []), *steps]
    return tuple(
        step if "asks" in mark else replace(step, asks=asks)
        for mark, step, asks in zip(marks, steps, asking.by_default(steps), strict=True)
    )


def dump(trace: Trace) -> list[dict[str, Any]]:
    """Write a trace as :func:`parse` reads it."""
    return [
        step.dump() if step.asks == asks else {**step.dump(), "asks": step.asks}
        for step, asks in zip(trace, asking.by_default(trace), strict=True)
    ]
