"""The synthetic auth keys of the vectors: known by name, never shown as bytes.

Key ``A`` to ``F`` are 256 bytes each: the SHA-256 digests of ``teleproto-conformance auth key A 0``
up to ``... 7``, one after the other. ``short`` is key ``A`` without its last byte, ``long`` is key
``A`` with one more byte. ``odd`` is a valid key with bytes that careless storages lose: it begins
with 00, contains 0d 0a 00, and ends with 00. Its other bytes are those of key ``A``. All bytes of
``zero`` are 00, all of ``full`` are ff; ``blank`` has no bytes.
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
    "full": b"\xff" * SIZE,
    "odd": b"\0" + KEYS["A"][:100] + b"\r\n\0\r" + KEYS["A"][105:-1] + b"\0",
}
_NAMED = {key: name for name, key in KEYS.items()}


def name_of(key: bytes) -> str | None:
    """Return the name of ``key``, or None if it is not in ``KEYS``."""
    return _NAMED.get(key)
