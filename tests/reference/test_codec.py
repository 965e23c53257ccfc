from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from teleproto_sessions import InvalidSessionString
from teleproto_sessions.codec import Login, decode, encode

KEY = bytes((i * 7 + 3) % 256 for i in range(256))
ADDRESS = "149.154.167.51"

logins = st.builds(
    Login,
    st.integers(1, 255),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=120),
    st.integers(1, 65535),
    st.binary(min_size=256, max_size=256),
)


def text(record: bytes) -> str:
    return "1" + base64.b64encode(record).decode()


def native(dc: int, address: bytes, port: int, key: bytes = KEY) -> bytes:
    return struct.pack(f">BH{len(address)}sH", dc, len(address), address, port) + key


def test_layout() -> None:
    saved = encode(Login(2, ADDRESS, 40000, KEY))
    assert saved == text(native(2, ADDRESS.encode(), 40000))
    assert len(saved) == 369


@given(logins)
def test_round_trip(login: Login) -> None:
    assert decode(encode(login)) == login


@given(logins, st.data())
def test_damage_raises(login: Login, data: st.DataObject) -> None:
    assume(len(login.server_address.encode()) > 3)  # shorter ones can be damaged into Telethon's
    saved = encode(login)
    at = data.draw(st.integers(0, len(saved) - 1))
    for damaged in (
        saved[:at],
        saved[:at] + data.draw(st.sampled_from("!*é\0 \n")) + saved[at:],
        text(base64.b64decode(saved[1:]) + b"\0"),
    ):
        with pytest.raises(InvalidSessionString):
            decode(damaged)


def test_both_alphabets_are_read_but_not_a_mixture() -> None:
    login = Login(255, "ß?>", 443, b"\xfb\xef\xbe\xff" * 64)
    saved = encode(login)
    assert "+" in saved
    assert "/" in saved
    assert decode(saved.replace("+", "-").replace("/", "_")) == login
    with pytest.raises(InvalidSessionString):
        decode(saved.replace("+", "-"))


@pytest.mark.parametrize("surplus", ["=", "==", "====", "A", "\n"])
def test_surplus_characters(surplus: str) -> None:
    saved = encode(Login(3, "149.154.175.100", 443, KEY))
    assert not saved.endswith("=")
    with pytest.raises(InvalidSessionString):
        decode(saved + surplus)


def test_telethon_ipv4() -> None:
    saved = text(struct.pack(">B4sH", 4, bytes([149, 154, 167, 91]), 65535) + KEY)
    assert len(saved) == 353
    assert decode(saved) == Login(4, "149.154.167.91", 65535, KEY)


@pytest.mark.parametrize("address", ["::", "a.b.example.org"[:14]])
def test_bytes_decide_if_lengths_are_equal(address: str) -> None:
    assert decode(text(native(2, address.encode(), 443))) == Login(2, address, 443, KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        text(native(0, ADDRESS.encode(), 443)),
        text(native(2, ADDRESS.encode(), 0)),
        text(native(2, b"", 443)),
        text(native(2, b"\xff\xfe\xfd", 443)),
        text(native(2, b"::", 0)),
        text(native(2, ADDRESS.encode(), 443, KEY[:-1])),
        text(struct.pack(">B4sH", 0, b"\1\2\3\4", 443) + KEY),
        "2" + text(native(2, ADDRESS.encode(), 443))[1:],
        "1",
        b"1",
        42,
    ],
)
def test_the_error_does_not_repeat_the_string(wrong: Any) -> None:
    with pytest.raises(InvalidSessionString) as caught:
        decode(wrong)
    assert caught.value.__context__ is None
    assert str(wrong)[1:9] not in str(caught.value) or len(str(wrong)) < 9


def test_telethon_ipv6_is_named() -> None:
    with pytest.raises(InvalidSessionString, match="IPv6"):
        decode(text(struct.pack(">B16sH", 2, bytes(15) + b"\1", 443) + KEY))


def test_repr_has_no_key() -> None:
    assert repr(Login(2, ADDRESS, 443, KEY)) == "<Login data centre 2>"
