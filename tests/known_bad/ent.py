"""Faulty sessions: entities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from teleproto_sessions import EntityNotFound, MemorySession, tl
from teleproto_sessions.entities import Entity, EntityCache
from teleproto_sessions.memory import State

from known_bad.blob import ThroughSession
from known_bad.registry import breaks

NUMBER = re.compile("-?[0-9]+")


def number_in(key: object) -> int | None:
    """Return the number that a key is, or spells."""
    if isinstance(key, str) and NUMBER.fullmatch(key.strip()):
        return int(key)
    return key if type(key) is int else None


def name_in(key: object) -> str | None:
    """Return the username that a key may be."""
    if isinstance(key, str) and number_in(key) is None and not key.startswith("+"):
        return key.removeprefix("@").lower()
    return None


def each(tlo: object) -> Iterator[Any]:
    """Yield everything in a list or a container."""
    if isinstance(tlo, (list, tuple)):
        yield from tlo
        return
    for field in ("user", "chat", "channel"):
        if hasattr(tlo, field):
            yield getattr(tlo, field)
    for field in ("users", "chats"):
        several = getattr(tlo, field, None)
        yield from several if isinstance(several, (list, tuple)) else ()


class Cached(MemorySession):
    """A correct session with an open cache, for others to break."""

    def known(self) -> Iterable[Entity]:
        return self._entities._entities.values()

    def miss(self) -> EntityNotFound:
        return EntityNotFound("never seen")

    def _seen(self, item: Any) -> None:
        super().process_entities([item])


@breaks(
    "ENT-1",
    also={
        "ENT-5",
        "ENT-6",
        "ENT-7",
        "ENT-8",
        "ENT-9",
        "ENT-10",
        "ENT-11",
        "ENT-17",
        "ENT-19",
        "ENT-22",
        "ENT-23",
        "MEM-2",
    },
)
class NoIdsAsText(Cached):
    """Finds a user only by a number, and reads digits in a text as a name."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and key.isdigit():
            raise self.miss()
        return super().get_input_entity(key)


@breaks(
    "ENT-1",
    also={
        "ENT-4",
        "ENT-6",
        "ENT-7",
        "ENT-8",
        "ENT-9",
        "ENT-10",
        "ENT-11",
        "ENT-12",
        "ENT-14",
        "ENT-16",
        "ENT-17",
        "ENT-18",
        "ENT-20",
        "ENT-22",
        "MEM-2",
        "LIFE-1",
        "LIFE-2",
        "LIFE-4",
        "LIFE-6",
        "LIFE-8",
        "CLIENT-2",
        "CLIENT-7",
    },
)
class IdsOf32Bits(Cached):
    """Keeps the ids of users in 32 bits."""

    def _seen(self, item: Any) -> None:
        if isinstance(item, tl.User):
            item = replace(item, id=item.id & 0xFFFFFFFF)
        super()._seen(item)

    def process_entities(self, tlo: object) -> None:
        for item in each(tlo):
            self._seen(item)


@breaks("ENT-2", also={"ENT-23"})
class StripsTheMarkAsText(Cached):
    """Reads every marked id that begins with -100 as a channel's, like teleproto."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and str(number).startswith("-100"):
            key = tl.PeerChannel(int(str(number)[4:] or 0))
        return super().get_input_entity(key)


@breaks("ENT-2", also={"ENT-6", "ENT-7", "ENT-8", "LIFE-1", "LIFE-4", "CLIENT-2"})
class ChatsBySmallNumbers(Cached):
    """Reads a marked id beyond 32 bits as a channel's."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number < -(2**31):
            key = tl.PeerChannel(-number - tl.CHANNEL_MARK)
        return super().get_input_entity(key)


@breaks(
    "ENT-3",
    also={
        "FRESH-3",
        "ENT-5",
        "ENT-6",
        "ENT-7",
        "ENT-9",
        "ENT-10",
        "ENT-12",
        "ENT-13",
        "ENT-22",
        "ENT-25",
    },
)
class ChannelsByNumber(Cached):
    """Splits the mark off a number, but reads every text with a minus sign as a chat's id."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and key.startswith("-"):
            key = tl.PeerChat(-int(key))
        return super().get_input_entity(key)


@breaks("ENT-3", also={"ENT-25"})
class MarkIsAPrefix(Cached):
    """Removes the digits of the mark everywhere in a channel's marked id."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number < -tl.CHANNEL_MARK:
            key = tl.PeerChannel(int("0" + str(number).replace("-100", "").replace("100", "")))
        return super().get_input_entity(key)


