"""Faulty sessions: data centres."""

from __future__ import annotations

import struct
from dataclasses import replace

from teleproto_sessions import AuthKey, InvalidDataCentre, MemorySession
from teleproto_sessions.datacentres import test_servers_at
from teleproto_sessions.entities import EntityCache
from teleproto_sessions.memory import State

from known_bad.blob import ThroughSession
from known_bad.registry import breaks


@breaks("DC-1", also={"DC-4"})
class SignedPort(MemorySession):
    """Keeps the port as a signed 16-bit number, like teleproto's string."""

    @property
    def port(self) -> int:
        (port,) = struct.unpack(">h", struct.pack(">H", super().port))
        return int(port)


@breaks("DC-1", also={"DC-2", "DC-3", "DC-5", "KEY-10", "LIFE-2", "LIFE-4"})
class SignedDataCentre(MemorySession):
    """Keeps the data centre's id in a signed byte."""

    @property
    def dc_id(self) -> int:
        (dc_id,) = struct.unpack(">b", struct.pack(">B", super().dc_id))
        return int(dc_id)


@breaks("DC-1", also={"SURFACE-3", "DC-3", "DC-4", "DC-7", "LIFE-2"})
class PortSetOnce(MemorySession):
    """Keeps the port of the first call for ever, because Telegram's is always 443."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, self.port or port)


@breaks(
    "DC-2",
    also={
        "DC-3",
        "DC-4",
        "DC-5",
        "KEY-1",
        "KEY-3",
        "KEY-5",
        "KEY-7",
        "KEY-9",
        "KEY-10",
        "KEY-11",
        "MEM-2",
        "LIFE-2",
        "LIFE-8",
    },
)
class KeepsTheKey(MemorySession):
    """Keeps the current key after a switch, like gramjs and all of Telethon's sessions."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        key = self.get_auth_key()
        super().set_dc(dc_id, server_address, port)
        if key is not None:
            self.set_auth_key(key)


@breaks("DC-2", also={"DC-3", "DC-5"})
class KeyOfTheAddress(MemorySession):
    """Keeps the old key if the new data centre has the old one's address."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        key = self.get_auth_key() if server_address == self.server_address else None
        super().set_dc(dc_id, server_address, port)
        if key is not None:
            self.set_auth_key(key)


@breaks("DC-2", also={"CLIENT-6"})
class SaveFillsTheCurrentSlot(MemorySession):
    """Saves the last stored key for the current data centre if that has none."""

    def save(self) -> str | None:
        state = self._state
        if state.keys and state.dc_id and state.dc_id not in state.keys:
            self._state = state.with_key(state.dc_id, [*state.keys.values()][-1])
        return super().save()


@breaks(
    "DC-3",
    also={
        "DC-2",
        "DC-4",
        "DC-5",
        "KEY-1",
        "KEY-5",
        "KEY-7",
        "KEY-9",
        "KEY-10",
        "KEY-11",
        "TEST-4",
        "TEST-6",
        "LIFE-2",
        "LIFE-4",
        "LIFE-8",
        "CLIENT-4",
        "CLIENT-5",
        "CLIENT-6",
    },
)
class ForgetsTheKeyLeftBehind(MemorySession):
    """Drops the old key at a switch, so that the new data centre does not get it."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        left = self.dc_id
        super().set_dc(dc_id, server_address, port)
        if left and left != dc_id:
            self._state = self._state.with_key(left, None)


@breaks("DC-3", also={"DC-5", "KEY-3", "CLIENT-5"})
class RoomForThreeKeys(MemorySession):
    """Keeps only the three newest keys."""

    def _change(self, state: State) -> None:
        super()._change(replace(state, keys=dict(list(state.keys.items())[-3:])))


@breaks("DC-4", also={"TEST-6", "LIFE-2", "CLIENT-3"})
class EveryCallIsASwitch(MemorySession):
    """Treats every set_dc() as a switch, and stores the key away before it checks the new id."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        same = dc_id == self.dc_id
        super().set_dc(dc_id, server_address, port)
        if same:
            self._state = self._state.with_key(dc_id, None)


@breaks("DC-4", also={"LIFE-2"})
class KeyOfOneAddress(MemorySession):
    """Drops the key if the same data centre gets an address of the other family."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        before = (self.dc_id, ":" in (self.server_address or ""))
        super().set_dc(dc_id, server_address, port)
        if before == (dc_id, ":" not in server_address):
            self._state = self._state.with_key(dc_id, None)


@breaks("DC-5", also={"DC-4", "KEY-6", "KEY-8", "KEY-10", "KEY-11", "TEST-6", "MEM-2"})
class KeysForDownloadsOnly(MemorySession):
    """Keeps other data centres' keys only for downloads, and drops one at its first switch."""

    def __init__(self) -> None:
        super().__init__()
        self._homes: set[int] = set()

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        if dc_id not in self._homes:
            self._state = self._state.with_key(dc_id, None)
        self._homes.add(dc_id)


