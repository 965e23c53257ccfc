"""The differences between the reference model and teleproto 1.229.0, each with its rule.

This list is complete. A case that is named here must differ, and every other case must agree. Each
pattern must match a case. The patterns are those of `fnmatch`.

    strings/ID            a case of strings.json, without the part after "@"
    telethon/N IPvV PORT  string number N of telethon_strings.json
    entities/CASE/QUERY   a query of entities.json
    store-read/DIR        the state read from a directory
    store-write/DIR/FILE  a file written by the directory's operations; FILE is the part after
                          "NAME:"
"""

from __future__ import annotations

from fnmatch import fnmatchcase

DIFFERENCES: dict[str, tuple[str, ...]] = {
    # A data centre id is 1 to 255. teleproto cuts others to 8 bits in a string, or stores them.
    "DC-6": (
        "strings/S.dc.0",
        "strings/S.dc.256",
        "strings/S.dc.-1",
        "store-read/20-odd-dc",
        "store-read/24-key-for-dc0",
        "store-write/20-odd-dc/[!a]*",
        "store-write/24-key-for-dc0/dcAuthKeys",
    ),
    # A port is 1 to 65535; teleproto takes anything and coerces it.
    "DC-7": (
        "strings/S.port.0",
        "strings/S.port.-1",
        "strings/S.port.-32768",
        "strings/S.port.443.7",
        "strings/S.port.'abc'",
        "strings/S.port.None",
        "strings/S.port.True",
    ),
    # An address is a string; teleproto replaces a lone surrogate, and stores `undefined`.
    "DC-8": (
        "strings/S.addr.lonesur",
        "store-read/19-undefined-values",
        "store-write/19-undefined-values/*",
    ),
    # teleproto saves an empty key.
    "KEY-8": ("strings/S.key.empty",),
    # teleproto drops a key that is set before the first data centre.
    "KEY-10": ("store-write/23-set-key-before-dc/authKey",),
    # The model accepts spaces around an id, and ids in JavaScript's other big integers.
    "ENT-1": (
        "entities/basic/bigInteger 123456789",
        "entities/basic/string  123456789",
        "entities/id_collision/bigInteger 77",
    ),
    "ENT-2": ("entities/basic/bigInteger -55",),
    # The marked id of a channel is -(10**12 + id), for ids of any length.
    "ENT-3": (
        "entities/basic/* -1000000001234",
        "entities/id_collision/* -1000000000077",
        "entities/wrong_type/* -1000000000600",
    ),
    # teleproto finds only usernames that Telegram allows today.
    "ENT-4": (
        "entities/short_usernames/string @ab",
        "entities/short_usernames/string @a__b_c",
        "entities/short_usernames/string @1abcd",
        "entities/short_usernames/string @yyyyy*",
        "entities/short_usernames/string @имя_юзер",
    ),
    # teleproto removes the sign, then the "100", and answers with any entity that has that id.
    "ENT-5": (
        "entities/basic/[ns]* -1001234",
        "entities/basic/bigint -1001234",
        "entities/basic/* -10055",
        "entities/basic/* -1234",
        "entities/id_collision/* -10077",
        "entities/wrong_type/* -100[67]00",
        "entities/wrong_type/[ns]* -600",
        "entities/zero_hash/string -10022",
    ),
    # teleproto finds "name@". For an empty text it finds any entity without a name.
    "ENT-13": ("entities/basic/string someone@", "entities/empty_name/string "),
    # teleproto ignores `usernames`; the reference model adds them to the row.
    "ENT-20": ("store-write/12-entities/61",),
    # teleproto cannot look up a PeerUser or a PeerChannel.
    "ENT-21": (
        "entities/basic/tl peerChannel 1234",
        "entities/basic/tl peerUser 123456789",
        "entities/id_collision/tl peerChannel 77",
        "entities/id_collision/tl peerUser 77",
    ),
    # teleproto answers with the first entity that it has seen.
    "ENT-23": ("entities/id_collision/number 77", "entities/id_collision/string 77"),
    # The contract knows only the divider ":".
    "STORE-9": ("store-read/16-divider-underscore", "store-read/17-divider-empty"),
    # teleproto's length field is signed: an address of 32768 bytes overflows it.
    "STR-2": ("strings/S.addr.len32768",),
    # teleproto reads an address of more than 100 bytes as a Telethon IPv6 address.
    "STR-3": (
        "strings/L.native.len127",
        "strings/L.native.len128",
        "strings/L.native.len200",
        "strings/R.addr.len101.by.teleproto",
        "strings/R.addr.len12[78].by.teleproto",
        "strings/R.addr.len256.by.teleproto",
        "strings/R.addr.len300.by.teleproto",
    ),
    # Node's base64 skips every character that is not base64, and needs no padding.
    "STR-8": (
        "strings/L.bad.illegal",
        "strings/L.bad.nonascii",
        "strings/L.bad.nul",
        "strings/L.enc.nopad",
        "strings/L.enc.overpad",
        "strings/L.ver.11",
        "strings/L.ws.afterver",
        "strings/L.ws.inner",
    ),
    # teleproto takes all bytes after the port as the key, and does not check the length field.
    "STR-9": (
        "strings/L.native.key.len*",
        "strings/L.native.lenbig",
        "strings/L.native.lenpfx101",
        "strings/L.native.lensmall",
        "strings/L.trail.*",
        "strings/L.trunc.200",
        "strings/L.trunc.28",
        "strings/L.trunc.300",
        "strings/L.trunc.353",
        "strings/L.trunc.366",
        "strings/L.trunc.367",
    ),
    # teleproto reads an empty address, and replaces bytes that are not UTF-8.
    "STR-10": (
        "strings/L.native.badutf8",
        "strings/L.native.len0",
        "strings/R.addr.empty.by.mtcute",
    ),
    # teleproto reads port 0 and data centre 0.
    "STR-11": (
        "strings/L.native13.port0",
        "strings/L.tele4.port0",
        "strings/R.dc.0.by.mtcute.tele",
    ),
    # Node's base64 reads a string in which the two alphabets are mixed; the reference refuses it.
    "STR-17": ("strings/L.enc.mixed",),
    # teleproto's port field is signed.
    "STR-14": (
        "strings/L.native13.port32768",
        "strings/L.native13.port65535",
        "strings/R.port.40000.by.mtcute",
        "strings/S.port.32768",
        "strings/S.port.40000",
        "strings/S.port.65535",
    ),
    # The same for the port of a Telethon string.
    "TLT-2": ("telethon/* IPv4 32768",),
    # teleproto reads Telethon IPv6 strings, some of them wrongly.
    "TLT-4": (
        "strings/L.tele6.[!f]*",
        "telethon/* IPv6 *",
        "strings/R.prod6.?.by.mtcute.tele",
    ),
    # teleproto reads any string of 353 characters as a Telethon string.
    "TLT-5": (
        "strings/L.native.len3",
        "strings/R.addr.len[23].by.teleproto",
        "strings/R.addr.v6any.by.teleproto",
        "strings/R.addr.v6one.by.teleproto",
    ),
}


def explained(case: str) -> bool:
    """Say whether the table has `case`."""
    return any(fnmatchcase(case, pattern) for _, pattern in patterns())


def patterns() -> list[tuple[str, str]]:
    return [(rule, pattern) for rule, several in DIFFERENCES.items() for pattern in several]
