"""The few TL types in arguments and results of a session, with their TL field names.

Only the flag `self` has another name, `is_self`, as methods use `self`. Ids are positive 64-bit
integers, access hashes signed 64-bit ones.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Username:
    """One of several usernames. An inactive one has an owner, but is hidden."""

    username: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class User:
    id: int
    access_hash: int | None = None
    username: str | None = None
    usernames: tuple[Username, ...] = ()
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    min: bool = False
    is_self: bool = False


@dataclass(frozen=True, slots=True)
class UserEmpty:
    id: int


@dataclass(frozen=True, slots=True)
class Chat:
    """A basic group; it needs no access hash."""

    id: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class ChatForbidden:
    id: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class ChatEmpty:
    id: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel or a supergroup."""

    id: int
    access_hash: int | None = None
    title: str = ""
    username: str | None = None
    usernames: tuple[Username, ...] = ()
    min: bool = False


@dataclass(frozen=True, slots=True)
class ChannelForbidden:
    id: int
    access_hash: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class PeerUser:
    user_id: int


@dataclass(frozen=True, slots=True)
class PeerChat:
    chat_id: int


@dataclass(frozen=True, slots=True)
class PeerChannel:
    channel_id: int


@dataclass(frozen=True, slots=True)
class InputPeerEmpty:
    pass


@dataclass(frozen=True, slots=True)
class InputPeerSelf:
    pass


@dataclass(frozen=True, slots=True)
class InputPeerUser:
    user_id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class InputPeerChat:
    chat_id: int


@dataclass(frozen=True, slots=True)
class InputPeerChannel:
    channel_id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class InputUserSelf:
    pass


@dataclass(frozen=True, slots=True)
class InputUser:
    user_id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class InputChannel:
    channel_id: int
    access_hash: int


Peer = PeerUser | PeerChat | PeerChannel
InputPeer = InputPeerEmpty | InputPeerSelf | InputPeerUser | InputPeerChat | InputPeerChannel
Input = InputPeer | InputUserSelf | InputUser | InputChannel

CHANNEL_MARK = 10**12


def marked_id(peer: Peer) -> int:
    """Return the marked id, a number that is different for every peer of any kind.

    It is id for a user, -id for a chat, and -(10¹² + id) for a channel. For the ten-digit ids of
    real channels, this is teleproto's `-100…` id. Source: Bot API dialog ids.
    """
    if isinstance(peer, PeerUser):
        return peer.user_id
    return -peer.chat_id if isinstance(peer, PeerChat) else -CHANNEL_MARK - peer.channel_id


def peer_of(marked: int) -> Peer:
    """Return the peer of a marked id. Chats have ids up to 10¹²."""
    if marked > 0:
        return PeerUser(marked)
    return PeerChat(-marked) if marked >= -CHANNEL_MARK else PeerChannel(-marked - CHANNEL_MARK)


def bare_id(peer: Peer) -> int:
    """Return the bare id. Peers of different kinds may have the same one."""
    match peer:
        case PeerUser(bare) | PeerChat(bare) | PeerChannel(bare):
            return bare