@breaks(
    "ENT-4",
    also={
        "ENT-10",
        "ENT-11",
        "ENT-16",
        "ENT-18",
        "ENT-20",
        "LIFE-2",
    },
)
class MindsTheCase(Cached):
    """Compares usernames letter by letter."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and key != key.lower() and name_in(key):
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-4", also={"ENT-9", "ENT-10", "ENT-11", "ENT-13", "ENT-20"})
class WantsTheAtSign(Cached):
    """Reads a text without @ only as a display name."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and name_in(key) == key.lower() and "/" not in key:
            for entity in self.known():
                if entity.name == key:
                    return entity.input_peer()
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-4")
class DisplayNameFirst(Cached):
    """Searches the display names before the usernames."""

    def get_input_entity(self, key: object) -> tl.Input:
        for entity in self.known():
            if entity.name and entity.name == key:
                return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-4", also={"ENT-13"})
class UsernameByPattern(Cached):
    """Searches with LIKE, so that an underscore matches any letter."""

    def get_input_entity(self, key: object) -> tl.Input:
        name = name_in(key)
        if name and re.fullmatch("[a-z0-9_]{5,}", name):
            pattern = re.compile(name.replace("_", "."))
            for entity in reversed([*self.known()]):
                if entity.username and pattern.fullmatch(entity.username):
                    return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-5", also={"ENT-21", "ENT-23"})
class TableByBareId(Cached):
    """Keeps entities by bare id, so that the newest replaces those of other kinds."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        newest = {tl.bare_id(entity.peer): entity for entity in self.known()}
        self._entities = EntityCache(newest.values())


@breaks("ENT-5")
class AnyKindWillDo(Cached):
    """Answers an unknown marked id with any entity of the bare id."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            number = number_in(key)
            if number is None or number >= 0:
                raise
        bare_id = tl.bare_id(tl.peer_of(number))
        for entity in self.known():
            if tl.bare_id(entity.peer) == bare_id:
                return entity.input_peer()
        raise self.miss()


@breaks("ENT-5", also={"ENT-19", "ENT-23"})
class EveryNumberIsAUser(Cached):
    """Makes an InputPeerUser of every entity that a positive number finds."""

    def get_input_entity(self, key: object) -> tl.Input:
        found = super().get_input_entity(key)
        number = number_in(key)
        if number is not None and number > 0 and isinstance(found, tl.InputPeerChat):
            return tl.InputPeerUser(number, 0)
        return found


