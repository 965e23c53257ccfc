"""StringSession: the current data centre and its key as one string."""

from __future__ import annotations

from teleproto_sessions.codec import Login, decode, encode
from teleproto_sessions.datacentres import test_servers_at
from teleproto_sessions.memory import MemorySession, State


class StringSession(MemorySession):
    """A session to keep in an environment variable or a secret manager.

    `saved` is what `save()` returned, a Telethon string with an IPv4 address, or empty for a new
    login. It is read at once, so later changes land on top of it; `InvalidSessionString` if it
    cannot be. The string does not hold the test-servers flag: a published address tells it, and
    with any other address the first assignment decides.
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
        """The login as a string, or "" while there is none. Treat it like a password."""
        state = self._state
        key = state.keys.get(state.dc_id)
        if not state.server_address or key is None:
            return ""
        return encode(Login(state.dc_id, state.server_address, state.port, key))
