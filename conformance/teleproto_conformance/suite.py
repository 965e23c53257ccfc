"""The suite in pytest: a file of vectors is a collector, and a check is an item."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from . import settings
from .contract.paths import VECTORS
from .contract.rules import Check
from .errors import ConformanceError
from .findings.finding import Finding
from .findings.result import ADVISED, BLOCKED, KNOWN, RED, STALE, UNVERIFIED, Result
from .run import FAULTS, Run

HANGS = 3
"""The run stops at this number of calls that hang."""
UNREACHABLE = 6
"""The exit code of a run whose storage stopped answering; pytest itself uses 0 to 5."""
_HYPOTHESIS = "hypothesispytest"
"""The name of Hypothesis's own plugin."""


class Suite:
    """The plugin that is registered if an option names a session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        try:
            self._reports = settings.reports(config)
            self._run = Run(settings.read(config))
        except ConformanceError as error:
            raise pytest.UsageError(str(error)) from None
        self._report = self._run.report()
        self._ids = {check.id for check in (*self._run.checks, self._run.replayed) if check}
        self._shown: set[str] = set()
        self._hangs = 0
        self._unwritten: list[str] = []
        chosen = str(self._run.settings.replay or VECTORS)
        self._alone = settings.alone(config)
        if self._alone:
            config.args[:] = [chosen]
        elif chosen not in config.args:
            config.args.append(chosen)

    def judge(self, check: Check, session: pytest.Session) -> Result:
        """Run a check. The run stops if the storage is gone, and at the third call that hangs."""
        result = self._run.judge(check)
        if result.unreachable:
            session.shouldfail = (
                "the storage no longer answers, even to a new session; the run ends here"
            )
            return result
        if result.finding is not None and result.finding.hung:
            self._hangs += 1
            if self._hangs == HANGS:
                session.shouldfail = (
                    f"{HANGS} calls of the session did not return; the remaining checks are not run"
                )
        return result

    @property
    def requires_faults(self) -> bool:
        """Whether a check that is not verified fails."""
        return FAULTS in self._run.settings.require

    # Collecting

    def pytest_report_header(self) -> str:
        run = self._run
        seed, runs_on = run.settings.effort.seed, run.implementation.runs_on
        return (
            f"session: {run.implementation.text}, profile {run.profile} "
            f"({run.implementation.profile_from}), contract {run.contract.version}"
            + (f", on {runs_on}" if runs_on else "")
            + (f", --session-seed={seed}" if seed is not None else "")
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give every worker of pytest-xdist the same seed."""
        node.workerinput["session_seed"] = self._run.settings.effort.seed

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        run = self._run
        if run.replayed is not None and file_path == run.settings.replay:
            return self._file(parent, file_path, "replay", [run.replayed])
        if run.replayed is None and file_path.parent == VECTORS:
            for chapter in run.contract.chapters:
                if file_path.name == f"{chapter.vectors}.json":
                    rules = {rule.id for rule in chapter.rules}
                    checks = [check for check in run.checks if check.rule in rules]
                    return self._file(parent, file_path, chapter.id, checks)
        return None

    def _file(
        self, parent: pytest.Collector, path: Path, name: str, checks: list[Any]
    ) -> pytest.Collector:
        file: pytest.Collector = VectorFile.from_parent(
            parent, path=path, nodeid=name, suite=self, checks=checks
        )
        return file

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {chapter.id: number for number, chapter in enumerate(self._run.contract.chapters)}
        items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))

    # Running

    def pytest_sessionstart(self) -> None:
        """Let SIGTERM end the run as Ctrl-C does, so that the reports are written."""
        here = threading.current_thread() is threading.main_thread()
        # A run that a shell has started in the background ignores Ctrl-C.
        ctrl_c_works = callable(signal.getsignal(signal.SIGINT))
        if here and ctrl_c_works and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _press_ctrl_c)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        if isinstance(item, CheckItem) and report.when == "call" and item.result is not None:
            report.session_result = asdict(item.result)
            if item.result.outcome == KNOWN:
                # JUnit then shows an expected failure with its reason, and not a test that passes.
                report.outcome, report.wasxfail = "skipped", item.result.reason
            elif item.result.outcome == STALE:
                report.outcome, report.longrepr = "failed", self._passes_now(item.result)
            finding = item.result.finding
            if finding is not None and finding.printed:
                report.sections.append(("Captured output of the session", finding.printed))
        return report

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        result: dict[str, Any] = getattr(report, "session_result", {})
        if report.failed and getattr(report, "session_again", False):
            return "more of the same", "F", "FAILED"
        if report.failed and result.get("outcome") == UNVERIFIED:
            return "failed", "F", "FAILED"
        return _STATUSES.get(str(result.get("outcome")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        result = getattr(report, "session_result", None)
        if result is not None:
            self._report.add(Result.load(result))
            if result["outcome"] == UNVERIFIED:
                # The first check with a reason is shown in full; later ones are only counted.
                report.session_again = result["reason"] in self._shown
                self._shown.add(result["reason"])
        judged = (*RED, UNVERIFIED, STALE)
        own = result is not None and result["outcome"] in judged
        if report.failed and not own and report.nodeid.rpartition("::")[2] in self._ids:
            self._report.broken += 1

    # Reporting

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._spare_hypothesis()
        if hasattr(self._config, "workerinput") or self._config.option.collectonly:
            return
        self._report.complete = not session.shouldfail and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        )
        stale = len(self._report.of(STALE))
        nothing = self._report.verdict == "nothing checked"
        failed = session.exitstatus == pytest.ExitCode.TESTS_FAILED
        if failed and 0 < stale == session.testsfailed:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif session.exitstatus == pytest.ExitCode.OK and nothing:
            session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
        if self._report.verdict == "unreachable":
            session.exitstatus = UNREACHABLE
        self._show_causes()
        for path in self._reports:
            try:
                self._report.write(path)
            except OSError as error:
                self._unwritten.append(
                    f"--session-report={path}: cannot be written: {error.strerror}"
                )
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _show_causes(self) -> None:
        """Let pytest show the simplest failure of each cause, and count the others."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        failed: list[Any] = reporter.stats.get("failed", [])
        blocked: list[Any] = reporter.stats.get("blocked", [])
        ours = {
            report.session_result["check"]: report
            for report in (*failed, *blocked)
            if getattr(report, "session_result", {}).get("outcome") in RED
        }
        if not ours:
            return
        shown = [report for report in failed if report not in ours.values()]
        again: list[Any] = []
        for cause in self._report.causes:
            members = [finding for _, finding in (cause.first, *cause.others)]
            red = [finding for finding in members if finding.check in ours]
            if red:
                ours[red[0].check].longrepr = str(cause)
                shown.append(ours[red[0].check])
                again += [ours[other.check] for other in red[1:] if not other.blocked]
        told = {finding.check for _, finding in self._report.findings}
        gone = [report for check, report in ours.items() if check not in told]
        reporter.stats["failed"] = shown
        reporter.stats["blocked"] = [each for each in blocked if each not in (*shown, *gone)]
        if gone:
            reporter._add_stats("not verified", gone)
        if again:
            # A run that stops early counts only the categories that were added in this way.
            reporter._add_stats("more of the same", again)

    def _passes_now(self, stale: Result) -> str:
        return f"{stale.check} passes now; remove its entry from {self._run.settings.baseline}"

    def _spare_hypothesis(self) -> None:
        """Take out Hypothesis's plugin where nothing was drawn: its summary imports Hypothesis."""
        plugins = self._config.pluginmanager
        if self._alone and "hypothesis" not in sys.modules and plugins.has_plugin(_HYPOTHESIS):
            plugins.unregister(name=_HYPOTHESIS)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._config.option.collectonly:
            return
        report, out = self._report, terminalreporter
        out.ensure_newline()
        for cause in report.causes:
            result, _ = cause.first
            if result.outcome == ADVISED and not cause.is_new:
                out.section(f"{result.check}, a SHOULD", sep="-")
                out.write_line(str(cause))
        if report.findings:
            out.section("rules that are not met", sep="-")
            if report.summary:
                out.write_line(report.summary)
            for line in report.failed_rules():
                out.write_line(line)
            if report.waiting:
                out.write_line(report.waiting)
        for result in report.of(STALE):
            out.write_line(self._passes_now(result), red=True)
        if report.results:
            tested = report.implementation
            out.section(f"{tested.text} ({tested.profile}): {report.headline}")
            for line in report.table():
                out.write_line(line)
            if report.forgiven:
                out.write_line(report.forgiven)
            if report.interrupted:
                out.write_line(f"changes interrupted at {report.interrupted} system calls")
        else:
            rules = "`teleproto-conformance rules` lists the names for -k"
            out.write_line(f"nothing was checked; {rules}", red=True)
        for line in self._unwritten:
            out.write_line(line, red=True)

    def pytest_unconfigure(self) -> None:
        self._run.close()
        if signal.getsignal(signal.SIGTERM) is _press_ctrl_c:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _press_ctrl_c(number: int, frame: object) -> None:
    signal.raise_signal(signal.SIGINT)


_STATUSES = {
    ADVISED: ("SHOULD not met", "w", "SHOULD"),
    KNOWN: ("known", "k", "KNOWN"),
    STALE: ("no longer failing", "!", "STALE"),
    BLOCKED: ("blocked", "b", "BLOCKED"),
    UNVERIFIED: ("not verified", "n", "NOT VERIFIED"),
}


class FindingRaised(Exception):
    """Carries a finding through pytest."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.check)
        self.finding = finding


class NotVerified(Exception):
    """This machine does not allow a check that the user requires."""


class VectorFile(pytest.File):
    """The checks of a chapter."""

    def __init__(self, *, suite: Suite, checks: list[Check], **node: Any) -> None:
        super().__init__(**node)
        self._suite = suite
        self._checks = checks

    def collect(self) -> Iterator[pytest.Item]:
        for check in self._checks:
            yield CheckItem.from_parent(
                self,
                name=check.id,
                nodeid=f"{self.nodeid}::{check.id}",
                suite=self._suite,
                check=check,
            )


class CheckItem(pytest.Item):
    """One check. The name of the item is the id of the check."""

    def __init__(self, *, suite: Suite, check: Check, **node: Any) -> None:
        super().__init__(**node)
        self._suite = suite
        self._check = check
        self.result: Result | None = None

    def runtest(self) -> None:
        self.result = self._suite.judge(self._check, self.session)
        if self.result.outcome in RED and self.result.finding is not None:
            raise FindingRaised(self.result.finding)
        if self.result.outcome == UNVERIFIED:
            if self._suite.requires_faults:
                raise NotVerified(self.result.reason)
            pytest.skip(f"not verified: {self.result.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, FindingRaised):
            return str(excinfo.value.finding)
        if isinstance(excinfo.value, NotVerified):
            required = f"--session-require={FAULTS} makes that a failure"
            return f"{self._check.id} is not verified, and {required}: {excinfo.value}"
        if isinstance(excinfo.value, ConformanceError):
            return f"{self._check.id} could not be run: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self._check.id
