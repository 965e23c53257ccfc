"""Running a trace against a subject, up to the first thing that is not as it has to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import describe
from .files import Files
from .matching import matches
from .secrets import leaked_input, leaked_key
from .subject import Hung, Outcome, Raised, Returned, Subject
from .trace import NOTHING, Step, Trace


@dataclass(frozen=True)
class Failure:
    """Where a trace went wrong: the steps done, the last of them the one that failed."""

    done: Trace
    expected: str
    got: str
    hung: bool = False


class _Stop(Exception):
    def __init__(self, expected: str, outcome: Outcome | None = None, got: str = "") -> None:
        self.expected = expected
        self.got = got or _tell(outcome)
        self.hung = isinstance(outcome, Hung)


def _tell(outcome: Outcome | None) -> str:
    match outcome:
        case Returned(value):
            return describe.value(value)
        case Raised(text):
            return describe.error(text)
        case Hung(seconds):
            return f"no answer within {seconds:g} seconds; the call was stopped"
        case _:
            return ""


def replay(trace: Trace, subject: Subject, *, state: dict[str, Any], keeps: str) -> Failure | None:
    """Run ``trace`` and return the first failure, or None where everything was as expected.

    ``state`` is the contract's table of what a session holds, ``keeps`` what the profile says
    survives: it decides what ``reopen`` does.
    """
    player = Player(subject, state, keeps)
    done: list[Step] = []
    for step in trace:
        if step.when is not None and step.when != player.last_attempt:
            continue
        done.append(step)
        try:
            for _ in range(step.times):
                player.play(step)
        except _Stop as stop:
            return Failure(tuple(done), stop.expected, stop.got, stop.hung)
    return None


_SETTLED = ("save", "close", "delete")
"""Calls after which a session has nothing left to save."""


class Player:
    """Does the steps of one trace, and judges what came of each."""

    def __init__(self, subject: Subject, state: dict[str, Any], keeps: str) -> None:
        self._subject = subject
        self._fields = state["fields"]
        self._keeps = keeps
        self._files = Files(subject.workdir)
        self._opened: dict[str, str | None] = {}
        self._last_call: dict[str, str] = {}
        self.last_attempt = "accepted"

    def play(self, step: Step) -> None:
        """Do one step; :raises _Stop: where it comes to something else than it has to."""
        if step.operation == "observe":
            self._observe(step)
        else:
            self._judge(step, self.outcome(step))

    def outcome(self, step: Step) -> Outcome:
        """Do one step that is no observation, and return what came of it."""
        match step.operation:
            case "set":
                ((member, value),) = step.argument.items()
                self._last_call[step.session] = member
                return self._subject.set(step.session, member, value)
            case "has":
                return self._subject.has(step.session, step.argument)
            case "open":
                return self._open(step)
            case "restore":
                return self._then_load(step, self._open(step))
            case "reopen":
                return self._reopen(step)
            case operation if operation in Files.OPERATIONS:
                return self._files.run(operation, step.argument)
            case member:
                self._last_call[step.session] = member
                return self._subject.call(step.session, member, step.argument)

    def _open(self, step: Step) -> Outcome:
        argument = step.argument[0] if step.argument else None
        self._opened[step.session] = argument
        return self._subject.open(step.session, argument)

    def _then_load(self, step: Step, opened: Outcome) -> Outcome:
        if not isinstance(opened, Returned):
            return opened
        return self._subject.call(step.session, "load", [])

    def _reopen(self, step: Step) -> Outcome:
        argument = self._opened[step.session]
        settled = self._last_call.get(step.session) in _SETTLED
        if self._keeps == "string" or (self._keeps == "saved" and not settled):
            saved = self._subject.call(step.session, "save", [])
            if not isinstance(saved, Returned):
                return saved
            if self._keeps == "string":
                argument = saved.value
        self._subject.drop(step.session)
        return self._then_load(step, self._subject.open(step.session, argument))

    def _observe(self, step: Step) -> None:
        for member, expected in step.argument.items():
            outcome = self._subject.get(step.session, member)
            empty = self._fields[member]["empty"]
            if isinstance(outcome, Returned) and matches(expected, outcome.value, empty):
                continue
            raise _Stop(f"{step.session}.{member} is {describe.value(expected)}", outcome)

    def _judge(self, step: Step, outcome: Outcome) -> None:
        empty = self._fields["auth_key"]["empty"] if step.operation == "get_auth_key" else None
        match outcome:
            case Hung():
                raise _Stop(describe.expectation(step), outcome)
            case Raised():
                if step.raises is None or outcome.fatal:
                    raise _Stop(describe.expectation(step), outcome)
                self._judge_error(step, outcome)
            case Returned(value):
                if step.raises is not None and step.raises != "maybe":
                    got = f"no error; it returned {describe.value(value)}"
                    raise _Stop(describe.expectation(step), got=got)
                if step.gives is not NOTHING and not matches(step.gives, value, empty):
                    got = describe.difference(step.gives, value)
                    raise _Stop(describe.expectation(step), got=got)
        if step.raises == "maybe":
            self.last_attempt = "refused" if isinstance(outcome, Raised) else "accepted"

    def _judge_error(self, step: Step, outcome: Raised) -> None:
        expected = describe.expectation(step)
        match step.raises:
            case {"says": text} if text.lower() not in outcome.everything.lower():
                raise _Stop(expected, outcome)
            case {"hides": _}:
                given = [entry for entry in step.argument if isinstance(entry, str)]
                if any(leaked_input(outcome.everything, entry) for entry in given):
                    raise _Stop(expected, got="an error that repeats it (it is not shown)")
                if leak := leaked_key(outcome.everything):
                    raise _Stop(expected, got=f"an error that holds {leak}; it is not shown")
