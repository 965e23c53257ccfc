"""The request ``hello``, and its answer: what a host says about its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ..contract.keys import KEYS
from ..contract.tables import Member
from ..errors import HostError
from .subject import PROTOCOL

_REQUIRED = ("language", "name", "pid", "promised", "guess")


def hello_request(
    implementation: str, path: Sequence[str], members: Mapping[str, Member]
) -> dict[str, Any]:
    """Return the request that makes a host import ``implementation`` from ``path``."""
    return {
        "do": "hello",
        "protocol": PROTOCOL,
        "implementation": implementation,
        "path": [*path],
        "members": {name: member.dump() for name, member in members.items()},
        "keys": {name: key.hex() for name, key in KEYS.items()},
    }


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The answer to ``hello``.

    ``name`` is the name of the class in messages. ``pid`` is the process that answers. ``promised``
    is the profile that the class declares, ``guess`` the one that its constructor suggests. Either
    may be None, or may be a profile that the contract does not have. ``versions`` maps names to
    versions, for reports.
    """

    language: str
    name: str
    pid: int
    promised: object
    guess: object
    versions: dict[str, str]
    protocol: int

    @classmethod
    def read(cls, value: object) -> Self:
        """Read the value that a host returned.

        :raises HostError: if the value does not follow the protocol.
        """
        given = value if isinstance(value, dict) else {}
        spoken = given.get("protocol")
        if spoken != PROTOCOL:
            raise HostError(
                f"its host speaks protocol {spoken}, and this suite {PROTOCOL}; update the older "
                "of the two (spec/HOSTS.md)"
            )
        missing = [name for name in _REQUIRED if name not in given]
        if missing:
            raise HostError(
                f"its host left {', '.join(missing)} out of its answer to hello (spec/HOSTS.md)"
            )
        versions = given.get("versions", {})
        if not isinstance(versions, dict) or not all(
            isinstance(version, str) and version for version in versions.values()
        ):
            raise HostError(
                "`versions` in the answer to hello must map names to non-empty strings "
                "(spec/HOSTS.md)"
            )
        return cls(
            language=str(given["language"]),
            name=str(given["name"]),
            pid=given["pid"],
            promised=given["promised"],
            guess=given["guess"],
            versions=versions,
            protocol=PROTOCOL,
        )
