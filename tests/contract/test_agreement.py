"""The contract and the reference model agree on every fact that both state."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from support.running import SPEC, VECTORS
from teleproto_conformance.contract import formats, vectors
from teleproto_conformance.contract.documents import read
from teleproto_conformance.contract.keys import KEYS, name_of
from teleproto_conformance.contract.rules import Case
from teleproto_conformance.contract.trace import NOTHING
from teleproto_sessions import AuthKey, Session, codec, datacentres

CONTRACT = vectors.load(VECTORS)
LAYOUTS = CONTRACT.layouts
CASES = [case for chapter in CONTRACT.chapters for case in chapter.cases]


def _saved() -> list[str]:
    steps = (step for case in CASES for step in case.trace)
    given = [step.gives for step in steps if step.operation == "save" and step.gives is not NOTHING]
    return sorted({text for text in given if isinstance(text, str) and text})


@pytest.mark.parametrize("text", _saved(), ids=lambda text: f"{len(text)}-characters")
def test_a_saved_string_is_the_same_from_both_codecs(text: str) -> None:
    login = codec.decode(text)
    described: dict[str, Any] = login._asdict() | {"string": "teleproto"}
    described["auth_key"] = name_of(described.pop("key"))
    assert formats.encode(LAYOUTS, described) == codec.encode(login) == text


def _read() -> list[Case]:
    return [case for case in CASES if any(_reads(step) for step in case.trace)]


def _reads(step: Any) -> bool:
    saved = step.argument[0] if step.operation == "restore" and step.argument else ""
    return step.raises is None and len(saved or "") > 300


@pytest.mark.parametrize("case", _read(), ids=lambda case: case.id)
def test_a_saved_string_holds_the_expected_values(case: Case) -> None:
    login: codec.Login | None = None
    for step in case.trace:
        if _reads(step):
            login = codec.decode(step.argument[0])
            assert len(login.key) == 256
        elif step.operation == "observe" and login is not None:
            held = {**login._asdict(), "auth_key": {"key": name_of(login.key)}}
            expected = {key: step.argument[key] for key in step.argument if key in held}
            assert expected == {key: held[key] for key in expected}
        elif step.operation not in ("load", "save", "get_auth_key"):
            login = None


def test_there_are_strings_to_compare() -> None:
    assert len(_saved()) > 20
    assert len(_read()) > 20


def test_the_table_of_data_centres() -> None:
    spec = read(SPEC / "data-centres.yaml", "data-centres")
    assert spec["port"] == datacentres.PORT
    assert spec["production"] == {
        "ipv4": _texts(datacentres.PRODUCTION_IPV4),
        "ipv6": _texts(datacentres.PRODUCTION_IPV6),
    }
    assert spec["test"] == {
        "ipv4": _texts(datacentres.TEST_IPV4),
        "ipv6": _texts(datacentres.TEST_IPV6),
    }


@pytest.mark.parametrize(
    ("table", "test_servers"),
    [
        ("production.ipv4", False),
        ("production.ipv6", False),
        ("test.ipv4", True),
        ("test.ipv6", True),
        ("web_hosts", None),
        ("web_media_hosts", None),
    ],
)
def test_an_address_decides_the_flag(table: str, test_servers: bool | None) -> None:
    addresses: Any = read(SPEC / "data-centres.yaml", "data-centres")
    for part in table.split("."):
        addresses = addresses[part]
    assert len(addresses) >= 3
    told = {datacentres.test_servers_at(address) for address in addresses.values()}
    assert told == {test_servers}


def _texts(table: dict[int, str]) -> dict[str, str]:
    return {str(dc_id): address for dc_id, address in table.items()}


def test_the_surface() -> None:
    spec = read(SPEC / "surface.yaml", "surface")["members"]
    model = {name: value for name, value in vars(Session).items() if not name.startswith("_")}
    assert set(spec) == set(model)
    for name, entry in spec.items():
        member = model[name]
        assert (entry["kind"] == "property") == isinstance(member, property), name
        if isinstance(member, property):
            assert entry.get("settable", False) == (member.fset is not None), name
        else:
            assert entry["arguments"] == list(inspect.signature(member).parameters)[1:], name


def test_the_state_has_every_property() -> None:
    surface = read(SPEC / "surface.yaml", "surface")["members"]
    properties = {name for name, entry in surface.items() if entry["kind"] == "property"}
    assert set(read(SPEC / "state.yaml", "state")["fields"]) == properties


def test_the_keys_are_auth_keys() -> None:
    for name in "ABCDEF":
        assert AuthKey(KEYS[name]).key == KEYS[name]
    assert len({KEYS[name] for name in "ABCDEF"}) == 6


def test_a_member_survives_writing_and_reading() -> None:
    table = CONTRACT.tables.document["surface"]["members"]
    written = {name: member.dump() for name, member in CONTRACT.members.items()}
    assert json.loads(json.dumps(written)) == table


def test_every_profile_and_field_is_a_record() -> None:
    assert list(CONTRACT.profiles) == list(CONTRACT.tables.document["profiles"])
    assert list(CONTRACT.fields) == list(CONTRACT.tables.document["state"]["fields"])