@breaks(
    "ENT-6",
    also={
        "ENT-4",
        "ENT-5",
        "ENT-7",
        "ENT-8",
        "ENT-9",
        "ENT-10",
        "ENT-11",
        "ENT-16",
        "ENT-17",
        "ENT-18",
        "ENT-19",
        "ENT-21",
        "ENT-22",
        "ENT-23",
        "LIFE-1",
        "LIFE-4",
        "CLIENT-2",
    },
)
class FirstOfABatch(Cached):
    """Stores only the first entity of a batch, like teleredis."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities([*each(tlo)][:1])


@breaks("ENT-6")
class LastBatchOnly(Cached):
    """Replaces its cache with the newest batch."""

    def process_entities(self, tlo: object) -> None:
        seen = [item for item in each(tlo) if isinstance(item, (tl.User, tl.Chat, tl.Channel))]
        if len(self._entities._entities) > 3 and seen:
            self._entities = EntityCache()
        super().process_entities(tlo)


@breaks("ENT-6")
class StopsAtAnEmptyUser(Cached):
    """Stops at the first entity of a batch that it cannot store."""

    def process_entities(self, tlo: object) -> None:
        items = []
        for item in each(tlo):
            if isinstance(item, tl.UserEmpty):
                break
            items.append(item)
        super().process_entities(items)


@breaks("ENT-7", also={"ENT-8", "ENT-9", "ENT-10", "CLIENT-2", "CLIENT-7"})
class UsersAndChatsOnly(Cached):
    """Unpacks `users` and `chats`, but not `user`, `chat` and `channel`."""

    def process_entities(self, tlo: object) -> None:
        if not isinstance(tlo, (list, tuple)):
            users, chats = getattr(tlo, "users", None), getattr(tlo, "chats", None)
            tlo = SimpleNamespace(users=users, chats=chats)
        super().process_entities(tlo)


@breaks("ENT-7", also={"ENT-5", "ENT-8", "CLIENT-2"})
class FirstFieldOnly(Cached):
    """Reads only the first field that it finds."""

    def process_entities(self, tlo: object) -> None:
        if not isinstance(tlo, (list, tuple)):
            for field in ("users", "chats", "user", "chat", "channel"):
                if hasattr(tlo, field):
                    tlo = SimpleNamespace(**{field: getattr(tlo, field)})
                    break
        super().process_entities(tlo)


@breaks("ENT-7", also={"ENT-5", "ENT-10"})
class ChannelsNotAmongChats(Cached):
    """Expects only chats in `chats`, although Telegram also sends channels."""

    def process_entities(self, tlo: object) -> None:
        chats = getattr(tlo, "chats", None)
        if isinstance(chats, (list, tuple)):
            fields = {**vars(tlo), "chats": [chat for chat in chats if isinstance(chat, tl.Chat)]}
            tlo = SimpleNamespace(**fields)
        super().process_entities(tlo)


@breaks("ENT-8")
class ChokesOnNothing(Cached):
    """Reads fields of any value, like teleproto of null."""

    def process_entities(self, tlo: object) -> None:
        if not isinstance(tlo, (list, tuple)):
            vars(tlo)
        super().process_entities(tlo)


@breaks("ENT-8")
class ChokesOnNumbers(Cached):
    """Expects an entity in every entry of `users` and `chats`."""

    def process_entities(self, tlo: object) -> None:
        if not isinstance(tlo, (list, tuple)):
            for item in each(tlo):
                item.id  # noqa: B018 - the mistake: privacy rules have numbers here
        super().process_entities(tlo)


@breaks("ENT-8")
class AllOrNothing(Cached):
    """Ignores a list that holds anything but entities."""

    def process_entities(self, tlo: object) -> None:
        if isinstance(tlo, (list, tuple)) and not all(hasattr(item, "id") for item in tlo):
            return
        super().process_entities(tlo)


@breaks("ENT-8")
class EmptyAnswerEmpties(Cached):
    """Empties its cache at an answer with empty lists."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        if getattr(tlo, "users", None) == [] and getattr(tlo, "chats", None) == []:
            self._entities = EntityCache()


@breaks("ENT-9", also={"ENT-10", "ENT-17", "ENT-18", "ENT-20", "LIFE-2"})
class FirstHashWins(Cached):
    """Inserts entities and ignores those that are already there."""

    def process_entities(self, tlo: object) -> None:
        hashes = {entity.peer: entity.access_hash for entity in self.known()}
        super().process_entities(tlo)
        kept = [
            replace(entity, access_hash=hashes.get(entity.peer, entity.access_hash))
            for entity in self.known()
        ]
        self._entities = EntityCache(kept)


