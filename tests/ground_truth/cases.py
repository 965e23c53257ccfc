"""Read the ground truth (recorded results), and run the same calls on the reference model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from teleproto_sessions import MemorySession, SessionError, StoreSession, StringSession, tl
from teleproto_sessions.authkey import AuthKey
from teleproto_sessions.datacentres import PRODUCTION_IPV4, PRODUCTION_IPV6, TEST_IPV4

DATA = Path(__file__).resolve().parents[1] / "data" / "ground-truth"
REFUSED = "refused"

Case = dict[str, Any]


def read_json(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def cases_of_teleproto() -> Iterator[tuple[str, Case]]:
    """Yield the cases of strings.json that teleproto answered. They hold all inputs."""
    for case in read_json("strings.json"):
        if case["implementation"].startswith("teleproto "):
            yield f"strings/{case['id'].split('@')[0]}", case


def cases_of_telethon() -> Iterator[tuple[str, Case]]:
    """Yield the strings of telethon_strings.json."""
    for number, case in enumerate(read_json("telethon_strings.json")["strings"]):
        yield f"telethon/{number} IPv{case['ip_version']} {case['port']}", case


def store_sessions() -> list[tuple[str, Case]]:
    return [(s["directory"], s) for s in read_json("store/manifest.json")["sessions"]]


def entity_queries() -> Iterator[tuple[str, Case, Case, Any]]:
    """Yield case id, case, query and teleproto's answer (`None` for an error)."""
    for case in read_json("entities.json")["cases"]:
        answers = case["implementations"]["teleproto@1.229.0/MemorySession"]["answers"]
        for query, answer in zip(case["queries"], answers, strict=True):
            what = " ".join(str(part) for key, part in query.items() if key != "type")
            name = f"entities/{case['id']}/{query['type']} {what}"
            yield name, case, query, None if "error" in answer else answer


def attempt(call: Callable[[], Any]) -> Any:
    """Return the result of `call`, or `REFUSED`."""
    try:
        return call()
    except SessionError:
        return REFUSED


def key_hex(auth_key: AuthKey | None) -> str | None:
    return auth_key.key.hex() if auth_key is not None and auth_key.key else None


def state_of(session: StringSession | StoreSession) -> Case:
    return {
        "dc_id": session.dc_id,
        "server_address": session.server_address,
        "port": session.port or None,
        "auth_key_hex": key_hex(session.auth_key),
    }


def save_string(state: Case) -> str:
    session = StringSession()
    session.test_servers = state.get("test_servers", False)
    session.set_dc(state["dc_id"], state["server_address"], state["port"])
    key = state["auth_key_hex"]
    session.auth_key = None if key is None else AuthKey(bytes.fromhex(key))
    return session.save()


def load_string(saved: Any) -> Case:
    if isinstance(saved, dict):
        saved = {"num1": 1, "false": False, "arr1": ["1", "A"]}[saved["non_string"]]
    session = StringSession(saved)
    return {**state_of(session), "resaved": session.save()}


def tl_object(given: Case) -> Any:
    """Turn an object of the ground truth's JSON into one of the reference model."""
    kind = given["_"]
    names = {"self": "is_self", "min": "min"}
    fields: Case = {names.get(key, key): value for key, value in given.items()}
    for unused in ("_", "broadcast"):
        fields.pop(unused, None)
    for number in ("id", "access_hash"):
        if fields.get(number) is not None:
            fields[number] = int(fields[number])
    if "usernames" in fields:
        fields["usernames"] = tuple(tl.Username(**name) for name in fields["usernames"])
    if "eer" in kind or kind.startswith("input"):  # ids are called user_id, chat_id, channel_id
        for of in ("User", "Chat", "Channel"):
            if kind.endswith(of) and "id" in fields:
                fields[f"{of.lower()}_id"] = fields.pop("id")
    return getattr(tl, kind[0].upper() + kind[1:])(**fields)


def feed(session: MemorySession, step: Case) -> None:
    match step["shape"]:
        case "list":
            tlo: Any = [tl_object(item) for item in step["items"]]
        case "list_mixed":
            tlo = [None, 5, tl.InputPeerSelf(), *map(tl_object, step["items"]), "text"]
        case "single":
            tlo = tl_object(step["item"])
        case "auth.authorization":
            tlo = SimpleNamespace(user=tl_object(step["user"]))
        case "raw":
            tlo = step["value"]
        case "range":
            numbers = range(step["n"])
            tlo = [
                tl.User(1_000_000 + i, i + 1, f"user_{i}", first_name="First", last_name=str(i))
                for i in numbers
            ]
        case shape:
            raise AssertionError(f"unknown shape {shape}")
    session.process_entities(tlo)


def ask(session: MemorySession, query: Case) -> Case | None:
    """Return the answer as the ground truth's JSON writes it, or `None` for an error."""
    value: Any
    match query["type"]:
        case "string" | "number":
            value = query["value"]
        case "bigint" | "bigInteger":
            value = int(query["value"])
        case "tl":
            value = tl_object({key: part for key, part in query.items() if key != "type"})
        case other:
            value = {"bool": True, "object": object(), "array": [], "nan": math.nan}.get(other)
    try:
        peer = session.get_input_entity(value)
    except SessionError:
        return None
    name = type(peer).__name__
    fields = {key: str(number) for key, number in asdict(peer).items()}
    return {"_": name[0].lower() + name[1:], **fields}


def replay(session: StoreSession, operation: list[Any]) -> None:
    """Repeat an operation of the store manifest."""
    what, *arguments = operation
    values: Any = [None if value == {"undefined": True} else value for value in arguments]
    match what:
        case "load":
            session.load()
        case "delete":
            session.delete()
        case "testServers":
            session.test_servers = values[0]
        case "setDC":
            session.set_dc(*values)
        case "setAuthKey":
            key, *dc_id = values
            session.set_auth_key(AuthKey(bytes.fromhex(key)) if key else None, *dc_id)
        case "setAuthKey(new AuthKey())":
            session.set_auth_key(AuthKey(), *values)
        case "processEntities":
            session.process_entities([tl_object(item) for item in values[0]])
        case _:
            assert what.startswith("new TelegramClient("), what
            test, ipv6 = '"testServers":true' in what, '"useIPV6":true' in what
            seeds = TEST_IPV4 if test else PRODUCTION_IPV6 if ipv6 else PRODUCTION_IPV4
            session.load()
            session.test_servers = test
            session.set_dc(2, seeds[2], 443)


def files_in(directory: Path, prefix: str) -> dict[str, bytes]:
    """Return the contents of a session's files, by their names without the prefix."""
    start = quote(prefix, safe="")
    found = directory.iterdir() if directory.is_dir() else ()
    return {path.name.removeprefix(start): path.read_bytes() for path in found}
