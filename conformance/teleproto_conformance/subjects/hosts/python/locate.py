"""Finding the Python class of ``--session-impl``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ....errors import UsageError


@dataclass(frozen=True)
class Located:
    """A session class, or a factory of one.

    ``promised`` is the profile that it declares, ``guess`` the profile that its constructor
    suggests. Each may be None.
    """

    factory: Callable[..., Any]
    promised: object
    guess: str | None


def locate(text: str) -> Located:
    """Import ``pkg.mod.Class`` or ``pkg.mod:factory``.

    :raises UsageError: in one line, if the class cannot be found.
    """
    factory = _find(text)
    return Located(factory, getattr(factory, "session_profile", None), _guess(factory))


def _find(text: str) -> Callable[..., Any]:
    if ":" in text:
        module_name, _, path = text.partition(":")
        if not module_name or not path:
            raise _misspelt(text)
        found = _attribute(_import(module_name, text), path, text)
    else:
        found = _dotted(text)
    if not callable(found):
        kind = type(found).__name__
        raise UsageError(f"--session-impl={text}: it is of type {kind}, not a class or factory")
    return found  # type: ignore[no-any-return]  # callable() has just said so


def _dotted(text: str) -> Any:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise _misspelt(text)
    modules = {split: ".".join(parts[:split]) for split in range(len(parts) - 1, 0, -1)}
    split = next((at for at, name in modules.items() if at == 1 or _importable(name, text)), 1)
    return _attribute(_import(modules[split], text), ".".join(parts[split:]), text)


def _misspelt(text: str) -> UsageError:
    if re.search(r"#|\.[cm]?[jt]s\b", text):
        return UsageError(
            f"--session-impl={text}: write a JavaScript class as node:MODULE#EXPORT, such as "
            "node:./redis-session.js#RedisSession"
        )
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
        if text.endswith(".py") or ".py:" in text:
            raise UsageError(
                f"--session-impl={text}: write the module without .py, as package.module.Class"
            ) from None
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise UsageError(
                f"--session-impl={text}: module {error.name} does not exist; run pytest where it "
                "can be imported, or install it in this environment"
            ) from None
        raise _import_failed(module_name, text, error) from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _import_failed(module_name, text, error) from None


def _import_failed(module_name: str, text: str, error: BaseException) -> UsageError:
    return UsageError(
        f"--session-impl={text}: importing {module_name} raised {type(error).__name__}: "
        f"{' '.join(str(error).split())}; `python -c 'import {module_name}'` shows more"
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


def _guess(factory: Callable[..., Any]) -> str | None:
    """Guess the profile from the constructor. A class that takes a name is at least ``custom``."""
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return None
    positional = [
        parameter
        for parameter in parameters
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if not positional:
        return None if any(parameter.name == "name" for parameter in parameters) else "memory"
    first = positional[0]
    return "string" if first.default == "" and _SAVED.search(first.name) else "custom"


_SAVED = re.compile("saved|string|^session$")
"""Names of a parameter that takes a saved string."""
