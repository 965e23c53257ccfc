"""Writing the vectors and the catalogue page, and telling where they have drifted.

A vector is written only where the reference model does what the contract says by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teleproto_sessions import MemorySession, StoreSession, StringSession

from . import authoring, catalogue
from .checking import run_trace
from .contract import Contract
from .drivers.python import driver
from .errors import ContractError, UsageError
from .paths import SPEC, VECTORS
from .vectors import render

CATALOGUE = "RULES.md"
"""The page in ``spec/`` that shows every rule to people who browse."""

REFERENCES: dict[str, Callable[..., Any]] = {
    "memory": MemorySession,
    "string": StringSession,
    "teleproto-store": StoreSession,
}
"""The reference session of each profile that has one, the simplest first."""


def verify(contract: Contract) -> None:
    """Run every case on the simplest reference session that promises it.

    :raises ContractError: naming the first case on which the two disagree.
    """
    drivers = {name: driver(REFERENCES[name], contract, name) for name in REFERENCES}
    scratch = _scratch()
    for chapter in contract.chapters:
        for case in chapter.cases:
            profile = next((name for name in REFERENCES if name in case.profiles), None)
            if profile is None:
                raise ContractError(f"{case.id}: no reference session has a profile of the case")
            failure = run_trace(case.trace, contract, profile, drivers[profile], scratch)
            if failure is not None:
                raise ContractError(
                    f"{case.id}: the reference {profile} session disagrees with the contract in "
                    f"step {len(failure.done)}: expected {failure.expected}, got {failure.got}"
                )


def _scratch() -> Path | None:
    """Return a directory in memory: nothing that is written here has to last."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else None


def generate(spec: Path = SPEC, vectors: Path = VECTORS) -> Contract:
    """Write the vectors and the catalogue page from ``spec``.

    :raises ContractError: where the contract is wrong, or the reference model disagrees.
    """
    contract, files = _made(spec)
    outdated = _listed(vectors) - files.keys()
    try:
        vectors.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (vectors / name).write_text(content, encoding="utf-8", newline="")
        for name in outdated:
            (vectors / name).unlink(missing_ok=True)
        (spec / CATALOGUE).write_text(catalogue.page(contract), encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
    return contract


def _listed(vectors: Path) -> set[str]:
    """Return the files of an earlier contract, as its manifest names them."""
    try:
        manifest = json.loads((vectors / "manifest.json").read_text(encoding="utf-8"))
        return {name for name in manifest["files"] if Path(name).name == name}
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def check(spec: Path = SPEC, vectors: Path = VECTORS) -> tuple[Contract, list[str]]:
    """Return the contract, and a line for every file that is not what ``generate`` would write.

    :raises ContractError: where the contract is wrong, or the reference model disagrees.
    """
    contract, files = _made(spec)
    drift = [
        f"{vectors.name}/{name} {_drift(vectors / name, content)}"
        for name, content in files.items()
        if _drift(vectors / name, content)
    ]
    drift += [
        f"{vectors.name}/{path.name} belongs to no chapter"
        for path in sorted(vectors.glob("*.json"))
        if path.name not in files
    ]
    page = _drift(spec / CATALOGUE, catalogue.page(contract))
    return contract, drift + ([f"{spec.name}/{CATALOGUE} {page}"] if page else [])


def _made(spec: Path) -> tuple[Contract, dict[str, str]]:
    contract = authoring.load(spec)
    verify(contract)
    return contract, render(contract, spec)


def _drift(path: Path, content: str) -> str:
    try:
        stands = path.read_bytes()
    except FileNotFoundError:
        return "is missing"
    if stands == content.encode():
        return ""
    new, old = content.encode().splitlines(), stands.splitlines()
    line = next((n for n, (a, b) in enumerate(zip(new, old, strict=False), 1) if a != b), len(old))
    return f"differs from line {line} on"
