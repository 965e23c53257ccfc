"""Directories: the model reads teleproto's files, and writes the same files as teleproto."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from teleproto_sessions import EntityNotFound, StoreSession

from .cases import (
    DATA,
    REFUSED,
    attempt,
    files_in,
    key_hex,
    replay,
    state_of,
    store_sessions,
    tl_object,
)
from .differences import explained

SESSIONS = dict(store_sessions())


@pytest.mark.parametrize("directory", SESSIONS)
def test_reads(directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = SESSIONS[directory]
    monkeypatch.chdir(tmp_path)
    if (DATA / "store" / directory).is_dir():  # a directory without files may be missing
        shutil.copytree(DATA / "store" / directory, tmp_path / directory)
    before = files_in(tmp_path / directory, case["key_prefix"])
    theirs = case["state_read_back_by_fresh_process"]

    session = StoreSession(case["session_name"])
    mine: object = attempt(session.load)
    if mine != REFUSED:
        others = {str(dc): key_hex(session.get_auth_key(dc)) for dc in range(1, 256)}
        others[str(session.dc_id)] = None
        mine = {
            **state_of(session),
            "test_servers": session.test_servers,
            "dc_auth_keys_hex": {dc: key for dc, key in others.items() if key},
        }
    assert (mine != theirs) == explained(f"store-read/{directory}")
    assert files_in(tmp_path / directory, case["key_prefix"]) == before


@pytest.mark.parametrize("directory", ["12-entities", "14-odd name ü:*'()!~%.日"])
def test_reads_every_row(directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(DATA / "store" / directory, tmp_path / directory)
    session = StoreSession(directory)
    session.load()
    for what, *arguments in SESSIONS[directory]["operations"]:
        for given in arguments[0] if what == "processEntities" else ():
            entity = tl_object(given)
            sign = {"user": "", "chat": "-"}.get(given["_"].removesuffix("Forbidden"))
            marked = f"-{10**12 + entity.id}" if sign is None else f"{sign}{entity.id}"
            if getattr(entity, "min", False):
                with pytest.raises(EntityNotFound):
                    session.get_input_entity(marked)
            else:
                found = asdict(session.get_input_entity(marked))
                expected = {"access_hash": entity.access_hash} if "access_hash" in found else {}
                assert list(found.values()) == [entity.id, *expected.values()]


@pytest.mark.parametrize("directory", SESSIONS)
def test_writes(directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = SESSIONS[directory]
    monkeypatch.chdir(tmp_path)
    session = StoreSession(case["session_name"])
    for operation in case["operations"]:
        attempt(lambda operation=operation: replay(session, operation))  # type: ignore[misc]
    mine = files_in(tmp_path / case["session_name"], f"{case['session_name']}:")
    theirs = files_in(DATA / "store" / directory, case["key_prefix"])
    for name in mine.keys() | theirs.keys():
        differs = mine.get(name) != theirs.get(name)
        assert differs == explained(f"store-write/{directory}/{name}"), name
