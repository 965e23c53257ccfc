"""The setting that all talks with a host share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contract.tables import Member, Profile
from ..errors import UsageError
from ..subjects.fork_server import Launcher
from ..subjects.hello import Hello, hello_request
from .requests import Request


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The setting that all talks share.

    ``profile`` is the value of ``--profile``, if given. ``limit`` is how many seconds an answer may
    take. ``members`` and ``profiles`` are tables of the contract.
    """

    launch: Launcher
    implementation: str
    profile: str | None
    path: list[str]
    limit: float
    members: Mapping[str, Member]
    profiles: Mapping[str, Profile]

    def promise(self, hello: Hello) -> Profile:
        """Return the profile of the class that the answer ``hello`` describes.

        :raises UsageError: if that profile does not exist, or if none is known.
        """
        name = self.profile or hello.promised or hello.guess
        if not isinstance(name, str) or name not in self.profiles:
            what = "the profile is not known" if name is None else f"there is no profile {name!r}"
            raise UsageError(f"{what}; name it with --profile, one of {', '.join(self.profiles)}")
        return self.profiles[name]

    def hello(self, **other: Any) -> Request:
        """Return the request ``hello``, with the members ``other`` replaced."""
        return hello_request(self.implementation, self.path, self.members) | other
