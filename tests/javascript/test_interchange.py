"""teleproto and the reference read each other's directories and strings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from teleproto_conformance.contract.keys import KEYS, NAMES
from teleproto_conformance.subjects import hosted
from teleproto_conformance.subjects.in_process import PythonSubject
from teleproto_conformance.subjects.pool import Pool
from teleproto_conformance.subjects.subject import Outcome, Raised, Returned, Subject
from teleproto_sessions import StoreSession, StringSession
from telethon.crypto import AuthKey as TelethonKey
from telethon.sessions import StringSession as TelethonString

from . import hosts

DC_IDS = (1, 2, 3, 4, 5, 203)
ADDRESSES = ("149.154.167.51", "149.154.167.91", "2001:67c:4e8:f002::a", "venus.web.telegram.org")
Call = tuple[str, list[Any]]

_thorough = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


MARKED = [*range(5 * 10**9, 5 * 10**9 + 6), *range(-6 * 10**9 - 5, -6 * 10**9 + 1)]
MARKED += range(-(10**12) - 7 * 10**9 - 5, -(10**12) - 7 * 10**9 + 1)


def _entity(kind: str, number: int, access_hash: int) -> dict[str, Any]:
    if kind == "user":
        own = {"id": str(5 * 10**9 + number), "username": f"name_{number}", "first_name": "Ann"}
    elif kind == "chat":
        return {"_": "chat", "id": str(6 * 10**9 + number), "title": "Chess Club"}
    else:
        own = {"id": str(7 * 10**9 + number), "title": f"Ω {number}"}
    return {"_": kind, "access_hash": str(access_hash), **own}


_hashes = st.integers(-(2**63), 2**63 - 1)
_entities = st.builds(
    _entity, st.sampled_from(["user", "chat", "channel"]), st.integers(0, 5), _hashes
)
_keys = st.sampled_from(NAMES).map(lambda name: {"key": name})
_moves = st.tuples(
    st.just("set_dc"),
    st.tuples(st.sampled_from(DC_IDS), st.sampled_from(ADDRESSES), st.integers(1, 65535)).map(list),
)
_calls = st.one_of(
    _moves,
    st.tuples(st.just("set_auth_key"), st.tuples(_keys | st.none()).map(list)),
    st.tuples(
        st.just("set_auth_key"), st.tuples(_keys | st.none(), st.sampled_from(DC_IDS)).map(list)
    ),
    st.tuples(
        st.just("process_entities"), st.lists(_entities, max_size=4).map(lambda several: [several])
    ),
)
_flags = st.tuples(st.just("test_servers"), st.booleans().map(lambda flag: [flag]))
_histories = st.lists(_calls, max_size=12)


def _carry_out(subject: Subject, calls: list[Call]) -> None:
    for member, arguments in calls:
        if member == "test_servers":
            outcome = subject.set("session", member, *arguments)
        else:
            outcome = subject.call("session", member, arguments)
        assert isinstance(outcome, Returned), (member, outcome)


def _value(outcome: Outcome) -> Any:
    # The two have different empty values: undefined, None, 0 or a key without bytes.
    if isinstance(outcome, Raised):
        return "raised"
    assert isinstance(outcome, Returned), outcome
    empty = outcome.value in (None, 0, {"key": "blank"})
    return None if empty and outcome.value is not False else outcome.value


def _held(subject: Subject) -> dict[str, Any]:
    """Return everything that can be read from both sessions."""
    held = {
        member: _value(subject.get("session", member))
        for member in ("dc_id", "server_address", "port", "auth_key", "test_servers")
    }
    for dc_id in DC_IDS:
        held[f"key {dc_id}"] = _value(subject.call("session", "get_auth_key", [dc_id]))
    for marked_id in MARKED:
        found = subject.call("session", "get_input_entity", [{"int": str(marked_id)}])
        held[f"entity {marked_id}"] = _value(found)
    return held


@pytest.fixture(scope="module")
def real_store(published: Path) -> Iterator[Pool]:
    with hosts.pool("node:teleproto/sessions#StoreSession", published) as made:
        yield made


def _in_real(real: Pool, workdir: Path, calls: list[Call]) -> dict[str, Any]:
    return _in_new(hosted.HostSubject(real, workdir), calls)


def _in_reference(workdir: Path, calls: list[Call]) -> dict[str, Any]:
    return _in_new(PythonSubject(StoreSession, workdir, members=hosts.MEMBERS), calls)


def _in_new(made: Subject, calls: list[Call]) -> dict[str, Any]:
    with made as subject:
        for outcome in (
            subject.open("session", ["account"], ""),
            subject.call("session", "load", []),
        ):
            assert isinstance(outcome, Returned), outcome
        _carry_out(subject, calls)
        return _held(subject)


@_thorough
@given(flag=_flags, first=_moves, before=_histories, after=_histories)
def test_a_directory_goes_from_one_to_the_other_and_back(
    real_store: Pool, flag: Call, first: Call, before: list[Call], after: list[Call]
) -> None:
    """Each reads what the other has stored, and adds changes that stay."""
    with tempfile.TemporaryDirectory() as directory:
        workdir = Path(directory)
        written = _in_real(real_store, workdir, [flag, first, *before])
        assert _in_reference(workdir, []) == written
        changed = _in_reference(workdir, after)
        assert _in_real(real_store, workdir, []) == changed
        again = _in_real(real_store, workdir, before)
        assert _in_reference(workdir, []) == again


@_thorough
@given(flag=_flags, first=_moves, before=_histories, after=_histories)
def test_a_directory_that_the_reference_began(
    real_store: Pool, flag: Call, first: Call, before: list[Call], after: list[Call]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        workdir = Path(directory)
        written = _in_reference(workdir, [flag, first, *before])
        assert _in_real(real_store, workdir, []) == written
        changed = _in_real(real_store, workdir, after)
        assert _in_reference(workdir, []) == changed


@pytest.fixture(scope="module")
def real_string(published: Path) -> Iterator[Pool]:
    with hosts.pool("node:teleproto/sessions#StringSession", published) as made:
        made.keep = True
        yield made


_ipv4 = st.ip_addresses(v=4).map(str)
_addresses = st.one_of(
    _ipv4,
    st.sampled_from(ADDRESSES),
    st.ip_addresses(v=6).map(str),
    st.text("abz019.-ä", min_size=1, max_size=110),
)
_ports = st.one_of(st.integers(1, 65535), st.just(443))
_dc_ids = st.integers(1, 255)

Login = tuple[int, str, int, str]


def _saved(subject: Subject, login: Login) -> Any:
    dc_id, address, port, key = login
    subject.open("session", [""], "")
    subject.call("session", "load", [])
    subject.call("session", "set_dc", [dc_id, address, port])
    subject.call("session", "set_auth_key", [{"key": key}])
    return _value(subject.call("session", "save", []))


def _read(subject: Subject, saved: str) -> Any:
    """Return the login in a string, or "raised" if the session refuses it."""
    if isinstance(subject.open("session", [saved], ""), Raised):
        return "raised"
    if isinstance(subject.call("session", "load", []), Raised):
        return "raised"
    members = ("dc_id", "server_address", "port", "auth_key")
    return [_value(subject.get("session", member)) for member in members]


def _as_values(login: Login) -> list[Any]:
    return [*login[:3], {"key": login[3]}]


def _kept_from_saving(login: Login) -> str | None:
    """Return the rule that explains why teleproto's string differs, or None."""
    return "STR-14" if login[2] > 32767 else None


