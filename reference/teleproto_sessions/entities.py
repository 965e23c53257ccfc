"""The entity cache: stores users, chats and channels that were seen, and finds them again.

Every look-up uses a dict, so it takes the same time among a million entities as among ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from teleproto_sessions import tl
from teleproto_sessions.errors import EntityNotFound

_NUMBER = re.compile(r"-?[0-9]{1,20}")
_PHONE = re.compile(r"\+[0-9 ()-]+")
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/([^/?]+)/?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entity:
    """The data of a user, chat or channel. Usernames are in lower case; chats have hash 0."""

    peer: tl.Peer
    access_hash: int
    username: str | None = None
    usernames: tuple[str, ...] = ()  # all others
    phone: str | None = None
    name: str = ""  # as shown: "First Last", or a title

    def handles(self) -> Iterator[str]:
        """Yield "@username" and "+phone". Only one entity can have a handle at a time."""
        for username in (self.username, *self.usernames):
            if username:
                yield "@" + username
        digits = re.sub("[^0-9]", "", self.phone or "")
        if digits:
            yield "+" + digits

    def without(self, handle: str) -> Entity:
        """Return this entity after another one took over `handle`."""
        if handle.startswith("+"):
            return replace(self, phone=None)
        return replace(
            self,
            username=None if handle == f"@{self.username}" else self.username,
            usernames=tuple(other for other in self.usernames if handle != f"@{other}"),
        )

    def input_peer(self) -> tl.InputPeer:
        match self.peer:
            case tl.PeerUser(user_id):
                return tl.InputPeerUser(user_id, self.access_hash)
            case tl.PeerChat(chat_id):
                return tl.InputPeerChat(chat_id)
            case tl.PeerChannel(channel_id):
                return tl.InputPeerChannel(channel_id, self.access_hash)


def is_int64(value: object, lowest: int = -(2**63)) -> bool:
    """Whether `value` fits into TL's `long` and is at least `lowest`; ids are at least 1."""
    return type(value) is int and lowest <= value < 2**63


def entities_in(tlo: object) -> Iterator[Entity]:
    """Yield the entities to store from a list or a container. A bare entity is ignored."""
    if isinstance(tlo, (list, tuple)):
        found = tlo
    else:
        found = [getattr(tlo, name, None) for name in ("user", "chat", "channel")]
        for name in ("users", "chats"):
            several = getattr(tlo, name, None)
            found += several if isinstance(several, (list, tuple)) else ()
    for item in found:
        entity = _entity_of(item)
        if entity is not None:
            yield entity


def _entity_of(item: object) -> Entity | None:
    """Return its data, or `None` if there is nothing to store.

    That is so for other objects, and for entities without the full access hash that they need.
    """
    name, phone, username = "", None, None
    usernames: tuple[str, ...] = ()
    if isinstance(item, tl.User):
        peer: tl.Peer = tl.PeerUser(item.id)
        name = " ".join(part for part in (item.first_name, item.last_name) if part)
        phone = item.phone or None
    elif isinstance(item, (tl.Channel, tl.ChannelForbidden)):
        peer = tl.PeerChannel(item.id)
    elif isinstance(item, (tl.Chat, tl.ChatForbidden, tl.ChatEmpty)):
        peer = tl.PeerChat(item.id)
    else:
        return None
    if isinstance(item, (tl.Chat, tl.Channel)):  # teleproto shows no title of forbidden ones
        name = item.title
    if isinstance(item, (tl.User, tl.Channel)):
        username = item.username.lower() if item.username else None
        others = dict.fromkeys(other.username.lower() for other in item.usernames)
        usernames = tuple(other for other in others if other and other != username)
    access_hash = getattr(item, "access_hash", 0)
    if getattr(item, "min", False) or not (is_int64(item.id, 1) and is_int64(access_hash)):
        return None
    return Entity(peer, access_hash, username, usernames, phone, name)


