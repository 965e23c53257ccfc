"""Faulty sessions: saved strings, teleproto's and Telethon's."""

from __future__ import annotations

import base64
import ipaddress
import struct
from contextlib import suppress

from teleproto_sessions import AuthKey, InvalidSessionString, StringSession
from teleproto_sessions.authkey import KEY_BYTES
from teleproto_sessions.codec import Login, decode, encode
from teleproto_sessions.datacentres import test_servers_at
from teleproto_sessions.memory import State

from known_bad.registry import breaks


class Coded(StringSession):
    """A correct session whose codec is two methods, for others to break."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__()
        if saved:
            self._take(self._decode(saved))

    def _take(self, login: Login) -> None:
        flag = test_servers_at(login.server_address)
        key = {login.dc_id: login.key}
        self._state = State(login.dc_id, login.server_address, login.port, key, flag, flag is None)

    def _login(self) -> Login | None:
        state = self._state
        key = state.keys.get(state.dc_id)
        if not state.server_address or key is None:
            return None
        return Login(state.dc_id, state.server_address, state.port, key)

    def save(self) -> str:
        login = self._login()
        return self._encode(login) if login else ""

    def _decode(self, saved: str) -> Login:
        return decode(saved)

    def _encode(self, login: Login) -> str:
        return encode(login)


class Lenient(Coded):
    """Repairs a string that the codec would refuse, and then decodes it."""

    def _decode(self, saved: str) -> Login:
        with suppress(InvalidSessionString):
            return decode(saved)
        return decode(self._repaired(saved))

    def _repaired(self, saved: str) -> str:
        return saved


def record_of(saved: str) -> bytes:
    """Return the bytes of a string as a tolerant decoder reads them."""
    text = saved[1:].translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text)
    except ValueError:
        raise InvalidSessionString("the session string is not base64") from None


def text_of(record: bytes) -> str:
    return "1" + base64.b64encode(record).decode()


@breaks("STR-1")
class EmptyIsMalformed(Coded):
    """Decodes every text, also the empty one."""

    def __init__(self, saved: str | None = None) -> None:
        super().__init__()
        if saved is not None:
            self._take(self._decode(saved))


@breaks(
    "STR-2",
    also={
        "STR-1",
        "STR-4",
        "STR-5",
        "STR-6",
        "STR-13",
        "STR-14",
        "TLT-3",
        "TLT-5",
        "LIFE-5",
        "LIFE-8",
        "CLIENT-3",
        "CLIENT-5",
        "CLIENT-6",
        "CLIENT-7",
    },
)
class WithoutPadding(Coded):
    """Removes the padding on saving, and adds it on reading."""

    def _encode(self, login: Login) -> str:
        return encode(login).rstrip("=")

    def _decode(self, saved: str) -> Login:
        body = saved[1:]
        with suppress(InvalidSessionString):
            return decode(saved)
        return decode(saved + "=" * (-len(body) % 4))


@breaks("STR-2", also={"LIFE-10", "CLIENT-5"})
class SavesTheNewestKey(Coded):
    """Saves the key that was set last, for any data centre."""

    _newest: bytes | None = None

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        super().set_auth_key(auth_key, dc_id)
        key = self.get_auth_key(dc_id)
        self._newest = key.key if key else None

    def set_dc(self, dc_id: int, server_address: str, port: int) -> None:
        super().set_dc(dc_id, server_address, port)
        self._newest = None

    def _encode(self, login: Login) -> str:
        return encode(login._replace(key=self._newest or login.key))


@breaks("STR-2", also={"STR-4", "STR-13", "TLT-5"})
class HostsInAscii(Coded):
    """Writes host names in their ASCII form."""

    def _encode(self, login: Login) -> str:
        address = login.server_address
        if not address.isascii():
            address = address.encode("idna").decode()
        return encode(login._replace(server_address=address))


@breaks("STR-3", also={"TLT-1", "TLT-5", "LIFE-10"})
class SignedDataCentreInTheString(Coded):
    """Reads the data centre's id as a signed byte, and refuses negative ids."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if login.dc_id > 127:
            raise InvalidSessionString("the data centre's id is out of range")
        return login


