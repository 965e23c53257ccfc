"""Traces in files, to run them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ContractError, UsageError
from . import trace as traces
from .rules import Case, Check, Contract, Rule
from .trace import Trace


def document(check: Check, rule: Rule, trace: Trace, contract: Contract) -> dict[str, Any]:
    """Return the content of a replay file."""
    return {
        "contract": contract.version,
        "check": check.id,
        "rule": rule.id,
        "trace": traces.dump(trace),
    }


def read(path: Path, contract: Contract, profile: str) -> tuple[Case, Rule]:
    """Return the trace of a replay file as a case, and the rule that it shows.

    :raises UsageError: if the file does not hold a valid trace.
    """
    from . import documents

    try:
        content = documents.read(path, "replay")
        try:
            traces.refuse_unusable(content["trace"])
        except ContractError as error:
            raise ContractError(f"{path}: trace: {error}") from None
    except ContractError as error:
        raise UsageError(f"--session-replay={error}") from None
    rule = contract.rules.get(content.get("rule", ""))
    if rule is None:
        rule = Rule(
            id="REPLAY",
            level="MUST",
            profiles=(profile,),
            rule=f"The session does what the trace in {path.name} expects.",
            why="The user kept this trace to run it again.",
            source=path.name,
        )
    case = Case(
        id=content.get("check", f"REPLAY[{path.stem}]"),
        rule=rule.id,
        profiles=(profile,),
        comment=f"The trace in {path.name}.",
        notation=content["trace"],
    )
    return case, rule
