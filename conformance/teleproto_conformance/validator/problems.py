"""Finds what is wrong with an answer of a host."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import referencing

from ..contract.keys import KEYS
from ..contract.paths import SPEC
from .showing import shortened

Answer = dict[str, Any]


KINDS = ("returned", "raised", "refused", "fault")
"""The kinds of answers, in the order of the schema."""


@cache
def _validator(part: str) -> Any:
    resources = [
        (file.name, referencing.Resource.from_contents(json.loads(file.read_text("utf-8"))))
        for file in (SPEC / "schema").glob("*.schema.json")
    ]
    registry: Any = referencing.Registry().with_resources(resources)
    return jsonschema.Draft202012Validator({"$ref": part}, registry=registry)


def _problem(document: Any, part: str) -> str:
    """Return the main problem of ``document`` under a part of a schema, or an empty string."""
    problem = jsonschema.exceptions.best_match(_validator(part).iter_errors(document))
    if problem is None:
        return ""
    place = ".".join(map(str, problem.absolute_path))
    return shortened(f"{place}: {problem.message}" if place else problem.message)


def problem_of(answer: Any) -> str:
    """Return what is wrong with an answer, or an empty string."""
    kinds = [kind for kind in KINDS if isinstance(answer, dict) and kind in answer]
    if len(kinds) != 1:
        return f"an answer must have exactly one of {', '.join(KINDS)}"
    place = KINDS.index(kinds[0])
    if problem := _problem(answer, f"host.schema.json#/$defs/answer/oneOf/{place}"):
        return problem
    line = answer.get("raised", answer.get("refused", ""))
    return f"`{kinds[0]}` must be one line" if "\n" in line else ""


def problem_of_hello(value: Any) -> str:
    """Return what is wrong with the answer to hello, or an empty string."""
    return _problem(value, "host.schema.json#/$defs/hello")


def problem_of_value(value: Any) -> str:
    """Return what is wrong with the value of a member, or an empty string."""
    if problem := _problem(value, "trace.schema.json#/$defs/value"):
        return problem
    match value:
        case {"_": _}:
            return ""
        case {"key": str(name), **rest}:
            size = rest.pop("bytes", None)
            unknown = name == "unknown" and isinstance(size, int) and not isinstance(size, bool)
            known = name in KEYS and size is None
            if not rest and (known or unknown):
                return ""
            return 'a key has a name from the `keys` of hello, or is {"key": "unknown", "bytes": …}'
        case dict() if len(value) != 1 or not all(isinstance(v, str) for v in value.values()):
            return 'any other object must be {"language": "Thing"}'
        case _:
            return ""
