"""Golden vectors: the contract as JSON, for the suite and for ports to other languages."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import ContractError
from .keys import KEYS
from .paths import SPEC, VECTORS
from .rules import Case, Chapter, Contract, Generated, Rule
from .tables import Tables


def load(directory: Path = VECTORS) -> Contract:
    """Read the contract back from its vectors.

    :raises ContractError: if a file is missing or does not hold vectors.
    """
    try:
        tables = _read(directory / "contract.json")
        chapters = tuple(_chapter(_read(directory / f"{name}.json")) for name in tables["chapters"])
        return Contract(tables["version"], chapters, Tables(tables["tables"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(f"{directory}: the vectors cannot be read: {error}") from None


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _chapter(document: dict[str, Any]) -> Chapter:
    head = document["chapter"]
    return Chapter(
        **head,
        vectors=document["vectors"],
        rules=tuple(Rule(**_tuples(rule)) for rule in document["rules"]),
        cases=tuple(_case(case) for case in document["cases"]),
        generated=tuple(Generated(**_tuples(entry)) for entry in document["generated"]),
    )


def _case(entry: dict[str, Any]) -> Case:
    return Case(notation=entry.pop("trace"), **_tuples(entry))


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}


def render(contract: Contract, spec: Path = SPEC) -> dict[str, str]:
    """Return the content of every generated file. The same contract gives the same bytes."""
    files = {"contract.json": _dump(_head(contract))}
    for chapter in contract.chapters:
        files[f"{chapter.vectors}.json"] = _dump(_document(contract, chapter))
    files["manifest.json"] = _dump(_manifest(contract, files, spec))
    return files


def _head(contract: Contract) -> dict[str, Any]:
    return {
        "version": contract.version,
        "chapters": [chapter.vectors for chapter in contract.chapters],
        "tables": contract.tables.document,
    }


def _document(contract: Contract, chapter: Chapter) -> dict[str, Any]:
    return {
        "vectors": chapter.vectors,
        "contract": contract.version,
        "chapter": {"id": chapter.id, "title": chapter.title, "about": chapter.about},
        "keys": {name: key.hex() for name, key in sorted(KEYS.items())},
        "rules": [rule.dump() for rule in chapter.rules],
        "cases": [case.dump() for case in chapter.cases],
        "generated": [entry.dump() for entry in chapter.generated],
    }


def _manifest(contract: Contract, files: dict[str, str], spec: Path) -> dict[str, Any]:
    return {
        "contract": contract.version,
        "rules": len(contract.rules),
        "cases": sum(len(chapter.cases) for chapter in contract.chapters),
        "files": {
            name: {"sha256": _digest(content.encode())} for name, content in sorted(files.items())
        },
        "spec": {
            path.relative_to(spec).as_posix(): _digest(path.read_bytes())
            for path in sorted((*spec.rglob("*.yaml"), *spec.rglob("*.json")))
        },
    }


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _dump(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