@breaks("ENT-9", also={"LIFE-2"})
class RemembersAnswers(Cached):
    """Keeps every answer in an extra cache, and never clears it."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[object, tl.Input] = {}

    def get_input_entity(self, key: object) -> tl.Input:
        if type(key) is not int:
            return super().get_input_entity(key)
        if key not in self._answers:
            self._answers[key] = super().get_input_entity(key)
        return self._answers[key]

    def delete(self) -> None:
        super().delete()
        self._answers = {}


@breaks("ENT-9")
class RobbedIsSettled(Cached):
    """Never updates the record of an entity that has lost its username."""

    def __init__(self) -> None:
        super().__init__()
        self._robbed: dict[tl.Peer, Entity] = {}

    def process_entities(self, tlo: object) -> None:
        named = {entity.peer for entity in self.known() if entity.username}
        super().process_entities(tlo)
        for entity in [*self.known()]:
            if entity.peer in named and not entity.username:
                self._robbed.setdefault(entity.peer, entity)

    def get_input_entity(self, key: object) -> tl.Input:
        found = super().get_input_entity(key)
        for entity in self._robbed.values():
            if isinstance(found, tl.InputPeerUser) and entity.peer == tl.PeerUser(found.user_id):
                return entity.input_peer()
        return found


@breaks("ENT-9")
class NoHashIsZero(Cached):
    """Stores an entity without access hash with the hash 0, over its known hash."""

    def process_entities(self, tlo: object) -> None:
        items = [
            replace(item, access_hash=0) if getattr(item, "access_hash", 0) is None else item
            for item in each(tlo)
        ]
        super().process_entities(items)


@breaks("ENT-10", also={"ENT-11", "LIFE-2"})
class OldNamesStay(Cached):
    """Adds usernames to its index and never removes one, like gramjs."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, tl.Peer] = {}

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        for entity in self.known():
            if entity.username:
                self._names[entity.username] = entity.peer

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            name = name_in(key)
            if name not in self._names:
                raise
        return self._entities._entities[self._names[name]].input_peer()

    def delete(self) -> None:
        super().delete()
        self._names = {}


@breaks("ENT-10", also={"ENT-11"})
class GivenUpNamesStay(Cached):
    """Updates only the fields that are set, and so keeps a lost username, like django-telethon."""

    def process_entities(self, tlo: object) -> None:
        names = {entity.peer: entity.username for entity in self.known()}
        super().process_entities(tlo)
        owners = {entity.username for entity in self.known()}
        kept = [
            replace(entity, username=names.get(entity.peer))
            if entity.username is None and names.get(entity.peer) not in owners
            else entity
            for entity in self.known()
        ]
        self._entities = EntityCache(kept)


@breaks("ENT-11", also={"ENT-20"})
class FirstOwnerWins(Cached):
    """Returns the first of several owners of a username, like teleproto and redisthon."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, tl.Peer] = {}

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        current = {entity.peer: entity.username for entity in self.known()}
        for item in each(tlo):
            if isinstance(item, (tl.User, tl.Channel)) and item.access_hash is not None:
                peer = (
                    tl.PeerUser(item.id) if isinstance(item, tl.User) else tl.PeerChannel(item.id)
                )
                name = (item.username or "").lower()
                for other in [n for n, p in self._first.items() if p == peer and n != name]:
                    del self._first[other]
                if name and peer in current:
                    self._first.setdefault(name, peer)

    def get_input_entity(self, key: object) -> tl.Input:
        peer = self._first.get(name_in(key) or "")
        return super().get_input_entity(key if peer is None else peer)

    def delete(self) -> None:
        super().delete()
        self._first = {}


@breaks("ENT-11", also={"ENT-22"})
class TwoOwnersRaise(Cached):
    """Requires exactly one row for a username, like telethon-session-sqlalchemy."""

    def __init__(self) -> None:
        super().__init__()
        self._claims: dict[tl.Peer, str] = {}

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        for item in each(tlo):
            if isinstance(item, (tl.User, tl.Channel)):
                peer = (
                    tl.PeerUser(item.id) if isinstance(item, tl.User) else tl.PeerChannel(item.id)
                )
                self._claims[peer] = (item.username or "").lower()

    def get_input_entity(self, key: object) -> tl.Input:
        name = name_in(key)
        if name and [*self._claims.values()].count(name) > 1:
            raise LookupError("multiple rows were found when exactly one was required")
        return super().get_input_entity(key)

    def delete(self) -> None:
        super().delete()
        self._claims = {}


@breaks("ENT-11")
class LosingTheNameLosesTheOwner(Cached):
    """Deletes the old owner's whole row when a username gets a new owner."""

    def process_entities(self, tlo: object) -> None:
        names = {entity.peer: entity.username for entity in self.known()}
        super().process_entities(tlo)
        robbed = {
            entity.peer
            for entity in self.known()
            if names.get(entity.peer) and entity.username is None
        }
        taken = {entity.username for entity in self.known()}
        kept = [e for e in self.known() if e.peer not in robbed or names[e.peer] not in taken]
        self._entities = EntityCache(kept)


