"""The options of the pytest plugin. The suite is imported only if an option names a session."""

from __future__ import annotations

import pytest

_OPTIONS = (
    (
        "impl",
        "CLASS",
        "run the session conformance suite on package.module.Class or package.module:factory",
    ),
    (
        "profile",
        "NAME",
        "what the class promises: memory, string, store, teleproto-store or custom",
    ),
    ("baseline", "FILE", "YAML file of known failures, each with a reason"),
    ("replay", "FILE", "run only the trace in this JSON file"),
    ("report", "FILE", "write a report; the name ends in .json or .md; may be given twice"),
    ("time-limit", "SECONDS", "stop a call of the session that takes longer (default: 10)"),
    ("effort", "NAME", "how much the suite tries: quick, standard (the default) or deep"),
    (
        "require",
        "NAME",
        "faults: fail the run if this machine does not allow tracing processes",
    ),
    ("seed", "NUMBER", "random seed for drawn traces; by default, each deep run prints a new one"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("session", "session conformance")
    for name, value, text in _OPTIONS:
        group.addoption(f"--session-{name}", metavar=value, action="append", default=[], help=text)
        parser.addini(_setting(name), text, type="linelist")
    text = "fail the run if a SHOULD is not met"
    group.addoption("--session-strict", action="store_true", default=None, help=text)
    parser.addini("session_strict", text, type="bool", default=False)


def _setting(name: str) -> str:
    return f"session_{name.replace('-', '_')}"


def pytest_configure(config: pytest.Config) -> None:
    names = [name for name, _, _ in _OPTIONS]
    given = [name for name in (*names, "strict") if config.getoption(_setting(name))]
    if "impl" not in given and not config.getini("session_impl"):
        if given:
            raise pytest.UsageError(
                f"--session-{given[0]} needs --session-impl=package.module.Class"
            )
        return
    from .suite import Suite

    config.pluginmanager.register(Suite(config), "session-conformance")
