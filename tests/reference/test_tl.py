from __future__ import annotations

import pytest
from teleproto_sessions import tl


@pytest.mark.parametrize(
    ("peer", "marked"),
    [
        (tl.PeerUser(5), 5),
        (tl.PeerChat(1001234), -1001234),
        (tl.PeerChannel(1234), -1000000001234),
        (tl.PeerChannel(1234567890), -1001234567890),
    ],
)
def test_marked_ids(peer: tl.Peer, marked: int) -> None:
    assert tl.marked_id(peer) == marked
    assert tl.peer_of(marked) == peer
    assert abs(marked) % 10**12 == tl.bare_id(peer)
