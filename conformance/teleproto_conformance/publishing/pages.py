"""Pages and schemas that follow from the contract and from the operations of traces."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..contract import operations
from ..contract.rules import Contract
from . import catalogue

_CATALOGUE = "RULES.md"
_TABLE = re.compile(r"^\| operation \|.*?(?=^$)", re.MULTILINE | re.DOTALL)


def pages(contract: Contract, spec: Path, vectors: Path) -> dict[Path, str]:
    """Return the right content of the rules page, and of :func:`operation_pages`."""
    return {spec / _CATALOGUE: catalogue.page(contract), **operation_pages(spec, vectors)}


def operation_pages(spec: Path, vectors: Path) -> dict[Path, str]:
    """Return the right content of the schema of traces and of ``vectors/README.md``.

    They exist only in full copies of ``spec/`` and ``vectors/``.
    """
    made = {}
    schema, readme = spec / "schema" / "trace.schema.json", vectors / "README.md"
    if schema.is_file():
        made[schema] = _schema(schema.read_text(encoding="utf-8"))
    if readme.is_file():
        table = "\n".join(operations.table()) + "\n"
        made[readme] = _TABLE.sub(lambda match: table, readme.read_text(encoding="utf-8"))
    return made


def _schema(text: str) -> str:
    """Return the schema of traces with the current descriptions of the operations."""
    document = json.loads(text)
    step = document["$defs"]["step"]
    beside = {name: step["properties"][name] for name in operations.MODIFIERS}
    step["properties"] = {**operations.schema(), **beside}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
