"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .finding import Finding

PASSED, FAILED, ADVISED, KNOWN, STALE = "passed", "failed", "advised", "known", "stale"
FLAKY, BLOCKED, UNVERIFIED = "flaky", "blocked", "unverified"
"""A check is ``failed`` if the session breaks its rule. It is ``flaky`` if it passes when it is
asked again. It is ``blocked`` if a step before its question fails. For a SHOULD, all three are
``advised``, but not in a strict run. A check in the baseline is ``stale`` if it passes, and
otherwise ``known``. A check is ``unverified`` if this machine does not allow it."""
RED = (FAILED, FLAKY, BLOCKED)
"""The outcomes with a finding that fail a run."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one check."""

    check: str
    rule: str
    chapter: str
    level: str
    outcome: str
    finding: Finding | None = None
    reason: str = ""
    """The reason in the baseline; or why the check is not verified, and the remedy."""
    forgiven: bool = False
    """Whether it failed after other traces in one process, and was then run in a new one."""
    unreachable: bool = False
    """Whether not even a new session could be opened after the check."""
    tried: int = 0
    """The number of points at which the check interrupted a change."""

    @property
    def blocked(self) -> bool:
        """Whether a step before the question of the rule fails."""
        return self.finding is not None and self.finding.blocked

    @classmethod
    def load(cls, fields: dict[str, Any]) -> Result:
        """Read a result that was written as JSON."""
        finding = fields["finding"]
        return cls(**{**fields, "finding": None if finding is None else Finding(**finding)})
