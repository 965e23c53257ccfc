"""The session class under test: its name and its profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ..errors import UsageError
from .hello import Hello

GIVEN = "given"
PROMISED = "the class says so"
GUESSED = "guessed from its constructor"


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """A class and its profile.

    ``text`` is the value of ``--session-impl``, ``name`` the name of the class in messages.
    ``profile_from`` says where the profile comes from. ``versions`` are those of the runtime and of
    the libraries.
    """

    text: str
    name: str
    profile: str
    profile_from: str
    versions: dict[str, str]

    @classmethod
    def of(cls, text: str, given: str | None, hello: Hello, profiles: Iterable[str]) -> Self:
        """Choose the profile: from the option, else from the class, else from its constructor.

        :raises UsageError: if that profile does not exist, or if none is known.
        """
        chosen: object
        if given is not None:
            chosen, where, profile_from = given, "--session-profile", GIVEN
        elif hello.promised is not None:
            javascript = hello.language == "javascript"
            where = f"static sessionProfile of {text}" if javascript else f"{text}.session_profile"
            chosen, profile_from = hello.promised, PROMISED
        elif hello.guess is not None:
            chosen, where, profile_from = hello.guess, text, GUESSED
        else:
            raise UsageError(
                f"--session-impl={text}: its constructor does not show its profile; name the "
                "profile with --session-profile"
            )
        return cls(
            text=text,
            name=hello.name,
            profile=_known(chosen, [*profiles], where),
            profile_from=profile_from,
            versions=hello.versions,
        )

    @property
    def runs_on(self) -> str:
        """The versions in one line; empty if the host does not report any."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


def _known(profile: object, known: list[str], where: str) -> str:
    if isinstance(profile, str) and profile in known:
        return profile
    raise UsageError(f"{where}: there is no profile {profile!r}; use one of {', '.join(known)}")
