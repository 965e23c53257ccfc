"""Faulty sessions: the test-servers flag."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from teleproto_sessions import (
    AuthKey,
    MemorySession,
    StoreSession,
    StringSession,
    TestServersLocked,
)
from teleproto_sessions.datacentres import PRODUCTION_IPV4, TEST_IPV4, test_servers_at
from teleproto_sessions.memory import State

from known_bad.blob import BlobSession, ThroughSession
from known_bad.registry import breaks


class Flagged(MemorySession):
    """A correct session with the lock in one method, for others to break."""

    def _locked(self) -> bool:
        return bool(self._state.keys)

    @property
    def test_servers(self) -> bool:
        return bool(self._state.test_servers)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._assign(value)

    def _assign(self, value: bool) -> None:
        if self._locked() and value != self.test_servers:
            raise TestServersLocked("the keys belong to one kind of servers")
        self._change(replace(self._state, test_servers=value))


@breaks("TEST-1")
class TestsAreAtThree(Flagged):
    """Treats data centre 1 as a test server."""

    __test__ = False

    @property
    def test_servers(self) -> bool:
        if self._state.test_servers is None:
            return self.dc_id == 1
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._assign(value)


@breaks("TEST-12")
class AnyOtherAddressIsATest(Flagged):
    """Derives the flag from the address, and knows only production's IPv4 addresses."""

    @property
    def test_servers(self) -> bool:
        if self._state.test_servers is None and self.server_address:
            return self.server_address not in PRODUCTION_IPV4.values()
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._assign(value)


@breaks("TEST-2", also={"SURFACE-3", "TEST-8", "TEST-11", "MEM-2", "LIFE-4"})
class LockedByAssignment(Flagged):
    """Locks the flag as soon as it has been set to true."""

    def _locked(self) -> bool:
        return super()._locked() or bool(self._state.test_servers)


@breaks("TEST-2", also={"TEST-11", "CLIENT-1"})
class LockedByTheDataCentre(Flagged):
    """Locks the flag as soon as a data centre is chosen."""

    def _locked(self) -> bool:
        return super()._locked() or bool(self.dc_id)


@breaks("TEST-2", also={"LIFE-4"})
class LockedBySaving(Flagged):
    """Locks the flag when it is saved."""

    _saved = False

    def save(self) -> str | None:
        self._saved = self._state.test_servers is not None
        return super().save()

    def _locked(self) -> bool:
        return super()._locked() or self._saved

    def delete(self) -> None:
        super().delete()
        self._saved = False


@breaks("TEST-3", also={"TEST-4", "TEST-6", "TEST-8"})
class NoLock(Flagged):
    """Has no lock, like teleproto."""

    def _locked(self) -> bool:
        return False


@breaks("TEST-3", also={"TEST-4", "TEST-6", "TEST-8"})
class LockKnowsTheCurrentKeyOnly(Flagged):
    """Checks only the current data centre's key."""

    def _locked(self) -> bool:
        return self.dc_id in self._state.keys


@breaks("TEST-3", also={"TEST-4", "TEST-5", "TEST-6", "TEST-8"})
class SetsThenRaises(Flagged):
    """Changes a locked flag, and then raises."""

    def _assign(self, value: bool) -> None:
        changed = self._locked() and value != self.test_servers
        self._change(replace(self._state, test_servers=value))
        if changed:
            raise TestServersLocked("the keys belong to one kind of servers")


@breaks("TEST-3", also={"TEST-4"})
class OnlyTrueIsLocked(Flagged):
    """Locks only a flag that was set explicitly."""

    def _locked(self) -> bool:
        return super()._locked() and self._state.test_servers is not None


@breaks("TEST-4")
class IgnoresInSilence(Flagged):
    """Ignores a change of the locked flag without an error."""

    def _assign(self, value: bool) -> None:
        if not self._locked():
            super()._assign(value)


@breaks("TEST-4")
class WarnsForOtherKeys(Flagged):
    """Raises only if the current data centre has a key, and otherwise ignores the change."""

    def _assign(self, value: bool) -> None:
        if not self._locked() or self.dc_id in self._state.keys:
            super()._assign(value)


@breaks("TEST-5")
class RaisesForTheSameValue(Flagged):
    """Raises at every assignment after login, even of the same value."""

    def _assign(self, value: bool) -> None:
        if self._locked():
            raise TestServersLocked("the keys belong to one kind of servers")
        super()._assign(value)


