"""The options of a pytest run, from the command line or the ini file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from secrets import randbits
from typing import Any

import pytest

from .checks.effort import EFFORTS, Effort
from .errors import UsageError
from .findings.report import FORMATS
from .run import REQUIREMENTS, Settings

LIMIT = 10.0
"""Seconds that one call of a session may take."""


def read(config: pytest.Config) -> Settings:
    """Read the settings of the run.

    :raises UsageError: if an option is given twice or has a wrong value.
    """
    strict = config.getoption("session_strict")
    implementation = _one(config, "impl")
    assert implementation is not None
    profile = _one(config, "profile")
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return Settings(
        implementation=implementation[0],
        profile=None if profile is None else profile[0],
        baseline=_path(config, "baseline"),
        replay=_replay(config),
        limit=_limit(config),
        effort=_effort(config),
        strict=bool(config.getini("session_strict") if strict is None else strict),
        require=_require(config),
        here=config.invocation_params.dir,
        base=implementation[1],
        keep=None if cache is None else Path(str(cache._cachedir), "d", "session-replay"),
    )


def reports(config: pytest.Config) -> list[Path]:
    """Return the paths of the reports.

    :raises UsageError: if the suffix is unknown, or the file cannot be written.
    """
    return [_writable(text, base / text) for text, base in _given(config, "report")]


def _writable(text: str, path: Path) -> Path:
    option = f"--session-report={text}"
    if path.suffix not in FORMATS:
        raise UsageError(f"{option}: end the name in {' or '.join(FORMATS)}")
    if path.is_dir():
        raise UsageError(f"{option}: that is a directory; name a file")
    nearest = next(parent for parent in (path, *path.parents) if parent.exists())
    if nearest != path and not nearest.is_dir():
        raise UsageError(f"{option}: {nearest.name} is not a directory; write the report elsewhere")
    if not os.access(nearest, os.W_OK):
        raise UsageError(f"{option}: {nearest} is not writable; write the report elsewhere")
    return path


def alone(config: pytest.Config) -> bool:
    """Return whether the suite runs without the user's own tests."""
    files = config.args_source is pytest.Config.ArgsSource.ARGS
    return bool(config.getoption("session_impl")) and not files


def _given(config: pytest.Config, name: str) -> list[tuple[str, Path]]:
    """Return the values of an option, each with its base directory.

    Values of the command line replace those of the ini file.
    """
    setting = f"session_{name.replace('-', '_')}"
    here: list[str] = config.getoption(setting)
    if here:
        return [(text, config.invocation_params.dir) for text in here]
    return [(text, config.rootpath) for text in config.getini(setting)]


def _one(config: pytest.Config, name: str) -> tuple[str, Path] | None:
    given = _given(config, name)
    if len(given) > 1:
        texts = ", ".join(text for text, _ in given)
        raise UsageError(
            f"--session-{name} is given {len(given)} times ({texts}); give it once, and run pytest "
            "again for another value"
        )
    return given[0] if given else None


def _path(config: pytest.Config, name: str) -> Path | None:
    given = _one(config, name)
    return None if given is None else _absolute(*given)


def _absolute(text: str, base: Path) -> Path:
    # A replay file becomes an argument of pytest, and pytest keeps the links in its arguments.
    return Path(os.path.abspath(base / text))  # noqa: PTH100  # Path.resolve() follows links


def _replay(config: pytest.Config) -> Path | None:
    path = _path(config, "replay")
    if path is not None and "[" in str(path):
        raise UsageError(
            f"--session-replay={path}: pytest cannot open a path that contains [; rename the file"
        )
    return path


def _effort(config: pytest.Config) -> Effort:
    given = _one(config, "effort")
    name = "standard" if given is None else given[0]
    if name not in EFFORTS:
        raise UsageError(f"--session-effort={name}: use one of {', '.join(EFFORTS)}")
    seed = _seed(config, name)
    return replace(EFFORTS[name], seed=seed)


def _seed(config: pytest.Config, effort: str) -> int | None:
    given = _one(config, "seed")
    if given is None:
        worker: dict[str, Any] = getattr(config, "workerinput", {})
        return worker.get("session_seed", randbits(32)) if effort == "deep" else None
    if not given[0].isdecimal():
        raise UsageError(f"--session-seed={given[0]}: write a whole number, 0 or greater")
    return int(given[0])


def _require(config: pytest.Config) -> frozenset[str]:
    names = [text for text, _ in _given(config, "require")]
    for name in names:
        if name not in REQUIREMENTS:
            raise UsageError(f"--session-require={name}: use {' or '.join(REQUIREMENTS)}")
    return frozenset(names)


def _limit(config: pytest.Config) -> float:
    given = _one(config, "time-limit")
    if given is None:
        return LIMIT
    try:
        seconds = float(given[0])
    except ValueError:
        seconds = 0
    if not 0 < seconds < 86_400:
        raise UsageError(
            f"--session-time-limit={given[0]}: write a number of seconds above 0 and below 86400"
        )
    return seconds
