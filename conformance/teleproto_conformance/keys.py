"""The synthetic auth keys of the vectors: known by name, never shown as bytes.

Key ``A`` to ``F`` are 256 bytes each: the SHA-256 digests of ``teleproto-conformance auth key A 0``
up to ``... 7``, one after the other. ``short`` and ``long`` are what a careless caller hands over:
key ``A`` less its last byte, and with one byte more.
"""

from __future__ import annotations

from hashlib import sha256

SIZE = 256
NAMES = ("A", "B", "C", "D", "E", "F")


def _derive(name: str) -> bytes:
    return b"".join(
        sha256(f"teleproto-conformance auth key {name} {block}".encode()).digest()
        for block in range(SIZE // 32)
    )


KEYS: dict[str, bytes] = {name: _derive(name) for name in NAMES}
KEYS |= {
    "blank": b"",
    "short": KEYS["A"][:-1],
    "long": KEYS["A"] + b"\0",
    "zero": bytes(SIZE),
}
_NAMED = {key: name for name, key in KEYS.items()}


def name_of(key: bytes) -> str | None:
    """Return the name of ``key``, or None for bytes that are none of ours."""
    return _NAMED.get(key)
