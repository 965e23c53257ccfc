"""A key is found in every encoding that a reader could decode, and in no other text."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from teleproto_conformance.checks.effort import choose
from teleproto_conformance.contract.keys import KEYS, NAMES
from teleproto_conformance.contract.secrets import leaked_key, leaks, masked

ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "hex in capitals": lambda key: key.hex().upper(),
    "hex with colons": lambda key: key.hex(":"),
    "hex with blanks": lambda key: key.hex(" ", 4),
    "hex a byte a literal": lambda key: ", ".join(f"0x{byte:02x}" for byte in key),
    "hex escaped": lambda key: "".join(f"\\x{byte:02x}" for byte in key),
    "hex, last byte first": lambda key: key[::-1].hex(),
    "numbers": lambda key: str(list(key)),
    "numbers in lines": lambda key: json.dumps(list(key), indent=2),
    "signed numbers": lambda key: str([byte - (byte & 128) * 2 for byte in key]),
    "one number": lambda key: str(int.from_bytes(key, "big")),
    "repr": repr,
    "latin-1": lambda key: key.decode("latin-1"),
    "json": lambda key: json.dumps(key.decode("latin-1")),
    "percent": lambda key: quote(key),
    "base64": lambda key: base64.b64encode(key).decode(),
    "base64 in lines": lambda key: base64.encodebytes(b"x" + key).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(b"xy" + key).decode(),
    "base32": lambda key: base64.b32encode(key).decode(),
    "base85": lambda key: base64.b85encode(key).decode(),
    "ascii85": lambda key: base64.a85encode(b"x" + key).decode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_found(encoding: str, name: str) -> None:
    text = f"session saved: {ENCODINGS[encoding](KEYS[name])}!"
    found = leaked_key(text)
    assert found is not None
    assert found.startswith(f"key {name} ")
    assert KEYS[name].hex()[:8] not in masked(text)


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if name != "one number"])
def test_a_tenth_of_a_key_is_found(encoding: str) -> None:
    assert leaked_key(ENCODINGS[encoding](KEYS["C"][100:126])) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a session of 256 bytes, data centre 2 at 149.154.167.51:443",
        bytes(range(256)).hex(),
        repr(bytes(256)),
        base64.b64encode(b"some text that is no key at all " * 8).decode(),
        "key A fingerprint " + KEYS["A"].hex()[:8],
    ],
)
def test_other_text_is_shown(text: str) -> None:
    assert leaked_key(text) is None
    assert masked(text) == text


def test_a_piece_of_a_saved_string_is_found() -> None:
    saved = "1" + base64.b64encode(b"no key of ours, and a long string anyway").decode()
    assert [*leaks(f"read {saved[10:50]}", [saved])] == ["a saved string"]
    assert [*leaks("read 1bm8ga2V5", [saved])] == []


@pytest.mark.parametrize(
    ("points", "count", "chosen"),
    [
        (None, 5, [0, 1, 2, 3, 4]),
        (3, 2, [0, 1]),
        (3, 3, [0, 1, 2]),
        (3, 9, [0, 4, 8]),
        (3, 0, []),
    ],
)
def test_the_first_the_last_and_some_between_are_chosen(
    points: int | None, count: int, chosen: list[int]
) -> None:
    assert [*choose(range(count), points)] == chosen
