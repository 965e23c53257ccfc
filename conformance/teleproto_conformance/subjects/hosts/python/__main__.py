"""``python -m teleproto_conformance.subjects.hosts.python [--fork-server FD [COMMAND]]``.

Without arguments, this is the Python host, over standard input and output. With ``--fork-server``,
it forks such hosts on request. The fork server never imports code of the user, so a fork is as
clean as a process from the shell. But it starts much sooner. With a command, the forks run the
command.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from .forks import fork_server
from .host import serve_over_standard_streams

_UMASK = 0o022
"""The umask of most machines. A session that wants private files must set their mode."""


def main() -> None:
    """Run the host, or the fork server with ``--fork-server``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(_UMASK)
    if sys.argv[1:2] == ["--fork-server"]:
        fork_server(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
    else:
        serve_over_standard_streams()


if __name__ == "__main__":
    main()
