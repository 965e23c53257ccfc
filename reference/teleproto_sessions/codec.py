"""Reads strings in the layouts of teleproto and Telethon, and writes teleproto's layout.

Each layout is `1` and then the base64 of a record. All numbers are unsigned and big-endian.

    teleproto   dc: u1 | length: u2 | address: UTF-8, `length` bytes | port: u2 | key: 256 bytes
    Telethon    dc: u1 | IPv4 address: 4 bytes                       | port: u2 | key: 256 bytes

teleproto writes the standard base64 alphabet, Telethon the URL-safe one. This module reads both,
but refuses a mixture and missing padding. A string does not name its layout, and lengths overlap.
A teleproto string with a 2-byte address is as long as a Telethon string. With a 14-byte address,
it is as long as a Telethon string with an IPv6 address. So the bytes decide: a record that is
consistent in teleproto's layout is teleproto's. Source: teleproto 1.229.0 and Telethon 1.45.0,
observed.
"""

from __future__ import annotations

import binascii
import struct
from ipaddress import IPv4Address
from typing import NamedTuple

from teleproto_sessions.authkey import KEY_BYTES
from teleproto_sessions.errors import InvalidSessionString

VERSION = "1"
_TELETHON_IPV4 = struct.Struct(f">B4sH{KEY_BYTES}s")
_TELETHON_IPV6 = struct.Struct(f">B16sH{KEY_BYTES}s")
_TO_STANDARD = str.maketrans("-_", "+/")
_FIXED = struct.calcsize(f">BHH{KEY_BYTES}s")  # a teleproto record without its address


class Login(NamedTuple):
    """The content of a string: one data centre and its key."""

    dc_id: int
    server_address: str
    port: int
    key: bytes

    def __repr__(self) -> str:
        return f"<Login data centre {self.dc_id}>"


def encode(login: Login) -> str:
    """Return the string of a valid login in teleproto's layout."""
    address = login.server_address.encode()
    head = struct.pack(f">BH{len(address)}sH", login.dc_id, len(address), address, login.port)
    return VERSION + binascii.b2a_base64(head + login.key, newline=False).decode()


def decode(saved: str) -> Login:
    """Return the login in a string of either layout. Raises `InvalidSessionString`."""
    if not isinstance(saved, str) or not saved.startswith(VERSION):
        raise InvalidSessionString("a session string is text that starts with its version, 1")
    record = _decode_base64(saved[len(VERSION) :])
    if record is None:
        raise InvalidSessionString("the session string is not base64; copy all of it again")
    login = _decode_teleproto(record)
    if login is None and len(record) == _TELETHON_IPV4.size:
        dc_id, packed, port, key = _TELETHON_IPV4.unpack(record)
        login = Login(dc_id, str(IPv4Address(packed)), port, key)
    elif login is None and len(record) == _TELETHON_IPV6.size:
        raise InvalidSessionString(
            "this is a Telethon string with an IPv6 address, or a damaged string; neither can be "
            "read. Save it in Telethon with an IPv4 address, or copy all of it again"
        )
    if login is None or not (login.dc_id and login.port):
        raise InvalidSessionString(
            "the session string is damaged: its length, address, data centre or port is wrong; "
            "copy all of it again"
        )
    return login


def _decode_base64(text: str) -> bytes | None:
    """Return the bytes of a base64 text, or `None` if it is not exactly what an encoder writes."""
    standard = text.translate(_TO_STANDARD) if not set(text) & set("+/") else text
    try:
        record = binascii.a2b_base64(standard)
    except ValueError:
        return None
    return record if binascii.b2a_base64(record, newline=False).decode() == standard else None


def _decode_teleproto(record: bytes) -> Login | None:
    length = len(record) - _FIXED
    if length < 1:
        return None
    dc_id, declared, raw, port, key = struct.unpack(f">BH{length}sH{KEY_BYTES}s", record)
    try:
        address = raw.decode()
    except UnicodeDecodeError:
        return None
    return Login(dc_id, address, port, key) if declared == length and dc_id and port else None
