"""Steps and values in words: what a failure message shows. No key or string is shown in full."""

from __future__ import annotations

from typing import Any

from .keys import KEYS, SIZE
from .secrets import masked
from .subject import Point
from .trace import INTEGERS, NOTHING, Step

_LONGEST = 40
_BEGINNING = 12
"""Characters shown of a longer text: too few to hold a secret in an encoding nobody looks for."""

_LARGEST = 2**64


def value(thing: Any) -> str:
    """Return a value of a trace as a reader of Python would write it.

    What a session gave may be anything, its key in disguise too: of what is longer than an address
    or larger than an access hash, only the beginning or the mere fact is told.
    """
    match thing:
        case {"key": name, "object": thing}:
            return (
                f"the AuthKey object {thing}, now {'empty' if name == 'blank' else f'key {name}'}"
            )
        case {"key": "blank"}:
            return "an AuthKey without bytes"
        case {"key": "unknown", "bytes": size}:
            return f"an auth key of {size} bytes that nobody set"
        case {"key": name}:
            size = len(KEYS[name])
            return f"key {name}" if size == SIZE else f"an auth key of {size} bytes"
        case {"int": digits}:
            return str(digits)
        case {"one_of": choices}:
            return " or ".join(value(choice) for choice in choices)
        case {"at_most": limit}:
            return f"at most {limit:,}"
        case {"below": directory}:
            return f"files below {directory}, and nowhere else"
        case {"told": text}:
            return masked(str(text))
        case {"python": name}:
            return f"an object of class {name}"
        case {"_": constructor}:
            fields = (f"{key}={_field(key, entry)}" for key, entry in _fields(thing))
            return f"{constructor[:1].upper()}{constructor[1:]}({', '.join(fields)})"
        case dict():
            return "{" + ", ".join(f"{value(k)}: {value(v)}" for k, v in thing.items()) + "}"
        case list():
            return "[" + ", ".join(value(entry) for entry in thing) + "]"
        case str():
            return _text(thing)
        case int() if abs(thing) > _LARGEST:
            return "a very large number"
        case _:
            return repr(thing)


