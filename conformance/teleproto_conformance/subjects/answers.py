"""Reading what a host answers."""

from __future__ import annotations

from typing import Any

from ..contract.secrets import masked
from ..errors import ConformanceError, UsageError
from .subject import PROTOCOL, Raised, Returned


class HostFault(ConformanceError):
    """The host failed, not the session that it serves; the text is what it said of that."""


def read_hello(answer: dict[str, Any], option: str, pid: int) -> dict[str, Any]:
    """Return what a host says to hello.

    :raises UsageError: where the class cannot be had, or a process ``pid`` only stands before it.
    """
    if "refused" in answer:
        raise UsageError(masked(str(answer["refused"])))
    try:
        said = read_value(answer)
    except HostFault as fault:
        raise UsageError(f"{option}: {fault}") from None
    spoken = said.get("protocol") if isinstance(said, dict) else None
    if spoken != PROTOCOL:
        raise UsageError(
            f"{option}: its host speaks protocol {spoken}, and this suite {PROTOCOL}; update the "
            "older of the two (spec/HOSTS.md)"
        )
    missing = [name for name in _SAID if name not in said]
    if missing:
        raise UsageError(
            f"{option}: its host left {', '.join(missing)} out of its answer to hello "
            "(spec/HOSTS.md)"
        )
    versions = said.get("versions", {})
    if not isinstance(versions, dict) or not all(
        isinstance(v, str) and v for v in versions.values()
    ):
        raise UsageError(
            f"{option}: the versions in its host's answer to hello are no texts by name "
            "(spec/HOSTS.md)"
        )
    if said["pid"] != pid:
        raise UsageError(
            f"{option}: process {said['pid']} answers, which the one that was started ({pid}) has "
            "started in turn; let the command become the host (`exec` in a script), so that it can "
            "be killed"
        )
    return dict(said)


PLACES = ("repr", "errors", "logs", "warnings")
"""Where a host can see what a session shows."""


_SAID = ("language", "name", "pid", "promised", "guess")


def read_value(answer: dict[str, Any]) -> Any:
    outcome = read_outcome(answer)
    if isinstance(outcome, Returned):
        return outcome.value
    raise HostFault(f"the host answered with an error where none can come: {masked(outcome.text)}")


def are_texts(value: Any) -> bool:
    """Say whether ``value`` is what ``texts`` is answered with."""
    return isinstance(value, list) and all(
        isinstance(text, list)
        and len(text) == 3
        and all(isinstance(part, str) for part in text)
        and text[0] in PLACES
        for text in value
    )


def read_outcome(answer: Any) -> Returned | Raised:
    match answer:
        case {"returned": value}:
            return Returned(value)
        case {"raised": str(text), "everything": str(everything), "fatal": bool(fatal)}:
            return Raised(text, everything, fatal)
        case {"fault": str(text)}:
            raise HostFault(f"the host failed, not the session: {masked(text)}")
        case _:
            held = ", ".join(answer) if isinstance(answer, dict) else type(answer).__name__
            raise HostFault(
                f"the host gave an answer with {held or 'nothing'} in it, where returned, raised, "
                "refused or fault is due (spec/HOSTS.md)"
            )
