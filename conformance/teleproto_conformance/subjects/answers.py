"""Reading what a host answers (``spec/HOSTS.md``)."""

from __future__ import annotations

from typing import Any

from ..contract.secrets import masked
from ..errors import HostError
from .subject import Raised, Returned

PLACES = ("repr", "errors", "logs", "warnings")
"""The places where a host can see what a session shows."""


def read_outcome(answer: object) -> Returned | Raised:
    """Return what an operation returned or raised.

    :raises HostError: if the host failed, or if the answer does not follow the protocol.
    """
    match answer:
        case {"returned": value}:
            return Returned(value)
        case {"raised": str(text), "everything": str(everything), "fatal": bool(fatal)}:
            return Raised(text, everything, fatal)
        case {"fault": str(text)}:
            raise HostError(f"the host failed, not the session: {masked(text)}")
        case _:
            held = ", ".join(answer) if isinstance(answer, dict) else type(answer).__name__
            raise HostError(
                f"the host's answer has {held or 'no members'}; it must have returned, raised, "
                "refused or fault (spec/HOSTS.md)"
            )


def read_value(answer: object) -> Any:
    """Return the value of an answer to a request that cannot raise.

    :raises HostError: if the answer has no value.
    """
    outcome = read_outcome(answer)
    if isinstance(outcome, Returned):
        return outcome.value
    raise HostError(
        f"the host answered `raised` to a request that cannot raise: {masked(outcome.text)}"
    )


def are_texts(value: object) -> bool:
    """Return whether ``value`` is a valid answer to ``texts``."""
    return isinstance(value, list) and all(
        isinstance(text, list)
        and len(text) == 3
        and all(isinstance(part, str) for part in text)
        and text[0] in PLACES
        for text in value
    )
