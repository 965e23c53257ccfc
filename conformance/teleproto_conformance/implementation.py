"""The session class under test, as the user named it, and the profile that it promises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .errors import UsageError

GIVEN = "given"
PROMISED = "the class says so"
GUESSED = "guessed from its constructor"


@dataclass(frozen=True)
class Implementation:
    """``text`` is how the user named it, ``name`` what messages call it, and ``profile_from`` how
    its profile is known.
    """

    text: str
    name: str
    profile: str
    profile_from: str


def settle(
    text: str, given: str | None, hello: dict[str, Any], profiles: Iterable[str]
) -> Implementation:
    """Choose the profile: the one given, else the class's own, else what its constructor says.

    :raises UsageError: where there is no such profile, or nothing to go by.
    """
    known, name = list(profiles), str(hello["name"])
    if given is not None:
        return Implementation(text, name, _known(given, known, "--session-profile"), GIVEN)
    if hello["promised"] is not None:
        attribute = "sessionProfile" if hello["language"] == "javascript" else "session_profile"
        where = f"{text}.{attribute}"
        return Implementation(text, name, _known(hello["promised"], known, where), PROMISED)
    if hello["guess"] is None:
        raise UsageError(
            f"--session-impl={text}: its constructor does not tell what it promises; name the "
            "profile with --session-profile"
        )
    return Implementation(text, name, _known(hello["guess"], known, text), GUESSED)


def _known(profile: str, known: list[str], where: str) -> str:
    if profile in known:
        return profile
    raise UsageError(f"{where}: no profile is called {profile!r}; use one of {', '.join(known)}")
