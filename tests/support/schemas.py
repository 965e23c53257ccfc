"""Check documents against the JSON Schemas of ``spec/schema/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import referencing

from .running import SPEC


def read(path: Path) -> Any:
    """Return a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def problems(document: Any, schema: str) -> list[str]:
    """Return one line for each error in ``document``."""
    resources = [
        (path.name, referencing.Resource.from_contents(read(path)))
        for path in (SPEC / "schema").glob("*.schema.json")
    ]
    registry: Any = referencing.Registry().with_resources(resources)
    validator = jsonschema.Draft202012Validator({"$ref": schema}, registry=registry)
    return [f"{error.json_path}: {error.message:.200}" for error in validator.iter_errors(document)]
