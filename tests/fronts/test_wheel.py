"""The published wheel, installed in an environment of its own."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from support.running import ROOT, Project, Run, run

NODE_HOST = "conformance/teleproto_conformance/subjects/hosts/node"

SESSIONS = '''
from teleproto_sessions import MemorySession


class Whole(MemorySession):
    """Meets every rule."""


class Mixed(MemorySession):
    """Keeps the old data centre's key after a switch."""

    def set_dc(self, dc_id, server_address, port):
        key = self.auth_key
        super().set_dc(dc_id, server_address, port)
        if key is not None:
            self.set_auth_key(key)
'''


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    out = tmp_path_factory.mktemp("dist")
    built = run(
        [sys.executable, "-m", "build", "--wheel", f"--outdir={out}", str(ROOT)], out, timeout=180
    )
    assert built.code == 0, built.text
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose ``.venv`` has the wheel and what it needs."""
    project = Project(tmp_path_factory.mktemp("installed"))
    made = run([sys.executable, "-m", "venv", ".venv"], project.path)
    assert made.code == 0, made.text
    pip = [str(project.path / ".venv/bin/pip"), "install", "--quiet", str(wheel)]
    done = run(pip, project.path, timeout=180)
    assert done.code == 0, done.text
    project.write("mypkg.py", SESSIONS)
    return project


def _program(project: Project, name: str, *arguments: str) -> Run:
    return run([str(project.path / ".venv/bin" / name), *arguments], project.path)


def test_the_wheel_holds_two_packages_and_the_contract(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"teleproto_conformance", "teleproto_sessions"}
    for name in (
        "teleproto_conformance/py.typed",
        "teleproto_conformance/spec/rules/dc.yaml",
        "teleproto_conformance/spec/schema/trace.schema.json",
        "teleproto_conformance/vectors/manifest.json",
        "teleproto_sessions/py.typed",
    ):
        assert name in names
    node = sorted((ROOT / NODE_HOST).iterdir())
    assert len(node) > 5
    for module in node:
        assert f"teleproto_conformance/subjects/hosts/node/{module.name}" in names
    assert not [name for name in names if "cache" in name]


def test_a_correct_session_passes_and_a_faulty_one_fails(installed: Project) -> None:
    whole = _program(installed, "pytest", "--session-impl=mypkg.Whole")
    assert whole.code == 0, whole.text
    assert "mypkg.Whole (memory): passes" in whole.out
    mixed = _program(installed, "pytest", "--session-impl=mypkg.Mixed", "-x")
    assert mixed.code == 1
    assert "mypkg.Mixed (memory): fails" in mixed.out
    assert "FAILED DC::DC-2[" in mixed.out


def test_the_console_script_works(installed: Project) -> None:
    rules = _program(installed, "teleproto-conformance", "rules")
    assert (rules.code, "DC-2 " in rules.out) == (0, True)
    assert _program(installed, "teleproto-conformance", "explain", "DC-2").code == 0
    assert _program(installed, "teleproto-conformance", "vectors", "check").code == 0
