"""The surface: all members that the client uses.

Extend `Session` to store a login anywhere you like. Each docstring begins with teleproto's name.
Members up to `get_auth_key` take effect before they return; the others may be asynchronous.
Source: the Sessions page of teleproto's documentation, "Custom sessions".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from teleproto_sessions.authkey import AuthKey
from teleproto_sessions.tl import Input


class Session(ABC):
    """A login: auth keys by data centre, the current data centre, entities, the test flag."""

    session_profile: ClassVar[str]
    """What the class promises to keep: "memory", "string", "store", "teleproto-store", "custom"."""

    @abstractmethod
    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        """`setDC`: make a data centre the current one; its stored key becomes the current key.

        Ids are 1 to 255, ports 1 to 65535. Raises `InvalidDataCentre`.
        """

    @property
    @abstractmethod
    def dc_id(self) -> int:
        """`dcId`: the current data centre, or 0."""

    @property
    @abstractmethod
    def server_address(self) -> str | None:
        """`serverAddress`: an IP address or a host name, or `None`."""

    @property
    @abstractmethod
    def port(self) -> int:
        """`port`: 1 to 65535, or 0."""

    @property
    @abstractmethod
    def test_servers(self) -> bool:
        """`testServers`: whether the login belongs to the test servers.

        Once the session holds a key, the value is locked. Another value raises `TestServersLocked`.
        """

    @test_servers.setter
    @abstractmethod
    def test_servers(self, value: bool) -> None: ...

    @property
    def auth_key(self) -> AuthKey | None:
        """`authKey`: the current data centre's key, or `None`."""
        return self.get_auth_key()

    @auth_key.setter
    def auth_key(self, auth_key: AuthKey | None) -> None:
        self.set_auth_key(auth_key)

    @abstractmethod
    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        """`setAuthKey`: store a key for a data centre, by default for the current one.

        `None` and a blank `AuthKey` clear that one key. A key set while there is no current data
        centre belongs to the one chosen next. Raises `InvalidAuthKey` and `InvalidDataCentre`.
        """

    @abstractmethod
    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        """`getAuthKey`: the key for a data centre, by default for the current one, or `None`."""

    @abstractmethod
    def process_entities(self, tlo: object) -> None:
        """`processEntities`: remember the users, chats and channels in a result or an update.

        It takes them from lists and from `user`, `chat`, `channel`, `users` and `chats`.
        """

    @abstractmethod
    def get_input_entity(self, key: object) -> Input:
        """`getInputEntity`: the input peer for an id, a username, a phone, a name or a TL object.

        Raises `EntityNotFound`.
        """

    @abstractmethod
    def load(self) -> None:
        """`load`: read the stored login. The client calls it often; it must never undo a change."""

    @abstractmethod
    def save(self) -> str | None:
        """`save`: store everything. A StringSession returns its string."""

    @abstractmethod
    def close(self) -> None:
        """`close`: release resources. The stored login stays."""

    @abstractmethod
    def delete(self) -> None:
        """`delete`: remove the login from memory and storage. A new login may follow."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} data centre {self.dc_id}>"
