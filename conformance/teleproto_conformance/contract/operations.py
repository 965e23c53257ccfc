"""The operations of traces, each described once.

The generator makes the schema of traces and the table in ``vectors/README.md`` from these
descriptions. The player, the messages and the check of authored traces also use them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

Session = Literal["opens", "needs", "process", "none"]
"""How an operation uses its session. ``opens``: it constructs the session. ``needs``: it needs the
session. ``process``: it needs only the process, and works even if the constructor raised. ``none``:
it does not use a session."""

Asks = Literal["get", "set", "has", "call"]
"""The request to a subject, if it is known in advance: read all named properties, assign one, check
whether the member exists, or call the method of that name."""

Schema = dict[str, Any]

_EMPTY: Schema = {"$ref": "#/$defs/none"}
_DIRECTORY: Schema = {"$ref": "#/$defs/directory"}
_VARIABLE: Schema = {"$ref": "#/$defs/variable"}
_TRACE: Schema = {"anyOf": [{"$ref": "#/$defs/trace"}, _VARIABLE]}
_VALUE: Schema = {"$ref": "#/$defs/value"}
_ONE_VALUE: Schema = {"type": "array", "minItems": 1, "maxItems": 1, "items": _VALUE}


def _one_of(*names: str) -> Schema:
    entry = {"anyOf": [{"enum": [*names]}, _VARIABLE]}
    return {"type": "array", "minItems": 1, "maxItems": 1, "items": entry}


def _members(*names: str, most: int | None = None) -> Schema:
    return {
        "type": "object",
        "properties": dict.fromkeys(names, True),
        "additionalProperties": False,
        "minProperties": 1,
        **({} if most is None else {"maxProperties": most}),
    }


def _record(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": [*required],
        "additionalProperties": False,
    }


_AT: Schema = {
    "description": (
        "This happens just before a system call. number counts the program's calls of this name in "
        "all of its threads, from 1."
    ),
    **_record(
        {
            "call": {"type": "string", "pattern": "^[a-z0-9_]+$"},
            "number": {"type": "integer", "minimum": 1},
        },
        what={"type": "string", "description": "The call as it was counted, for human readers."},
    ),
}

Notation = list[dict[str, Any]]
"""The steps of a trace as YAML or JSON has them."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of traces.

    ``about`` describes the operation and ``shown`` its argument, for people; ``argument`` is the
    JSON Schema of the argument. ``asks`` is the request to a subject, or None if it depends on
    earlier steps. ``questions`` is true if the operation leaves the session unchanged. ``saves`` is
    true if the suite can open the session again after it without ``save()``. ``steps`` returns the
    traces within an argument.
    """

    name: str
    about: str
    shown: str
    argument: Schema
    session: Session = "needs"
    asks: Asks | None = None
    questions: bool = False
    saves: bool = False
    steps: Callable[[Any], list[Notation]] = lambda argument: []


def _method(name: str, argument: Schema, **more: Any) -> Operation:
    about = "call the method, and wait for its result"
    return Operation(
        name=name, about=about, shown="arguments", argument=argument, asks="call", **more
    )


def _arguments(least: int, most: int) -> Schema:
    return {"type": "array", **({"minItems": least} if least else {}), "maxItems": most}


_ALL: Final = (
    Operation(
        name="open",
        about=(
            "construct the session; the text is a name, or in the `string` profile a saved string; "
            "without a text, a class that takes a name gets `my-account`"
        ),
        shown="`[]`, or one text",
        argument={"$ref": "#/$defs/arguments"},
        session="opens",
    ),
    Operation(
        name="restore",
        about=(
            "construct the session from this saved string and call `load()`; an error from either "
            "counts"
        ),
        shown="one text",
        argument={"$ref": "#/$defs/arguments"},
        session="opens",
    ),
    Operation(
        name="reopen",
        about=(
            "drop the object, open the session again from what the profile keeps, and call "
            "`load()`. `memory`: a new session. `string`: from the string that `save()` returned. "
            "`store` and `teleproto-store`: under the same name. `custom`: under the same name, "
            "after a `save()`; leave this `save()` out if the last call was `save`, `close` or "
            "`delete`"
        ),
        shown="`[]`",
        argument=_EMPTY,
        session="process",
    ),
    Operation(
        name="observe",
        about="read each property and compare",
        shown="member to value",
        argument=_members("dc_id", "server_address", "port", "auth_key", "test_servers"),
        asks="get",
        questions=True,
    ),
    Operation(
        name="set",
        about="assign the property",
        shown="member to value",
        argument=_members("auth_key", "test_servers", most=1),
        asks="set",
    ),
    Operation(
        name="has",
        about="gives whether the session has the member",
        shown="a member",
        argument={"type": "string"},
        asks="has",
        questions=True,
    ),
    _method("set_dc", _arguments(3, 3)),
    _method("set_auth_key", _arguments(1, 2)),
    _method("get_auth_key", _arguments(0, 1), questions=True),
    _method("process_entities", _ONE_VALUE),
    _method("get_input_entity", _ONE_VALUE, questions=True),
    _method("load", _EMPTY),
    _method("save", _EMPTY, saves=True),
    _method("close", _EMPTY, saves=True),
    _method("delete", _EMPTY, saves=True),
    Operation(
        name="restart",
        about=(
            "end the process of the session, normally or by SIGKILL, without calling the session; "
            "then open it in a new process as `reopen` does"
        ),
        shown="`exit` or `kill`",
        argument=_one_of("exit", "kill"),
        session="process",
    ),
    Operation(
        name="pause",
        about="wait this long; meanwhile the program continues its running work",
        shown="milliseconds",
        argument={"type": "integer", "minimum": 1, "maximum": 1000},
        session="process",
    ),
    Operation(
        name="chdir",
        about=(
            "make this new directory, and change to it in the process of the session. Paths in the "
            "trace still begin at the first working directory, and new processes start there"
        ),
        shown="a directory",
        argument=_DIRECTORY,
        session="process",
    ),
    Operation(
        name="interrupt",
        about=(
            "do the steps of `during` while the process is killed (`kill`) or a write fails "
            "(`ENOSPC`, `EIO`); with `calls`, another call (`reads`, `opens`) fails; see below"
        ),
        shown="`{with, during}`",
        argument=_record(
            {
                "with": {"anyOf": [{"enum": ["kill", "ENOSPC", "EIO", "EACCES"]}, _VARIABLE]},
                "during": _TRACE,
            },
            calls={"anyOf": [{"enum": ["writes", "reads", "opens"]}, _VARIABLE]},
            at=_AT,
        ),
        saves=True,
        steps=lambda argument: [argument["during"]],
    ),
    Operation(
        name="settled",
        about=(
            "ask all questions of `after`; if the last `interrupt` was refused, the answers may be "
            "those of `before` instead; all answers must match the same list"
        ),
        shown="`{before, after}`",
        argument=_record({"before": _TRACE, "after": _TRACE}),
        questions=True,
        steps=lambda argument: [argument["before"], argument["after"]],
    ),
    Operation(
        name="either",
        about="ask the questions of each list, until all answers match one list",
        shown="a list of lists",
        argument={"type": "array", "minItems": 1, "items": _TRACE},
        questions=True,
        steps=list,
    ),
    Operation(
        name="together",
        about=(
            "call all these methods before the first one returns: in different processes at once; "
            "in one process, begin each call while the calls before it wait for something"
        ),
        shown="steps",
        argument={"$ref": "#/$defs/trace"},
        steps=lambda argument: [argument],
    ),
    Operation(
        name="watch",
        about="begin to record what the process writes",
        shown="`[]`",
        argument=_EMPTY,
        session="process",
    ),
    Operation(
        name="written",
        about=(
            "end the record; gives the paths of all files that the process has written, made or "
            "removed, anywhere"
        ),
        shown="`[]`",
        argument=_EMPTY,
        session="process",
        questions=True,
    ),
    Operation(
        name="leaks",
        about=(
            "gives the places that show a key of `keys` or a saved string: the text of the object, "
            "every error so far, log records of every level, warnings, or printed output. Look for "
            "it raw, in hexadecimal, as numbers, in base64, base32 and base85"
        ),
        shown="`repr`, `errors`, `logs`, `warnings` or `output`",
        argument=_one_of("repr", "errors", "logs", "warnings", "output"),
        session="process",
        questions=True,
    ),
    Operation(
        name="put_files",
        about="write files below the working directory",
        shown="path to content",
        argument={
            "type": "object",
            "additionalProperties": {"type": ["string", "object"]},
            "propertyNames": {"$ref": "#/$defs/path"},
        },
        session="none",
    ),
    Operation(
        name="files",
        about="gives the path and the content of every file there",
        shown="`[]` or a directory",
        argument={"type": "array", "maxItems": 1, "items": {"$ref": "#/$defs/path"}},
        session="none",
        questions=True,
    ),
    Operation(
        name="damage",
        about="overwrite every file there with the same number of bytes 0xFF",
        shown="a directory",
        argument=_DIRECTORY,
        session="none",
    ),
    Operation(
        name="truncate",
        about="cut every file there to half its size, rounded down",
        shown="a directory",
        argument=_DIRECTORY,
        session="none",
    ),
    Operation(
        name="remember_files",
        about="record all files",
        shown="`[]`",
        argument=_EMPTY,
        session="none",
    ),
    Operation(
        name="files_unchanged",
        about="gives whether each recorded file is still there and unchanged",
        shown="`[]`",
        argument=_EMPTY,
        session="none",
        questions=True,
    ),
    Operation(
        name="growth",
        about="gives the number of bytes by which the files have grown since the last `growth`",
        shown="`[]`",
        argument=_EMPTY,
        session="none",
        questions=True,
    ),
    Operation(
        name="exposed",
        about=(
            "gives every file and directory that another user of the machine may read or change, "
            "with its mode"
        ),
        shown="`[]`",
        argument=_EMPTY,
        session="none",
        questions=True,
    ),
)

MODIFIERS: Final = ("gives", "raises", "asks", "when", "session", "process", "times")
"""The other members that a step may have."""
OPERATIONS: Final = {operation.name: operation for operation in _ALL}
"""All operations by name."""


def schema() -> Schema:
    """Return the properties of a step that are operations, as JSON Schema."""
    return {
        each.name: {"description": _sentence(each.about), "anyOf": [each.argument, _VARIABLE]}
        for each in _ALL
    }


def table() -> list[str]:
    """Return the lines of a table of operations. Operations with the same texts share a line."""
    rows: dict[tuple[str, str], list[str]] = {}
    for each in _ALL:
        rows.setdefault((each.shown, each.about), []).append(f"`{each.name}`")
    return [
        "| operation | argument | what to do |",
        "| :-- | :-- | :-- |",
        *(f"| {', '.join(names)} | {shown} | {about} |" for (shown, about), names in rows.items()),
    ]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
