"""Known failures of a session, each with its reason, so that a run shows only what is new."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..errors import ContractError, UsageError


@dataclass(frozen=True)
class Known:
    """One entry: the check that fails, and why that is accepted."""

    check: str
    reason: str
    link: str = ""

    @property
    def text(self) -> str:
        """The reason, with its link."""
        return f"{self.reason} ({self.link})" if self.link else self.reason


def read(path: Path, checks: list[str], profile: str) -> dict[str, Known]:
    """Return the entries of a baseline file by check.

    :raises UsageError: if the file cannot be read, if it names an unknown check, or if it names a
        check twice.
    """
    from ..contract import documents

    try:
        document = documents.read(path, "baseline")
    except ContractError as error:
        raise UsageError(f"--session-baseline={error}") from None
    entries = [
        Known(check, entry["reason"], entry.get("link", ""))
        for entry in document["known"]
        for check in entry.get("checks", [entry.get("check")])
    ]
    for entry in entries:
        if entry.check not in checks:
            near = difflib.get_close_matches(entry.check, checks, 1)
            remedy = f"did you mean {near[0]}?" if near else "remove the entry or correct its name"
            raise UsageError(
                f"--session-baseline={path}: the {profile} profile has no check {entry.check}; "
                f"{remedy}"
            )
    for check, count in Counter(entry.check for entry in entries).items():
        if count > 1:
            raise UsageError(
                f"--session-baseline={path}: {check} occurs twice; remove one of the entries"
            )
    return {entry.check: entry for entry in entries}
