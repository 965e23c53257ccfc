"""Reading YAML and JSON that people write. Errors name the file, the line and the place."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import referencing
import yaml

from ..errors import ContractError
from .paths import SPEC

# The parser in C is some ten times faster, but some builds of PyYAML lack it.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """A safe loader that refuses a mapping in which a key occurs twice."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be text", key_node.start_mark
            )
        if key_node.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key_node.value!r} occurs twice", key_node.start_mark
            )
        seen.add(key_node.value)
    loader.flatten_mapping(node)
    # Keys are text, as in JSON, even if YAML would read a number or a flag.
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


# A date is text, too: people write dates in reasons.
_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(path: Path, schema: str) -> Any:
    """Return the content of a YAML or JSON file that fits ``schema``.

    :raises ContractError: with the file, the line, the place and the mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ContractError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ContractError(f"{path}: not UTF-8 at byte {error.start}") from None
    try:
        document = json.loads(text) if path.suffix == ".json" else yaml.load(text, Loader=_Loader)
    except json.JSONDecodeError as error:
        raise ContractError(f"{path}:{error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ContractError(f"{path}{_where(error)}: {_problem(error)}") from None
    problem = jsonschema.exceptions.best_match(_validator(schema).iter_errors(document))
    if problem is not None:
        place = ".".join(str(part) for part in problem.absolute_path) or "the document"
        line = _line(text, list(problem.absolute_path))
        raise ContractError(f"{path}:{line}: {place}: {_explain(problem)}")
    return document


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    return " ".join(str(getattr(error, "problem", None) or error).split())


@cache
def _validator(schema: str) -> Any:
    resources = []
    for file in sorted((SPEC / "schema").glob("*.schema.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        resources.append((file.name, referencing.Resource.from_contents(content)))
    registry: Any = referencing.Registry().with_resources(resources)
    return jsonschema.Draft202012Validator({"$ref": f"{schema}.schema.json"}, registry=registry)


def _explain(problem: jsonschema.ValidationError) -> str:
    message = problem.message
    return message if len(message) <= 200 else f"{message[:120]} … {message[-60:]}"


def line_of(path: Path, place: list[str | int]) -> int:
    """Return the line of a YAML file on which the value at ``place`` begins."""
    return _line(path.read_text(encoding="utf-8"), place)


def _line(text: str, place: list[str | int]) -> int:
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    line = int(node.start_mark.line) + 1 if node else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(part)]
            if not found:
                break
            line, node = int(found[0][0].start_mark.line) + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = int(node.start_mark.line) + 1
    return line
