"""The reference model as an oracle: its answers are the expectations of a drawn trace."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from teleproto_sessions import MemorySession, StringSession, tl

from ...contract.rules import Contract
from ...contract.trace import NOTHING, Step
from ...subjects.in_process import PythonSubject
from ...subjects.subject import Outcome, Raised, Returned
from ..names import Names
from ..player import Player


class Model:
    """A reference session that answers the steps of a history as it grows.

    If the profile keeps everything, a session is the same after it is opened again. So a
    MemorySession that stays open gives the answers. A string keeps less, so a StringSession gives
    them.
    """

    def __init__(self, contract: Contract, keeps: str) -> None:
        self._strings = keeps == "string"
        profile = contract.profiles["string" if self._strings else "memory"]
        self._subject = PythonSubject(
            StringSession if self._strings else MemorySession,
            Path(tempfile.gettempdir()),
            members=contract.members,
        )
        self._fields = contract.fields
        names = Names(profile, "model", 0, ())
        self._player = Player(self._subject, contract.fields, profile, names)

    @property
    def has_dc(self) -> bool:
        """Whether a data centre is chosen."""
        outcome = self._subject.get("session", "dc_id")
        return isinstance(outcome, Returned) and bool(outcome.value)

    def answer(self, step: Step) -> Step:
        """Play the step, and return it with its outcome as the expectation."""
        if step.operation == "observe":
            return replace(step, argument={name: self._read(name) for name in step.argument})
        if step.operation in ("reopen", "restart") and not self._strings:
            return step
        outcome = self._player.outcome(step)
        if step.operation in ("get_auth_key", "get_input_entity"):
            if isinstance(outcome, Raised):
                chat = _chat(step.argument)
                return replace(step, raises="maybe" if chat else True, gives=chat or NOTHING)
            return replace(step, gives=_value(outcome))
        return step

    def _read(self, member: str) -> Any:
        """Return the value of a member; None if the value is empty."""
        value = _value(self._subject.get("session", member))
        # A flag that is not set is false, not empty.
        return None if value is not False and value in self._fields[member].empty else value

    def __enter__(self) -> Self:
        self._subject.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._subject.__exit__(*error)


def _chat(argument: Any) -> dict[str, str] | None:
    """Return the InputPeer of a chat's marked id, or None.

    It has no access hash, so a session may return it even for an unknown chat.
    """
    match argument:
        case [{"int": str(marked)}] if -tl.CHANNEL_MARK < int(marked) < 0:
            return {"_": "inputPeerChat", "chat_id": marked.removeprefix("-")}
        case _:
            return None


def _value(outcome: Outcome) -> Any:
    return outcome.value if isinstance(outcome, Returned) else NOTHING
