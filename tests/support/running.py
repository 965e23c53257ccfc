"""Run pytest and the console script as a user does: as programs in a project directory."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"
VECTORS = ROOT / "vectors"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """The exit code and the output of a program."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Its output on both streams."""
        return self.out + self.err

    @property
    def replays(self) -> list[str]:
        """The replay commands of its findings."""
        return [
            line.partition(" ")[2].strip()
            for line in self.out.splitlines()
            if line.startswith("Replay ")
        ]

    def refusal(self) -> str:
        """Return the one line with which pytest refused to run."""
        assert self.code == 4, self.text
        assert "Traceback" not in self.text
        assert "INTERNALERROR" not in self.text
        (line,) = [line for line in self.text.splitlines() if line.strip()]
        assert line.startswith("ERROR: ")
        return line.removeprefix("ERROR: ")


def environment(**more: str) -> dict[str, str]:
    """Return the variables of this process without those that control pytest and Python."""
    steering = ("PYTEST_", "PYTHON", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "PY_COLORS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, **more}


def run(command: list[str], directory: Path, *, timeout: float = 60, **variables: str) -> Run:
    """Run a program in ``directory``; it may take ``timeout`` seconds."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Project:
    """A user's project: some files in a directory, and pytest run there."""

    path: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file below the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def pytest(self, *arguments: str, timeout: float = 60, **variables: str) -> Run:
        """Run ``pytest``."""
        return run([str(BIN / "pytest"), *arguments], self.path, timeout=timeout, **variables)

    def shell(self, line: str) -> Run:
        """Run a line that was printed for the user to copy."""
        program, *arguments = shlex.split(line)
        return run([str(BIN / program), *arguments], self.path)

    def conformance(self, *arguments: str, **variables: str) -> Run:
        """Run ``teleproto-conformance``."""
        command = [str(BIN / "teleproto-conformance"), *arguments]
        return run(command, self.path, timeout=60, **variables)
