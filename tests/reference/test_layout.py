from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from teleproto_sessions import layout, tl
from teleproto_sessions.entities import Entity

ids = st.integers(1, 2**63 - 1) | st.integers(1, 10**7)


@pytest.mark.parametrize(
    ("row_id", "access_hash", "peer"),
    [
        ("5", 0, tl.PeerUser(5)),
        ("-55", 0, tl.PeerChat(55)),
        ("-100", 0, tl.PeerChat(100)),
        ("-1000123", 0, tl.PeerChat(1000123)),
        ("-1001234567", 0, tl.PeerChat(1001234567)),
        ("-1001234", 99, tl.PeerChannel(1234)),
        ("-1001234567890", 99, tl.PeerChannel(1234567890)),
        ("-1001234567890", 0, tl.PeerChannel(1234567890)),
        ("-10012345678901", 0, tl.PeerChannel(12345678901)),
        ("-1000000001234", 0, tl.PeerChannel(1234)),
        ("-01001234", 0, tl.PeerChat(1001234)),
    ],
)
def test_row_ids(row_id: str, access_hash: int, peer: tl.Peer) -> None:
    assert layout.peer_of(row_id, access_hash) == peer


@given(ids, st.sampled_from([tl.PeerUser, tl.PeerChat, tl.PeerChannel]), st.integers(0, 1))
def test_every_peer_has_a_row_id_that_is_read_right(
    bare: int, kind: type[tl.Peer], access_hash: int
) -> None:
    peer = kind(bare)
    access_hash = 0 if isinstance(peer, tl.PeerChat) else access_hash
    good = [r for r in layout.row_ids(peer) if layout.peer_of(r, access_hash) == peer]
    assert good
    assert len(good[-1]) <= 23
    entity = Entity(peer, access_hash)
    assert all(layout.read_row(row_id, layout.row_of(row_id, entity)) == entity for row_id in good)


@pytest.mark.parametrize(
    "row",
    [
        b'["5","6",null,null]',
        b'["6","6",null,null,""]',
        b'["5",6,null,null,""]',
        b'["5","06",null,null,""]',
        b'["5","9223372036854775808",null,null,""]',
        b'["5","6",7,null,""]',
        b'["5","6",null,0,""]',
        b'["5","6",null,null,null]',
        b'["5","6",null,null,"",[5]]',
        b'"56789"',
        b"{}",
        b"undefined",
        b"",
        b'\xef\xbb\xbf["5","6",null,null,""]',
        b'["5","6",null,null,"\xff"]',
    ],
)
def test_damaged_rows(row: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        layout.read_row("5", row)


def test_rows() -> None:
    entity = Entity(tl.PeerUser(5), -6, "name", ("more",), "447", 'Ü "\\\n\x01 😀 \ud800')
    row = layout.row_of("5", entity)
    assert row == '["5","-6","name","447","Ü \\"\\\\\\n\\u0001 😀 \\ud800",["more"]]'.encode()
    assert layout.read_row("5", row) == entity
    with_time = b'["5","-6","name",null,"x","1700000000000"]'
    assert layout.read_row("5", with_time).usernames == ()
