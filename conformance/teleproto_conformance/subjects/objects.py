"""Values of a trace as Python objects."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

from teleproto_sessions import AuthKey, tl

from ..contract.keys import KEYS, SIZE, name_of
from ..contract.trace import INTEGERS


class _OddAuthKey(AuthKey):
    """An auth key of a length that :class:`AuthKey` refuses."""

    def __init__(self, key: bytes) -> None:
        self._key = key


class Objects:
    """Builds the objects of one trace. Auth keys with the same object name are one object."""

    def __init__(self) -> None:
        self._auth_keys: dict[str, AuthKey] = {}

    def build(self, value: Any) -> Any:
        """Turn a value of a trace into the object that a Python session expects."""
        match value:
            case {"key": name}:
                return self._auth_key(name, value.get("object"))
            case {"int": digits} | {"long": digits}:
                return int(digits)
            case {"_": constructor}:
                given = {
                    "is_self" if field == "self" else field: self._field(field, entry)
                    for field, entry in value.items()
                    if field != "_"
                }
                made = getattr(tl, constructor[:1].upper() + constructor[1:], SimpleNamespace)
                return made(**given)
            case list():
                return [self.build(entry) for entry in value]
            case _:
                return value

    def _field(self, name: str, value: Any) -> Any:
        if name in INTEGERS and value is not None:
            return int(value)
        built = self.build(value)
        return tuple(built) if name == "usernames" and isinstance(built, list) else built

    def _auth_key(self, name: str, thing: str | None) -> AuthKey:
        key = KEYS[name]
        if len(key) not in (0, SIZE):
            return _OddAuthKey(key)
        if thing is None:
            return AuthKey(key or None)
        auth_key = self._auth_keys.setdefault(thing, AuthKey())
        auth_key.key = key or None
        return auth_key


def show(value: Any) -> Any:
    """Turn an object that a session returned into a value of a trace.

    An auth key is any object with ``key``, or bytes. TL objects are recognised by their class name.
    """
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _show_key(bytes(value))
    key = getattr(value, "key", value)
    if key is not value and (key is None or isinstance(key, bytes | bytearray | memoryview)):
        return _show_key(bytes(key or b""))
    name = type(value).__name__
    if name.startswith(("InputPeer", "InputUser", "InputChannel")):
        shown: dict[str, Any] = {"_": name[:1].lower() + name[1:]}
        known = getattr(tl, name, None)
        own = [field.name for field in fields(known)] if is_dataclass(known) else INTEGERS
        for field in own:
            if hasattr(value, field):
                shown[field] = _show_integer(getattr(value, field))
        return shown
    return {"python": name}


def _show_integer(number: Any) -> Any:
    """Return a 64-bit integer as a string of digits, and anything else as the name of its type."""
    if isinstance(number, int) and not isinstance(number, bool):
        return str(int(number))
    return {"python": type(number).__name__}


def _show_key(key: bytes) -> dict[str, Any]:
    name = name_of(key)
    return {"key": name} if name is not None else {"key": "unknown", "bytes": len(key)}
