"""Writes the vectors and the pages, and reports files that are out of date.

It writes a vector only if the reference model gives the expected results of its scenario.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from teleproto_sessions import MemorySession, StoreSession, StringSession

from ..checks.checker import Checker, in_memory
from ..contract.paths import SPEC, VECTORS
from ..contract.rules import Chapter, Contract
from ..contract.vectors import render
from ..errors import ContractError, UsageError
from ..findings import telling
from ..findings.words import PYTHON
from ..subjects.in_process import driver
from . import authoring
from .pages import operation_pages, pages

REFERENCES: dict[str, Callable[..., Any]] = {
    "memory": MemorySession,
    "string": StringSession,
    "teleproto-store": StoreSession,
    "custom": StoreSession,
}
"""A reference session for each profile, the simplest first.

StoreSession also meets ``custom``: it stores each change at once, and so before ``save()``.
"""


def verify(contract: Contract) -> None:
    """Run every case on the simplest reference session that promises it.

    Several processes share the chapters. If this process has more than one thread, a fork is not
    safe, so the chapters run here.

    :raises ContractError: for the first case on which the contract and the model disagree.
    """
    numbers = range(len(contract.chapters))
    if threading.active_count() == 1:
        with get_context("fork").Pool(initializer=_take, initargs=(contract,)) as pool:
            found = pool.map(_disagreement, numbers, chunksize=1)
    else:
        _take(contract)
        found = [_disagreement(number) for number in numbers]
    for text in filter(None, found):
        raise ContractError(text)


def _take(contract: Contract) -> None:
    global _checkers, _chapters
    _chapters = contract.chapters
    _checkers = {
        name: Checker(contract, name, driver(session, contract), scratch=in_memory())
        for name, session in REFERENCES.items()
    }


_chapters: tuple[Chapter, ...]
_checkers: dict[str, Checker]


def _disagreement(number: int) -> str | None:
    """Return the problem of the first case of a chapter that fails, or None."""
    for case in _chapters[number].cases:
        profile = next((name for name in REFERENCES if name in case.profiles), None)
        if profile is None:
            return f"{case.id}: no reference session has any of its profiles"
        failure = _checkers[profile].replay(case.trace)
        if failure is not None:
            return (
                f"{case.id}: the reference {profile} session disagrees with the contract in "
                f"step {len(failure.done)}: expected {telling.expected(failure, PYTHON)}, "
                f"got {telling.got(failure, PYTHON)}"
            )
    return None


def generate(spec: Path = SPEC, vectors: Path = VECTORS) -> Contract:
    """Write the vectors and the catalogue page from ``spec``.

    :raises ContractError: if the contract is wrong, or the reference model disagrees.
    """
    try:
        # The scenarios are read with the schema of traces, so it must know new operations first.
        _write(operation_pages(spec, vectors))
        contract = _verified(spec)
        vectors.mkdir(parents=True, exist_ok=True)
        _write(pages(contract, spec, vectors))
        files = render(contract, spec)  # the manifest has the checksums of the pages
        outdated = _listed(vectors) - files.keys()
        for name, content in files.items():
            (vectors / name).write_text(content, encoding="utf-8", newline="")
        for name in outdated:
            (vectors / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
    return contract


def _write(files: dict[Path, str]) -> None:
    for path, content in files.items():
        path.write_text(content, encoding="utf-8", newline="")


def _listed(vectors: Path) -> set[str]:
    """Return the files that the manifest of an earlier contract names."""
    try:
        manifest = json.loads((vectors / "manifest.json").read_text(encoding="utf-8"))
        return {name for name in manifest["files"] if Path(name).name == name}
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def check(spec: Path = SPEC, vectors: Path = VECTORS) -> tuple[Contract, list[str]]:
    """Return the contract, and a line for each file that ``generate`` would change.

    :raises ContractError: if the contract is wrong, or the reference model disagrees.
    """
    if not vectors.is_dir():
        raise UsageError(f"{vectors}: this directory does not exist")
    contract = _verified(spec)
    files = render(contract, spec)
    drift = [
        f"{vectors.name}/{name} {how}"
        for name, content in files.items()
        if (how := _drift(vectors / name, content))
    ]
    drift += [
        f"{vectors.name}/{path.name} belongs to no chapter"
        for path in sorted(vectors.glob("*.json"))
        if path.name not in files
    ]
    for path, content in pages(contract, spec, vectors).items():
        if how := _drift(path, content):
            drift.append(f"{path.parent.name}/{path.name} {how}")
    return contract, drift


def _verified(spec: Path) -> Contract:
    contract = authoring.load(spec)
    verify(contract)
    return contract


def _drift(path: Path, content: str) -> str:
    try:
        stands = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    if stands == content.encode():
        return ""
    new, old = content.encode().splitlines(), stands.splitlines()
    alike = min(len(new), len(old)) + 1
    line = next((n for n, (a, b) in enumerate(zip(new, old, strict=False), 1) if a != b), alike)
    return f"differs from line {line} on"
