"""Finding auth keys in text, in every encoding that a reader could turn back."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import cache

from .keys import KEYS, NAMES

_KEY_PIECE = 12
"""So many bytes of a key in a row are no accident; fewer are of no use to a thief."""

_INPUT_PIECE = 24
"""So many characters of what was given are no accident either."""


def _encodings(piece: bytes) -> Iterator[tuple[str, str]]:
    yield "hexadecimal", piece.hex()
    yield "numbers", ", ".join(map(str, piece))
    yield "numbers", ",".join(map(str, piece))
    yield "bytes", repr(piece)[2:-1]
    yield "bytes", piece.decode("latin-1")
    for start in range(3):
        aligned = piece[start : start + (len(piece) - start) // 3 * 3]
        yield "base64", b64encode(aligned).decode()
        yield "base64", urlsafe_b64encode(aligned).decode()


@cache
def _needles() -> tuple[tuple[str, str, str], ...]:
    # Pieces overlap by half, so that no leak of one and a half pieces slips between two.
    return tuple(
        (name, encoding, text)
        for name in NAMES
        for at in range(0, len(KEYS[name]) - _KEY_PIECE + 1, _KEY_PIECE // 2)
        for encoding, text in _encodings(KEYS[name][at : at + _KEY_PIECE])
    )


def leaked_key(text: str) -> str | None:
    """Say which key stands in ``text`` and how it is encoded, or None."""
    folded = text.lower()
    for name, encoding, needle in _needles():
        if (needle in folded) if encoding == "hexadecimal" else (needle in text):
            return f"key {name} ({encoding})"
    return None


def leaked_input(text: str, given: str) -> bool:
    """Say whether ``text`` repeats a piece of ``given`` that is long enough to hold a secret."""
    starts = range(0, len(given) - _INPUT_PIECE + 1, _INPUT_PIECE // 2)
    return any(given[at : at + _INPUT_PIECE] in text for at in starts)


def masked(text: str) -> str:
    """Return ``text`` fit to be shown: without it, where it holds a key."""
    leak = leaked_key(text)
    return text if leak is None else f"(a text that holds {leak}; it is not shown)"
