"""The auth key: the secret that a data centre and a client share."""

from __future__ import annotations

from teleproto_sessions.errors import InvalidAuthKey

KEY_BYTES = 256  # 2048 bits; https://core.telegram.org/mtproto/auth_key


class AuthKey:
    """A holder of one auth key; a blank holder has none yet.

    The client makes a blank holder for every new data centre and fills it once it has negotiated
    the key. It empties the holder when the server no longer knows the key. So a session copies the
    bytes and never keeps the holder. Two holders are equal if their keys are. A holder is mutable
    and so has no hash.
    """

    __slots__ = ("_key",)
    __hash__ = None  # type: ignore[assignment]  # mutable, as the docstring says

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key

    @property
    def key(self) -> bytes | None:
        """The 256 bytes, or `None`. Setting anything else raises `InvalidAuthKey`."""
        return self._key

    @key.setter
    def key(self, key: bytes | None) -> None:
        if key is not None:
            if not isinstance(key, (bytes, bytearray, memoryview)):
                raise InvalidAuthKey("an auth key must be bytes, an AuthKey or None")
            key = bytes(key)
            if len(key) != KEY_BYTES:
                raise InvalidAuthKey(f"an auth key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key

    def __bool__(self) -> bool:
        return self._key is not None

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, AuthKey) else NotImplemented

    def __repr__(self) -> str:
        return f"<AuthKey {KEY_BYTES} bytes>" if self else "<AuthKey blank>"
