from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from teleproto_sessions import EntityNotFound, tl
from teleproto_sessions.entities import Entity, EntityCache, entities_in

ANN = tl.User(1, -(2**63), "Some_One", phone="4479460000", first_name="Ann", last_name="Bee")
CHAT = tl.Chat(1001234, "My group")
NEWS = tl.Channel(1234, 2**63 - 1, "News", "the_news", (tl.Username("More_News"),))


def cache(*batches: object) -> EntityCache:
    made = EntityCache()
    for batch in batches:
        made.apply(made.plan(entities_in(batch)))
    return made


@pytest.mark.parametrize(
    "key",
    [
        1,
        "1",
        " 1 ",
        "@some_one",
        "SOME_ONE",
        "t.me/some_one",
        "https://www.telegram.me/Some_One/",
        "http://telegram.dog/some_one",
        "+4479460000",
        "+44 (794) 60-000",
        "Ann Bee",
        tl.PeerUser(1),
        tl.User(1),
        tl.User(1, 5, min=True),
    ],
)
def test_finds_a_user(key: object) -> None:
    assert cache([ANN, CHAT, NEWS]).find(key) == tl.InputPeerUser(1, -(2**63))


@pytest.mark.parametrize("key", [-1001234, "-1001234", 1001234, "My group", tl.PeerChat(1001234)])
def test_finds_a_chat(key: object) -> None:
    assert cache([ANN, CHAT, NEWS]).find(key) == tl.InputPeerChat(1001234)


@pytest.mark.parametrize(
    "key", [-(10**12) - 1234, 1234, "@the_news", "more_news", "News", tl.PeerChannel(1234)]
)
def test_finds_a_channel(key: object) -> None:
    assert cache([ANN, CHAT, NEWS]).find(key) == tl.InputPeerChannel(1234, 2**63 - 1)


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "@",
        "@@some_one",
        "ann bee",
        "t.me/+some_one",
        "t.me/some_one/5",
        "4479460000",
        0,
        -1,
        2,
        None,
        True,
        1.0,
        [],
        object(),
        "9" * 5000,
        tl.PeerUser(2),
        tl.User(2),
        tl.UserEmpty(1),
    ],
)
def test_misses_raise(key: object) -> None:
    with pytest.raises(EntityNotFound):
        cache([ANN, CHAT, NEWS]).find(key)


@pytest.mark.parametrize(
    "key",
    [
        tl.InputPeerUser(9, 9),
        tl.InputPeerSelf(),
        tl.InputPeerEmpty(),
        tl.InputUser(9, 9),
        tl.InputPeerChannel(9, 9),
        tl.InputPeerChat(9),
        tl.InputChannel(9, 9),
        tl.InputUserSelf(),
    ],
)
def test_input_peers_pass(key: tl.Input) -> None:
    assert cache().find(key) is key


def test_objects_convert() -> None:
    assert cache().find(tl.User(9, 8)) == tl.InputPeerUser(9, 8)
    assert cache().find(tl.User(9, 8, is_self=True)) == tl.InputPeerSelf()
    assert cache().find(tl.ChannelForbidden(9, 8)) == tl.InputPeerChannel(9, 8)
    assert cache().find(tl.ChatForbidden(9)) == tl.InputPeerChat(9)


def test_containers_are_unpacked_and_other_values_ignored() -> None:
    full = SimpleNamespace(user=ANN, users=[tl.User(2, 2)], chats=(CHAT,), channel=NEWS, chat=None)
    assert len(list(entities_in(full))) == 4
    assert len(list(entities_in((None, 5, ANN, "text", tl.InputPeerSelf())))) == 1
    others: list[object] = [None, True, 5, "text", ANN, {}, tl.PeerUser(1)]
    for other in (*others, SimpleNamespace(users=5)):
        assert list(entities_in(other)) == []


@pytest.mark.parametrize(
    "unusable",
    [
        tl.User(5),
        tl.User(5, 5, min=True),
        tl.Channel(5),
        tl.UserEmpty(5),
        tl.User(0, 5),
        tl.User(5, 2**63),
        tl.Channel(-5, 5),
    ],
)
def test_unusable_records_change_nothing(unusable: Any) -> None:
    assert cache([unusable])._entities == {}
    if not isinstance(unusable, tl.UserEmpty):
        known = cache([tl.User(5, 7, "name_5"), tl.Channel(5, 7, "t")], [unusable])
        assert known.find(5) == tl.InputPeerUser(5, 7)


def test_newest_record_replaces() -> None:
    seen = cache([ANN], [tl.User(1, 7, "other", first_name="Eve")])
    assert seen.find("@other") == seen.find("Eve") == tl.InputPeerUser(1, 7)
    for old in ("@some_one", "+4479460000", "Ann Bee"):
        with pytest.raises(EntityNotFound):
            seen.find(old)


def test_a_taken_username_leaves_its_old_owner() -> None:
    seen = cache([ANN], [tl.User(2, 2, "some_one")])
    assert seen.find("@some_one") == tl.InputPeerUser(2, 2)
    seen.apply(seen.plan(entities_in([tl.User(2, 2)])))
    with pytest.raises(EntityNotFound):
        seen.find("@some_one")
    assert seen.find(1) == tl.InputPeerUser(1, -(2**63))


def test_first_of_equal_names_answers() -> None:
    seen = cache([tl.User(1, 1, first_name="Same"), tl.User(2, 2, first_name="Same")])
    assert seen.find("Same") == tl.InputPeerUser(1, 1)
    seen.apply(seen.plan(entities_in([tl.User(1, 1, first_name="Other")])))
    assert seen.find("Same") == tl.InputPeerUser(2, 2)


def test_seeing_an_entity_again_changes_nothing() -> None:
    assert cache([ANN, CHAT, NEWS]).plan(entities_in([NEWS, ANN, CHAT])) == {}


users = st.builds(
    tl.User,
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([None, "Anna", "bert"]),
    st.lists(st.sampled_from("ABC").map(tl.Username), max_size=2).map(tuple),
    first_name=st.sampled_from([None, "Equal", "Other"]),
)


@given(st.lists(st.lists(users, max_size=4), max_size=5))
def test_batches_give_the_same_as_single_entities(batches: list[list[tl.User]]) -> None:
    at_once = cache(*batches)
    apart = cache(*([user] for batch in batches for user in batch))
    rebuilt = EntityCache(at_once._entities.values())
    owners: dict[str, tl.Peer] = {}
    for entity in at_once._entities.values():
        for handle in entity.handles():
            assert owners.setdefault(handle, entity.peer) == entity.peer
    for made in (at_once, apart, rebuilt):
        for name in ("Equal", "Other"):
            named = {e.input_peer() for e in made._entities.values() if e.name == name}
            assert (made.find(name) in named) if named else name not in made._names
        assert made._entities == at_once._entities
        assert {handle: entity.peer for handle, entity in made._owners.items()} == owners


def test_an_entity_holds_no_more_than_it_needs() -> None:
    assert not hasattr(Entity(tl.PeerUser(1), 1), "__dict__")
