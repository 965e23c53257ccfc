"""A store session in one JSON file; every change replaces the whole file."""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any

from teleproto_sessions import AuthKey, tl

FIELDS = {
    "User": ("PeerUser", "InputPeerUser"),
    "Chat": ("PeerChat", "InputPeerChat"),
    "Channel": ("PeerChannel", "InputPeerChannel"),
}


class JsonStoreSession:
    """`NAME/login.json`; the session reads it at the first call, and before each change."""

    session_profile = "store"

    def __init__(self, name: str) -> None:
        if name == "session" or not re.fullmatch(r"[^/\\\0]+", name) or set(name) == {"."}:
            raise ValueError("a name is one directory, and not `session`")
        self.directory = Path.cwd() / name
        self.file = self.directory / "login.json"
        self.document: dict[str, Any] | None = None
        self.login: str | None = None

    def read(self) -> dict[str, Any]:
        """Return the document as this handle knows it."""
        if self.document is None:
            self.document = self.stored()
            self.login = self.document["login"] or self.login
        return self.document

    def stored(self) -> dict[str, Any]:
        """Return the current content of the file; `login` names the login until its deletion."""
        try:
            document: dict[str, Any] = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return {"login": None, "home": None, "test": False, "keys": {}, "rows": []}
        return document

    def write(self, document: dict[str, Any]) -> None:
        document["login"] = document["login"] or secrets.token_hex(8)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        new = self.file.with_name(f"login.json.{os.getpid()}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file)
        new.replace(self.file)
        self.document, self.login = document, document["login"]

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if dc_id not in range(1, 256) or port not in range(1, 65536) or not server_address:
            raise ValueError("not a data centre")
        document = self.stored()
        if "next" in document["keys"]:
            document["keys"][str(dc_id)] = document["keys"].pop("next")
        self.write({**document, "home": [dc_id, server_address, port]})

    @property
    def dc_id(self) -> int:
        home = self.read()["home"]
        return int(home[0]) if home else 0

    @property
    def server_address(self) -> str | None:
        home = self.read()["home"]
        return str(home[1]) if home else None

    @property
    def port(self) -> int | None:
        home = self.read()["home"]
        return int(home[2]) if home else None

    @property
    def test_servers(self) -> bool:
        return bool(self.read()["test"])

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        document = self.stored()
        if document["keys"] and value != document["test"]:
            raise AttributeError("test_servers is read-only once there is a key")
        self.write({**document, "test": value})

    def slot(self, dc_id: int | None) -> str:
        return str((self.dc_id or "next") if dc_id is None else dc_id)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = getattr(auth_key, "key", None)
        if key and len(key) != 256:
            raise ValueError("not an auth key")
        # Another program may have switched: this handle uses its own current data centre.
        slot = self.slot(dc_id)
        document = self.stored()
        document["keys"].pop(slot, None)
        if key:
            document["keys"][slot] = b64encode(key).decode()
        self.write(document)

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        kept = self.read()["keys"].get(self.slot(dc_id))
        return AuthKey(b64decode(kept)) if kept else None

    auth_key = property(get_auth_key, set_auth_key)

    def process_entities(self, tlo: Any) -> None:
        items = [*tlo] if isinstance(tlo, list) else []
        for field in ("user", "chat", "channel", "users", "chats"):
            value = getattr(tlo, field, None)
            items += value if isinstance(value, list) else [value]
        self.read()
        document = self.stored()
        if self.login not in (None, document["login"]):
            return  # another handle has deleted the login
        rows = {(row["kind"], row["id"]): row for row in document["rows"]}
        before = dict(rows)
        for item in items:
            row = row_of(item)
            if row is None:
                continue
            place = row["kind"], row["id"]
            if rows.get(place) == row:
                continue
            for owner, other in rows.items():
                if owner != place and set(other["names"]) & set(row["names"]):
                    left = [name for name in other["names"] if name not in row["names"]]
                    rows[owner] = {**other, "names": left}
            rows[place] = row
        if rows != before:
            self.write({**document, "rows": [*rows.values()]})

    def get_input_entity(self, key: Any) -> object:
        if isinstance(key, tl.Input):
            return key
        rows = self.read()["rows"]
        for wanted in wanted_by(key):
            for row in rows:
                if wanted(row):
                    answer = getattr(tl, FIELDS[row["kind"]][1])
                    return answer(*(int(row[field]) for field in ("id", "hash") if row[field]))
        raise LookupError("no such entity")

    def load(self) -> None:
        self.document = None
        self.read()

    def save(self) -> None:
        self.read()

    def close(self) -> None:
        pass

    def delete(self) -> None:
        for path in (self.file, *self.directory.glob("login.json.*.new")):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # it does not exist, or holds foreign files
            self.directory.rmdir()
        self.document = self.login = None


def row_of(item: Any) -> dict[str, Any] | None:
    kind = type(item).__name__
    if kind not in FIELDS or getattr(item, "min", False):
        return None
    access_hash = getattr(item, "access_hash", 0) if kind != "Chat" else ""
    if access_hash is None:
        return None
    words = (getattr(item, word, None) for word in ("first_name", "last_name", "title"))
    names = [getattr(item, "username", None) or ""]
    names += [other.username for other in getattr(item, "usernames", ())]
    return {
        "kind": kind,
        "id": str(item.id),
        "hash": str(access_hash),
        "names": [name.lower() for name in names if name],
        "phone": getattr(item, "phone", None),
        "shown": " ".join(word for word in words if word),
    }


def wanted_by(key: Any) -> list[Any]:
    """Return tests of a row for each meaning of `key`, the likeliest first."""

    def numbered(kind: str, bare_id: int) -> Any:
        return lambda row: row["kind"] == kind and row["id"] == str(bare_id)

    for kind, (peer, _) in FIELDS.items():
        if type(key).__name__ == peer:
            return [numbered(kind, getattr(key, f"{kind.lower()}_id"))]
    if isinstance(key, str):
        text = key.strip()
        if re.fullmatch("-?[0-9]+", text):
            return wanted_by(int(text))
        if text.startswith("+"):
            digits = re.sub("[^0-9]", "", text) or None
            return [lambda row: digits is not None and row["phone"] == digits]
        link = re.match(r"(?:https?://)?(?:t|telegram)\.(?:me|dog)/(\w+)/?$", text)
        name = (link[1] if link else text.removeprefix("@")).lower()
        return [lambda row: name in row["names"], lambda row: text and row["shown"] == text]
    if not isinstance(key, int):
        return []
    if key < 0:
        channel = -key - 10**12
        return [numbered("Channel", channel) if channel > 0 else numbered("Chat", -key)]
    return [numbered(kind, key) for kind in FIELDS]