@breaks("TEST-6", also={"TEST-4"})
class SwitchUnlocks(Flagged):
    """Locks the flag when it gets a key, and unlocks it at the next switch."""

    _unlocked = False

    def _locked(self) -> bool:
        return super()._locked() and not self._unlocked

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        self._unlocked = bool(self.dc_id) and dc_id != self.dc_id
        super().set_dc(dc_id, server_address, port)

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._unlocked = False


@breaks("TEST-6", also={"TEST-4"})
class SwitchFollowsTheTable(Flagged):
    """Sets the flag from the address at every switch."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if self._state.keys:
            flag = test_servers_at(server_address) or False
            self._change(replace(self._state, test_servers=flag))


@breaks(
    "TEST-7",
    also={
        "TEST-3",
        "TEST-4",
        "LIFE-1",
        "LIFE-3",
        "LIFE-5",
        "LIFE-8",
        "LIFE-9",
        "CLIENT-3",
        "CLIENT-5",
        "CLIENT-6",
    },
)
class FlagIsNotStored(BlobSession):
    """Stores everything but the flag."""

    def _document(self) -> dict[str, Any]:
        return {**super()._document(), "test_servers": None}


@breaks("TEST-7", also={"TEST-3", "TEST-4"})
class LockIsNotStored(BlobSession):
    """Locks by a mark that it sets at login and does not store."""

    _logged_in = False

    def _change(self, state: State) -> None:
        self._logged_in = bool(state.keys)
        super()._change(state)

    @property
    def test_servers(self) -> bool:
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self.load()
        if self._logged_in and value != self.test_servers:
            raise TestServersLocked("the keys belong to one kind of servers")
        self._state = replace(self._state, test_servers=value)

    def delete(self) -> None:
        super().delete()
        self._logged_in = False


@breaks("TEST-7", also={"LIFE-9"})
class FlagByTheAddress(BlobSession):
    """Derives the flag from the stored address instead of storing it."""

    def _read(self, document: dict[str, Any]) -> None:
        address = document["server_address"]
        flag = document["test_servers"] if address is None else test_servers_at(address)
        super()._read({**document, "test_servers": flag})


@breaks("TEST-8", also={"LIFE-6"})
class FlagOutlivesDelete(Flagged):
    """Keeps the flag after delete(), like teleproto."""

    def delete(self) -> None:
        flag = self._state.test_servers
        super().delete()
        self._state = State(test_servers=flag)


@breaks("TEST-8")
class LockOutlivesDelete(Flagged):
    """Locks by a mark that delete() does not remove."""

    _logged_in = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._logged_in = self._logged_in or bool(self._state.keys)

    def _locked(self) -> bool:
        return self._logged_in


@breaks("TEST-9", also={"TEST-4", "TEST-10", "LIFE-1", "LIFE-6"})
class StringIsProduction(StringSession):
    """Reads every string as a production login."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        if saved:
            self._state = replace(self._state, test_servers=False, undecided=False)


@breaks("TEST-9", also={"LIFE-1", "LIFE-6", "CLIENT-3"})
class TableWithoutIPv6(StringSession):
    """Knows only the published IPv4 addresses."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        if ":" in (self.server_address or ""):
            self._state = replace(self._state, test_servers=None, undecided=True)


@breaks("TEST-9")
class TestsByDataCentreToo(StringSession):
    """Looks up the id with the address, and lacks one of three test data centres."""

    __test__ = False

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        if self.server_address == TEST_IPV4[3]:
            self._state = replace(self._state, test_servers=False)


@breaks("TEST-9", also={"TEST-4"})
class StringDoesNotLock(StringSession):
    """Reads the flag from the table, but does not lock it."""

    @property
    def test_servers(self) -> bool:
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        if self._read_only_from_string:
            self._state = replace(self._state, test_servers=value, undecided=False)
        else:
            self._change(self._state.with_test_servers(value))

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._read_only_from_string = bool(saved) and not self._state.undecided

    def _change(self, state: State) -> None:
        super()._change(state)
        self._read_only_from_string = False

    def delete(self) -> None:
        super().delete()
        self._read_only_from_string = False


@breaks("TEST-10")
class UnknownAddressIsProduction(StringSession):
    """Reads an unknown address as a production server, and locks the flag."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._state = replace(self._state, undecided=False)


