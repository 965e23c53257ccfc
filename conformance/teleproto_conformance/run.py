"""One run of the suite, without pytest: prepares the session, runs checks, judges them."""

from __future__ import annotations

import contextlib
import gc
import json
import re
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from . import __version__
from .checks import gate
from .checks.checker import Checker, in_memory
from .checks.effort import Effort, choose
from .checks.failure import Failure
from .checks.names import DEFAULT_NAME
from .checks.outage import Outage
from .checks.sharing import Sharing
from .contract import replay_file, vectors
from .contract.rules import Case, Check, Contract, Generated, Rule
from .contract.trace import Step
from .errors import Impossible, UsageError
from .findings import baseline, languages
from .findings.finding import Finding
from .findings.refusal import refusal, unopened
from .findings.report import Report
from .findings.result import (
    ADVISED,
    BLOCKED,
    FAILED,
    FLAKY,
    KNOWN,
    PASSED,
    STALE,
    UNVERIFIED,
    Result,
)
from .subjects import programs
from .subjects.fork_server import ForkServer
from .subjects.hosted import driver
from .subjects.implementation import Implementation
from .subjects.pool import Pool

FAULTS = "faults"
REQUIREMENTS = (FAULTS,)
"""The values of ``--session-require``. ``faults``: the suite can trace processes here."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The options of the user.

    ``here`` is the directory in which the run was started. ``base`` is the directory that the value
    of ``--session-impl`` is relative to. ``keep`` is the directory for failed histories, or None.
    ``limit`` is in seconds. ``require`` has entries of :data:`REQUIREMENTS`.
    """

    implementation: str
    profile: str | None
    baseline: Path | None
    replay: Path | None
    limit: float
    effort: Effort
    strict: bool
    require: frozenset[str]
    here: Path
    base: Path
    keep: Path | None


_TRIAL = (
    Step("open", []),
    Step("load", []),
    Step("set_dc", [2, "149.154.167.51", 443]),
    Step("save", []),
)
"""What a session can do as long as its storage answers."""
_SPARE = 2
"""Processes to start in advance. A trace with restarts needs several of them quickly."""