class Hashed(Cached):
    """A correct session that handles every access hash in one method."""

    def store(self, access_hash: int) -> int:
        return access_hash

    def process_entities(self, tlo: object) -> None:
        items = [
            replace(item, access_hash=self.store(item.access_hash))
            if getattr(item, "access_hash", None) is not None
            else item
            for item in each(tlo)
        ]
        super().process_entities(items)


@breaks("ENT-12", also={"LIFE-1", "LIFE-2", "LIFE-4", "LIFE-6", "LIFE-8", "CLIENT-2", "CLIENT-7"})
class HashAsADouble(Hashed):
    """Converts access hashes to a double, like JSON in JavaScript."""

    def store(self, access_hash: int) -> int:
        return max(-(2**63), min(2**63 - 1, int(float(access_hash))))


@breaks("ENT-12", also={"LIFE-1", "LIFE-4", "LIFE-6", "LIFE-8", "CLIENT-2"})
class HashWithoutSign(Cached):
    """Returns access hashes as unsigned numbers."""

    def get_input_entity(self, key: object) -> tl.Input:
        found = super().get_input_entity(key)
        if isinstance(found, (tl.InputPeerUser, tl.InputPeerChannel)) and found is not key:
            return replace(found, access_hash=found.access_hash & 0xFFFFFFFFFFFFFFFF)
        return found


@breaks("ENT-12")
class HashOf63Bits(Hashed):
    """Keeps access hashes in a column whose range lacks the smallest one."""

    def store(self, access_hash: int) -> int:
        return max(access_hash, -(2**63) + 1)


@breaks(
    "ENT-13",
    also={
        "FRESH-3",
        "ENT-5",
        "ENT-10",
        "ENT-11",
        "ENT-16",
        "ENT-17",
        "ENT-18",
        "ENT-20",
        "ENT-21",
        "ENT-22",
        "ENT-23",
        "MEM-2",
        "LIFE-2",
        "LIFE-6",
        "LIFE-8",
        "CLIENT-7",
    },
)
class MissGivesNone(Cached):
    """Returns None if it finds no entity."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            return None  # type: ignore[return-value]  # the mistake


@breaks("ENT-13", also={"CLIENT-7"})
class MissMakesOneUp(Cached):
    """Invents an InputPeer with the access hash 0 for an unknown number."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            number = number_in(key)
            if number is None or number <= 0 or [*self.known()] == []:
                raise
        return tl.InputPeerUser(number, 0)


@breaks("ENT-13")
class EmptyTextFindsTheNameless(Cached):
    """Compares the display name even if there is none, like teleproto."""

    def get_input_entity(self, key: object) -> tl.Input:
        for entity in self.known():
            if key == entity.name == "":
                return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-13")
class NameByGlob(Cached):
    """Looks for a username among its keys with a pattern."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and "*" in key:
            for entity in self.known():
                if entity.username and re.fullmatch(key.replace("*", ".*"), entity.username):
                    return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-13")
class NoneIsAName(Cached):
    """Stores a missing username as the text `None`."""

    def get_input_entity(self, key: object) -> tl.Input:
        for entity in self.known():
            if str(entity.username).lower() == (name_in(key) or "") == "none":
                return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-14")
class InputPeerMustBeKnown(Cached):
    """Looks up an InputPeer like any other key."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, (tl.InputPeerUser, tl.InputPeerChat, tl.InputPeerChannel)):
            match key:
                case tl.InputPeerUser(bare_id):
                    return super().get_input_entity(tl.PeerUser(bare_id))
                case tl.InputPeerChannel(bare_id):
                    return super().get_input_entity(tl.PeerChannel(bare_id))
        return super().get_input_entity(key)


