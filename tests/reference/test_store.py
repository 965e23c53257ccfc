from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teleproto_sessions import (
    AuthKey,
    DamagedSession,
    EntityNotFound,
    InvalidSessionName,
    MemorySession,
    Session,
    StoreSession,
    TestServersLocked,
    tl,
)

Key = Callable[[int], AuthKey]
DC2 = (2, "149.154.167.51", 443)
DC4 = (4, "149.154.167.91", 443)


def reopened(name: str = "account") -> StoreSession:
    session = StoreSession(name)
    session.load()
    return session


def logged_in(key: Key, name: str = "account") -> StoreSession:
    session = StoreSession(name)
    session.set_dc(*DC2)
    session.auth_key = key(2)
    return session


def files(directory: str = "account") -> dict[str, bytes]:
    path = Path(directory)
    return {file.name: file.read_bytes() for file in path.iterdir()} if path.is_dir() else {}


def names() -> list[str]:
    return sorted(path.name for path in Path("account").iterdir())


def seen_by(session: Session) -> tuple[object, ...]:
    keys = [session.get_auth_key(dc) for dc in range(6)]
    try:
        peer: object = session.get_input_entity(1)
    except EntityNotFound:
        peer = None
    return session.dc_id, session.server_address, session.port, session.test_servers, keys, peer


# Stored values


def test_fresh_sessions_write_no_files(tmp_path: Path) -> None:
    session = reopened()
    session.save()
    session.close()
    assert seen_by(session) == (0, None, 0, False, [None] * 6, None)
    assert list(tmp_path.iterdir()) == []


def test_every_change_is_stored(key: Key) -> None:
    session = StoreSession("account")
    session.test_servers = True
    session.set_auth_key(key(9))
    assert reopened().auth_key == key(9)
    session.set_dc(*DC2)
    session.set_auth_key(key(4), 4)
    session.process_entities([tl.User(1, 1, "some_one")])
    again = reopened()
    assert seen_by(again) == seen_by(session)
    assert again.auth_key == key(9)
    assert again.get_input_entity("@some_one") == tl.InputPeerUser(1, 1)
    with pytest.raises(TestServersLocked):
        again.test_servers = False


def test_modes(key: Key) -> None:
    old = os.umask(0)
    try:
        logged_in(key)
    finally:
        os.umask(old)
    assert stat.S_IMODE(Path("account").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in Path("account").iterdir()} == {0o600}


def test_a_change_before_load_is_added_to_the_stored_login(key: Key) -> None:
    logged_in(key)
    early = StoreSession("account")
    early.set_dc(*DC4)
    early.load()
    assert (early.dc_id, early.get_auth_key(2)) == (4, key(2))
    assert reopened().get_auth_key(2) == key(2)


