"""One run of the suite, apart from pytest: what is checked, on what, and what it comes to."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from . import baseline, replays, vectors
from . import report as reports
from .checking import run_check
from .contract import Case, Check, Contract, Rule
from .drivers.python import DEFAULT_NAME, driver
from .errors import UsageError
from .findings import Finding
from .locate import GUESSED, Implementation, locate
from .replay import Failure


@dataclass(frozen=True)
class Settings:
    """What the user asked for. ``here`` is where the run was started, ``keep`` where failed
    histories go, if anywhere; ``limit`` is in seconds.
    """

    implementation: str
    profile: str | None
    baseline: Path | None
    replay: Path | None
    limit: float
    strict: bool
    here: Path
    keep: Path | None


class Run:
    """Checks one session class.

    :raises UsageError: in one line, where the class or a file cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.contract: Contract = vectors.load()
        if str(settings.here) not in sys.path:
            sys.path.insert(0, str(settings.here))
        with contextlib.redirect_stdout(sys.stderr):
            self.implementation: Implementation = locate(
                settings.implementation, settings.profile, self.contract.profiles
            )
        self.profile = self.implementation.profile
        self.checks = self.contract.checks(self.profile)
        self.rules = self.contract.rules
        self.replayed: Case | None = None
        if settings.replay is not None:
            self.replayed, rule = replays.read(settings.replay, self.contract, self.profile)
            self.rules[rule.id] = rule
        self.known: dict[str, baseline.Known] = {}
        if settings.baseline is not None:
            names = [check.id for check in self.checks]
            self.known = baseline.read(settings.baseline, names, self.profile)
        self._driver = driver(
            self.implementation.factory, self.contract, self.profile, settings.limit
        )
        self._takes_name = self.contract.profiles[self.profile]["takes"] == "name"
        self._pass_the_gate()

    def report(self) -> reports.Report:
        """Return the report of this run, still empty."""
        return reports.Report(
            self.implementation.text,
            self.profile,
            self.implementation.profile_from,
            self.contract.version,
            self.settings.strict,
            {chapter.id: chapter.title for chapter in self.contract.chapters},
            len(self.checks),
        )

    def _pass_the_gate(self) -> None:
        """Refuse a class that cannot be constructed or is no session at all."""
        failures = []
        for check in self.checks:
            if self.rules[check.rule].gate and (failure := self._fails(check)) is not None:
                failures.append(failure)
                if failure.done[-1].operation == "open":
                    break
        if failures:
            rule = next(rule for rule in self.rules.values() if rule.gate)
            raise UsageError(_refusal(self.implementation, rule, failures))

    def _fails(self, check: Check) -> Failure | None:
        return run_check(check, self.contract, self.profile, self._driver)

    def judge(self, check: Check) -> reports.Result:
        """Run a check and say what it comes to."""
        rule = self.rules[check.rule]
        known = self.known.get(check.id)
        result = reports.Result(check.id, rule.id, rule.chapter, rule.level, reports.PASSED)
        failure = self._fails(check)
        if failure is None:
            return replace(result, outcome=reports.STALE, reason=known.reason) if known else result
        finding = Finding.of(
            check,
            rule,
            failure,
            session=self.implementation.name,
            name=DEFAULT_NAME if self._takes_name else None,
            replay=self._replay_command(check, rule, failure),
        )
        if known is not None:
            return replace(result, outcome=reports.KNOWN, finding=finding, reason=known.reason)
        failed = rule.level == "MUST" or self.settings.strict
        return replace(
            result, outcome=reports.FAILED if failed else reports.ADVISED, finding=finding
        )

    def _replay_command(self, check: Check, rule: Rule, failure: Failure) -> str:
        options = [f"--session-impl={self.implementation.text}"]
        if self.settings.profile is not None:
            options.append(f"--session-profile={self.profile}")
        if check is self.replayed:
            options.append(f"--session-replay={self.settings.replay}")
        elif isinstance(check, Case) or (file := self._keep(check, rule, failure)) is None:
            options += ["-k", check.id]
        else:
            options.append(f"--session-replay={file}")
        return shlex.join(["pytest", *options])

    def _keep(self, check: Check, rule: Rule, failure: Failure) -> Path | None:
        """Keep a generated trace where a run can find it again, if there is such a place."""
        if self.settings.keep is None:
            return None
        name = check.id.replace("[", "-").replace("]", "")
        path = self.settings.keep / f"{self.implementation.name}-{name}.json"
        document = replays.document(check, rule, failure.done, self.contract)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        except OSError:
            return None
        with contextlib.suppress(ValueError):
            return path.relative_to(self.settings.here)
        return path


def _refusal(implementation: Implementation, rule: Rule, failures: list[Failure]) -> str:
    """Say in one line why a class is not run at all."""
    option = f"--session-impl={implementation.text}"
    first = failures[0]
    if first.done[-1].operation == "open":
        remedy = "mend its constructor, name a factory as package.module:factory"
        if implementation.profile_from == GUESSED:
            remedy += (
                ", or name what it promises with --session-profile "
                f"(it was taken for {implementation.profile})"
            )
        return f"{option}: constructing the session failed with {first.got}; {remedy}"
    missing = [str(failure.done[-1].argument) for failure in failures]
    return (
        f"{option}: the session has no {', '.join(missing)} ({rule.id}: {rule.rule}); "
        f"`teleproto-conformance explain {rule.id}` says which there have to be"
    )