@breaks("ENT-14")
class InputPeerIsRemembered(Cached):
    """Stores the access hash of every InputPeer that it is asked for."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, tl.InputPeerUser):
            self.process_entities([tl.User(key.user_id, key.access_hash)])
        return super().get_input_entity(key)


@breaks("ENT-15")
class AppendsEverySight(ThroughSession):
    """Appends a row each time it sees an entity, and reads the newest."""

    def _entities_seen(self) -> None:
        super()._entities_seen()
        if not self._entities._entities:
            return
        log = self._path.with_name("entities.log")
        with log.open("a", encoding="utf-8") as file:
            for row in self._document()["entities"]:
                file.write(f"{row}\n")

    def delete(self) -> None:
        self._path.with_name("entities.log").unlink(missing_ok=True)
        super().delete()


@breaks("ENT-16")
class NoLinks(Cached):
    """Does not know links."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and "/" in key:
            for entity in self.known():
                if entity.name == key:
                    return entity.input_peer()
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-16")
class LinksOfOneKind(Cached):
    """Knows only t.me, and not the older hosts."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and "telegram." in key:
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-16")
class LinkWithItsSlash(Cached):
    """Reads the last slash of a link as part of the name."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and key.endswith("/"):
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-17")
class NoPhones(Cached):
    """Does not keep phone numbers, like all storages of teleproto."""

    def process_entities(self, tlo: object) -> None:
        items = [replace(i, phone=None) if isinstance(i, tl.User) else i for i in each(tlo)]
        super().process_entities(items)


@breaks("ENT-17")
class PhoneAsTyped(Cached):
    """Compares a phone number with its spaces and brackets."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and re.fullmatch(r"\+.*[ ()].*", key):
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-17")
class PhoneBeforeId(Cached):
    """Looks for the digits of an id among the phone numbers first."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number > 0:
            for entity in self.known():
                if entity.phone == str(number):
                    return entity.input_peer()
        return super().get_input_entity(key)


@breaks("ENT-18")
class NoDisplayNames(Cached):
    """Does not keep names."""

    def _nameless(self) -> None:
        self._entities = EntityCache(replace(entity, name="") for entity in self.known())

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        self._nameless()


@breaks("ENT-18", also={"ENT-13"})
class FirstNamesOnly(Cached):
    """Keeps only the first name."""

    def process_entities(self, tlo: object) -> None:
        items = [replace(i, last_name=None) if isinstance(i, tl.User) else i for i in each(tlo)]
        super().process_entities(items)


@breaks("ENT-19")
class MarkedIdsOnly(Cached):
    """Reads a positive number only as a user's."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number > 0:
            key = tl.PeerUser(number)
        return super().get_input_entity(key)


@breaks("ENT-20")
class OneUsername(Cached):
    """Ignores the list of usernames, like all published sessions."""

    def process_entities(self, tlo: object) -> None:
        items = [
            replace(item, usernames=()) if isinstance(item, (tl.User, tl.Channel)) else item
            for item in each(tlo)
        ]
        super().process_entities(items)


@breaks("ENT-20")
class FirstOfTheList(Cached):
    """Reads only the first of the list of usernames, and only if `username` is empty."""

    def process_entities(self, tlo: object) -> None:
        items = [
            replace(item, usernames=(), username=item.username or item.usernames[0].username)
            if isinstance(item, (tl.User, tl.Channel)) and item.usernames
            else item
            for item in each(tlo)
        ]
        super().process_entities(items)


@breaks("ENT-21")
class PeersRaise(Cached):
    """Refuses a Peer, like teleproto."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, (tl.PeerUser, tl.PeerChannel)):
            raise TypeError("cannot cast a Peer to any kind of InputPeer")
        return super().get_input_entity(key)


@breaks("ENT-21")
class PeerByBareId(Cached):
    """Uses only the id of a Peer and forgets its kind."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, (tl.PeerUser, tl.PeerChat, tl.PeerChannel)):
            return super().get_input_entity(tl.bare_id(key))
        return super().get_input_entity(key)


@breaks("ENT-22")
class MinIsAsGood(Cached):
    """Stores min entities like any other."""

    def process_entities(self, tlo: object) -> None:
        items = [
            replace(item, min=False) if getattr(item, "min", False) else item for item in each(tlo)
        ]
        super().process_entities(items)


@breaks("ENT-22")
class MinTakesTheNameAway(Cached):
    """Keeps the full hash when it sees a min entity, but drops the username."""

    def process_entities(self, tlo: object) -> None:
        for item in each(tlo):
            if getattr(item, "min", False):
                kept = [
                    replace(entity, username=None)
                    if entity.username == str(item.username).lower()
                    else entity
                    for entity in self.known()
                ]
                self._entities = EntityCache(kept)
        super().process_entities(tlo)


@breaks("ENT-23", also={"ENT-5"})
class ChannelFirst(Cached):
    """Looks for a positive number among channels, chats and users in that order."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number > 0:
            for peer in (tl.PeerChannel(number), tl.PeerChat(number)):
                if peer in self._entities._entities:
                    return super().get_input_entity(peer)
        return super().get_input_entity(key)