def test_the_working_directory_of_the_constructor_counts(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = StoreSession("account")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    session.set_dc(*DC2)
    assert (tmp_path / "account").is_dir()


@pytest.mark.parametrize(
    "name",
    ["local", "page", "a:b", "a%3Ab", "*", "a b", "日本" * 12, "ü'()!~", ".hidden", "a" * 229],
)
def test_names(name: str, key: Key) -> None:
    logged_in(key, name)
    assert reopened(name).auth_key == key(2)


@pytest.mark.parametrize(
    "name",
    [
        "session",
        "",
        ".",
        "..",
        "a/b",
        "/abs",
        "../up",
        "a\\b",
        "a\0",
        "a" * 230,
        "日" * 26,
        "\ud800",
        None,
        5,
    ],
)
def test_refused_names(name: Any) -> None:
    with pytest.raises(InvalidSessionName):
        StoreSession(name)


def test_a_file_in_the_place_of_the_directory(key: Key) -> None:
    Path("account").write_text("mine")
    for call in (StoreSession("account").load, lambda: logged_in(key)):
        with pytest.raises(OSError, match="account"):
            call()
    assert Path("account").read_text() == "mine"


# Entities


def test_an_unchanged_entity_is_not_written_again(key: Key) -> None:
    session = logged_in(key)
    session.process_entities([tl.User(1, 1)])
    before = Path("account").stat().st_mtime_ns
    session.process_entities([tl.User(1, 1)])
    assert Path("account").stat().st_mtime_ns == before


def test_a_reassigned_username_is_reassigned_on_the_disk(key: Key) -> None:
    session = logged_in(key)
    session.process_entities([tl.User(2, 2, "some_one"), tl.User(1, 1, "some_one")])
    session.process_entities([tl.User(2, 2, "some_one")])
    assert reopened().get_input_entity("some_one") == tl.InputPeerUser(2, 2)
    session.process_entities([tl.User(2, 2)])
    with pytest.raises(EntityNotFound):
        reopened().get_input_entity("some_one")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("access_hash", [0, 5])
def test_a_chat_and_a_channel_with_one_row_id(order: int, at_once: bool, access_hash: int) -> None:
    both: list[Any] = [tl.Chat(1001234, "Chat"), tl.Channel(1234, access_hash, "Channel")][::order]
    session = StoreSession("account")
    for batch in [both] if at_once else [[one] for one in both]:
        session.process_entities(batch)
    session.process_entities([tl.Channel(1234, 7, "Renamed")])
    session.process_entities([tl.Chat(1001234, "Renamed too")])
    for found in (session, reopened()):
        assert found.get_input_entity(-1001234) == tl.InputPeerChat(1001234)
        assert found.get_input_entity(-(10**12) - 1234) == tl.InputPeerChannel(1234, 7)
        assert found.get_input_entity("Renamed too") == tl.InputPeerChat(1001234)
    assert len(files()) == 2


# Delete


def test_delete_leaves_foreign_files(key: Key) -> None:
    session = logged_in(key)
    session.process_entities([tl.User(1, 1)])
    Path("account/notes").write_text("mine")
    Path("account/account%3Anotes").write_text("mine")
    Path("account/sub").mkdir()
    Path("account/account%3AauthKey.123456").write_text("left over by a crash of teleproto")
    session.delete()
    assert names() == ["account%3Anotes", "notes", "sub"]
    assert seen_by(reopened()) == seen_by(session) == seen_by(StoreSession("other"))
    session.set_dc(*DC4)
    assert reopened().dc_id == 4


def test_delete_removes_its_directory(key: Key) -> None:
    logged_in(key)
    StoreSession("account").delete()
    StoreSession("account").delete()
    assert not Path("account").exists()


@pytest.mark.parametrize("foreign", [True, False])
def test_a_handle_that_outlived_delete_brings_nothing_back(foreign: bool, key: Key) -> None:
    old = logged_in(key)
    old.process_entities([tl.User(1, 1)])
    if foreign:
        Path("account/notes").write_text("mine")
    StoreSession("account").delete()
    before = files()
    old.save()
    old.load()
    old.process_entities([tl.User(1, 1)])
    old.process_entities([tl.User(1, 1), tl.User(2, 2)])
    old.close()
    assert files() == before
    old.set_dc(*DC4)
    assert seen_by(reopened()) == (*DC4, False, [None] * 6, None)
    old.process_entities([tl.User(1, 1)])
    assert reopened().get_input_entity(1) == tl.InputPeerUser(1, 1)


def test_a_change_keeps_what_another_handle_wrote(key: Key) -> None:
    old = logged_in(key)
    reopened().set_dc(*DC4)
    old.set_auth_key(key(4))
    assert reopened().get_auth_key(4) == key(4)
    assert reopened().get_auth_key(2) == key(2)


# Damage


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("authKey", b""),
        ("authKey", b'{"type":"Buffer","data":[1,2]}'),
        ("authKey", b'{"type":"Buffer","data":256}'),
        ("authKey", b'{"type":"Buffer","data":[' + b"300," * 255 + b"300]}"),
        ("authKey", b'{"type":"Buffer","data":[' + b"true," * 255 + b"true]}"),
        ("authKey", b"null"),
        ("authKey", b"[]"),
        ("dcAuthKeys", b'{"4":{"type":"Buffer","data":[]}}'),
        ("dcAuthKeys", b"[]"),
        ("dcAuthKeys", b"undefined"),
        ("dcId", b'"2"'),
        ("dcId", b"2.5"),
        ("dcId", b"256"),
        ("dcId", b"true"),
        ("dcId", b"undefined"),
        ("port", b"0"),
        ("port", b"65536"),
        ("serverAddress", b"149.154.167.51"),
        ("serverAddress", b'""'),
        ("serverAddress", b'"\\ud800"'),
        ("serverAddress", b"undefined"),
        ("testServers", b'"false"'),
        ("testServers", b"0"),
        ("1", b'["1","x",null,null,""]'),
        ("1", b"[" * 100000),
        ("0", b'["0","0",null,null,""]'),
        ("dcId", None),
        ("port", None),
        ("serverAddress", None),
        ("authKey", None),
        ("authKey", "directory"),
    ],
)
def test_damage_is_reported_and_left_alone(part: str, content: Any, key: Key) -> None:
    session = logged_in(key)
    session.set_auth_key(key(4), 4)
    session.test_servers = False
    session.process_entities([tl.User(1, 1)])
    damaged = Path("account") / f"account%3A{part}"
    if content is None or content == "directory":
        damaged.unlink()
    if content == "directory":
        damaged.mkdir()
    elif content is not None:
        damaged.write_bytes(content)
    before = names()
    other = StoreSession("account")
    for call in (other.load, other.load, lambda: other.set_dc(*DC4)):
        with pytest.raises(DamagedSession, match=part) as caught:
            call()
        assert caught.value.__cause__ is None
        assert isinstance(caught.value.__context__, IsADirectoryError | None)
    assert seen_by(other) == seen_by(StoreSession("fresh"))
    assert names() == before


