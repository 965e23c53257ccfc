"""Requirements for values."""

from __future__ import annotations

from typing import Any

from ...contract.keys import KEYS, SIZE
from ..requests import MOVED, UNSEEN, call, has, observe
from ..showing import shown
from ..talk import Talk, Wrong
from .table import KNOWN, Group

GROUP = Group("Values")


@GROUP.requirement("an auth key comes back under its name from hello")
def _names_keys(talk: Talk) -> None:
    talk.value(MOVED)
    for name in [name for name, key in KEYS.items() if len(key) == SIZE]:
        talk.value(call("set_auth_key", {"key": name}))
        talk.agrees(call("get_auth_key"), {"key": name})
        talk.agrees(observe("auth_key"), {"key": name})


@GROUP.requirement("a missing key and a blank key can be passed")
def _takes_blank_keys(talk: Talk) -> None:
    talk.value(MOVED)
    for blank in (None, {"key": "blank"}):
        talk.value(call("set_auth_key", {"key": "A"}))
        talk.value(call("set_auth_key", blank))
        talk.agrees(call("get_auth_key"), None, [{"key": "blank"}])


@GROUP.requirement("a key may be put into a named object, and may have any length")
def _fills_keys(talk: Talk) -> None:
    talk.value(MOVED)
    for name in ("blank", "B"):
        talk.value(call("set_auth_key", {"key": name, "object": "held"}))
    talk.agrees(call("get_auth_key"), {"key": "B"})
    for name in ("short", "long"):
        talk.tried(call("set_auth_key", {"key": name}))


@GROUP.requirement("64-bit numbers in a TL object are strings, and come back exactly")
def _keeps_numbers(talk: Talk) -> None:
    for access_hash in ("9223372036854775807", "-9223372036854775808", "9007199254740993"):
        user = {"_": "user", "id": "5123456789", "access_hash": access_hash}
        peer = {"_": "inputPeerUser", "user_id": "5123456789", "access_hash": access_hash}
        talk.value(call("process_entities", [user]))
        talk.agrees(UNSEEN, peer)
        talk.agrees(call("get_input_entity", peer), peer)
        talk.tried(call("get_input_entity", {"long": "5123456789"}))


@GROUP.requirement("TL objects of any kind, and other values instead of them, can be passed")
def _builds_objects(talk: Talk) -> None:
    chat = {"_": "chat", "id": "4123456789", "title": "Bridge Club"}
    within = {"_": "unheardOf.thing", "chat": chat, "users": [{"_": "userEmpty", "id": "5"}, None]}
    others: list[Any] = [[], None, "text", True, 7, {"_": "updateLoginToken"}]
    for given in (within, *others):
        talk.tried(call("process_entities", given))
    talk.value(call("process_entities", [chat]))
    peer = {"_": "inputPeerChat", "chat_id": "4123456789"}
    talk.agrees(call("get_input_entity", {"int": "-4123456789"}), peer)


@GROUP.requirement("text beyond ASCII arrives unchanged in both directions", KNOWN)
def _keeps_text(talk: Talk) -> None:
    text = "ä-日本-🙂.example"
    talk.begin(talk.workdir / text)
    talk.open()
    talk.value(call("set_dc", 4, text, 443))
    request = observe("server_address")
    value = talk.value(request)
    if value == text.encode().decode("latin-1"):
        raise Wrong(shown(text), f"{shown(value)} (the host read UTF-8 as Latin-1)", request)
    talk.agrees(request, text)


@GROUP.requirement("a request of 100 kB is answered")
def _takes_large_requests(talk: Talk) -> None:
    talk.tried(call("get_input_entity", "x" * 100_000))
    talk.flag(has("load"))
