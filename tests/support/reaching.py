"""Find the checks that can show the mistake of a known-bad session.

A known-bad session is a correct class with some methods replaced. A check that calls none of these
does the same on both classes, so it passes. Running it on the correct class shows what it calls.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Collection, Sequence
from typing import Any

from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case
from teleproto_conformance.subjects import in_process

CONTRACT = vectors.load()

_NOTHING = object()
_SAYS_NOTHING = {
    "__abstractmethods__",
    "__annotations__",
    "__doc__",
    "__firstlineno__",
    "__module__",
    "__static_attributes__",
    "__test__",
    "_abc_impl",
    "session_profile",
}
"""Members that each class defines for itself. Traces do not use them."""
_OF_SEVERAL_PROGRAMS = {"interrupt", "together"}
"""Operations that need more than one process."""


def differences(
    session: type[Any], correct: Sequence[type[Any]]
) -> tuple[type[Any], set[str]] | None:
    """Return the correct class that ``session`` extends, and the members that it replaces.

    Return None if it differs in anything else. Then any call may reach the difference.
    """
    classes = session.__mro__
    base = next((each for each in classes if each in correct), None)
    if base is None or classes[classes.index(base) :] != base.__mro__:
        return None
    replaced: set[str] = set()
    for own in classes[: classes.index(base)]:
        for name, value in vars(own).items():
            if name in _SAYS_NOTHING:
                continue
            before = inspect.getattr_static(base, name, _NOTHING)
            if before is _NOTHING and _is_a_helper(name, value):
                continue
            if not (type(value) is type(before) and _can_be_followed(name, before)):
                return None
            replaced.add(name)
    return base, replaced


def _is_a_helper(name: str, value: object) -> bool:
    """Return whether only code that names a new member can reach it.

    Other code can reach a new property, because it may hide an attribute of the object.
    """
    plain = isinstance(value, types.FunctionType) or not hasattr(type(value), "__get__")
    return plain and name not in CONTRACT.members and not name.startswith("__")


def _can_be_followed(name: str, member: object) -> bool:
    return isinstance(member, types.FunctionType | property) and not hasattr(object, name)


def _following(base: type[Any], called: set[str]) -> type[Any]:
    """Return a subclass of ``base`` that notes in ``called`` the name of each member called."""

    def noting(name: str, function: Callable[..., Any] | None) -> Callable[..., Any] | None:
        if function is None:
            return None

        @functools.wraps(function)
        def noted(*arguments: Any, **named: Any) -> Any:
            called.add(name)
            return function(*arguments, **named)

        return noted

    members: dict[str, Any] = {}
    for name in dir(base):
        member = inspect.getattr_static(base, name)
        if not _can_be_followed(name, member):
            continue
        if isinstance(member, property):
            get, put, remove = (noting(name, f) for f in (member.fget, member.fset, member.fdel))
            members[name] = property(get, put, remove)
        else:
            members[name] = noting(name, member)
    return types.new_class(base.__name__, (base,), {}, lambda body: body.update(members))


class Reach:
    """The members that each case calls on the classes in ``correct``.

    Cases of the rules in ``without`` are left out.
    """

    def __init__(self, correct: Sequence[type[Any]], without: Collection[str]) -> None:
        self._correct = correct
        self._without = without
        self._known: dict[tuple[type[Any], str], dict[str, frozenset[str]]] = {}

    def never_called(self, session: type[Any], profile: str) -> set[str]:
        """Return the ids of the cases that call no replaced member of ``session``."""
        if (found := differences(session, self._correct)) is None:
            return set()
        base, replaced = found
        if (base, profile) not in self._known:
            self._known[base, profile] = self._called(base, profile)
        called = self._known[base, profile]
        return {case for case, names in called.items() if not names & replaced}

    def _called(self, base: type[Any], profile: str) -> dict[str, frozenset[str]]:
        """Return the members that each case calls. A case that fails in one process is left out."""
        called: set[str] = set()
        driver = in_process.driver(_following(base, called), CONTRACT)
        checker = Checker(CONTRACT, profile, driver, scratch=in_memory())
        found: dict[str, frozenset[str]] = {}
        for case in CONTRACT.checks(profile):
            if not isinstance(case, Case) or case.rule in self._without or _several(case):
                continue
            called.clear()
            if checker.run(case) is None:
                found[case.id] = frozenset(called)
        return found


def _several(case: Case) -> bool:
    return any(step.operation in _OF_SEVERAL_PROGRAMS for step in case.trace)