class EntityCache:
    """Entities by peer, by handle and by displayed name."""

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self._entities: dict[tl.Peer, Entity] = {}
        self._owners: dict[str, Entity] = {}
        self._names: dict[str, Entity] = {}  # the first entity seen with a name
        self._namesakes: dict[str, dict[tl.Peer, Entity]] = {}  # all, if several share it
        self.apply(self.plan(entities))

    def plan(self, seen: Iterable[Entity]) -> dict[tl.Peer, Entity]:
        """Return the entities that change if these are seen in this order.

        They are new entities, known ones with newer data, and those that lose a handle. Only the
        newest owner of a handle keeps it.
        """
        changed: dict[tl.Peer, Entity] = {}
        owners: dict[str, Entity] = {}
        for entity in seen:
            for handle in entity.handles():
                owner = owners.get(handle) or self._owners.get(handle)
                if owner is not None and owner.peer != entity.peer:
                    changed[owner.peer] = changed.get(owner.peer, owner).without(handle)
                owners[handle] = entity
            changed[entity.peer] = entity
        return {p: entity for p, entity in changed.items() if self._entities.get(p) != entity}

    def apply(self, changed: Mapping[tl.Peer, Entity]) -> None:
        """Carry out a plan."""
        for peer in changed.keys() & self._entities.keys():
            old = self._entities[peer]
            for handle in old.handles():
                self._owners.pop(handle, None)
            if old.name != changed[peer].name:
                self._unname(old)
        for peer, entity in changed.items():
            self._entities[peer] = entity
            self._owners.update(dict.fromkeys(entity.handles(), entity))
            if entity.name:
                self._name(entity)

    def _name(self, entity: Entity) -> None:
        first = self._names.setdefault(entity.name, entity)
        if first.peer == entity.peer:
            self._names[entity.name] = entity
        if first.peer != entity.peer or entity.name in self._namesakes:
            self._namesakes.setdefault(entity.name, {first.peer: first})[entity.peer] = entity

    def _unname(self, entity: Entity) -> None:
        others = self._namesakes.get(entity.name, {})
        others.pop(entity.peer, None)
        if entity.name and self._names[entity.name].peer == entity.peer:
            heir = next(iter(others.values()), None)
            if heir is None:
                del self._names[entity.name]
            else:
                self._names[entity.name] = heir

    def find(self, key: object) -> tl.Input:
        """The input peer for `key`; see `Session.get_input_entity`."""
        if isinstance(key, tl.Input):
            return key
        if isinstance(key, tl.User) and key.is_self:
            return tl.InputPeerSelf()
        given = _entity_of(key)
        if given is not None:
            return given.input_peer()
        if isinstance(key, tl.PeerChat):
            return tl.InputPeerChat(key.chat_id)
        for entity in self._candidates(key):
            if entity is not None:
                return entity.input_peer()
        raise EntityNotFound("this session has not seen that entity; ask Telegram for it first")

    def _candidates(self, key: object) -> Iterator[Entity | None]:
        if isinstance(key, str):
            text = key.strip()
            if not _NUMBER.fullmatch(text):
                return self._by_text(key, text)
            key = int(text)
        if isinstance(key, tl.User):  # it lacks a full access hash, so look up its id
            key = tl.PeerUser(key.id)
        elif isinstance(key, tl.Channel):
            key = tl.PeerChannel(key.id)
        peers: tuple[tl.Peer, ...] = ()
        if isinstance(key, tl.Peer):
            peers = (key,)
        elif type(key) is int and key > 0:
            peers = (tl.PeerUser(key), tl.PeerChat(key), tl.PeerChannel(key))
        elif type(key) is int:
            peers = (tl.peer_of(key), tl.PeerChat(-key))
        return map(self._entities.get, peers)

    def _by_text(self, key: str, text: str) -> Iterator[Entity | None]:
        link = _LINK.fullmatch(text)
        if _PHONE.fullmatch(text):
            yield self._owners.get("+" + re.sub("[^0-9]", "", text))
        yield self._owners.get("@" + (link[1] if link else text.removeprefix("@")).lower())
        for name in (key, text):
            yield self._names.get(name)