class Run:
    """Checks one session class.

    :raises UsageError: in one line, if the class or a file cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.contract: Contract = vectors.load()
        gc.freeze()  # the contract is large and stays, so the collector need not look at it
        host = programs.program(settings.implementation, settings.base)
        self._python = host is None
        theirs = sys.path if self._python else ()
        self._server = ForkServer(host)
        self._pool = Pool(
            self._server,
            settings.implementation,
            [*dict.fromkeys((str(settings.here), str(settings.base), *theirs))],
            self.contract.members,
            settings.limit,
        )
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Choose the checks. Refuse a class or a file that cannot be used."""
        settings = self.settings
        hello = self._pool.hello()
        self.implementation: Implementation = Implementation.of(
            settings.implementation, settings.profile, hello, self.contract.profiles
        )
        members = self.contract.members
        self._words = languages.words(hello, members)
        self.profile = self.implementation.profile
        promised = self.contract.checks(self.profile)
        self.checks = _chosen(promised, self.contract.rules, settings.effort.cases)
        self.rules = self.contract.rules
        self.replayed: Case | None = None
        if settings.replay is not None:
            self.replayed, rule = replay_file.read(settings.replay, self.contract, self.profile)
            self.rules[rule.id] = rule
        self.known: dict[str, baseline.Known] = {}
        if settings.baseline is not None:
            names = [check.id for check in promised]
            self.known = baseline.read(settings.baseline, names, self.profile)
        self._checker = Checker(
            self.contract,
            self.profile,
            driver(self._pool),
            effort=settings.effort,
            scratch=in_memory(),
            dear=not self._python,
        )
        self._takes_name = self._checker.promise.takes == "name"
        forgiving = self._takes_name and (self._python or self._checker.promise.names == "own")
        self._sharing = Sharing(self._checker, self._pool, forgiving=forgiving)
        self._pool.spare = _SPARE if self._takes_name else 0
        self._pass_the_gate()
        self._outage = self._watch_the_storage() if self._takes_name else None

    def report(self) -> Report:
        """Return an empty report of this run."""
        return Report(
            implementation=self.implementation,
            fence=self._words.fence,
            preamble=self._words.preamble,
            suite=__version__,
            contract=self.contract.version,
            effort=self.settings.effort.name,
            seed=self.settings.effort.seed,
            strict=self.settings.strict,
            chapters={chapter.id: chapter.title for chapter in self.contract.chapters},
            promised=len(self.contract.checks(self.profile)),
            required=FAULTS in self.settings.require,
        )

    def close(self) -> None:
        """End all processes of the run."""
        self._pool.close()
        self._server.close()

    def _pass_the_gate(self) -> None:
        """Refuse a class that fails a gate rule, unless the baseline lists the failure."""
        asked = [
            check
            for check in self.checks
            if self.rules[check.rule].gate and check.id not in self.known
        ]
        failures = [
            (self.rules[check.rule], failure)
            for check, failure in gate.failures(asked, self._sharing.run)
        ]
        if failures:
            members = self.contract.members
            raise UsageError(refusal(self.implementation, failures, self._words, members))

    def _watch_the_storage(self) -> Outage | None:
        """Try the storage. Return None if the class is faulty, so that a later trial says nothing.

        Refuse a class if not even a new session can be opened: its storage may be missing.
        """
        failure = self._tried()
        if failure is None:
            return Outage(self._tried)
        opens = failure.done[-1].operation in ("open", "load")
        if opens and not any(check.startswith("FRESH-2[") for check in self.known):
            raise UsageError(unopened(self.implementation, failure, self._words))
        return None

    def _tried(self) -> Failure | None:
        """Open, change and save a new session in a new process, and return its failure."""
        return self._checker.replay(_TRIAL)

    def judge(self, check: Check) -> Result:
        """Run a check and return its result."""
        result = self._judged(check)
        if self._outage is None or result.outcome == UNVERIFIED:
            return result
        cause, hung = "", False
        if (finding := result.finding) is not None:
            cause, hung = finding.cause, finding.hung
        return replace(result, unreachable=self._outage.after(cause, hung=hung))

    def _judged(self, check: Check) -> Result:
        rule = self.rules[check.rule]
        known = self.known.get(check.id)
        result = Result(
            check=check.id, rule=rule.id, chapter=rule.chapter, level=rule.level, outcome=PASSED
        )
        try:
            failure = self._sharing.run(check, known=known is not None)
        except Impossible as error:
            reason = f"{error}; {error.remedy}"
            return replace(result, outcome=UNVERIFIED, reason=reason)
        result = replace(result, tried=len(self._checker.tried), forgiven=self._sharing.forgiven)
        if failure is None:
            if known is None or self._sampled(check):
                return result
            return replace(result, outcome=STALE, reason=known.text)
        finding = Finding.of(
            check,
            rule,
            failure,
            session=self.implementation.name,
            name=DEFAULT_NAME if self._takes_name else None,
            replay=self._replay_command(check, rule, failure),
            words=self._words,
        )
        if known is not None:
            return replace(result, outcome=KNOWN, finding=finding, reason=known.text)
        outcome = ADVISED
        if rule.level == "MUST" or self.settings.strict:
            outcome = BLOCKED if failure.blocked else FAILED
            outcome = FLAKY if failure.repeats == "not every time" else outcome
        return replace(result, outcome=outcome, finding=finding)

    def _sampled(self, check: Check) -> bool:
        """Whether the check that was just run may fail at a greater effort."""
        return self.settings.effort.samples and (
            isinstance(check, Generated) or bool(self._checker.tried)
        )

    def _replay_command(self, check: Check, rule: Rule, failure: Failure) -> str:
        options = [f"--session-impl={self.implementation.text}"]
        if self.settings.profile is not None:
            options.append(f"--session-profile={self.profile}")
        if check is self.replayed:
            options.append(f"--session-replay={self.settings.replay}")
        elif _is_whole(check, failure) or (file := self._keep(check, rule, failure)) is None:
            options += ["-k", check.id]
        else:
            options.append(f"--session-replay={file}")
        return shlex.join(["pytest", *options])

    def _keep(self, check: Check, rule: Rule, failure: Failure) -> Path | None:
        """Write a generated trace to a replay file. Return its path, or None if that fails."""
        if self.settings.keep is None:
            return None
        name = re.sub(r"[^\w.-]+", "-", f"{self.implementation.text}-{check.id}").strip("-")
        path = self.settings.keep / f"{name}.json"
        document = replay_file.document(check, rule, failure.done, self.contract)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        except OSError:
            return None
        with contextlib.suppress(ValueError):
            return path.relative_to(self.settings.here)
        return path


def _chosen(checks: list[Check], rules: dict[str, Rule], cases: int | None) -> list[Check]:
    """Return the checks to run: at most ``cases`` cases of each scenario, and all drawn checks.
    Every case of a gate rule is run.
    """
    scenarios: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        scenarios.setdefault((check.rule, check.comment), []).append(check)
    return [
        check
        for scenario in scenarios.values()
        for check in choose(scenario, None if rules[scenario[0].rule].gate else cases)
    ]


def _is_whole(check: Check, failure: Failure) -> bool:
    """Return whether a failed trace is in the vectors as it is, without an ``at`` from this run."""
    return isinstance(check, Case) and not any(
        "at" in step.argument for step in failure.done if step.operation == "interrupt"
    )
