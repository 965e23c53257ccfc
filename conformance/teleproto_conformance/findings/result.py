"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .finding import Finding

PASSED, FAILED, ADVISED, KNOWN, STALE = "passed", "failed", "advised", "known", "stale"
UNVERIFIED = "unverified"
"""A MUST that failed (under strict a SHOULD too) is ``failed``, another SHOULD ``advised``; an
entry of the baseline is ``known`` while it fails and ``stale`` once it passes. A check that this
machine does not allow is ``unverified``."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one check came to."""

    check: str
    rule: str
    chapter: str
    level: str
    outcome: str
    finding: Finding | None = None
    reason: str = ""
    """The baseline's reason; or why the check was not verified, and the remedy."""
    tried: int = 0
    """At how many moments it interrupted a change."""

    @classmethod
    def load(cls, fields: dict[str, Any]) -> Result:
        """Read a result that was written as JSON."""
        finding = fields["finding"]
        return cls(**{**fields, "finding": None if finding is None else Finding(**finding)})
