"""Steps and values as a failure message shows them. No key or saved string is shown in full."""

from __future__ import annotations

from typing import Any

from ..contract.keys import KEYS, SIZE
from ..contract.operations import OPERATIONS
from ..contract.secrets import masked
from ..contract.trace import INTEGERS, NOTHING, PERMITTED, Step
from ..subjects.subject import Point

_LONGEST = 40
_BEGINNING = 12
"""Characters shown of a longer text: too few for a secret, even in an unknown encoding."""

_LARGEST = 2**64
_MANY = 8
"""Entries shown of a longer list."""


class Words:
    """Steps and values in Python. Subclasses override what differs in their language."""

    remark = "#"
    fence = "python"
    preamble: tuple[str, ...] = (
        "from teleproto_sessions import AuthKey",
        "from teleproto_sessions.tl import *",
        "",
        'key_a = AuthKey(b"A" * 256)  # use other bytes for the other keys',
    )
    """Code to run before the steps."""
    blank = "AuthKey()"
    """The expression for an AuthKey without bytes."""
    factory = "package.module:factory"
    views = "repr(), str() and format()"
    """The functions that show a session as text."""

    def member(self, name: str) -> str:
        """Return the name of a member."""
        return name

    def prose(self, text: str) -> str:
        """Return a sentence of the contract with the names of this language."""
        return text

    def key(self, name: str) -> str:
        """Return the name of the variable that holds an auth key."""
        return f"key_{name}"

    def literal(self, thing: Any) -> str:
        """Return None, a bool or a number as a literal."""
        return repr(thing)

    def long(self, digits: str) -> str:
        """Return the expression for a 64-bit integer in a TL object."""
        return digits

    def construct(self, session: str, arguments: str) -> str:
        """Return the expression that constructs a session."""
        return f"{session}({arguments})"

    def call(self, name: str, member: str, arguments: str) -> str:
        """Return the expression that calls a method."""
        return f"{name}.{member}({arguments})"

    def together(self, calls: list[str]) -> str:
        """Return the code that begins several calls before it waits for any."""
        return "; ".join(calls)

    def pause(self, milliseconds: int) -> str:
        """Return the code that waits."""
        return f"time.sleep({milliseconds / 1000:g})"

    def chdir(self, directory: str) -> str:
        """Return the code that makes a directory and changes to it."""
        return f"os.mkdir({directory}); os.chdir({directory})"

    def entity(self, constructor: str, fields: list[tuple[str, str]]) -> str:
        """Return the expression that makes a TL object."""
        given = ", ".join(f"{field}={entry}" for field, entry in fields)
        return f"{constructor[:1].upper()}{constructor[1:]}({given})"

    def value(self, thing: Any) -> str:
        """Return a value of a trace.

        A session may give anything, even an encoded key. So a text longer than an address is cut,
        and a number larger than an access hash is not shown.
        """
        match thing:
            case {"key": "blank"}:
                return "an AuthKey without bytes"
            case {"key": name} if name in KEYS:
                return self._key(name)
            case {"key": _}:
                return f"an auth key of {thing.get('bytes', '?')} bytes that was never set"
            case {"int": digits}:
                return str(digits)
            case {"long": digits}:
                return self.long(digits)
            case {"one_of": choices}:
                return " or ".join(self.value(choice) for choice in choices)
            case {"at_most": limit}:
                return f"at most {limit:,}"
            case {"below": directory}:
                return f"files only below {directory}"
            case {"told": text}:
                return masked(str(text))
            case {"python": str(name)} | {"javascript": str(name)}:
                return f"a {name}" if name.islower() else f"an object of class {name}"
            case {"_": constructor}:
                fields = [(key, self._field(key, entry)) for key, entry in _fields(thing)]
                return self.entity(constructor, fields)
            case dict():
                entries = (f"{self.value(k)}: {self.value(v)}" for k, v in thing.items())
                return "{" + ", ".join(entries) + "}"
            case list():
                shown = [self.value(entry) for entry in thing[:_MANY]]
                more = [f"… {len(thing) - _MANY} more"] if len(thing) > _MANY else []
                return f"[{', '.join([*shown, *more])}]"
            case str():
                return _text(thing)
            case int() if abs(thing) > _LARGEST:
                return "a very large number"
            case _:
                return self.literal(thing)

    def _key(self, name: str) -> str:
        size = len(KEYS[name])
        return self.key(name.lower() if size == SIZE else f"of_{size}_bytes")

    def _field(self, key: str, entry: Any) -> str:
        # A trace has 64-bit integers as text; the session takes and returns numbers.
        return self.long(entry) if key in INTEGERS and isinstance(entry, str) else self.value(entry)

    def step(self, step: Step, session: str = "Session", default: str | None = None) -> str:
        """Return the step as one line of code, or as a remark.

        ``session`` is the name of the class. ``default`` is the argument of its constructor if the
        trace gives none.
        """
        code = self._code(step, session, default)
        prose = [] if code or step.operation == "interrupt" else [self._as_prose(step)]
        remarks = [*prose, *self._remarks(step)]
        remark = f"{self.remark} {', '.join(remarks)}" if remarks else ""
        return f"{code}   {remark}" if code and remark else code or remark

    def _remarks(self, step: Step) -> list[str]:
        """Return the facts about a step that its code does not show."""
        remarks = [text for inner in _steps_within(step) for text in self._remarks(inner)]
        remarks += [
            self._as_prose(inner) for inner in _steps_within(step) if inner.operation == "restart"
        ]
        if step.operation == "interrupt":
            remarks += self._interruption(step.argument)
        elif step.operation == "together":
            remarks.append("at the same time")
        elif step.operation == "chdir":
            remarks.append("a new program starts in the first directory")
        elif isinstance(step.argument, list):
            remarks += self._held(step.argument)
        if step.process and step.operation in ("open", "restore"):
            remarks.append("in another process")
        if step.times != 1:
            remarks.append(f"{step.times} times")
        return remarks

    def _code(self, step: Step, session: str, default: str | None) -> str:
        """Return the step as code; empty if it is not an operation of a session."""
        name, argument = step.session, step.argument
        match step.operation:
            case "open" | "restore":
                given = [default] if default is not None and not argument else argument
                made = f"{name} = {self.construct(session, self._arguments(given))}"
                load = self.call(name, "load", "")
                return made if step.operation == "open" else f"{made}; {load}"
            case "has":
                return f"{name}.{self.member(argument)}"
            case "observe":
                return ", ".join(f"{name}.{self.member(member)}" for member in argument)
            case "set":
                return "; ".join(
                    f"{name}.{self.member(key)} = {self._argument(entry)}"
                    for key, entry in argument.items()
                )
            case "interrupt":
                within = [self._code(inner, session, default) for inner in _steps_within(step)]
                return "; ".join(filter(None, within))
            case "pause":
                return self.pause(argument)
            case "chdir":
                return self.chdir(self._arguments(argument))
            case "together":
                return self.together(
                    [self._code(one, session, default) for one in _steps_within(step)]
                )
            case operation if OPERATIONS[operation].asks == "call":
                return self.call(name, operation, self._arguments(argument))
            case _:
                return ""

    def _as_prose(self, step: Step) -> str:
        """Describe a step that is not an operation of a session."""
        name, argument, load = step.session, step.argument, self.member("load")
        match step.operation:
            case "reopen":
                return f"the program drops {name}, opens it again and calls {name}.{load}()"
            case "restart":
                how = "is killed" if argument == ["kill"] else "ends"
                return f"the program {how}; a new one opens {name} and calls {name}.{load}()"
            case "put_files":
                return f"the suite writes these files: {', '.join(argument)}"
            case "files":
                return f"files below {argument[0] if argument else 'the working directory'}"
            case "damage":
                return f"the suite overwrites every file below {argument[0]} with bytes 0xFF"
            case "truncate":
                return f"the suite cuts every file below {argument[0]} to half its size"
            case "remember_files":
                return "the suite notes the content of all files"
            case "settled" | "either":
                return f"everything that {name} holds"
            case "watch":
                return "from here on the suite watches what the program writes to any disk"
            case "written":
                return "files that the program has written on any disk"
            case "leaks":
                return f"keys and saved strings in {self._place(argument[0])}"
            case "exposed":
                return "files and directories that other users of the machine may read"
            case "files_unchanged":
                return "the noted files are unchanged"
            case "growth":
                return "growth of the files since the last measurement, in bytes"
            case other:
                raise NotImplementedError(other)

    def _place(self, where: str) -> str:
        match where:
            case "repr":
                return f"{self.views} of the session"
            case "errors":
                return "the text of every error so far"
            case "logs":
                return "every log record so far, at any level"
            case "warnings":
                return "every warning so far"
            case _:
                return "the output of the program so far"

    def _interruption(self, argument: dict[str, Any]) -> list[str]:
        if "at" not in argument:
            return []
        at = masked(str(Point(**argument["at"])))
        if argument["with"] == "kill":
            return [f"the program is killed before its {at}"]
        return [f"its {at} fails with {argument['with']}"]

    def _held(self, arguments: list[Any]) -> list[str]:
        """Say which key an AuthKey object holds now, if the trace passes it more than once."""
        held = [entry for entry in arguments if isinstance(entry, dict) and "object" in entry]
        return [
            f"{entry['object']} now holds {self.value({'key': entry['key']})}" for entry in held
        ]

    def _arguments(self, arguments: list[Any]) -> str:
        return ", ".join(map(self._argument, arguments))

    def _argument(self, argument: Any) -> str:
        # The trace itself gives these. Show names in full, but cut long texts: they may be secret.
        if isinstance(argument, dict) and "object" in argument:
            return str(argument["object"])
        if argument == {"key": "blank"}:
            return self.blank
        return f'"{argument}"' if _is_short(argument) else self.value(argument)

    def expectation(self, step: Step) -> str:
        """Say what the operation of the step has to give."""
        raised = _raising(step.raises)
        if step.raises in PERMITTED:
            return (
                f"{self.value(step.gives)}, or an error"
                if step.gives is not NOTHING
                else "anything"
            )
        if raised:
            return raised
        return self.value(step.gives) if step.gives is not NOTHING else "no error"

    def told(self, step: Step) -> str:
        """Say what the contract expects of the step; empty if it expects nothing."""
        if step.operation == "observe":
            stated = ", ".join(self.value(expected) for expected in step.argument.values())
        else:
            stated = "" if step.gives is NOTHING and step.raises is None else self.expectation(step)
        if step.when is not None:
            return f"{stated or 'done'}, only if the call before was {step.when}"
        return stated

    def difference(self, expected: Any, got: Any) -> str:
        """Show what came back. For two long strings, say where they begin to differ."""
        texts = isinstance(expected, str) and isinstance(got, str)
        if not texts or min(len(expected), len(got)) <= _LONGEST:
            return self.value(got)
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((place for place, (a, b) in pairs if a != b), min(len(expected), len(got)))
        return f"{self.value(got)}; the first difference is at character {at + 1}"


def _steps_within(step: Step) -> list[Step]:
    """Return the steps inside ``together`` or ``interrupt``."""
    match step.operation:
        case "interrupt":
            return [Step.parse(entry) for entry in step.argument["during"]]
        case "together":
            return [Step.parse(entry) for entry in step.argument]
        case _:
            return []


def _fields(thing: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields of a TL object, with the id before the access hash."""
    fields = [(key, entry) for key, entry in thing.items() if key != "_"]
    return sorted(fields, key=lambda field: field[0] == "access_hash" and len(fields) == 2)


PYTHON = Words()


def _text(text: str) -> str:
    if len(text) <= _LONGEST:
        return f'"{masked(text)}"'
    return f'"{masked(text[:_BEGINNING])}…" ({len(text)} characters)'


def _is_short(argument: Any) -> bool:
    if not isinstance(argument, str) or len(argument) > 100:
        return False
    return argument.isprintable() and masked(argument) == argument


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
    """Return the text of an error, cut if it is long. If it holds a key, return its class only."""
    shown = masked(text)
    if shown != text:
        return f"{masked(text.partition(':')[0])}: {shown}"
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return shown if len(shown) <= 300 else f"{shown[:200]} … {shown[-100:]}"
