"""From ``spec/`` to the contract: reads the YAML, checks it and makes it explicit.

It makes a check of each case, and encodes the strings and files that a trace describes. Every rule
and check gets the list of profiles that it binds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..contract import formats
from ..contract import trace as traces
from ..contract.documents import line_of, read
from ..contract.paths import SPEC
from ..contract.rules import Case, Chapter, Contract, Generated, Rule
from ..contract.tables import Profile, Tables
from ..errors import ContractError

TABLES = ("surface", "state", "profiles", "formats", "data-centres")


def load(spec: Path = SPEC) -> Contract:
    """Read the whole contract.

    :raises ContractError: with the file and the place of the first mistake.
    """
    tables = Tables({name: _table(spec, name) for name in TABLES})
    head = read(spec / "contract.yaml", "contract")
    chapters = []
    for path in sorted((spec / "rules").glob("*.yaml")):
        chapters.append(_chapter(path, tables))
    order = head["chapters"]
    found = [chapter.id for chapter in chapters]
    for name in sorted(set(order) ^ set(found)):
        missing = "has no file in rules/" if name in order else "is not listed under chapters"
        raise ContractError(f"{spec / 'contract.yaml'}: {name} {missing}")
    for name, count in Counter(found).items():
        if count > 1:
            raise ContractError(f"{spec / 'rules'}: {name} is the chapter of {count} files")
    chapters.sort(key=lambda chapter: order.index(chapter.id))
    return Contract(head["version"], tuple(chapters), tables)


def _table(spec: Path, name: str) -> Any:
    document = read(spec / f"{name}.yaml", name)
    return document[name] if name == "profiles" else document


def _chapter(path: Path, tables: Tables) -> Chapter:
    document = read(path, "chapter")
    rules: list[Rule] = []
    cases: list[Case] = []
    generated: list[Generated] = []
    for number, item in enumerate(document["rules"]):
        try:
            rule = _rule(item, tables.profiles)
            if rule.chapter != document["chapter"]:
                raise ContractError(f"it is in the file of chapter {document['chapter']}")
            rules.append(rule)
            cases += _cases(item, rule, tables)
            generated += _generated(item, rule)
            _refuse_duplicates([*rules, *cases, *generated])
        except (ContractError, KeyError, ValueError, TypeError) as error:
            line = line_of(path, ["rules", number])
            raise ContractError(f"{path}:{line}: {item['id']}: {error}") from None
    return Chapter(
        id=document["chapter"],
        title=document["title"],
        about=document["about"],
        vectors=document["vectors"],
        rules=tuple(rules),
        cases=tuple(cases),
        generated=tuple(generated),
    )


def _rule(item: dict[str, Any], profiles: Mapping[str, Profile]) -> Rule:
    return Rule(
        id=item["id"],
        level=item["level"],
        profiles=bound(item["profiles"], profiles),
        rule=item["rule"],
        why=item["why"],
        source=item["source"],
        gate=item.get("gate", False),
        excluded=item.get("excluded"),
    )


def bound(names: str | list[str], profiles: Mapping[str, Profile]) -> tuple[str, ...]:
    """Return the profiles that ``names`` binds: the named ones, and those that extend them.

    :raises ContractError: if there is no such profile.
    """
    for name in [] if names == "all" else names:
        if name not in profiles:
            raise ContractError(f"there is no profile {name!r}; use one of {', '.join(profiles)}")
    return tuple(
        name
        for name, profile in profiles.items()
        if names == "all" or name in names or profile.extends in names
    )


def _cases(item: dict[str, Any], rule: Rule, tables: Tables) -> Iterator[Case]:
    for scenario in item.get("scenarios", ()):
        profiles = rule.profiles
        if "profiles" in scenario:
            profiles = bound(scenario["profiles"], tables.profiles)
            beyond = set(profiles) - set(rule.profiles)
            if beyond:
                raise ContractError(
                    f"scenario {scenario['id']} binds {', '.join(sorted(beyond))}; "
                    "the rule does not"
                )
        for case, variables in (scenario.get("cases") or {"": {}}).items():
            name = f"{scenario['id']}-{case}" if case else scenario["id"]
            notation = _steps(explicit(scenario["trace"], variables, tables))
            _refuse_unknown_members(notation, tables.members)
            traces.refuse_unusable(notation)
            _mark(notation, {*item.get("asks", ()), *scenario.get("asks", ())})
            yield Case(
                id=f"{rule.id}[{name}]",
                rule=rule.id,
                profiles=profiles,
                comment=scenario["comment"],
                notation=notation,
            )
        _refuse_unused(scenario)


def _steps(trace: list[Any]) -> list[dict[str, Any]]:
    """Return the steps of a trace. The value of a variable may be a list of steps and of lists."""
    steps: list[dict[str, Any]] = []
    for entry in trace:
        steps += _steps(entry) if isinstance(entry, list) else [entry]
    for step in steps:
        if "interrupt" in step:
            step["interrupt"]["during"] = _steps(step["interrupt"]["during"])
    return steps


def _mark(notation: list[dict[str, Any]], asking: Container[str]) -> None:
    """Mark the steps with these operations as asking; ``results`` are all that state a result."""
    for notated in notation:
        step = traces.Step.parse(notated)
        if step.operation in asking or ("results" in asking and step.states):
            notated.setdefault("asks", True)


def _refuse_unknown_members(notation: list[dict[str, Any]], members: Container[str]) -> None:
    for step in notation:
        if step.get("has", "load") not in members:
            raise ContractError(f"the surface has no member {step['has']}")


def _refuse_unused(scenario: dict[str, Any]) -> None:
    text = str(scenario["trace"])
    for case, variables in scenario.get("cases", {}).items():
        for variable in variables:
            if not re.search(rf"\${variable}\b", text):
                raise ContractError(f"scenario {scenario['id']}: ${variable} of {case} is not used")


def _generated(item: dict[str, Any], rule: Rule) -> Iterator[Generated]:
    for entry in item.get("generated", ()):
        yield Generated(
            id=f"{rule.id}[{entry['id']}]",
            rule=rule.id,
            profiles=rule.profiles,
            comment=entry["comment"],
            by=entry["by"],
            operations=tuple(entry.get("operations", ())),
            watch=tuple(entry.get("watch", ())),
        )


def explicit(value: Any, variables: dict[str, Any], tables: Tables) -> Any:
    """Return ``value`` with each ``$name`` replaced, and each short form written in full."""
    match value:
        case str() if value.startswith("$"):
            try:
                return explicit(variables[value[1:]], variables, tables)
            except KeyError:
                raise ContractError(
                    f"the trace uses {value}, but one of its cases does not define it"
                ) from None
        case list():
            return [explicit(entry, variables, tables) for entry in value]
        case {"each": list(), "do": list()}:
            return [
                explicit(value["do"], {"each": each, "number": number}, tables)
                for number, each in enumerate(value["each"], start=1)
            ]
        case dict():
            made = {key: explicit(entry, variables, tables) for key, entry in value.items()}
            if "string" in made:
                return formats.encode(tables.layouts, made)
            if "layout" in made:
                return formats.content(tables.key_members, made)
            if made.keys() == {"from", "count"}:
                return _users(int(made["from"]), made["count"])
            if made.keys() == {"text", "count"}:
                return str(made["text"]) * int(made["count"])
            return made
        case _:
            return value


def _users(first: int, count: int) -> list[dict[str, str]]:
    """Return users. Their ids count up from ``first``, and their access hashes from 1."""
    return [
        {"_": "user", "id": str(first + number), "access_hash": str(1 + number)}
        for number in range(count)
    ]


def _refuse_duplicates(entries: list[Rule | Case | Generated]) -> None:
    for name, count in Counter(entry.id for entry in entries).items():
        if count > 1:
            raise ContractError(f"{name} occurs twice")