@breaks("TEST-10")
class OnlyTrueDecides(StringSession):
    """Leaves the flag unlocked after the assignment of False."""

    def _change(self, state: State) -> None:
        undecided = self._state.undecided and not state.test_servers
        super()._change(replace(state, undecided=undecided))


@breaks("TEST-10")
class NeverDecided(StringSession):
    """Never locks the flag of a string with an unknown address."""

    def _change(self, state: State) -> None:
        super()._change(replace(state, undecided=self._state.undecided))


@breaks("TEST-10")
class SwitchAsksAgain(StringSession):
    """Unlocks the flag at every switch."""

    _asked = False

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._asked = self._state.undecided

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._state = replace(self._state, undecided=self._asked)

    def delete(self) -> None:
        super().delete()
        self._asked = False


@breaks("TEST-11", also={"CLIENT-1"})
class BlankLocks(Flagged):
    """Counts blank keys as keys."""

    _given = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._given = auth_key is not None

    def _locked(self) -> bool:
        return super()._locked() or self._given

    def delete(self) -> None:
        super().delete()
        self._given = False


@breaks("TEST-11", also={"CLIENT-1"})
class ClearedSlotLocks(Flagged):
    """Counts all slots that were ever written, also cleared ones."""

    _written = False

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        self._written = True

    def _locked(self) -> bool:
        return super()._locked() or self._written

    def delete(self) -> None:
        super().delete()
        self._written = False


@breaks("TEST-2")
class StoredFlagIsLocked(BlobSession):
    """Locks a flag that was stored with a data centre but without a key."""

    _found = False

    def _read(self, document: dict[str, Any]) -> None:
        super()._read(document)
        self._found = bool(self._state.test_servers is not None and self._state.dc_id)

    @property
    def test_servers(self) -> bool:
        return super().test_servers

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self.load()
        if self._found and value != self.test_servers:
            raise TestServersLocked("test_servers is locked")
        MemorySession.test_servers.__set__(self, value)  # type: ignore[attr-defined]  # a property

    def delete(self) -> None:
        super().delete()
        self._found = False


@breaks("TEST-10")
class WebHostsAreProduction(StringSession):
    """Reads the hosts of the web client as production, although they serve both."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        if str(self.server_address).endswith(".web.telegram.org"):
            self._state = replace(self._state, test_servers=False, undecided=False)


@breaks("TEST-3")
class LocksOnlyTheObject(StoreSession):
    """Looks for a key only in its own memory, and writes the flag into its file."""

    @property
    def test_servers(self) -> bool:
        return bool(self._state.test_servers)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self.load()
        self._change(self._state.with_test_servers(value))


@breaks("TEST-3")
class MergesItsFlag(BlobSession):
    """Writes the flag on top of what another handle has saved."""

    _assigned = False

    @property
    def test_servers(self) -> bool:
        return bool(self._state.test_servers)

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self._before_change()
        self._change(self._state.with_test_servers(value))
        self._assigned = True

    def _write(self, document: dict[str, Any]) -> None:
        stored = self._fetch()
        if self._assigned and stored is not None:
            document["keys"] = {**json.loads(stored)["keys"], **document["keys"]}
        self._assigned = False
        super()._write(document)


@breaks("TEST-3")
class FlagInAFileOfItsOwn(ThroughSession):
    """Keeps the flag in a file of its own, which it writes without a look at the keys there."""

    @property
    def _flag(self) -> Path:
        return self._path.with_name("test-servers")

    @property
    def test_servers(self) -> bool:
        return self._state.test_servers is True

    @test_servers.setter
    def test_servers(self, value: bool) -> None:
        self.load()
        if value == self.test_servers:
            return
        state = self._state.with_test_servers(value)
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        self._put(self._flag, json.dumps(value).encode())
        self._state = state

    def load(self) -> None:
        if self._loaded:
            return
        super().load()
        if self._flag.exists():
            value = json.loads(self._flag.read_bytes())
            self._state = replace(self._state, test_servers=value)

    def _change(self, state: State) -> None:
        MemorySession._change(self, state)
        super().save()

    def _entities_seen(self) -> None:
        super().save()

    def save(self) -> None:
        """Do nothing: every change is already written."""

    def _erase(self) -> None:
        self._flag.unlink(missing_ok=True)
        super()._erase()
