"""A session in Redis or Valkey, with the asynchronous client of redis-py.

A login is one hash, and its entities are another. The data centre, the flag and each auth key are
separate fields. save() writes only the fields that this object changed. The server runs a script as
one step: other clients see all of a change or nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any

from redis.asyncio import Redis
from teleproto_sessions import AuthKey, tl

# KEYS: login, entities. ARGV, in this order:
# - the id of the login that this object knows, or "",
# - an id for a new login,
# - the number of fields from set_dc() and set_auth_key(),
# - these fields, then the flag if it changed, each with its value; an empty value deletes a field,
# - a list of entities.
# If another program has deleted the login, only the fields from set_dc() and set_auth_key() are
# written. If the server has a key, the flag stays as it is.
SAVE = """
local stored = redis.call('HGET', KEYS[1], 'id') or ''
local deleted = ARGV[1] ~= '' and ARGV[1] ~= stored
local asked = tonumber(ARGV[3])
local changed, locked = false, false
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    locked = locked or string.sub(field, 1, 4) == 'key '
end
for i = 4, #ARGV - 1, 2 do
    if (i - 4) / 2 < asked or not deleted and not locked then
        changed = true
        if ARGV[i + 1] == '' then
            redis.call('HDEL', KEYS[1], ARGV[i])
        else
            redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
        end
    end
