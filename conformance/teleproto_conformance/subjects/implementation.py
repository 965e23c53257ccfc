"""The session class under test, as the user named it, and the profile that it promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

GIVEN = "given"
PROMISED = "the class says so"
GUESSED = "guessed from its constructor"


@dataclass(frozen=True)
class Implementation:
    """``text`` is how the user named it, ``name`` what messages call it, ``profile_from`` how its
    profile is known, and ``versions`` what it runs on and with.
    """

    text: str
    name: str
    profile: str
    profile_from: str
    versions: dict[str, str]

    @property
    def runs_on(self) -> str:
        """What the class runs on and with, or nothing where its host does not say."""
        return ", ".join(f"{what} {version}" for what, version in self.versions.items())


def settle(
    text: str, given: str | None, hello: dict[str, Any], profiles: Iterable[str]
) -> Implementation:
    """Choose the profile: the one given, else the class's own, else what its constructor says.

    :raises UsageError: where there is no such profile, or nothing to go by.
    """
    known = list(profiles)
    if given is not None:
        profile, where, profile_from = given, "--session-profile", GIVEN
    elif hello["promised"] is not None:
        javascript = hello["language"] == "javascript"
        where = f"static sessionProfile of {text}" if javascript else f"{text}.session_profile"
        profile, profile_from = hello["promised"], PROMISED
    elif hello["guess"] is not None:
        profile, where, profile_from = hello["guess"], text, GUESSED
    else:
        raise UsageError(
            f"--session-impl={text}: its constructor does not tell what it promises; name the "
            "profile with --session-profile"
        )
    versions = hello.get("versions", {})
    return Implementation(
        text, str(hello["name"]), _known(profile, known, where), profile_from, versions
    )


def _known(profile: str, known: list[str], where: str) -> str:
    if profile in known:
        return profile
    raise UsageError(f"{where}: no profile is called {profile!r}; use one of {', '.join(known)}")
