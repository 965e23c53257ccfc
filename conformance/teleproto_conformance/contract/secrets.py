"""Finding auth keys in text, in every encoding that a reader could decode."""

from __future__ import annotations

import re
from base64 import a85encode, b32encode, b64encode, b85encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import cache

from .keys import KEYS, NAMES

_KEY_PIECE = 12
"""A leak has at least this many successive bytes of a key. Fewer may be there by chance, and do not
help a thief."""

_INPUT_PIECE = 24
"""A leak has at least this many successive characters of a saved string."""


def _aligned(piece: bytes, unit: int) -> Iterator[bytes]:
    """Yield the parts of ``piece`` that are whole groups for an encoding of ``unit`` bytes."""
    for start in range(unit):
        yield piece[start : start + (len(piece) - start) // unit * unit]


def _encodings(piece: bytes) -> Iterator[tuple[str, str]]:
    """Yield the encodings of ``piece``, in the form of the texts from :func:`_readings`."""
    yield "hexadecimal", piece.hex()
    yield "hexadecimal", piece[::-1].hex()
    yield "numbers", ",".join(map(str, piece))
    yield "numbers", ",".join(str(byte - (byte & 128) * 2) for byte in piece)
    yield "bytes", repr(piece)[2:-1]
    yield "bytes", piece.decode("latin-1")
    for part in _aligned(piece, 3):
        yield "base64", b64encode(part).decode()
        yield "base64", urlsafe_b64encode(part).decode()
    for part in _aligned(piece, 4):
        yield "base85", b85encode(part).decode()
        yield "base85", a85encode(part).decode()
    for part in _aligned(piece, 5):
        yield "base32", b32encode(part).decode()


@cache
def _needles() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the texts to look for, by key and by encoding.

    Pieces overlap by half, so every leak of one and a half pieces contains a whole one.
    """
    needles: dict[str, dict[str, tuple[str, ...]]] = {}
    for name in NAMES:
        key = KEYS[name]
        found: dict[str, dict[str, None]] = {}
        for at in range(0, len(key) - _KEY_PIECE + 1, _KEY_PIECE // 2):
            for encoding, text in _encodings(key[at : at + _KEY_PIECE]):
                found.setdefault(encoding, {})[text] = None
        for order in ("big", "little"):
            number = str(int.from_bytes(key, order))
            found.setdefault("a number", {})[number[:_DIGITS]] = None
        needles[name] = {encoding: tuple(texts) for encoding, texts in found.items()}
    return needles


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """Yield ``text`` for each encoding, without the separators that this encoding may have."""
    yield "hexadecimal", re.sub("0x|[^0-9a-f]", "", text.lower())
    yield "numbers", ",".join(re.findall(r"-?[0-9]+", text))
    yield "a number", text
    yield "bytes", text
    yield "bytes", _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    unbroken = re.sub(r"\s|\\n", "", text)
    for encoding in ("base64", "base85", "base32"):
        yield encoding, unbroken


_ESCAPED = re.compile(r"(?:\\+(?:x|u00)|%)([0-9a-fA-F]{2})")
_DIGITS = 40
"""A leak has this many first digits of a whole key, written as one decimal number."""


def leaked_key(text: str) -> str | None:
    """Return which key ``text`` contains and its encoding, or None."""
    if len(text) < _KEY_PIECE:
        return None
    for encoding, reading in _readings(text):
        for name, needles in _needles().items():
            if any(needle in reading for needle in needles[encoding]):
                return f"key {name} ({encoding})"
    return None


def leaks(text: str, strings: Iterable[str]) -> Iterator[str]:
    """Yield what ``text`` leaks: a key of ``KEYS``, or a piece of one of ``strings``."""
    if leak := leaked_key(text):
        yield leak
    if any(leaked_input(text, given) for given in strings):
        yield "a saved string"


def leaked_input(text: str, given: str) -> bool:
    """Return whether ``text`` repeats a piece of ``given`` that is long enough to be a leak."""
    starts = range(0, len(given) - _INPUT_PIECE + 1, _INPUT_PIECE // 2)
    return any(given[at : at + _INPUT_PIECE] in text for at in starts)


def masked(text: str) -> str:
    """Return ``text``, or a note in its place if it contains a key."""
    leak = leaked_key(text)
    return text if leak is None else f"(a text that holds {leak}; it is not shown)"
