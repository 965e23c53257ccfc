"""The folders of the suite are layers: each imports only itself and the layers below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "conformance" / "teleproto_conformance"
FRONTS = "the fronts"
LAYERS = (
    FRONTS,
    "publishing",
    "validator",
    "findings",
    "checks",
    "subjects",
    "contract",
    "errors",
)
"""From top to bottom. Modules directly in the package are fronts, except ``errors``."""


def layer_of(path: Path, package: Path) -> str:
    """Return the layer of a module, or of a folder."""
    first = path.relative_to(package).parts[:1]
    if first and (package / first[0]).is_dir():
        return first[0]
    return "errors" if first in (("errors",), ("errors.py",)) else FRONTS


def imported(source: Path, package: Path) -> Iterator[tuple[int, Path]]:
    """Yield line and path of each import from the package itself, also inside functions."""
    here = source.relative_to(package.parent).parent.parts
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                targets = [tuple(name.name.split(".")) for name in names]
            case ast.ImportFrom(names=names, module=module, level=level):
                base = here[: len(here) - level + 1] if level else ()
                base += tuple(module.split(".")) if module else ()
                # An imported name may itself be a module, even one of another layer.
                targets = [(*base, name.name) for name in names]
            case _:
                continue
        for target in targets:
            if target[0] == package.name:
                yield node.lineno, module_path(package.parent.joinpath(*target))


def module_path(path: Path) -> Path:
    """Return ``path`` if it is a module or a folder, else the module that defines this name."""
    is_module = path.is_dir() or path.with_suffix(".py").exists()
    return path if is_module else path.parent


def upwards(package: Path) -> Iterator[tuple[str, int, str]]:
    """Yield file, line and layer of each import of a higher layer."""
    for source in sorted(package.rglob("*.py")):
        own = LAYERS.index(layer_of(source, package))
        for line, target in imported(source, package):
            layer = layer_of(target, package)
            if LAYERS.index(layer) < own:
                yield source.relative_to(package).as_posix(), line, layer


def test_every_folder_is_a_layer() -> None:
    folders = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/**/*.py")}
    assert folders == set(LAYERS) - {FRONTS, "errors"}


def test_no_folder_imports_one_above_it() -> None:
    wrong = [
        f"{(PACKAGE / file).relative_to(ROOT)}:{line} imports {layer}"
        for file, line, layer in upwards(PACKAGE)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("file", "statement", "layer"),
    [
        ("contract/rules.py", "from ..checks.player import Player", "checks"),
        ("contract/rules.py", "from ..checks import player", "checks"),
        ("contract/rules.py", "from .. import checks", "checks"),
        ("contract/rules.py", "from house.checks.player import Player", "checks"),
        ("contract/rules.py", "from house import checks", "checks"),
        ("contract/rules.py", "import house.checks.player", "checks"),
        ("contract/rules.py", "import json, house.checks", "checks"),
        ("contract/rules.py", "def later():\n    from ..checks import player", "checks"),
        ("contract/__init__.py", "from ..checks import player", "checks"),
        ("checks/player.py", "from ..run import Run", FRONTS),
        ("checks/player.py", "from .. import run", FRONTS),
        ("checks/player.py", "from .. import __version__", FRONTS),
        ("checks/player.py", "import house", FRONTS),
        ("checks/drawn/search.py", "from ...findings import words", "findings"),
        ("errors.py", "from .contract import rules", "contract"),
        ("errors.py", "from . import contract", "contract"),
    ],
)
def test_an_import_upwards_is_found(tmp_path: Path, file: str, statement: str, layer: str) -> None:
    house = made(tmp_path, file, f"import ast\n{statement}\n")
    line = 3 if "def" in statement else 2
    assert list(upwards(house)) == [(file, line, layer)]


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("checks/player.py", "from ..contract.rules import Rule"),
        ("checks/player.py", "from ..contract import rules"),
        ("checks/player.py", "from .. import contract, errors"),
        ("checks/player.py", "from .drawn import search"),
        ("checks/drawn/search.py", "from ..player import Player"),
        ("checks/drawn/search.py", "from ... import errors"),
        ("checks/drawn/search.py", "from checks import findings"),
        ("run.py", "from . import checks, __version__"),
        ("run.py", "from .checks.player import Player"),
    ],
)
def test_other_imports_are_allowed(tmp_path: Path, file: str, statement: str) -> None:
    assert not list(upwards(made(tmp_path, file, statement)))


def made(directory: Path, file: str, source: str) -> Path:
    """Make a package with a few layers, and ``source`` in one of its files."""
    house = directory / "house"
    for name in (
        "__init__.py",
        "run.py",
        "findings/words.py",
        "checks/player.py",
        "checks/drawn/search.py",
        "contract/__init__.py",
        "contract/rules.py",
        "errors.py",
    ):
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source if name == file else "", encoding="utf-8")
    return house