@breaks("ENT-23")
class AnyMinusIsAMark(Cached):
    """Reads -1001234 as channel 1234 if it knows no chat of that id."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and -tl.CHANNEL_MARK < number < -1000:
            chat, text = tl.PeerChat(-number), str(number).removeprefix("-100")
            if chat not in self._entities._entities and text.isdigit():
                return super().get_input_entity(tl.PeerChannel(int(text)))
        return super().get_input_entity(key)


@breaks("ENT-24", also={"DC-6", "DC-7", "DC-8"})
class SwitchEmptiesTheCache(Cached):
    """Forgets all entities when the data centre changes."""

    def _change(self, state: State) -> None:
        if state.dc_id != self.dc_id:
            self._entities = EntityCache()
        super()._change(state)


@breaks("ENT-24")
class CacheBelongsToAKey(Cached):
    """Forgets all entities when a key is set, because the account may have changed."""

    def _change(self, state: State) -> None:
        changed: Mapping[int, bytes] = {**self._state.keys}
        super()._change(state)
        if state.keys != changed and self.known():
            self._entities = EntityCache()


@breaks("ENT-1", also={"ENT-4", "ENT-17"})
class RemembersMisses(Cached):
    """Remembers failed look-ups, and never tries them again."""

    def __init__(self) -> None:
        super().__init__()
        self._missed: set[object] = set()

    def get_input_entity(self, key: object) -> tl.Input:
        asked = key if isinstance(key, (str, int)) else None
        if asked is not None and asked in self._missed:
            raise self.miss()
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            self._missed.add(asked)
            raise

    def delete(self) -> None:
        super().delete()
        self._missed = set()


@breaks("ENT-6")
class KeepsAThousand(Cached):
    """Drops the oldest entities if there are more than a thousand."""

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        known = list(self.known())
        if len(known) > 1000:
            self._entities = EntityCache(known[-1000:])


@breaks("ENT-8")
class ChokesOnNull(Cached):
    """Reads the fields of a container even if they are None."""

    def process_entities(self, tlo: object) -> None:
        if not isinstance(tlo, (list, tuple)):
            for field in ("users", "chats"):
                iter(getattr(tlo, field, []))
        super().process_entities(tlo)


@breaks("ENT-9")
class FirstOfABatchWins(Cached):
    """Reads only the first record of an entity in each answer."""

    def process_entities(self, tlo: object) -> None:
        first: dict[object, Any] = {}
        for item in each(tlo):
            first.setdefault((type(item), getattr(item, "id", None)), item)
        super().process_entities([*first.values()])


@breaks("ENT-13")
class NameThatContains(Cached):
    """Also finds an entity whose display name only contains the text."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            if isinstance(key, str) and len(key) > 2:
                for entity in self.known():
                    if key in entity.name:
                        return entity.input_peer()
            raise


