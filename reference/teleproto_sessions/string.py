"""StringSession: the current data centre and its key as one string."""

from __future__ import annotations

from teleproto_sessions.codec import Login, decode, encode
from teleproto_sessions.datacentres import test_servers_at
from teleproto_sessions.memory import MemorySession, State


class StringSession(MemorySession):
    """A session to keep in an environment variable or a secret manager.

    `saved` is a string from `save()`, a Telethon string with an IPv4 address, or empty for a new
    login. The constructor reads it, so later changes are made on top of it. It raises
    `InvalidSessionString` for an invalid string. The string does not hold the test-servers flag. A
    published address decides it; for any other address, the first assignment decides.
    """

    session_profile = "string"

    def __init__(self, saved: str | None = "") -> None:
        super().__init__()
        if saved:
            login = decode(saved)
            flag = test_servers_at(login.server_address)
            self._state = State(
                login.dc_id,
                login.server_address,
                login.port,
                {login.dc_id: login.key},
                test_servers=flag,
                undecided=flag is None,
            )

    def save(self) -> str:
        """Return the login as a string, or "" if there is none. Treat it like a password."""
        state = self._state
        key = state.keys.get(state.dc_id)
        if not state.server_address or key is None:
            return ""
        return encode(Login(state.dc_id, state.server_address, state.port, key))
