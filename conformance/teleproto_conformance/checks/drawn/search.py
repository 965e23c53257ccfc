"""Traces made at run time: Hypothesis draws the calls, the reference model gives the answers.

A generated trace is replayed, shortened, shown and saved like any other trace.
"""

from __future__ import annotations

import ipaddress
import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, configuration, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from ...contract import formats
from ...contract.keys import NAMES
from ...contract.rules import Contract, Generated
from ...contract.trace import Step, Trace
from ..effort import Effort
from ..failure import Failure
from . import histories
from .shortening import shortened


def search(
    check: Generated,
    contract: Contract,
    keeps: str,
    effort: Effort,
    run: Callable[[Trace], Failure | None],
) -> Failure | None:
    """Draw traces until one fails; shorten it, and return its failure.

    ``effort`` limits the traces and the attempts to shorten. Without a seed, the same version of
    Hypothesis draws the same traces in every run of the same code. A call that hangs ends the
    search, as every attempt to shorten would wait for the time limit again.
    """
    found: list[Failure] = []
    tried = itertools.count()
    histories_drawn = check.by == "histories"

    @settings(
        max_examples=effort.examples,
        derandomize=effort.seed is None,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def attempt(data: st.DataObject) -> None:
        trace = data.draw(_STRATEGIES[check.by](check, contract, keeps))
        # Stop only after the draw. Otherwise Hypothesis reports inconsistent data.
        if found and next(tried) >= effort.shortening:
            raise _Enough
        failure = run(trace)
        if failure is not None:
            found.append(failure)
            # Histories are shortened step by step below, not by Hypothesis.
            raise _Enough if failure.hung or histories_drawn else _Found

    try:
        with _home_elsewhere():
            (attempt if effort.seed is None else seed(effort.seed)(attempt))()
    except _Found:
        return replace(found[-1], shortest=True)
    except _Enough:
        pass
    except Flaky:
        return _unsteady(found[-1])
    if not found or found[-1].hung or not histories_drawn:
        return found[-1] if found else None
    if effort.shortening and run(found[-1].done) is None:
        return _unsteady(found[-1])
    answered = partial(histories.answered, contract, keeps)
    return shortened(found[-1], answered, run, effort.shortening)


def _unsteady(failure: Failure) -> Failure:
    return replace(failure, repeats="not every time")


class _Found(Exception):
    """Makes Hypothesis look for a simpler trace."""


class _Enough(BaseException):
    """Ends the search: Hypothesis does not catch it."""


@contextmanager
def _home_elsewhere() -> Iterator[None]:
    """Keep the files of Hypothesis out of the directory in which the run was started.

    Afterwards it writes to its default directory, or to HYPOTHESIS_STORAGE_DIRECTORY.
    """
    with tempfile.TemporaryDirectory(prefix="hypothesis-", ignore_cleanup_errors=True) as home:
        configuration.set_hypothesis_home_dir(home)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)


# Strings


def _addresses() -> st.SearchStrategy[str]:
    numbers = st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number)))
    groups = st.integers(0, 2**128 - 1).map(lambda number: str(ipaddress.IPv6Address(number)))
    labels = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=20)
    hosts = st.lists(labels, min_size=2, max_size=5).map(".".join)
    return st.one_of(numbers, groups, hosts)


def _spread(*bounds: int) -> st.SearchStrategy[int]:
    """Draw a range between two neighbouring bounds, all equally often; then a number from it."""
    return st.one_of([st.integers(*ends) for ends in itertools.pairwise(bounds)])


def _login(addresses: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "dc_id": _spread(1, 127, 255),
            "server_address": addresses,
            "port": _spread(1, 1023, 32767, 65535),
            "auth_key": st.sampled_from(NAMES),
        }
    )


def _reading(text: str, login: dict[str, Any], canonical: str) -> Trace:
    read = {**login, "auth_key": {"key": login["auth_key"]}}
    return (
        Step("restore", [text]),
        Step("observe", read),
        Step("save", [], gives=canonical),
    )


@st.composite
def _teleproto_strings(draw: st.DrawFn, check: Generated, contract: Contract, keeps: str) -> Trace:
    layouts = contract.layouts
    login = draw(_login(_addresses()))
    text = formats.encode(layouts, {"string": "teleproto", **login})
    if draw(st.booleans()):
        return _reading(text, login, text)
    return (
        Step("open", []),
        Step("load", []),
        Step("set_dc", [login["dc_id"], login["server_address"], login["port"]]),
        Step("set_auth_key", [{"key": login["auth_key"]}]),
        Step("save", [], gives=text),
    )


@st.composite
def _telethon_strings(draw: st.DrawFn, check: Generated, contract: Contract, keeps: str) -> Trace:
    layouts = contract.layouts
    numbers = st.integers(2**24, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number)))
    login = draw(_login(numbers))
    text = formats.encode(layouts, {"string": "telethon-ipv4", **login})
    return _reading(text, login, formats.encode(layouts, {"string": "teleproto", **login}))


@st.composite
def _damaged_strings(draw: st.DrawFn, check: Generated, contract: Contract, keeps: str) -> Trace:
    layouts = contract.layouts
    login = draw(_login(_addresses().filter(lambda address: len(address) > 3)))
    described = {"string": "teleproto", **login}
    whole = formats.encode(layouts, described)
    bare = len(whole.rstrip("="))
    damage = draw(st.sampled_from(("cut", "extra", "insert")))
    if damage == "cut":
        # The contract leaves open what happens if only the padding is cut. A cut to 352
        # characters gives a Telethon string without padding; this is open, too.
        described["cut"] = draw(st.integers(1, bare - 1).filter(lambda kept: kept != 352))
    elif damage == "extra":
        described["extra"] = draw(st.binary(min_size=1, max_size=40)).hex()
    else:
        at = draw(st.integers(1, bare - 1))
        described["insert"] = {"at": at, "text": draw(st.sampled_from("!#$%&*.:;<>?@[]^`{|}~é"))}
    return (Step("restore", [formats.encode(layouts, described)], raises=True),)


_STRATEGIES: dict[str, Callable[[Generated, Contract, str], st.SearchStrategy[Trace]]] = {
    "histories": histories.histories,
    "teleproto_strings": _teleproto_strings,
    "telethon_strings": _telethon_strings,
    "damaged_strings": _damaged_strings,
}