@breaks("DC-5", also={"DC-3"})
class MovesTheStoredKeyOut(MemorySession):
    """Moves the stored key out of the table to make it current, and never puts it back."""

    def __init__(self) -> None:
        super().__init__()
        self._promoted = 0

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if (self.dc_id if dc_id is None else dc_id) == self._promoted:
            self._promoted = 0

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        left, stored = self.dc_id, dc_id in self._state.keys
        super().set_dc(dc_id, server_address, port)
        if left == dc_id:
            return
        if self._promoted == left:
            self._state = self._state.with_key(left, None)
        self._promoted = dc_id if stored and left else 0


@breaks("DC-6")
class AnyDataCentre(MemorySession):
    """Checks no arguments, like teleproto."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if dc_id in range(1, 256):
            super().set_dc(dc_id, server_address, port)
        else:
            self._change(replace(self._state, dc_id=dc_id, server_address=server_address))


@breaks("DC-6")
class EightBits(MemorySession):
    """Cuts the id to one byte, its size in a saved string."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id & 255, server_address, port)


@breaks("DC-7")
class AnyPort(MemorySession):
    """Accepts any number as a port."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, 443)
        self._change(replace(self._state, port=port))


@breaks("DC-7")
class ChecksThePortTooLate(MemorySession):
    """Refuses a bad port only after it has switched."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if isinstance(port, int) and not 0 < port < 65536:
            super().set_dc(dc_id, server_address, 443)
        super().set_dc(dc_id, server_address, port)


@breaks("DC-8")
class EmptyAddress(MemorySession):
    """Accepts an empty address."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address or "empty", port)
        self._change(replace(self._state, server_address=server_address))


@breaks("DC-8")
class DefaultAddress(MemorySession):
    """Replaces an empty address with the published one."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address or "149.154.167.91", port)


@breaks("DC-8")
class FallsBackToTheOldAddress(MemorySession):
    """Keeps the earlier address if the new one is empty, and raises only without an earlier one."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if not server_address and self.server_address is None:
            raise InvalidDataCentre("an address is needed")
        super().set_dc(dc_id, server_address or str(self.server_address), port)


@breaks("DC-9")
class ClearingResetsThePort(MemorySession):
    """Goes back to port 443 when a key is cleared, because the other port may be the cause."""

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        if self.port and self.get_auth_key() is None:
            self._change(replace(self._state, port=443))


@breaks("DC-1")
class AddressInLowerCase(MemorySession):
    """Writes host names in lower case, because they name the same host."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        if isinstance(server_address, str) and ":" not in server_address:
            server_address = server_address.lower()
        super().set_dc(dc_id, server_address, port)


@breaks("DC-7", also={"DC-6", "DC-8"})
class StoresThenChecks(ThroughSession):
    """Writes a data centre before it checks the values, and undoes this only in memory."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        self._before_change()
        old = self._state
        self._state = replace(old, dc_id=dc_id, server_address=server_address, port=port)
        self.save()
        self._state = old
        super().set_dc(dc_id, server_address, port)


@breaks("DC-8", also={"DC-6", "DC-7"})
class RefusalEmptiesTheCache(MemorySession):
    """Removes the entities during a switch, and does not restore them if the switch is refused."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        entities, self._entities = self._entities, EntityCache()
        super().set_dc(dc_id, server_address, port)
        self._entities = entities


@breaks("DC-7")
class PortOfAnyType(MemorySession):
    """Checks the port as a number, but stores it in the type that it was given."""

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port if port is None else int(port))
        self._change(replace(self._state, port=port))


class Moving(MemorySession):
    """A correct session that asks whether a new address keeps the key of its data centre."""

    def keeps(self, before: str, after: str) -> bool:
        return True

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        moves = dc_id == self.dc_id and server_address != self.server_address
        lost = moves and not self.keeps(str(self.server_address), server_address)
        super().set_dc(dc_id, server_address, port)
        if lost:
            self.set_auth_key(None)


@breaks("DC-4", also={"LIFE-2", "TEST-6"})
class UnlistedAddressStartsAnew(Moving):
    """Starts a record without a key for an address that is in no list."""

    def keeps(self, before: str, after: str) -> bool:
        return test_servers_at(after) is not None


@breaks("DC-4", also={"TEST-6"})
class UnlistedIPv4StartsAnew(Moving):
    """Takes another network of IPv4 addresses for other servers."""

    def keeps(self, before: str, after: str) -> bool:
        numbers = before.replace(".", "").isdigit() and after.replace(".", "").isdigit()
        return not numbers or before.split(".")[0] == after.split(".")[0]


@breaks("DC-4", also={"CLIENT-3", "LIFE-2", "TEST-6"})
class LeavingTheListLosesTheKey(Moving):
    """Keeps the key while both addresses are listed, or neither is."""

    def keeps(self, before: str, after: str) -> bool:
        return (test_servers_at(before) is None) == (test_servers_at(after) is None)
