"""The reference sessions: strings compared with Telethon's, a large cache with a small one."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from functools import partial

from teleproto_sessions import AuthKey, MemorySession, StoreSession, StringSession, tl
from telethon.crypto import AuthKey as TelethonKey
from telethon.sessions import StringSession as TelethonString

from .measure import compare

KEY = bytes(range(256))
TIMES = 2000


def strings() -> None:
    """Decode and encode strings, equally often on both sides."""
    theirs = TelethonString()
    theirs.set_dc(2, "149.154.167.51", 443)
    theirs.auth_key = TelethonKey(KEY)
    telethon = theirs.save()
    ours = StringSession()
    ours.set_dc(2, "149.154.167.51", 443)
    ours.set_auth_key(AuthKey(KEY))
    saved = ours.save()

    compare(
        "StringSession decode, compared with Telethon's",
        lambda: [StringSession(saved) for _ in range(TIMES)],
        lambda: [TelethonString(telethon) for _ in range(TIMES)],
        rounds=15,
        limit=1,
    )
    compare(
        "StringSession encode, compared with Telethon's",
        lambda: [ours.save() for _ in range(TIMES)],
        lambda: [theirs.save() for _ in range(TIMES)],
        rounds=15,
        limit=1,
    )


def _users(count: int) -> list[tl.User]:
    return [
        tl.User(
            id=number, access_hash=number, username=f"user_{number}", phone=str(10**10 + number)
        )
        for number in range(1, count + 1)
    ]


def lookups() -> None:
    """Look up entities among a million, and among a thousand."""
    large, small = MemorySession(), MemorySession()
    large.process_entities(_users(1_000_000))
    small.process_entities(_users(1_000))
    keysets: tuple[tuple[str, list[object]], ...] = (
        ("username", [f"@user_{number}" for number in range(1, 1001)]),
        ("id", list(range(1, 1001))),
        ("phone", [f"+{10**10 + number}" for number in range(1, 1001)]),
    )
    for title, keys in keysets:
        compare(
            f"MemorySession {title} lookup, 1,000,000 and 1,000 entities",
            partial(_find, large, keys),
            partial(_find, small, keys),
            rounds=25,
            limit=2,
        )


def _find(session: MemorySession, keys: list[object]) -> None:
    for key in keys:
        session.get_input_entity(key)


def writes() -> None:
    """Make one change of a StoreSession that holds 100,000 entities, and of one that holds 100."""
    with tempfile.TemporaryDirectory() as directory, contextlib.chdir(directory):
        large, small = StoreSession("large"), StoreSession("small")
        for session, count in ((large, 100_000), (small, 100)):
            session.set_dc(2, "149.154.167.51", 443)
            session.process_entities(_users(count))
        for change in (_replace_key, _switch, _see):
            compare(
                f"StoreSession {change.__doc__}, 100,000 and 100 entities",
                partial(change, large),
                partial(change, small),
                rounds=25,
                limit=2,
            )


def _replace_key(session: StoreSession) -> None:
    """key replaced"""
    session.set_auth_key(AuthKey(os.urandom(256)))


def _switch(session: StoreSession) -> None:
    """DC switched"""
    session.set_dc(6 - session.dc_id, "149.154.167.51", 443)


def _see(session: StoreSession) -> None:
    """entity seen"""
    session.process_entities([tl.User(id=1, access_hash=random.getrandbits(60))])