end
local entities = cjson.decode(ARGV[#ARGV])
if not deleted then
    for _, entity in ipairs(entities) do
        changed = true
        local old = redis.call('HGET', KEYS[2], entity.id)
        for _, name in ipairs(old and cjson.decode(old).names or {}) do
            if redis.call('HGET', KEYS[2], name) == entity.id then
                redis.call('HDEL', KEYS[2], name)
            end
        end
        for _, name in ipairs(entity.names) do
            redis.call('HSET', KEYS[2], name, entity.id)
        end
        redis.call('HSET', KEYS[2], entity.id, cjson.encode(entity))
    end
end
if changed and stored == '' then
    redis.call('HSET', KEYS[1], 'id', ARGV[2])
end
return redis.call('HGETALL', KEYS[1])
"""

# KEYS: entities. ARGV: ids and names, the best first. Gives an id and an access hash, or nothing.
FIND = """
for _, field in ipairs(ARGV) do
    local found = redis.call('HGET', KEYS[1], field)
    if found and string.sub(found, 1, 1) ~= '{' then
        found = redis.call('HGET', KEYS[1], found)
    end
    if found then
        local entity = cjson.decode(found)
        return {entity.id, entity.access_hash}
    end
end
"""

LINK = re.compile(r"(https?://)?(t\.me|telegram\.me|telegram\.dog)/", re.IGNORECASE)


class RedisSession:
    """The login called `name`, on the server that the variable REDIS_URL names."""

    session_profile = "custom"

    def __init__(self, name: str) -> None:
        # The part in braces keeps both hashes on one node of a cluster.
        self._keys = [f"telegram:{{{name}}}:{part}" for part in ("login", "entities")]
        self._redis = Redis.from_url(os.environ["REDIS_URL"])
        self._turn = asyncio.Lock()
        self._forget()

    def _forget(self) -> None:
        self._stored: dict[str, bytes] = {}  # the fields as the server last gave them
        self._changed: dict[str, bytes] = {}  # not yet saved, from set_dc() and set_auth_key()
        self._flag: dict[str, bytes] = {}
        self._seen: dict[str, dict[str, Any]] = {}
        self._login = b""

    def _fields(self) -> dict[str, bytes]:
        return self._stored | self._changed | self._flag

    # The data centre

    def _home(self) -> list[Any]:
        home: list[Any] = json.loads(self._fields().get("home") or "[0, null, 0]")
        return home

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if not isinstance(dc_id, int) or not 0 < dc_id < 256:
            raise ValueError("a data centre has an id from 1 to 255")
        if not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError("a data centre has a port from 1 to 65535")
        if not server_address:
            raise ValueError("a data centre has an address")
        # A key that was set before any data centre is in slot 0. Move it.
        waiting = self._fields().get("key 0")
        if waiting:
            self._changed |= {"key 0": b"", f"key {dc_id}": waiting}
        self._changed["home"] = json.dumps([dc_id, server_address, port]).encode()

    @property
    def dc_id(self) -> int:
        return int(self._home()[0])

    @property
    def server_address(self) -> str | None:
        address: str | None = self._home()[1]
        return address

    @property
    def port(self) -> int:
        return int(self._home()[2])

    @property
    def test_servers(self) -> bool:
        return self._fields().get("test servers") == b"1"

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if value == self.test_servers:
            return
        if any(key for field, key in self._fields().items() if field.startswith("key ")):
            raise PermissionError("test_servers is locked: there is a key already")
        self._flag["test servers"] = b"1" if value else b"0"

    # The auth keys

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        key = (auth_key.key if auth_key is not None else None) or b""
        if len(key) not in (0, 256):
            raise ValueError("an auth key has 256 bytes")
        self._changed[f"key {self.dc_id if dc_id is None else dc_id}"] = key

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        key = self._fields().get(f"key {self.dc_id if dc_id is None else dc_id}")
        return AuthKey(key) if key else None

    @property
    def auth_key(self) -> AuthKey | None:
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    # The entities

    async def process_entities(self, tlo: object) -> None:
        for entity in _entities_in(tlo):
            record = _record(entity)
            if record is not None:
                self._seen.pop(record["id"], None)  # the newest is written last
                self._seen[record["id"]] = record
        if self._seen:
            await self.save()

    async def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, tl.Input):
            return key
        fields = list(_fields_for(key))
        found = fields and await self._redis.eval(FIND, 1, self._keys[1], *fields)
        if not found:
            raise ValueError("no such entity in the cache")
        marked_id, access_hash = map(int, found)
        match tl.peer_of(marked_id):
            case tl.PeerUser(user_id):
                return tl.InputPeerUser(user_id, access_hash)
            case tl.PeerChat(chat_id):
                return tl.InputPeerChat(chat_id)
            case tl.PeerChannel(channel_id):
                return tl.InputPeerChannel(channel_id, access_hash)

    # Loading, saving and deleting

    async def load(self) -> None:
        """Read the login. Changes of this object since its last save() stay."""
        async with self._turn:
            self._take(await self._redis.hgetall(self._keys[0]))
            if "key 0" in self._changed and "home" in self._stored and "home" not in self._changed:
                # It was meant for the current data centre, which is known only now.
                self._changed[f"key {self.dc_id}"] = self._changed.pop("key 0")
            if any(field.startswith("key ") for field in self._stored):
                self._flag.clear()  # the stored login has a key, so its flag is locked

    async def save(self) -> None:
        """Write what changed since the last save()."""
        async with self._turn:
            changed, flag, seen = dict(self._changed), dict(self._flag), dict(self._seen)
            if not (changed or flag or seen):
                return
            arguments: list[str | bytes | int] = [self._login, secrets.token_hex(8), len(changed)]
            for field, value in (changed | flag).items():
                arguments += [field, value]
            arguments.append(json.dumps(list(seen.values())))
            stored = await self._redis.eval(SAVE, 2, *self._keys, *arguments)
            pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
                (changed, self._changed),
                (flag, self._flag),
                (seen, self._seen),
            ]
            for written, waiting in pairs:
                for name, value in written.items():
                    if waiting.get(name) is value:  # it was not changed again meanwhile
                        del waiting[name]
            self._take(dict(zip(stored[::2], stored[1::2], strict=True)))

    def _take(self, fields: dict[Any, Any]) -> None:
        self._stored = {field.decode(): value for field, value in fields.items()}
        self._login = self._stored.pop("id", b"")

    async def delete(self) -> None:
        async with self._turn:
            await self._redis.delete(*self._keys)
            self._forget()

    async def close(self) -> None:
        await self._redis.aclose()


def _entities_in(tlo: object) -> Iterator[object]:
    if isinstance(tlo, list):
        yield from tlo
    else:
        yield from (getattr(tlo, field, None) for field in ("user", "chat", "channel"))
        for field in ("users", "chats"):
            yield from getattr(tlo, field, None) or ()


def _record(entity: Any) -> dict[str, Any] | None:
    """Return what is kept of an entity. Numbers are text, since Lua lacks 64-bit integers."""
    names: list[str] = []
    if isinstance(entity, tl.User):
        peer: tl.Peer = tl.PeerUser(entity.id)
        name = " ".join(filter(None, (entity.first_name, entity.last_name)))
        names = ["+" + entity.phone.lstrip("+")] if entity.phone else []
    elif isinstance(entity, tl.Channel):
        peer, name = tl.PeerChannel(entity.id), entity.title
    elif isinstance(entity, tl.Chat):
        peer, name = tl.PeerChat(entity.id), entity.title
    else:
        return None
    access_hash = getattr(entity, "access_hash", 0)
    if access_hash is None or getattr(entity, "min", False):
        return None
    if isinstance(entity, (tl.User, tl.Channel)):
        usernames = [entity.username, *(other.username for other in entity.usernames)]
        names += ["@" + username.lower() for username in usernames if username]
    if name:
        names.append("name " + name)
    return {"id": str(tl.marked_id(peer)), "access_hash": str(access_hash), "names": names}


def _fields_for(key: object) -> Iterator[str]:
    """Where to look, the best place first."""
    if isinstance(key, str) and re.fullmatch(r"-?\d+", key):
        key = int(key)
    if isinstance(key, tl.Peer):
        yield str(tl.marked_id(key))
    elif isinstance(key, int):
        yield str(key)
        if key > 0:
            yield from (str(-key), str(tl.marked_id(tl.PeerChannel(key))))
    elif isinstance(key, str):
        if key.startswith("+"):
            yield "+" + re.sub(r"\D", "", key)
        yield "@" + LINK.sub("", key).rstrip("/").removeprefix("@").lower()
        yield "name " + key
