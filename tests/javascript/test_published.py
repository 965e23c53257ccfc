"""The published classes fail exactly the checks in their baselines."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import parts
from teleproto_conformance.findings.result import KNOWN, PASSED

from . import installed


@dataclass(frozen=True)
class Published:
    """A class, its profile, and the name of its baseline."""

    module: str
    session: str
    profile: str
    baseline: str

    @property
    def name(self) -> str:
        """The library and the class."""
        return self.baseline.removesuffix(".yaml")

    @property
    def implementation(self) -> str:
        """The value of ``--session-impl``."""
        return f"node:{self.module}#{self.session}"

    @property
    def options(self) -> list[str]:
        """The options of pytest for this class."""
        return [
            f"--session-impl={self.implementation}",
            f"--session-profile={self.profile}",
        ]

    @property
    def known(self) -> list[str]:
        """The checks in the baseline of this class."""
        document = yaml.safe_load((installed.PUBLISHED / self.baseline).read_text("utf-8"))
        entries: list[dict[str, Any]] = document["known"]
        return [check for entry in entries for check in entry.get("checks", [entry.get("check")])]


CLASSES = [
    Published(f"{package}/sessions", f"{kind}Session", profile, f"{library}-{kind}Session.yaml")
    for kind, profile in (
        ("Store", "teleproto-store"),
        ("String", "string"),
        ("Memory", "memory"),
    )
    for library, package in (("teleproto", "teleproto"), ("gramjs", "telegram"))
]
_every = pytest.mark.parametrize("published_class", CLASSES, ids=[entry.name for entry in CLASSES])


def _run(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True)


def _parts() -> list[tuple[Published, str]]:
    """Every part of every class."""
    return [(entry, name) for entry in CLASSES for name in parts.names(entry.profile)]


@pytest.mark.parametrize(
    ("published_class", "name"),
    _parts(),
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_fails_exactly_the_checks_of_its_baseline(
    published_class: Published, name: str, published: Path
) -> None:
    part = parts.Part(published_class.implementation, published_class.profile, name)
    results = part.results(published, published / published_class.baseline)
    assert results
    unusual = parts.told(results, PASSED, KNOWN)
    assert not unusual, unusual
    known = [result.check for result in results if result.outcome == KNOWN]
    listed = [check for check in published_class.known if parts.of(check) == name]
    assert sorted(known) == sorted(listed)


def test_is_green_with_its_baseline(published: Path) -> None:
    store = CLASSES[0]
    baseline = f"--session-baseline={store.baseline}"
    done = _run(published, *store.options, baseline, "-k", "STORE-7[", "--session-strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " known" in done.stdout


@_every
def test_fails_without_its_baseline(published_class: Published, published: Path) -> None:
    done = _run(published, *published_class.options, "-k", "SEC-1[object]")
    if published_class.module.startswith("teleproto"):
        assert done.returncode == 1
        assert "Got              [key A (hexadecimal) in util.inspect()" in done.stdout
    else:
        assert done.returncode == 4
        assert "the session has no testServers (SURFACE-1" in done.stderr
        assert ", telegram 2.26.22; testServers was added in teleproto 1.228.5; " in done.stderr


FACTS = [
    ("a username is never found", "teleproto-StoreSession", "ENT-4"),
    ("a phone number is never found", "teleproto-StoreSession", "ENT-17"),
    ("a display name is never found", "teleproto-StoreSession", "ENT-18"),
    ("delete() empties every store of the process", "teleproto-StoreSession", "ISO-3"),
    ("delete() removes foreign files", "teleproto-StoreSession", "STORE-6"),
    ("a crash in setDC() leaves the key of another data centre", "teleproto-StoreSession", "DUR-3"),
    ("the flag is not locked", "teleproto-MemorySession", "TEST-3"),
    ("the flag is not locked in a string", "teleproto-StringSession", "TEST-10"),
    ("the flag is not part of a string", "teleproto-StringSession", "TEST-9"),
    ("the flag outlives delete()", "teleproto-MemorySession", "TEST-8"),
    ("the names local and page store nothing", "teleproto-StoreSession", "ISO-4"),
    ("a name leads out of the directory", "teleproto-StoreSession", "STORE-5"),
    ("files can be read by anybody", "teleproto-StoreSession", "SEC-6"),
    ("damaged files count as missing", "teleproto-StoreSession", "STORE-7"),
    ("setDC() before load() erases the key", "teleproto-StoreSession", "LIFE-3"),
    ("a deleted session is brought back", "teleproto-StoreSession", "DUR-6"),
    ("truncated strings are accepted", "teleproto-StringSession", "STR-9"),
    ("characters that are not base64 are ignored", "teleproto-StringSession", "STR-8"),
    ("ports above 32767 cannot be saved", "teleproto-StringSession", "STR-14"),
    ("Telethon's ports above 32767 are negative", "teleproto-StringSession", "TLT-2"),
    ("Telethon's IPv6 strings are read", "teleproto-StringSession", "TLT-4"),
    ("a string with a short address is read as Telethon's", "teleproto-StringSession", "TLT-5"),
    ("save() before load() returns an empty string", "teleproto-StringSession", "STR-5"),
    ("an error shows a key", "teleproto-StringSession", "STR-12"),
    ("JSON and logs show a key", "teleproto-StringSession", "SEC-1"),
    ("any data centre id is accepted", "teleproto-MemorySession", "DC-6"),
    ("any port is accepted", "teleproto-MemorySession", "DC-7"),
    ("any length of key is accepted", "teleproto-MemorySession", "KEY-8"),
    ("a key before setDC() is dropped", "teleproto-MemorySession", "KEY-10"),
    ("AuthKey objects are held by reference", "teleproto-MemorySession", "KEY-13"),
    ("a big integer finds no entity", "teleproto-MemorySession", "ENT-1"),
    ("a chat is read as a channel", "teleproto-MemorySession", "ENT-2"),
    ("a marked id finds another kind", "teleproto-MemorySession", "ENT-5"),
    ("null raises a TypeError", "teleproto-MemorySession", "ENT-8"),
    ("a username stays with its first owner", "teleproto-MemorySession", "ENT-11"),
    ("an empty text finds a user without a name", "teleproto-MemorySession", "ENT-13"),
    ("the list of usernames is ignored", "teleproto-MemorySession", "ENT-20"),
    ("a PeerUser raises a cast error", "teleproto-MemorySession", "ENT-21"),
    ("the key stays after a switch", "gramjs-MemorySession", "DC-2"),
    ("a key for another data centre is dropped", "gramjs-MemorySession", "KEY-3"),
    ("load() brings the old key back after a migration", "gramjs-StringSession", "CLIENT-4"),
    ("delete() does nothing", "gramjs-MemorySession", "LIFE-6"),
    ("there is no flag", "gramjs-MemorySession", "SURFACE-1"),
    ("an old username is still found", "gramjs-MemorySession", "ENT-10"),
    ("an old access hash is still found", "gramjs-MemorySession", "ENT-9"),
]
"""Known faults of these classes, found without the suite, and the rules that they break."""


@pytest.mark.parametrize(("fact", "session", "rule"), FACTS, ids=[fact for fact, _, _ in FACTS])
def test_a_known_fault_is_in_the_baseline(fact: str, session: str, rule: str) -> None:
    known = next(entry.known for entry in CLASSES if entry.baseline == f"{session}.yaml")
    assert any(re.match(rf"{rule}\[", check) for check in known), fact
