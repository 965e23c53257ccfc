"""Encoding saved strings and stored files from their description in ``spec/formats.yaml``.

The reference model has its own codec. The generator compares the two for every vector.
"""

from __future__ import annotations

import ipaddress
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ContractError
from .keys import KEYS
from .tables import KeyMember, Layout, LayoutField

_EDITS = ("version", "alphabet", "extra", "cut", "replace", "insert", "append")


def encode(layouts: Mapping[str, Layout], described: dict[str, Any]) -> str:
    """Return the string that ``{string: LAYOUT, field: value, ...}`` describes.

    :raises ContractError: if the layout or a field is unknown, or if a field has no valid value.
    """
    values = dict(described)
    name = values.pop("string")
    try:
        layout = layouts[name]
    except KeyError:
        raise ContractError(f"there is no string layout {name!r}") from None
    edits = {key: values.pop(key) for key in _EDITS if key in values}
    data = b""
    for field in layout.fields:
        data += _field(field, values, layout)
    unknown = set(values) - {field.id for field in layout.fields}
    if unknown:
        raise ContractError(f"the layout {name} has no field {', '.join(sorted(unknown))}")
    data += bytes.fromhex(edits.get("extra", ""))
    alphabet = edits.get("alphabet", layout.alphabet)
    text = (urlsafe_b64encode if alphabet == "url" else b64encode)(data).decode()
    return _edit(edits.get("version", layout.version) + text, edits)


def _field(field: LayoutField, values: dict[str, Any], layout: Layout) -> bytes:
    name, kind = field.id, field.type
    if field.counts is not None and name not in values:
        counted = next(other for other in layout.fields if other.id == field.counts)
        value: Any = len(_field(counted, values, layout))
    else:
        try:
            value = values[name]
        except KeyError:
            raise ContractError(f"the field {name} has no value") from None
    if isinstance(value, dict) and "hex" in value:
        return bytes.fromhex(value["hex"])
    try:
        if kind in ("u1", "u2be"):
            return int(value).to_bytes(int(kind[1]), "big")
        if kind in ("ipv4", "ipv6"):
            return ipaddress.ip_address(value).packed
        if kind == "str":
            return str(value).encode(field.encoding)
        return KEYS["A"][: value["bytes"]] if isinstance(value, dict) else KEYS[value]
    except (ValueError, TypeError, KeyError, OverflowError):
        raise ContractError(f"the field {name} cannot be {value!r}") from None


def _edit(text: str, edits: dict[str, Any]) -> str:
    if "replace" in edits:
        at, new = edits["replace"]["at"], edits["replace"]["text"]
        text = text[:at] + new + text[at + len(new) :]
    if "insert" in edits:
        at, new = edits["insert"]["at"], edits["insert"]["text"]
        text = text[:at] + new + text[at:]
    if "cut" in edits:
        text = text[: edits["cut"]]
    return text + str(edits.get("append", ""))


def content(members: Sequence[KeyMember], described: dict[str, Any]) -> str:
    """Return the file content that ``{layout: VALUE, ...}`` describes."""
    match described:
        case {"layout": "auth_key", "key": key}:
            value: Any = _key(members, KEYS[key])
        case {"layout": "auth_keys", "keys": keys}:
            value = {dc: _key(members, KEYS[key]) for dc, key in keys.items()}
        case _:
            raise ContractError(f"{described!r} does not describe the content of a file")
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _key(members: Sequence[KeyMember], key: bytes) -> dict[str, Any]:
    return {member.id: member.contents or list(key) for member in members}
