"""Faulty sessions: the surface."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from teleproto_sessions import AuthKey, MemorySession

from known_bad.blob import BlobSession
from known_bad.registry import breaks


class Adapter:
    """Passes every member on to a correct session, except those in `missing`."""

    session_profile = "memory"
    missing: tuple[str, ...] = ()

    def __init__(self) -> None:
        vars(self)["_inner"] = MemorySession()

    def __getattr__(self, name: str) -> Any:
        if name in self.missing:
            raise AttributeError(name)
        return getattr(vars(self)["_inner"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(vars(self)["_inner"], name, value)


@breaks("SURFACE-1")
class NoTestServers(Adapter):
    """Was written for gramjs, which has no test-servers flag."""

    missing = ("test_servers",)


@breaks("SURFACE-1")
class NoKeysByDataCentre(Adapter):
    """Has only the auth_key property, like Telethon's sessions."""

    missing = ("get_auth_key", "set_auth_key")


@breaks("SURFACE-1")
class NoDelete(Adapter):
    """Has no delete(), like teleredis, so that a log-out leaves the key."""

    missing = ("delete",)


@breaks("SURFACE-1")
class NoClose(MemorySession):
    """Sets an unused member to None."""

    close = None  # type: ignore[assignment]  # the mistake


@breaks("SURFACE-1")
class ConstructorWithOptions(MemorySession):
    """Requires a constructor argument that its profile does not have."""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__()
        self._options = options


@breaks("SURFACE-2")
class StateMadeByLoad(BlobSession):
    """Makes its table of keys in load(), but reads it before that."""

    _table: Mapping[int, bytes]

    def load(self) -> None:
        super().load()
        self._table = self._state.keys

    def get_auth_key(self, dc_id: int | None = None) -> AuthKey | None:
        if dc_id is not None and dc_id not in self._table:
            return super().get_auth_key(dc_id)
        return super().get_auth_key(dc_id)


@breaks("SURFACE-2", also={"FRESH-1", "TEST-1"})
class RaisesBeforeLoad(BlobSession):
    """Raises if a property is read before load()."""

    @property
    def test_servers(self) -> bool:
        if not self._loaded:
            raise RuntimeError("call load() first")
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        MemorySession.test_servers.__set__(self, value)  # type: ignore[attr-defined]  # a property


@breaks("SURFACE-3", also={"FRESH-3", "DC-1", "DC-6", "DC-7", "DC-8", "KEY-10", "TEST-1", "LIFE-6"})
class AwaitableSetDc(MemorySession):
    """Makes set_dc a coroutine, because its database driver is asynchronous."""

    def set_dc(  # type: ignore[override]  # the mistake
        self, dc_id: int, server_address: str, port: int
    ) -> Coroutine[Any, Any, None]:
        async def apply() -> None:
            MemorySession.set_dc(self, dc_id, server_address, port)

        return apply()


@breaks("SURFACE-3", also={"KEY-3", "KEY-4", "KEY-7", "LIFE-2", "LIFE-8"})
class ClearsKeysLater(MemorySession):
    """Clears the key of another data centre only after a minute."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        if auth_key is None and dc_id not in (None, self.dc_id):
            loop = asyncio.get_running_loop()
            loop.call_later(60, super().set_auth_key, auth_key, dc_id)
        else:
            super().set_auth_key(auth_key, dc_id)


@breaks("SURFACE-2")
class ReadsNothingBeforeLoad(BlobSession):
    """Raises if a stored login is read before load()."""

    @property
    def server_address(self) -> str | None:
        if not self._loaded and self._path.exists():
            raise RuntimeError("call load() first")
        return super().server_address