def test_white_space_and_foreign_files_do_no_harm(key: Key) -> None:
    logged_in(key)
    path = Path("account/account%3AauthKey")
    path.write_bytes(path.read_bytes() + b"\n")
    Path("account/account%3Aother").write_bytes(b"{")
    Path("account/%zz").write_bytes(b"{")
    Path("account/account%3A.new-1").write_bytes(b"{")
    assert reopened().auth_key == key(2)


# Crashes and failing writes

CALLS = ("mkdir", "replace", "unlink", "fsync", "utime", "sync", "rmdir")


def interrupt(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> None:
    """Run `act` before call `number`, counted from 1 among the calls that change the disk."""
    count = 0
    for name in CALLS:
        real = getattr(os, name)

        def call(*args: Any, real: Callable[..., object] = real, **kwargs: Any) -> object:
            nonlocal count
            count += 1
            if count == number:
                act()
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise OSError(28, "No space left on device")


def switch(session: StoreSession) -> None:
    session.set_dc(*DC4)


def first(session: StoreSession) -> None:
    session.delete()
    session.set_dc(*DC4)


def many(session: StoreSession) -> None:
    session.process_entities([tl.User(i, i) for i in range(1, 30)])


def few(session: StoreSession) -> None:
    session.process_entities([tl.User(2, 2), tl.User(1, 1)])


def set_key(session: StoreSession) -> None:
    session.set_auth_key(AuthKey(bytes(256)))


def delete(session: StoreSession) -> None:
    session.delete()


def prepared(key: Key) -> StoreSession:
    session = logged_in(key)
    session.set_auth_key(key(4), 4)
    return session


@pytest.mark.parametrize("change", [switch, many, few, set_key, delete])
def test_a_kill_leaves_the_state_before_or_after_the_change(
    change: Callable[[StoreSession], None], key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = prepared(key)
    before = seen_by(session)
    change(session)
    after = seen_by(session)
    outcomes = []
    for number in range(1, 200):
        session.delete()
        prepared(key)
        child = os.fork()
        if child == 0:
            with monkeypatch.context() as patch:
                interrupt(patch, number, die)
                change(reopened())
                os._exit(0)
        _, status = os.waitpid(child, 0)
        outcomes.append(seen_by(reopened()))
        assert outcomes[-1] in (before, after)
        assert not any(".record" in name for name in files())
        if status == 0:
            break
    assert outcomes[0] == before
    assert outcomes[-1] == after


@pytest.mark.parametrize("change", [switch, many, few, set_key])
def test_a_failed_write_changes_nothing(
    change: Callable[[StoreSession], None], key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = True
    number = 0
    while failed:
        number += 1
        session = prepared(key)
        before, stored = seen_by(session), files()
        failed = False
        with monkeypatch.context() as patch:
            interrupt(patch, number, fail)
            try:
                change(session)
            except OSError:
                failed = True
        if failed:
            assert seen_by(session) == before
            again = seen_by(reopened())
            if again == before:
                assert files() == stored
        change(session)
        assert seen_by(reopened()) == seen_by(session) != before
        session.delete()
    assert number > 5


def test_a_failed_first_write_leaves_no_directory(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, 4, fail)
        with pytest.raises(OSError, match="No space"):
            StoreSession("account").set_dc(*DC2)
    assert not Path("account").exists()


def test_load_undoes_a_leftover_record(key: Key) -> None:
    session = logged_in(key)
    record = {"dcId": "4", "port": "80", "serverAddress": '"a"', "authKey": "undefined", "7": None}
    Path("account/account%3A.record").write_text(json.dumps(record))
    Path("account/account%3A7").write_text("{")
    assert seen_by(reopened())[:3] == (4, "a", 80)
    session.set_auth_key(key(4), 4)
    assert (session.dc_id, session.get_auth_key(4)) == (4, key(4))


def test_a_damaged_record_is_not_quoted(key: Key) -> None:
    logged_in(key)
    Path("account/account%3A.record").write_text('{"authKey": "secret')
    with pytest.raises(DamagedSession, match=r"\.record") as caught:
        reopened()
    assert caught.value.__context__ is None


def test_generated_histories_survive_reopening(key: Key) -> None:
    ids = st.sampled_from([1, 1234, 1001234, 1234567890, 2**63 - 1])
    entities = st.one_of(
        st.builds(tl.User, ids, st.sampled_from([-(2**63), 2**63 - 1]), st.sampled_from("ab")),
        st.builds(tl.Chat, ids, st.sampled_from(["A", "B"])),
        st.builds(tl.Channel, ids, st.sampled_from([0, 5]), username=st.sampled_from("ab")),
    )
    steps = st.one_of(
        st.tuples(st.just("set_dc"), st.integers(1, 3), st.sampled_from("ab"), st.just(443)),
        st.tuples(st.just("set_auth_key"), st.sampled_from([key(1), None]), st.integers(1, 3)),
        st.tuples(st.just("set_auth_key"), st.sampled_from([key(2), AuthKey()])),
        st.tuples(st.just("process_entities"), st.lists(entities, max_size=3)),
        st.tuples(st.sampled_from(["load", "save", "close", "delete", "reopen"])),
    )

    @given(st.lists(steps, max_size=12))
    @settings(max_examples=60, deadline=None)
    def check(history: list[Any]) -> None:
        StoreSession("account").delete()
        model, stored = MemorySession(), StoreSession("account")
        for name, *arguments in history:
            if name == "reopen":
                stored = reopened()
            else:
                getattr(model, name)(*arguments)
                getattr(stored, name)(*arguments)
        for session in (stored, reopened()):
            assert seen_by(session) == seen_by(model)
            assert session._entities._entities == model._entities._entities

    check()
