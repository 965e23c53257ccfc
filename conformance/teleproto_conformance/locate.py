"""From what stands behind ``--session-impl`` to a class and the profile that it promises."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .errors import UsageError

GIVEN = "given"
PROMISED = "the class says so"
GUESSED = "guessed from its constructor"


@dataclass(frozen=True)
class Implementation:
    """A session class, or a factory of one. ``text`` is how the user named it."""

    text: str
    factory: Callable[..., Any]
    profile: str
    profile_from: str

    @property
    def name(self) -> str:
        """The short name that messages use."""
        return self.text.replace(":", ".").rpartition(".")[2]


def locate(text: str, profile: str | None, profiles: Iterable[str]) -> Implementation:
    """Import ``pkg.mod.Class`` or ``pkg.mod:factory`` and settle its profile.

    :raises UsageError: in one line, where any of it cannot be used.
    """
    factory = _find(text)
    known = list(profiles)
    if profile is not None:
        return Implementation(text, factory, _known(profile, known, "--session-profile"), GIVEN)
    promised = getattr(factory, "session_profile", None)
    if promised is not None:
        where = f"{text}.session_profile"
        return Implementation(text, factory, _known(promised, known, where), PROMISED)
    return Implementation(text, factory, _guess(text, factory), GUESSED)


def _known(profile: object, known: list[str], where: str) -> str:
    if isinstance(profile, str) and profile in known:
        return profile
    raise UsageError(f"{where}: no profile is called {profile!r}; use one of {', '.join(known)}")


def _find(text: str) -> Callable[..., Any]:
    if text.startswith(("node:", "exec:")):
        raise UsageError(f"--session-impl={text}: only Python classes can be reached so far")
    if ":" in text:
        module_name, _, path = text.partition(":")
        if not module_name or not path:
            raise _misspelt(text)
        found = _attribute(_import(module_name, text), path, text)
    else:
        found = _dotted(text)
    if not callable(found):
        kind = type(found).__name__
        raise UsageError(f"--session-impl={text}: no class or factory, but of type {kind}")
    return found  # type: ignore[no-any-return]  # callable() has just said so


def _dotted(text: str) -> Any:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise _misspelt(text)
    modules = {split: ".".join(parts[:split]) for split in range(len(parts) - 1, 0, -1)}
    split = next((at for at, name in modules.items() if at == 1 or _importable(name, text)), 1)
    return _attribute(_import(modules[split], text), ".".join(parts[split:]), text)


def _misspelt(text: str) -> UsageError:
    return UsageError(
        f"--session-impl={text}: write a class as package.module.Class, "
        "or a factory as package.module:factory"
    )


def _importable(module_name: str, text: str) -> bool:
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError:
        return False
    except Exception as error:
        raise _import_failed(module_name, text, error) from None


def _import(module_name: str, text: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(
                f"--session-impl={text}: there is no module {error.name}; run pytest where it can "
                "be imported, or install it in this environment"
            ) from None
        raise _import_failed(module_name, text, error) from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _import_failed(module_name, text, error) from None


def _import_failed(module_name: str, text: str, error: BaseException) -> UsageError:
    return UsageError(
        f"--session-impl={text}: importing {module_name} raised {type(error).__name__}: "
        f"{' '.join(str(error).split())}"
    )


def _attribute(module: Any, path: str, text: str) -> Any:
    thing = module
    for part in path.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            near = difflib.get_close_matches(part, dir(thing), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            owner = getattr(thing, "__name__", path)
            raise UsageError(f"--session-impl={text}: {owner} has no {part}{hint}") from None
    return thing


def _guess(text: str, factory: Callable[..., Any]) -> str:
    """Read the profile off the constructor; a class that takes a name is at least ``custom``."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        raise UsageError(
            f"--session-impl={text}: its constructor cannot be inspected; name the profile with "
            "--session-profile"
        ) from None
    positional = [
        parameter
        for parameter in parameters
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if not positional:
        return "memory"
    first = positional[0]
    return "string" if first.default == "" and first.name != "name" else "custom"
