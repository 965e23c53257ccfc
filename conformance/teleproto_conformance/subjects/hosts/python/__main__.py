"""``python -m teleproto_conformance.subjects.hosts.python``."""

from __future__ import annotations

import os
import signal
import socket
import sys

from .forks import fork_server
from .host import serve_over_standard_streams

_UMASK = 0o022
"""What most machines have: a session that wants its files private has to say so."""


def main() -> None:
    """Serve as the arguments say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(_UMASK)
    if sys.argv[1:2] == ["--fork-server"]:
        fork_server(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
    else:
        serve_over_standard_streams()


if __name__ == "__main__":
    main()