def _fields(thing: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields of a TL object, its id before its access hash."""
    fields = [(key, entry) for key, entry in thing.items() if key != "_"]
    return sorted(fields, key=lambda field: field[0] == "access_hash" and len(fields) == 2)


def _field(key: str, entry: Any) -> str:
    # 64-bit integers stand in a trace as text; a session is given, and gives, numbers.
    return str(entry) if key in INTEGERS and isinstance(entry, str) else value(entry)


def _text(text: str) -> str:
    if len(text) <= _LONGEST:
        return f'"{masked(text)}"'
    return f'"{masked(text[:_BEGINNING])}…" ({len(text)} characters)'


def step(step: Step, session: str = "Session", default: str | None = None) -> str:
    """Return one line of Python that does what the step does.

    ``session`` names the class, ``default`` is what it is constructed with where the trace says
    nothing.
    """
    name, argument = step.session, step.argument
    match step.operation:
        case "open":
            given = [default] if default is not None and not argument else argument
            line = f"{name} = {session}({_arguments(given)})"
        case "restore":
            given = [default] if default is not None and not argument else argument
            line = f"{name} = {session}({_arguments(given)}); {name}.load()"
        case "reopen":
            line = f"let go of {name} and open it again; {name}.load()"
        case "has":
            line = f"{name}.{argument}"
        case "observe":
            line = ", ".join(f"{name}.{member}" for member in argument)
        case "set":
            line = "; ".join(f"{name}.{key} = {value(entry)}" for key, entry in argument.items())
        case "put_files":
            line = f"files written: {', '.join(argument)}"
        case "files":
            line = f"files below {argument[0] if argument else 'the working directory'}"
        case "damage":
            line = f"every file below {argument[0]} overwritten with bytes 0xFF"
        case "truncate":
            line = f"every file below {argument[0]} cut to half its size"
        case "remember_files":
            line = "files noted"
        case "restart":
            how = "is killed" if argument == ["kill"] else "ends"
            line = f"the program {how}; a new one opens {name} and calls {name}.load()"
        case "interrupt":
            line = _interruption(argument, session)
        case "settled" | "either":
            line = f"everything that {name} holds"
        case "together":
            lines = [_inner(entry, session) for entry in argument]
            line = f"at the same time: {'; '.join(lines)}"
        case "watch":
            line = "what the program writes to any disk is observed from here on"
        case "written":
            line = "what the program has written to any disk"
        case "leaks":
            line = f"{_PLACES[argument[0]]}, searched for keys and saved strings"
        case "exposed":
            line = "files and directories that other users of the machine may read"
        case "files_unchanged":
            line = "files compared with those noted"
        case "growth":
            line = "files measured"
        case _:
            line = f"{name}.{step.operation}({_arguments(argument)})"
    if step.process and step.operation in ("open", "restore"):
        line = f"in another process: {line}"
    return line if step.times == 1 else f"{line}   # {step.times} times"


_PLACES = {
    "repr": "repr(), str() and format() of the session",
    "errors": "the text of every error so far",
    "logs": "every log record so far, at any level",
    "warnings": "every warning so far",
    "output": "all that the program has printed so far",
}


def _inner(notation: dict[str, Any], session: str) -> str:
    return step(Step.parse(notation), session)


def _interruption(argument: dict[str, Any], session: str) -> str:
    done = "; ".join(_inner(entry, session) for entry in argument["during"])
    if "at" not in argument:
        return done
    at = masked(str(Point(**argument["at"])))
    if argument["with"] == "kill":
        return f"{done}   # the program is killed before its {at}"
    return f"{done}   # its {at} fails with {argument['with']}"


def _arguments(arguments: list[Any]) -> str:
    # These are the trace's own: names are shown whole, and pieces of saved strings are not.
    return ", ".join(
        f'"{argument}"' if _is_short(argument) else value(argument) for argument in arguments
    )


def _is_short(argument: Any) -> bool:
    if not isinstance(argument, str) or len(argument) > 100:
        return False
    return argument.isprintable() and masked(argument) == argument


def expectation(step: Step) -> str:
    """Say what the step's operation has to come to."""
    raised = _raising(step.raises)
    if step.raises == "maybe":
        return f"{value(step.gives)}, or an error" if step.gives is not NOTHING else "anything"
    if raised:
        return raised
    return value(step.gives) if step.gives is not NOTHING else "no error"


def told(step: Step) -> str:
    """Say what the contract states of the step, or nothing where it states nothing."""
    if step.operation == "observe":
        stated = ", ".join(value(expected) for expected in step.argument.values())
    else:
        stated = "" if step.gives is NOTHING and step.raises is None else expectation(step)
    if step.when is not None:
        return f"{stated or 'done'}, only where the call before was {step.when}"
    return stated


def _raising(raises: Any) -> str:
    match raises:
        case True:
            return "an error"
        case {"says": text}:
            return f'an error that says "{text}"'
        case {"hides": _}:
            return "an error that does not repeat the string it was given"
        case _:
            return ""


def error(text: str) -> str:
    """Show the text of an error, cut where it is long; of one that holds a key, its class."""
    shown = masked(text)
    if shown != text:
        return f"{masked(text.partition(':')[0])}: {shown}"
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return shown if len(shown) <= 300 else f"{shown[:200]} … {shown[-100:]}"


def difference(expected: Any, got: Any) -> str:
    """Show what came back; of long strings, where they begin to differ."""
    if isinstance(expected, str) and isinstance(got, str) and len(expected) > _LONGEST < len(got):
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((place for place, (a, b) in pairs if a != b), min(len(expected), len(got)))
        return f"{value(got)}, which differs from character {at + 1} on"
    return value(got)