@breaks("STR-3", also={"STR-4"})
class LongAddressIsIPv6(Coded):
    """Reads a length above 100 as the beginning of raw IPv6 bytes, like teleproto."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if len(login.server_address.encode()) > 100:
            record = record_of(saved)
            address = ipaddress.IPv6Address(record[1:17])
            return login._replace(server_address=str(address))
        return login


@breaks("STR-3", also={"STR-13", "TLT-5"})
class ReadsAsciiOnly(Coded):
    """Reads addresses as ASCII."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if not login.server_address.isascii():
            raise InvalidSessionString("the address is not ASCII")
        return login


@breaks("STR-4", also={"STR-5", "LIFE-8"})
class SavesWhatChanged(Coded):
    """Returns the string only if something has changed since the last save()."""

    _saved: str = ""

    def save(self) -> str:
        text = super().save()
        if text == self._saved:
            return ""
        self._saved = text
        return text


@breaks(
    "STR-4",
    also={
        "STR-2",
        "STR-5",
        "STR-13",
        "STR-14",
        "TLT-3",
        "TLT-5",
        "LIFE-8",
        "CLIENT-3",
        "CLIENT-5",
        "CLIENT-6",
        "CLIENT-7",
    },
)
class KeepsTheAlphabet(Coded):
    """Writes the URL-safe alphabet after it has read a string."""

    _read = False

    def _take(self, login: Login) -> None:
        super()._take(login)
        self._read = True

    def _encode(self, login: Login) -> str:
        text = encode(login)
        return text.translate(str.maketrans("+/", "-_")) if self._read else text


@breaks("STR-5")
class NothingBeforeLoad(Coded):
    """Saves an empty string before load(), like teleproto."""

    _loaded = False

    def load(self) -> None:
        self._loaded = True

    def save(self) -> str:
        return super().save() if self._loaded else ""


@breaks("STR-6")
class HalfALogin(Coded):
    """Fills a missing key with zeros."""

    def save(self) -> str:
        state = self._state
        if not state.server_address:
            return ""
        key = state.keys.get(state.dc_id, bytes(KEY_BYTES))
        return encode(Login(state.dc_id, state.server_address, state.port, key))


@breaks("STR-6", also={"DC-2", "LIFE-4"})
class CannotSaveHalf(Coded):
    """Raises on save() if it has no key."""

    def save(self) -> str:
        if self._state.server_address and self._login() is None:
            raise TypeError("there is no key to encode")
        return super().save()


@breaks("STR-6")
class SavesTheLastLogin(Coded):
    """Saves the last complete login if the current one is incomplete."""

    _last = ""

    def save(self) -> str:
        if self._login() is not None:
            self._last = super().save()
        return self._last

    def set_auth_key(self, auth_key: AuthKey | None, dc_id: int | None = None) -> None:
        self.save()
        super().set_auth_key(auth_key, dc_id)

    def delete(self) -> None:
        super().delete()
        self._last = ""


@breaks("STR-7", also={"STR-12"})
class AnyVersion(Coded):
    """Drops the first character without a check."""

    def _decode(self, saved: str) -> Login:
        return decode("1" + saved[1:])


@breaks("STR-7", also={"STR-12"})
class AnyDigit(Lenient):
    """Accepts any digit as the version."""

    def _repaired(self, saved: str) -> str:
        return "1" + saved[1:] if saved[:1].isdigit() else saved


@breaks("STR-7", also={"STR-12", "TLT-4"})
class VersionMayBeMissing(Lenient):
    """Reads a string even if its version is missing."""

    def _repaired(self, saved: str) -> str:
        return "1" + saved


@breaks("STR-8", also={"STR-7", "STR-12"})
class SkipsWhatIsNotBase64(Lenient):
    """Decodes with a decoder that skips every unknown character."""

    def _repaired(self, saved: str) -> str:
        return "1" + "".join(c for c in saved[1:] if c.isascii() and (c.isalnum() or c in "+/-_="))


