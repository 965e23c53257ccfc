"""Plays a trace on a subject, up to the first step that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..contract.operations import OPERATIONS, Operation
from ..contract.secrets import leaked_input, leaked_key, leaks
from ..contract.tables import Field, Profile
from ..contract.trace import NOTHING, PERMITTED, Step, Trace
from ..subjects.subject import Died, Fault, Hung, Outcome, Point, Raised, Request, Returned, Subject
from .failure import INPUT, Failure, Mismatch
from .files import Files
from .matching import matches
from .names import Names


class _Stop(Exception):
    """The trace ends here. There is a mismatch for each permitted answer."""

    def __init__(self, *mismatches: Mismatch) -> None:
        self.mismatches = mismatches


def _requests(step: Step) -> list[Request]:
    """Return the requests of a step; empty if they are not known in advance."""
    if step.when is not None or step.raises == "ends" or step.times > 1:
        return []
    match OPERATIONS[step.operation].asks:
        case "get":
            return [("get", step.session, member, None) for member in step.argument]
        case "set":
            return [("set", step.session, *item) for item in step.argument.items()]
        case "has":
            return [("has", step.session, step.argument, None)]
        case "call":
            return [("call", step.session, step.operation, step.argument)]
        case None:
            return []


_CLEANING = "cleaning"


class Player:
    """Plays the steps of one trace, and judges their outcomes.

    ``fields`` are the fields of the state of a session. ``promise`` is the profile: it decides how
    a session is constructed and opened again. ``names`` decides what the sessions are called.
    ``fault`` is the last fault that was injected or counted.
    """

    def __init__(
        self,
        subject: Subject,
        fields: Mapping[str, Field],
        promise: Profile,
        names: Names,
    ) -> None:
        self._subject = subject
        self._fields = fields
        self._promise = promise
        self._names = names
        self._files = Files(subject.workdir)
        self._opened: dict[str, tuple[str | None, str]] = {}
        self._last_call: dict[str, str] = {}
        self._stored: dict[str, None] = {}
        self._unopened: dict[str, Raised] = {}
        self._strings: set[str] = set()
        self._done: list[Step] = []
        self._saved: set[int] = set()
        self._over = False
        self.last_attempt = "accepted"
        self.fault = Fault()

    def run(self, trace: Trace) -> Failure | None:
        """Run ``trace`` and return the first failure, or None.

        :raises Impossible: if this machine does not allow a step.
        """
        done = self._done
        announced = 0
        for place, step in enumerate(trace):
            if place >= announced:
                announced = place + self._announce(trace[place:])
            if step.when is not None and step.when != self.last_attempt:
                continue
            done.append(step)
            try:
                for _ in range(step.times):
                    self.play(step)
            except _Stop as stop:
                return self._failure(done, *stop.mismatches)
            if self._over:
                break
        left = self._subject.finish()
        if isinstance(left, Returned):
            return None
        return self._failure(done, Mismatch(step=done[-1], outcome=left), afterwards=True)

    def _failure(
        self, done: list[Step], *mismatches: Mismatch, afterwards: bool = False
    ) -> Failure:
        return Failure(
            done=tuple(done),
            mismatches=tuple(
                replace(each, outcome=self._names.told(each.outcome)) for each in mismatches
            ),
            afterwards=afterwards,
            saved=frozenset(self._saved),
            printed=self._names.back(self._subject.printed()),
        )

    def _announce(self, trace: Trace) -> int:
        """Announce the requests that are certain to come next. Return the number of their steps."""
        requests: list[Request] = []
        for number, step in enumerate(trace):
            asked = _requests(step) if step.session not in self._unopened else []
            if not asked:
                self._subject.ahead(requests)
                return number
            requests += asked
        self._subject.ahead(requests)
        return len(trace)

    def clean(self) -> None:
        """Delete what is stored under each name, as far as the session can.

        Let go of all sessions first: one of them may hold a lock.
        """
        if self._stored:
            for session in self._opened:
                self._subject.drop(session)
        for name in self._stored:
            if not isinstance(self._subject.open(_CLEANING, [name], ""), Returned):
                continue
            loaded = self._subject.call(_CLEANING, "load", [])
            # Delete damaged data, too. But after a hang in load(), delete() would also hang.
            if not isinstance(loaded, Hung):
                self._subject.call(_CLEANING, "delete", [])

    def play(self, step: Step) -> None:
        """Play one step.

        :raises _Stop: if its outcome is wrong.
        """
        if (judging := _JUDGING.get(step.operation)) is not None:
            judging(self, step)
        else:
            self._judge(step, self.outcome(step))

    def outcome(self, step: Step) -> Outcome:
        """Play a step with a single request, and return its outcome.

        If the constructor raised, every step that needs the session gets the same error.
        """
        operation = OPERATIONS[step.operation]
        if step.session in self._unopened and operation.session == "needs":
            return self._unopened[step.session]
        if operation.session == "none":
            done = self._files.run(step.operation, self._names.into(step.argument))
            return self._names.told(done)
        match operation.asks:
            case "set":
                ((member, value),) = step.argument.items()
                self._last_call[step.session] = member
                return self._subject.set(step.session, member, value)
            case "has":
                return self._subject.has(step.session, step.argument)
            case "call":
                return self._call(step)
        return _DOING[step.operation](self, step)

    def _call(self, step: Step) -> Outcome:
        if not step.questions:
            self._last_call[step.session] = step.operation
        outcome = self._subject.call(step.session, step.operation, step.argument)
        if step.operation == "save" and isinstance(outcome, Returned):
            self._note(outcome.value)
        return outcome

    def _watch(self, step: Step) -> Outcome:
        self._subject.watch(step.session)
        return Returned()

    def _written(self, step: Step) -> Outcome:
        paths = self._names.back(self._subject.written(step.session))
        return Returned([{"told": path} for path in paths])

    def _pause(self, step: Step) -> Outcome:
        return self._subject.pause(step.argument)

    def _chdir(self, step: Step) -> Outcome:
        made = self._files.run("make_directory", step.argument)
        if not isinstance(made, Returned):
            return made
        return self._subject.chdir(step.session, made.value)

    def _note(self, saved: Any) -> None:
        if isinstance(saved, str):
            self._strings.add(saved)

    def _open(self, step: Step) -> Outcome:
        argument = step.argument[0] if step.argument else None
        self._opened[step.session] = argument, step.process
        return self._construct(step.session, argument, step.process)

    def _construct(self, session: str, argument: str | None, process: str) -> Outcome:
        match self._promise.takes:
            case "nothing":
                arguments = []
            case "saved":
                arguments = [] if argument is None else [argument]
                self._note(argument)
            case _:
                name = self._names.stored(argument)
                if self._promise.names == "shared":
                    self._stored[name] = None
                arguments = [name]
        outcome = self._subject.open(session, arguments, process)
        self._unopened.pop(session, None)
        if isinstance(outcome, Raised):
            self._unopened[session] = outcome
        return outcome

    def _restore(self, step: Step) -> Outcome:
        return self._then_load(step, self._open(step))

    def _then_load(self, step: Step, opened: Outcome) -> Outcome:
        if not isinstance(opened, Returned):
            return opened
        return self._subject.call(step.session, "load", [])

    def _reopen(self, step: Step) -> Outcome:
        argument, process = self._opened[step.session]
        last = OPERATIONS.get(self._last_call.get(step.session, ""))
        save_first = last is None or not last.saves
        keeps = self._promise.keeps
        if keeps == "string" or (keeps == "saved" and save_first):
            if self._done and self._done[-1] is step:
                self._saved.add(len(self._done) - 1)
            saved = self._subject.call(step.session, "save", [])
            if not isinstance(saved, Returned):
                return saved
            if keeps == "string":
                argument = saved.value
        if step.operation == "restart":
            ended = self._subject.end(step.session, step.argument[0])
            if not isinstance(ended, Returned):
                return ended
        else:
            self._subject.drop(step.session)
        return self._then_load(step, self._construct(step.session, argument, process))

    def _interrupt(self, step: Step) -> None:
        """Play steps while a fault kills their process or fails a call, and note the effect."""
        kind, calls = step.argument["with"], step.argument.get("calls", "writes")
        at = Point(**step.argument["at"]) if "at" in step.argument else None
        outcome: Outcome = Returned()
        with self._subject.fault(step.session, kind, at, calls) as self.fault:
            for inner in map(Step.parse, step.argument["during"]):
                outcome = self.outcome(inner)
                if not isinstance(outcome, Returned):
                    break
                self._judge(inner, outcome)
        self._last_call[step.session] = "interrupt"
        refused = isinstance(outcome, Raised) and not outcome.fatal and at is not None
        refused |= isinstance(outcome, Died) and self.fault.killed
        if not refused and not isinstance(outcome, Returned):
            raise _Stop(Mismatch(step=step, outcome=outcome))
        self.last_attempt = "refused" if refused else "accepted"

    def _settled(self, step: Step) -> None:
        """Check the state after a change. If it was refused, the state before it is also right."""
        before, after = step.argument["before"], step.argument["after"]
        self._ask(step, [before, after] if self.last_attempt == "refused" else [after])

    def _either(self, step: Step) -> None:
        self._ask(step, step.argument)

    def _ask(self, step: Step, lists: list[Any]) -> None:
        """Ask each list of questions, until all answers of one list are right."""
        mismatches: list[Mismatch] = []
        for questions in lists:
            for question in map(Step.parse, questions):
                try:
                    self.play(replace(question, session=step.session))
                except _Stop as stop:
                    if any(mismatch.ends_all for mismatch in stop.mismatches):
                        raise
                    mismatches += stop.mismatches
                    break
            else:
                return
        raise _Stop(*mismatches)

    def _together(self, step: Step) -> None:
        """Call methods at the same time. A step may permit an error."""
        steps = [Step.parse(entry) for entry in step.argument]
        calls = [(inner.session, inner.operation, inner.argument) for inner in steps]
        for inner, outcome in zip(steps, self._subject.together(calls), strict=True):
            self._judge(inner, outcome)

    def _leaks(self, step: Step) -> Outcome:
        """Return the places that show a key or a saved string."""
        found: dict[str, None] = {}
        for text in self._subject.texts(step.session):
            if text.where == step.argument[0]:
                for leak in leaks(text.text, self._strings):
                    found[f"{leak} in {text.detail}"] = None
        return Returned([{"told": text} for text in found])

    def _observe(self, step: Step) -> None:
        for member, expected in step.argument.items():
            missing = self._unopened.get(step.session)
            outcome = missing or self._subject.get(step.session, member)
            empty = self._fields[member].empty
            if not (isinstance(outcome, Returned) and matches(expected, outcome.value, empty)):
                raise _Stop(Mismatch(step=step, outcome=outcome, member=member))

    def _judge(self, step: Step, outcome: Outcome) -> None:
        empty = self._fields["auth_key"].empty if step.operation == "get_auth_key" else None
        match outcome:
            case Hung() | Died():
                right = False
            case Raised():
                right = step.raises is not None and not outcome.fatal
                if right:
                    self._judge_error(step, outcome)
            case Returned(value):
                right = step.raises in (None, *PERMITTED)
                right = right and (step.gives is NOTHING or matches(step.gives, value, empty))
        if not right:
            raise _Stop(Mismatch(step=step, outcome=outcome))
        self._over |= step.raises == "ends" and isinstance(outcome, Raised)
        if step.raises == "maybe":
            self.last_attempt = "refused" if isinstance(outcome, Raised) else "accepted"

    def _judge_error(self, step: Step, outcome: Raised) -> None:
        reveals = ""
        match step.raises:
            case {"says": text}:
                if text.lower() not in outcome.everything.lower():
                    raise _Stop(Mismatch(step=step, outcome=outcome))
            case {"hides": _}:
                given = [entry for entry in step.argument if isinstance(entry, str)]
                repeated = any(leaked_input(outcome.everything, entry) for entry in given)
                reveals = INPUT if repeated else leaked_key(outcome.everything) or ""
        if reveals:
            raise _Stop(Mismatch(step=step, outcome=outcome, reveals=reveals))


_JUDGING: dict[str, Callable[[Player, Step], None]] = {
    "observe": Player._observe,
    "either": Player._either,
    "settled": Player._settled,
    "interrupt": Player._interrupt,
    "together": Player._together,
}
"""The operations that judge their outcomes themselves."""
_DOING: dict[str, Callable[[Player, Step], Outcome]] = {
    "open": Player._open,
    "restore": Player._restore,
    "reopen": Player._reopen,
    "restart": Player._reopen,
    "watch": Player._watch,
    "written": Player._written,
    "leaks": Player._leaks,
    "pause": Player._pause,
    "chdir": Player._chdir,
}
"""All other operations, except single requests and operations on files."""


def plays(operation: Operation) -> bool:
    """Return whether the player can play an operation."""
    if operation.session == "none":
        return hasattr(Files, operation.name)
    return operation.asks is not None or operation.name in {**_JUDGING, **_DOING}
