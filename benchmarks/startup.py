"""The time that the installed plugin adds to a pytest run without its options."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from .measure import compare

ROOT = Path(__file__).resolve().parent.parent


def startup() -> None:
    """Start pytest by turns in two new environments that differ only in this package."""
    with tempfile.TemporaryDirectory() as directory:
        wheels = Path(directory, "wheels")
        _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", wheels, ROOT)
        ours = next(wheels.glob("teleproto_conformance-*.whl"))
        others = [wheel for wheel in wheels.glob("*.whl") if wheel != ours]
        pythons = []
        for name, packages in (("with", [ours, *others]), ("without", others)):
            home = Path(directory, name)
            venv.create(home, with_pip=True)
            pythons.append(home / "bin" / "python")
            _run(pythons[-1], "-m", "pip", "install", "--quiet", "--no-deps", *packages)
        project = Path(directory, "project")
        project.mkdir()
        (project / "test_nothing.py").write_text("def test_nothing(): pass\n")
        compare(
            "pytest start-up, with and without the plugin",
            lambda: _run(pythons[0], "-m", "pytest", "-q", cwd=project),
            lambda: _run(pythons[1], "-m", "pytest", "-q", cwd=project),
            rounds=40,
            limit=1.03,
        )


def _run(*command: object, cwd: Path | None = None) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=cwd, stdout=subprocess.DEVNULL)