@breaks("STR-8", also={"STR-12"})
class RemovesWhiteSpace(Lenient):
    """Removes white space from the middle of a string."""

    def _repaired(self, saved: str) -> str:
        return "".join(saved.split())


@breaks("STR-8", also={"STR-12"})
class StopsAtThePadding(Lenient):
    """Reads up to the padding, whatever follows it."""

    def _repaired(self, saved: str) -> str:
        end = saved.find("=")
        return saved[: end + 1 + saved[end:].startswith("==")] if end > 1 else saved


@breaks("STR-9", also={"STR-8", "STR-12", "STR-17", "TLT-5"})
class KeyIsTheRest(Coded):
    """Reads all remaining bytes as the key, and makes them 256 bytes."""

    def _decode(self, saved: str) -> Login:
        with suppress(InvalidSessionString):
            return decode(saved)
        with suppress(InvalidSessionString, struct.error, UnicodeDecodeError):
            text = saved[: 1 + len(saved[1:]) // 4 * 4]
            if not text.startswith("1") or base64.b64encode(record_of(text)).decode() != text[1:]:
                raise InvalidSessionString("not a session string")
            record = record_of(text)
            dc_id, length = struct.unpack_from(">BH", record)
            raw, port = struct.unpack_from(f">{length}sH", record, 3)
            key = record[5 + length :][:KEY_BYTES].ljust(KEY_BYTES, b"\0")
            if dc_id and port and length and len(record) > 5 + length:
                return Login(dc_id, raw.decode(), port, key)
        return decode(saved)


@breaks("STR-9", also={"STR-12", "TLT-5"})
class PassesOverTheEnd(Lenient):
    """Ignores bytes after the key."""

    def _repaired(self, saved: str) -> str:
        record = record_of(saved)
        if saved.startswith("1") and len(record) > 3 and saved[1:] == text_of(record)[1:]:
            length = 5 + int.from_bytes(record[1:3], "big") + KEY_BYTES
            if len(record) > length > 5 + KEY_BYTES:
                return text_of(record[:length])
        return saved


@breaks("STR-9", also={"STR-12", "TLT-5"})
class LengthIsNotRead(Lenient):
    """Computes the address from the remaining bytes, and never reads its length field."""

    def _repaired(self, saved: str) -> str:
        record = record_of(saved)
        length = len(record) - 5 - KEY_BYTES
        if saved == text_of(record) and length > 4 and record[1:3] != bytes(2):
            return text_of(record[:1] + length.to_bytes(2, "big") + record[3:])
        return saved


@breaks("STR-10", also={"STR-12"})
class AddressInLatin1(Lenient):
    """Reads an address that is not UTF-8 as Latin-1."""

    def _repaired(self, saved: str) -> str:
        record = record_of(saved)
        length = int.from_bytes(record[1:3], "big")
        if saved != text_of(record) or len(record) != 5 + length + KEY_BYTES or not length:
            return saved
        address = record[3 : 3 + length].decode("latin-1").encode()
        head = record[:1] + len(address).to_bytes(2, "big")
        return text_of(head + address + record[3 + length :])


@breaks("STR-10", also={"STR-12"})
class EmptyAddressInTheString(Coded):
    """Accepts a string whose address is empty."""

    def _decode(self, saved: str) -> Login:
        with suppress(InvalidSessionString):
            return decode(saved)
        record = record_of(saved) if saved[:1] == "1" else b""
        if len(record) == 5 + KEY_BYTES and saved == text_of(record) and record[1:3] == bytes(2):
            dc_id, _, port = struct.unpack_from(">BHH", record)
            return Login(dc_id, "", port, record[5:])
        return decode(saved)


class Zero(Coded):
    """Accepts a zero in one of the two numbers."""

    allowed: str

    def _decode(self, saved: str) -> Login:
        with suppress(InvalidSessionString):
            return decode(saved)
        record = record_of(saved) if saved[:1] == "1" else b""
        if saved == text_of(record) and len(record) > 5 + KEY_BYTES:
            with suppress(InvalidSessionString):
                if self.allowed == "dc_id" and not record[0]:
                    return decode(text_of(b"\1" + record[1:]))._replace(dc_id=0)
                if self.allowed == "port" and record[-KEY_BYTES - 2 : -KEY_BYTES] == bytes(2):
                    filled = record[: -KEY_BYTES - 2] + b"\0\1" + record[-KEY_BYTES:]
                    return decode(text_of(filled))._replace(port=0)
        return decode(saved)


@breaks("STR-11", also={"STR-12"})
class DataCentreZero(Zero):
    """Accepts data centre 0."""

    allowed = "dc_id"


@breaks("STR-11", also={"STR-12", "TLT-5"})
class PortZero(Zero):
    """Accepts port 0."""

    allowed = "port"


@breaks("STR-12")
class RepeatsTheString(Coded):
    """Repeats the string in its error."""

    def _decode(self, saved: str) -> Login:
        try:
            return decode(saved)
        except InvalidSessionString as error:
            raise InvalidSessionString(f"not a session string: {saved!r}: {error}") from None


@breaks("STR-12")
class ShowsTheBytes(Coded):
    """Shows the remaining bytes in its error, like teleproto."""

    def _decode(self, saved: str) -> Login:
        try:
            return decode(saved)
        except InvalidSessionString as error:
            text = saved[1:]
            rest = record_of("1" + text[: len(text) // 4 * 4])[-24:]
            raise InvalidSessionString(f"{error} (got {len(rest)}: {rest!r})") from None


@breaks("STR-12")
class ShowsTheNumbers(Coded):
    """Lists in its error the last bytes that it read."""

    def _decode(self, saved: str) -> Login:
        try:
            return decode(saved)
        except InvalidSessionString as error:
            with suppress(InvalidSessionString):
                error.add_note(f"the record ends in {list(record_of(saved)[-16:])}")
            raise


@breaks("STR-12")
class CauseShowsTheKey(Coded):
    """Raises from the decoder's error, which holds all bytes that are not UTF-8."""

    def _decode(self, saved: str) -> Login:
        try:
            return decode(saved)
        except InvalidSessionString as error:
            record = record_of(saved) if saved.isascii() and len(saved) % 4 == 1 else b""
            try:
                record[3:].decode()
            except UnicodeDecodeError as cause:
                raise error from cause
            raise


@breaks("STR-13", also={"TLT-4", "TLT-5"})
class StandardAlphabetOnly(Coded):
    """Reads only the standard alphabet."""

    def _decode(self, saved: str) -> Login:
        if ("-" in saved or "_" in saved) and len(saved) != 353:
            raise InvalidSessionString("the session string is not base64")
        return decode(saved)


@breaks("STR-13")
class TelethonInItsOwnAlphabet(Coded):
    """Reads a Telethon string only in Telethon's alphabet."""

    def _decode(self, saved: str) -> Login:
        if len(saved) == 353 and ("+" in saved or "/" in saved):
            record = record_of(saved)
            if len(record) == 7 + KEY_BYTES and int.from_bytes(record[1:3], "big") != 2:
                raise InvalidSessionString("the session string is not base64")
        return decode(saved)


@breaks("STR-14", also={"STR-13", "TLT-3", "TLT-5"})
class SignedPortIsSaved(Coded):
    """Packs the port as a signed number, and fails above 32767, like teleproto."""

    def _encode(self, login: Login) -> str:
        struct.pack(">h", login.port)
        return encode(login)


@breaks("STR-14", also={"STR-13", "TLT-5"})
class SignedPortIsRead(Coded):
    """Reads the port of its own layout as a signed number, like teleproto."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if len(saved) == 353 or login.port < 32768:
            return login
        return login._replace(port=login.port - 65536)


@breaks("STR-15")
class KnowsSomeDataCentres(Coded):
    """Refuses a string of a data centre from 6 to 99, because Telegram has none of these ids."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if 5 < login.dc_id < 100:
            raise InvalidSessionString("there is no such data centre")
        return login


@breaks("STR-16")
class RemovesMarks(Lenient):
    """Removes the marks that a shell or a mail program may put into a long text."""

    def _repaired(self, saved: str) -> str:
        return saved.translate(dict.fromkeys(map(ord, "#$&:;<>?@[]^`{|}~")))


@breaks("TLT-1", also={"STR-13", "TLT-2"})
class Expects352Characters(Coded):
    """Follows the document literally, and expects 352 characters with the version."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if len(saved) == 353 and encode(login) != saved.translate(str.maketrans("-_", "+/")):
            raise InvalidSessionString("a Telethon string has 352 characters")
        return login


class FromTelethon(Coded):
    """A correct session that reads Telethon's strings in one method, for others to break."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if encode(login) == saved.translate(str.maketrans("-_", "+/")):
            return login
        return self._telethon(login)

    def _telethon(self, login: Login) -> Login:
        return login


@breaks("TLT-1", also={"TEST-9", "STR-5", "STR-13", "TLT-2", "TLT-3"})
class AddressFromTheRight(FromTelethon):
    """Reads the four bytes of the address in the wrong order."""

    def _telethon(self, login: Login) -> Login:
        parts = login.server_address.split(".")
        return login._replace(server_address=".".join(reversed(parts)))


@breaks("TLT-1", also={"TLT-3"})
class AddressesWithoutZeros(FromTelethon):
    """Drops every zero of an address as if it were an empty value."""

    def _telethon(self, login: Login) -> Login:
        parts = [part for part in login.server_address.split(".") if int(part)]
        return login._replace(server_address=".".join(parts))


@breaks("TLT-2", also={"TLT-3"})
class SignedPortFromTelethon(FromTelethon):
    """Reads the port of a Telethon string as a signed number, like teleproto."""

    def _telethon(self, login: Login) -> Login:
        return login._replace(port=login.port - 65536 * (login.port > 32767))


@breaks("TLT-3", also={"STR-13", "CLIENT-3"})
class SavesTelethonAsTelethon(FromTelethon):
    """Writes the format that it read."""

    _from: Login | None = None

    def _telethon(self, login: Login) -> Login:
        self._from = login
        return login

    def _encode(self, login: Login) -> str:
        if login != self._from:
            return encode(login)
        packed = ipaddress.IPv4Address(login.server_address).packed
        record = struct.pack(f">B4sH{KEY_BYTES}s", login.dc_id, packed, login.port, login.key)
        return "1" + base64.urlsafe_b64encode(record).decode()


@breaks("TLT-4", also={"STR-9", "STR-10", "STR-11", "STR-12", "TLT-5"})
class ReadsIPv6(Coded):
    """Reads a Telethon string with an IPv6 address, like teleproto."""

    def _decode(self, saved: str) -> Login:
        try:
            return decode(saved)
        except InvalidSessionString as error:
            if "IPv6" not in str(error):
                raise
        dc_id, packed, port, key = struct.unpack(f">B16sH{KEY_BYTES}s", record_of(saved))
        return Login(dc_id, str(ipaddress.IPv6Address(packed)), port, key)


@breaks("TLT-4")
class DoesNotSayWhy(Coded):
    """Refuses a Telethon string with an IPv6 address, but does not say what it is."""

    def _decode(self, saved: str) -> Login:
        with suppress(InvalidSessionString):
            return decode(saved)
        raise InvalidSessionString("the session string is damaged")


@breaks("TLT-5", also={"STR-3", "STR-4"})
class ShortLengthDecides(Coded):
    """Reads every string of 353 characters as Telethon's, like teleproto."""

    def _decode(self, saved: str) -> Login:
        login = decode(saved)
        if len(saved) != 353:
            return login
        record = record_of(saved)
        packed, port = struct.unpack_from(">4sH", record, 1)
        return Login(record[0], str(ipaddress.IPv4Address(packed)), port, record[-KEY_BYTES:])


@breaks("TLT-5", also={"STR-13"})
class FourteenInUrlIsTelethon(Coded):
    """Recognises Telethon's strings only by their length and alphabet."""

    def _decode(self, saved: str) -> Login:
        url_safe = "-" in saved or "_" in saved
        if url_safe and len(record_of(saved)) == 19 + KEY_BYTES:
            raise InvalidSessionString("Telethon strings with an IPv6 address are not supported")
        return decode(saved)


@breaks("TLT-6")
class TelethonKnowsSomeDataCentres(FromTelethon):
    """Refuses a Telethon string of a data centre from 6 to 99."""

    def _telethon(self, login: Login) -> Login:
        if 5 < login.dc_id < 100:
            raise InvalidSessionString("there is no such data centre")
        return login


@breaks("STR-5")
class SavesWhatItHolds(StringSession):
    """Saves an empty login if it sees an entity before load(), because load() reads the string."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__(saved)
        self._kept = self._state
        self._touched = False
        self._loaded = False

    def load(self) -> None:
        self._loaded = True

    def process_entities(self, tlo: object) -> None:
        super().process_entities(tlo)
        self._touched = True

    def save(self) -> str:
        if self._touched and not self._loaded:
            return ""
        return super().save()


@breaks("STR-9")
class SecondLoadIsEmpty(StringSession):
    """Drops the string before it is read, so that a second load() does not raise."""

    def __init__(self, saved: str | None = "") -> None:
        super().__init__()
        self._saved = saved

    def load(self) -> None:
        saved, self._saved = self._saved, ""
        if saved:
            self._state = StringSession(saved)._state

    def _before_change(self) -> None:
        self.load()

    def save(self) -> str:
        self.load()
        return super().save()

    def delete(self) -> None:
        super().delete()
        self._saved = ""


def bits_of(saved: str) -> str:
    """Return the bits of a string's characters, in either alphabet."""
    text = saved[1:].rstrip("=").translate(str.maketrans("-_", "+/"))
    return "".join(f"{_ALPHABET.index(character):06b}" for character in text)


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@breaks("STR-17")
class DropsTheLastGroup(Lenient):
    """Fills an incomplete group of base64 with zeros."""

    def _repaired(self, saved: str) -> str:
        text = saved.rstrip("=")
        group = (len(text) - 1) % 4
        cut = len(saved) - len(text) < -group % 4 and len(text) in (351, 367, 368)
        return text[: len(text) - group] + "AAAA"[:group] + "=" * (-group % 4) if cut else saved


@breaks("STR-17")
class TakesQuotesByNumber(Lenient):
    """Removes a character from both ends if the first one is a quote."""

    def _repaired(self, saved: str) -> str:
        text = saved.strip()
        if text[:1] in ("'", '"', "`"):
            text = text[1:-1].rstrip("=")
            text += "A" * (len(text) % 4 == 0)
            text += "=" * (-(len(text) - 1) % 4)
        return text


@breaks("STR-17")
class FirstAlphabetSeen(Lenient):
    """Decides on one alphabet, and reads characters of the other one as zero."""

    def _repaired(self, saved: str) -> str:
        if set(saved) & set("+/"):
            return saved.translate(str.maketrans("-_", "AA"))
        return saved


@breaks("STR-17")
class CarriesUnusedBits(Lenient):
    """Rounds the last bits up to the next byte."""

    def _repaired(self, saved: str) -> str:
        if not saved.isascii() or set(saved.rstrip("=")) - set(_ALPHABET):
            return saved
        bits = bits_of(saved)
        unused = len(bits) % 8
        if not unused or "1" not in bits[-unused:] or len(saved) % 4 != 1:
            return saved
        number = (int(bits, 2) >> unused) + 1
        return text_of(number.to_bytes(len(bits) // 8, "big"))


@breaks("STR-17")
class BlanksAreText(Lenient):
    """Reads white space at the end of a string as the key's last byte."""

    def _repaired(self, saved: str) -> str:
        text = saved.rstrip()
        record = record_of(text) if text != saved and text.startswith("1") else b""
        return text_of(record[:-1] + b" ") if record else saved


class Misread(Coded):
    """Changes a login on reading, and `misread` says how."""

    def _decode(self, saved: str) -> Login:
        return self.misread(decode(saved))

    def misread(self, login: Login) -> Login:
        raise NotImplementedError


@breaks("STR-3", also={"STR-4"})
class LengthInOneByte(Misread):
    """Reads only the low byte of an address's length, if the address has more than 255 bytes."""

    def misread(self, login: Login) -> Login:
        size = len(login.server_address.encode())
        return login if size < 256 else login._replace(server_address=login.server_address[:255])


@breaks("STR-3")
class SignedLength(Misread):
    """Reads the length of an address as a signed number, so that a long address is refused."""

    def misread(self, login: Login) -> Login:
        if len(login.server_address.encode()) > 32767:
            raise InvalidSessionString("the length of the address is negative")
        return login


@breaks("STR-3", also={"STR-4"})
class AddressEndsAtNul(Misread):
    """Reads an address up to its first zero byte, like C."""

    def misread(self, login: Login) -> Login:
        return login._replace(server_address=login.server_address.partition("\0")[0])


@breaks("STR-3", also={"STR-4"})
class AddressWithoutByteOrderMark(Misread):
    """Reads an address as if it began with the byte order mark of a file."""

    def misread(self, login: Login) -> Login:
        return login._replace(server_address=login.server_address.removeprefix("\ufeff"))


@breaks("STR-3", also={"STR-4"})
class OneKindOfLineEnd(Misread):
    """Reads every kind of line end in an address as the same."""

    def misread(self, login: Login) -> Login:
        return login._replace(server_address="\n".join(login.server_address.split("\r\n")))


@breaks("STR-3", also={"STR-4"})
class AddressWithoutWhiteSpace(Misread):
    """Removes white space from both ends of an address."""

    def misread(self, login: Login) -> Login:
        return login._replace(server_address=login.server_address.strip())


@breaks("STR-3")
class BasicPlaneOnly(Misread):
    """Refuses the last characters of Unicode, as if they were no characters."""

    def misread(self, login: Login) -> Login:
        if max(login.server_address) > "\U000fffff":
            raise InvalidSessionString("the address has a character of private use")
        return login


@breaks("STR-3", also={"STR-13", "TLT-1"})
class ZeroKeyIsNone(Misread):
    """Refuses a string whose key has only zeros, as if the key were missing."""

    def misread(self, login: Login) -> Login:
        if not any(login.key):
            raise InvalidSessionString("the key is missing")
        return login


@breaks("STR-3", also={"STR-13", "TLT-1"})
class FullKeyIsNone(Misread):
    """Refuses a string whose key has only ones, as if it had been erased."""

    def misread(self, login: Login) -> Login:
        if login.key == b"\xff" * KEY_BYTES:
            raise InvalidSessionString("the key is erased")
        return login


@breaks("STR-3", also={"TLT-1", "TLT-5", "LIFE-10"})
class DataCentresBelow254(Misread):
    """Refuses a string of the data centres 254 and 255, as if these ids were reserved."""

    def misread(self, login: Login) -> Login:
        if login.dc_id > 253:
            raise InvalidSessionString("the data centre is reserved")
        return login


@breaks("TLT-1")
class NoSpecialAddresses(FromTelethon):
    """Refuses a Telethon string with an address that no server can have."""

    def _telethon(self, login: Login) -> Login:
        if login.server_address in ("0.0.0.0", "255.255.255.255"):
            raise InvalidSessionString("no server has this address")
        return login


@breaks("TLT-1", also={"TLT-3"})
class NameOfTheLoopback(FromTelethon):
    """Reads the loopback address of a Telethon string as a host name."""

    def _telethon(self, login: Login) -> Login:
        local = login.server_address == "127.0.0.1"
        return login._replace(server_address="localhost") if local else login


@breaks("TLT-1")
class SmallFirstBytesAreALength(FromTelethon):
    """Refuses a Telethon string whose address could begin with a length."""

    def _telethon(self, login: Login) -> Login:
        if login.server_address.startswith(("0.1.", "0.2.", "0.3.", "0.14.")):
            raise InvalidSessionString("the address has a wrong length")
        return login