@breaks("ENT-13")
class AnyAddressIsALink(Cached):
    """Reads the end of any web address as a username."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            if isinstance(key, str) and "/" in key.rstrip("/"):
                return super().get_input_entity("@" + key.rstrip("/").rsplit("/", 1)[1])
            raise


@breaks("ENT-15")
class JournalOfSights(ThroughSession):
    """Writes a line for every answer that has entities."""

    def _entities_seen(self) -> None:
        super()._entities_seen()
        if self._path.exists():
            with self._path.with_name("seen.log").open("a") as file:
                file.write(
                    f"{len(self._entities._entities)} known, 2025-01-01T00:00:00Z\n".rjust(40)
                )

    def delete(self) -> None:
        self._path.with_name("seen.log").unlink(missing_ok=True)
        super().delete()


@breaks("ENT-17")
class OldPhonesStay(Cached):
    """Adds a new phone number and keeps the user's old ones."""

    def __init__(self) -> None:
        super().__init__()
        self._phones: dict[str, int] = {}

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        for entity in self.known():
            if entity.phone:
                self._phones[entity.phone] = tl.bare_id(entity.peer)

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            digits = re.sub("[^0-9]", "", key) if isinstance(key, str) else ""
            if isinstance(key, str) and key.startswith("+") and digits in self._phones:
                return super().get_input_entity(self._phones[digits])
            raise

    def delete(self) -> None:
        super().delete()
        self._phones = {}


@breaks("ENT-18")
class TitleOfTheFirstSight(Cached):
    """Keeps the first display name of an entity."""

    def process_entities(self, tlo: object) -> None:
        names = {entity.peer: entity.name for entity in self.known() if entity.name}
        super().process_entities(tlo)
        self._entities = EntityCache(
            replace(entity, name=names.get(entity.peer, entity.name)) for entity in self.known()
        )


@breaks("ENT-22")
class MinRobsTheName(Cached):
    """Takes a username from its owner when a min entity has it."""

    def process_entities(self, tlo: object) -> None:
        mins = [item for item in each(tlo) if getattr(item, "min", False)]
        for item in mins:
            own = tl.PeerUser(item.id) if isinstance(item, tl.User) else tl.PeerChannel(item.id)
            name = (item.username or "").lower()
            self._entities = EntityCache(
                entity.without(f"@{name}") if entity.peer != own else entity
                for entity in self.known()
            )
        super().process_entities(tlo)


@breaks("ENT-4")
class UsernamesOfFiveLetters(Cached):
    """Looks for a username only in a text of five characters or more."""

    def get_input_entity(self, key: object) -> tl.Input:
        name = name_in(key)
        if name is not None and len(name) < 5:
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-4")
class ShortUsernamesAreDropped(Cached):
    """Stores a username only if it has the five characters that people may choose."""

    def process_entities(self, tlo: object) -> None:
        for item in each(tlo):
            if len(getattr(item, "username", None) or "long enough") < 5:
                item = replace(item, username=None)
            self._seen(item)


@breaks("ENT-4")
class ShortTextIsADisplayName(WantsTheAtSign):
    """Takes a text of four characters without @ for a display name."""

    def get_input_entity(self, key: object) -> tl.Input:
        if isinstance(key, str) and len(key) == 4:
            return super().get_input_entity(key)
        return Cached.get_input_entity(self, key)


@breaks("ENT-25")
class TenDigitsAfterTheMark(Cached):
    """Finds a channel by what follows -100, which are ten digits."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number < -tl.CHANNEL_MARK:
            if not str(number).startswith("-100"):
                raise self.miss()
            key = tl.PeerChannel(int(str(number)[4:]))
        return super().get_input_entity(key)


@breaks("ENT-25")
class MarkIsPutBefore(Cached):
    """Finds a channel by the text of its id with -100 before it, whatever its length."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number < -tl.CHANNEL_MARK:
            for entity in self.known():
                match entity.peer:
                    case tl.PeerChannel(channel_id=own) if f"-100{own}" == str(number):
                        return entity.input_peer()
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-25")
class NoMonoforums(Cached):
    """Takes a marked id below -2000000000000 for a mistake."""

    def get_input_entity(self, key: object) -> tl.Input:
        number = number_in(key)
        if number is not None and number < -2 * tl.CHANNEL_MARK:
            raise self.miss()
        return super().get_input_entity(key)


@breaks("ENT-5", also={"ENT-13", "ENT-22", "FRESH-3", "LIFE-6", "LIFE-8", "MEM-2"})
class NoMarkNeedsNoHash(Cached):
    """Answers every negative number that it has not seen with a chat, a channel's as well."""

    def get_input_entity(self, key: object) -> tl.Input:
        try:
            return super().get_input_entity(key)
        except EntityNotFound:
            number = number_in(key)
            if number is None or number >= 0:
                raise
            return tl.InputPeerChat(-number)
