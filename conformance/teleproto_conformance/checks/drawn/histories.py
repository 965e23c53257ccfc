"""Histories: calls that Hypothesis draws, with the answers of a reference session.

If the contract leaves the outcome of a call open, the call is left out. A changed history gets new
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from teleproto_sessions import tl

from ...contract.keys import NAMES
from ...contract.operations import OPERATIONS
from ...contract.rules import Contract, Generated
from ...contract.trace import MAIN, Step, Trace
from .model import Model

Draw = Any

_HOMES: tuple[list[Any], ...] = (
    [1, "149.154.175.50", 443],
    [2, "149.154.167.51", 443],
    [2, "149.154.167.51", 80],
    [2, "149.154.167.40", 443],
    [4, "2001:067c:04e8:f004:0000:0000:0000:000a", 443],
    [10, "192.0.2.10", 443],
    [203, "91.105.192.100", 5222],
)
_DATA_CENTRES = (1, 2, 4, 10, 203)
_PEERS: tuple[tl.Peer, ...] = (
    tl.PeerUser(5123456789),
    tl.PeerUser(6234567890),
    tl.PeerChannel(1234567890),
    tl.PeerChannel(2345678901),
    tl.PeerChat(1234567890),
    tl.PeerChat(1001234567),
)
"""A channel and a chat share a bare id, and one chat's marked id begins like a channel's. The users
have ids of their own, since a session may answer an unknown user id with the chat of that id."""
_USERNAMES = ("first_name", "second_name", "third_name", None)

# Strategies that are made once: Hypothesis examines each new one.
_HOME = st.sampled_from(_HOMES)
_DATA_CENTRE = st.sampled_from(_DATA_CENTRES)
_KEYS: tuple[Any, ...] = tuple({"key": name} for name in NAMES)
_KEY = st.sampled_from(_KEYS)
_NO_KEY = st.sampled_from([None, {"key": "blank"}])
_KEY_OR_NONE = st.sampled_from([None, *_KEYS])
_FLAG = st.booleans()
_END = st.sampled_from(["kill", "exit"])
_BATCH = st.lists(st.sampled_from(_PEERS), min_size=1, max_size=4, unique=True)
# The contract leaves open whether 0 is an access hash or means that there is none.
_ACCESS_HASH = st.integers(-(2**63), 2**63 - 1).filter(bool)


@cache
def _one_of(things: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(things)


@st.composite
def _entities(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = list(_USERNAMES)
    batch = []
    for peer in draw(_BATCH):
        entity: dict[str, Any] = {"_": "user", "id": str(tl.bare_id(peer))}
        if not isinstance(peer, tl.PeerUser):
            entity["_"] = "chat" if isinstance(peer, tl.PeerChat) else "channel"
            entity["title"] = "Somewhere"
        if not isinstance(peer, tl.PeerChat):
            entity["access_hash"] = str(draw(_ACCESS_HASH))
            # Names are unique in a batch: the contract leaves open which of two entities wins.
            name = draw(_one_of(tuple(names)))
            if name is not None:
                names.remove(name)
                entity["username"] = name
        batch.append(entity)
    return batch


_ENTITIES = _entities()


def _step(draw: st.DrawFn, operation: str) -> Step:
    match operation:
        case "set_dc":
            return Step("set_dc", draw(_HOME))
        case "set_auth_key":
            return Step("set_auth_key", [draw(_KEY)])
        case "clear_auth_key":
            return Step("set_auth_key", [draw(_NO_KEY)])
        case "set_other_key":
            return Step("set_auth_key", [draw(_KEY_OR_NONE), draw(_DATA_CENTRE)])
        case "set_test_servers":
            return Step("set", {"test_servers": draw(_FLAG)}, raises="maybe")
        case "process_entities":
            return Step("process_entities", [draw(_ENTITIES)])
        case "restart":
            return Step("restart", [draw(_END)])
        case _:
            return Step(operation, [])


def _questions(watch: tuple[str, ...]) -> Iterator[Step]:
    members = [m for m in watch if m not in ("get_auth_key", "get_input_entity")]
    if members:
        yield Step("observe", dict.fromkeys(members))
    if "get_auth_key" in watch:
        yield from (Step("get_auth_key", [dc]) for dc in _DATA_CENTRES)
    if "get_input_entity" in watch:
        yield from (Step("get_input_entity", [{"int": str(tl.marked_id(peer))}]) for peer in _PEERS)
        yield from (Step("get_input_entity", [f"@{name}"]) for name in _USERNAMES if name)


_WEIGHTS = {"process_entities": 8, "set_dc": 8, "load": 2, "save": 2, "close": 2, "delete": 1}
"""Weights of calls; all others have 4. delete() is rare: an empty session has little to lose."""


@dataclass(frozen=True)
class _Call:
    """A call. ``asked`` says whether questions follow."""

    operation: str
    step: Step
    asked: bool


@cache
def _weighted(operations: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([n for n in operations for _ in range(_WEIGHTS.get(n, 4))])


@st.composite
def _calls(draw: st.DrawFn, operations: tuple[str, ...]) -> _Call:
    operation = draw(_weighted(operations))
    # Questions follow only some calls, so that several changes can come in a row.
    asked = draw(_FLAG)
    return _Call(operation, _step(draw, operation), asked)


@cache
def _several(operations: tuple[str, ...]) -> st.SearchStrategy[list[_Call]]:
    calls = _calls(operations)
    # Long histories find most faults. Short ones find those that need a call early.
    long = st.lists(calls, min_size=12, max_size=30)
    return st.one_of(st.lists(calls, min_size=1, max_size=6), long, long)


@st.composite
def histories(draw: st.DrawFn, check: Generated, contract: Contract, keeps: str) -> Trace:
    """Draw calls, and put questions after some, with the answers of the reference model."""
    drawn = draw(_several(check.operations))
    with Model(contract, keeps) as model:
        steps = [model.answer(Step("open", [])), model.answer(Step("load", []))]
        cleared = False
        for number, call in enumerate(drawn):
            if call.operation == "second_handle":
                questions = _questions(check.watch)
                steps += [_answer(model, step) for step in _second(number, keeps, questions)]
                continue
            steps += [
                _answer(model, step) for step in _unambiguous(call, model, keeps, cleared=cleared)
            ]
            cleared = _clears(call.step) or (cleared and call.operation != "delete")
            if call.asked or call is drawn[-1]:
                steps += [model.answer(question) for question in _questions(check.watch)]
    return _asking(steps)


def _asking(steps: Iterable[Step]) -> Trace:
    """Mark the questions: only they ask what the rule of a history says."""
    return tuple(replace(step, asks=step.questions) for step in steps)


SECOND = "second"
"""The name of the session in another process."""


def _second(number: int, keeps: str, questions: Iterable[Step]) -> Iterator[Step]:
    """Open the session once more in a new process, and ask what it holds.

    The first handle may have an exclusive lock. Then the trace ends there.
    """
    if keeps not in ("saved", "changes"):
        return
    if keeps == "saved":
        yield Step("save", [])
    yield Step("open", [], session=SECOND, process=f"p{number}", raises="ends")
    yield Step("load", [], session=SECOND, raises="ends")
    for question in questions:
        yield replace(question, session=SECOND)


def _answer(model: Model, step: Step) -> Step:
    """Return the step with the answer of the model. Both handles must give the same answers."""
    if step.session != SECOND:
        return model.answer(step)
    if not step.questions:
        return step
    return replace(model.answer(replace(step, session=MAIN)), session=SECOND)


def _clears(step: Step) -> bool:
    return step.operation == "set_auth_key" and step.argument[0] in (None, {"key": "blank"})


def _unambiguous(call: _Call, model: Model, keeps: str, *, cleared: bool) -> list[Step]:
    """Return the steps of a call; empty if the contract leaves the outcome open."""
    if _is_open(call.step, model, cleared=cleared):
        return []
    match call.operation:
        case "reopen" | "restart" if keeps == "nothing":
            return []
        case "close" if keeps not in ("saved", "changes"):
            return []  # close() may only lose stored data, and this profile has none
        case "close":
            closing = [Step("close", []), Step("reopen", [])]
            return [Step("save", []), *closing] if keeps == "saved" else closing
        case _:
            return [call.step]


# Changed histories


def answered(contract: Contract, keeps: str, steps: Trace) -> Trace | None:
    """Return a changed history with new answers, or None if the contract leaves them open."""
    if not _hands_over_well(steps, keeps):
        return None
    with Model(contract, keeps) as model:
        done: list[Step] = []
        cleared = False
        for step in steps:
            if _is_open(step, model, cleared=cleared):
                return None
            cleared = _clears(step) or (cleared and step.operation != "delete")
            done.append(_answer(model, _bare(step)))
    return _asking(done)


def _is_open(step: Step, model: Model, *, cleared: bool) -> bool:
    """Return whether the contract leaves the outcome of the step open."""
    if step.operation == "set_auth_key":
        return not model.has_dc  # a key without a data centre has its own rule
    return step.operation == "set" and cleared  # the flag may be locked or not


def _hands_over_well(steps: Trace, keeps: str) -> bool:
    """Return whether close() and second handles are used in a defined way.

    Changes are saved before both. The session is opened again after close(). All questions to a
    second handle come before the next change of the session.
    """
    done = [(step.operation, step.session) for step in steps]
    followers = {("close", MAIN): ("reopen", MAIN), ("open", SECOND): ("load", SECOND)}
    asked = False
    for at, (operation, session) in enumerate(done):
        if (follower := followers.get((operation, session))) is not None:
            saved = keeps != "saved" or done[at - 1] == ("save", MAIN)
            if done[at + 1 : at + 2] != [follower] or not saved:
                return False
        if (operation, session) == ("load", SECOND):
            asked = done[at - 1] == ("open", SECOND)
        elif session == MAIN and not OPERATIONS[operation].questions:
            asked = False
        if session == SECOND and operation != "open" and not asked:
            return False
    return True


def _bare(step: Step) -> Step:
    if step.operation == "observe":
        return Step("observe", dict.fromkeys(step.argument), session=step.session)
    if step.questions:
        return Step(step.operation, step.argument, session=step.session)
    return step