def _kept_from_reading(login: Login) -> str | None:
    """Return the rule that explains why teleproto misreads its own string, or None."""
    length = len(login[1].encode())
    if login[2] > 32767:
        return "STR-14"
    if length <= 3:
        return "TLT-5"  # the string is as long as one of Telethon's, and read as one
    return "STR-3" if length > 100 else None  # it takes the length for an IPv6 address


@_thorough
@given(login=st.tuples(_dc_ids, _addresses, _ports, st.sampled_from(NAMES)))
def test_strings_are_equal_and_hold_the_same_login(
    real_string: Pool, tmp_path_factory: pytest.TempPathFactory, login: Login
) -> None:
    """They differ if a rule explains why, and only then."""
    workdir = tmp_path_factory.getbasetemp()
    reference = PythonSubject(StringSession, workdir, members=hosts.MEMBERS)
    with hosted.HostSubject(real_string, workdir) as real, reference:
        theirs, ours = _saved(real, login), _saved(reference, login)
        assert (theirs == ours) == (_kept_from_saving(login) is None)
        assert _read(reference, ours) == _as_values(login)
        read = _read(real, ours)
        assert (read == _as_values(login)) == (_kept_from_reading(login) is None)


@_thorough
@given(login=st.tuples(_dc_ids, _ipv4, _ports, st.sampled_from(NAMES)))
def test_both_read_telethons_strings(
    real_string: Pool, tmp_path_factory: pytest.TempPathFactory, login: Login
) -> None:
    """Both read the same login, and save the same string."""
    telethon = TelethonString()
    telethon.set_dc(*login[:3])
    telethon.auth_key = TelethonKey(KEYS[login[3]])
    workdir = tmp_path_factory.getbasetemp()
    reference = PythonSubject(StringSession, workdir, members=hosts.MEMBERS)
    with hosted.HostSubject(real_string, workdir) as real, reference:
        assert _read(reference, telethon.save()) == _as_values(login)
        ours = _value(reference.call("session", "save", []))
        alike = login[2] <= 32767  # above that, TLT-2 and STR-14
        assert (_read(real, telethon.save()) == _as_values(login)) == alike
        # A port that teleproto reads as negative is saved as the same two bytes.
        assert _value(real.call("session", "save", [])) == ours
        assert (_read(real, ours) == _as_values(login)) == alike
