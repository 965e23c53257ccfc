"""teleproto's layout: the files of its StoreSession.

Each file holds the result of `JSON.stringify`, or the word `undefined`:

    testServers    true or false
    dcId           2
    port           443
    serverAddress  "149.154.167.51"
    authKey        {"type":"Buffer","data":[0,1,…]} or undefined: the current data centre's key
    dcAuthKeys     {"4":{"type":"Buffer","data":[…]}}: the keys of the other data centres
    <row id>       ["<row id>","access hash","username"|null,"phone"|null,"displayed name"]

If an entity has several usernames, its row has a sixth item, a list of the others. teleproto
ignores it, and gramjs writes a time there. A row id is `id` for a user, `-id` for a chat, and
`-100` and then `id` for a channel. So chat 1001234 and channel 1234 share a row id, and a row does
not name its kind.

- Reading: `-100…` is a channel if ten or more digits follow, as no chat id is that long. It is also
  a channel if the access hash is not 0, as chats have none. Otherwise it is a chat.
- Writing: an entity gets its usual row id, unless another entity has it or it would be read as
  another entity. Then a chat gets `-0id`, and a channel's id is filled up to ten digits.

Source: teleproto 1.229.0, observed.
"""

from __future__ import annotations

import json
import re
from typing import Any

from teleproto_sessions import tl
from teleproto_sessions.authkey import KEY_BYTES
from teleproto_sessions.entities import Entity, is_int64
from teleproto_sessions.memory import State, check_dc_id, check_port, check_server_address

_CHANNEL = re.compile("-100(?:[0-9]{10,}|[1-9][0-9]*)")
UNDEFINED = b"undefined"


def files_of(state: State) -> dict[str, bytes]:
    """Return the files that hold `state`. A value that was never set has no file."""
    others = {str(dc): _buffer(state.keys[dc]) for dc in sorted(state.keys) if dc != state.dc_id}
    key = state.keys.get(state.dc_id)
    files = {}
    if state.dc_id:
        files["dcId"] = _json(state.dc_id)
        files["port"] = _json(state.port)
        files["serverAddress"] = _json(state.server_address)
    if state.dc_id or key:
        files["authKey"] = _json(_buffer(key)) if key else UNDEFINED
    if state.dc_id or others:
        files["dcAuthKeys"] = _json(others)
    if state.test_servers is not None:
        files["testServers"] = _json(state.test_servers)
    return files


def read_field(field: str, content: bytes) -> Any:
    """Return the value in one of the named files. Raises `ValueError` or `TypeError`."""
    if field == "authKey" and content.strip() == UNDEFINED:
        return None
    value = json.loads(content.decode())
    match field:
        case "dcId":
            return check_dc_id(value)
        case "port":
            return check_port(value)
        case "serverAddress":
            return check_server_address(value)
        case "authKey":
            return _key(value)
        case "dcAuthKeys":
            if not isinstance(value, dict) or any(dc != str(int(dc)) for dc in value):
                raise TypeError("dcAuthKeys maps data centre ids to keys")
            return {check_dc_id(int(dc)): _key(buffer) for dc, buffer in value.items()}
    if not isinstance(value, bool):
        raise TypeError("testServers is true or false")
    return value


def state_of(values: dict[str, Any]) -> State:
    """Return the state that the values of the named files describe."""
    dc_id = values.get("dcId", 0)
    keys = {**values.get("dcAuthKeys", {}), dc_id: values.get("authKey")}
    return State(
        dc_id,
        values.get("serverAddress"),
        values.get("port", 0),
        {dc: key for dc, key in keys.items() if key},
        values.get("testServers"),
    )


def row_ids(peer: tl.Peer) -> tuple[str, ...]:
    """Return the row ids of `peer`: the usual one, then the one to use if that is ambiguous."""
    match peer:
        case tl.PeerUser(user_id):
            return (f"{user_id}",)
        case tl.PeerChat(chat_id):
            return (f"-{chat_id}", f"-0{chat_id}")
        case tl.PeerChannel(channel_id):
            return (f"-100{channel_id}", f"-100{channel_id:010}")


def peer_of(row_id: str, access_hash: int) -> tl.Peer:
    """Return the peer of a row."""
    if not row_id.startswith("-"):
        return tl.PeerUser(int(row_id))
    if _CHANNEL.fullmatch(row_id) and (len(row_id) >= len("-1001234567890") or access_hash):
        return tl.PeerChannel(int(row_id.removeprefix("-100")))
    return tl.PeerChat(-int(row_id))


def row_of(row_id: str, entity: Entity) -> bytes:
    row = [row_id, str(entity.access_hash), entity.username, entity.phone, entity.name]
    return _json([*row, entity.usernames] if entity.usernames else row)


def read_row(row_id: str, content: bytes) -> Entity:
    """Return the entity in a row's file. Raises `ValueError` or `TypeError`."""
    row = json.loads(content.decode())
    if not isinstance(row, list):
        raise TypeError("a row is a list")
    stored_id, hash_text, username, phone, name, *more = row
    others = more[0] if more and isinstance(more[0], list) else []
    texts = (hash_text, name, *others)
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(text, str | None) for text in (username, phone)
    ):
        raise TypeError("the items of a row are strings")
    access_hash = int(hash_text)
    peer = peer_of(row_id, access_hash)
    if (stored_id, hash_text) != (row_id, str(access_hash)) or row_id not in row_ids(peer):
        raise ValueError("a row starts with its id and its access hash, in plain digits")
    if not (is_int64(tl.bare_id(peer), 1) and is_int64(access_hash)):
        raise ValueError("an id or access hash is out of range")
    return Entity(peer, access_hash, username or None, tuple(others), phone or None, name)


def _json(value: object) -> bytes:
    """Return the bytes that `JSON.stringify` gives, with lone surrogates escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")


def _buffer(key: bytes) -> dict[str, object]:
    return {"type": "Buffer", "data": list(key)}


def _key(buffer: Any) -> bytes:
    if not isinstance(buffer, dict) or buffer.get("type") != "Buffer":
        raise TypeError("a key is stored as a Buffer")
    data = [*buffer["data"]]
    if len(data) != KEY_BYTES or not all(type(byte) is int for byte in data):
        raise ValueError("a key is a list of 256 numbers")
    return bytes(data)
