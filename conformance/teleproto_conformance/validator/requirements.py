"""The requirements of ``spec/HOSTS.md``, each a small function, in the order they are asked.

A function talks to a process of its own and raises what it does not find as it should be:
:class:`Wrong` where the host is to blame, :class:`Mistake` where the session behind it may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..contract.keys import KEYS, SIZE
from ..contract.trace import MAIN
from ..subjects.process import Gone, Silent
from ..subjects.subject import PROTOCOL
from .answers import KINDS, Request, problem_of, shown
from .talk import (
    EXIT,
    FINISH,
    PAUSE,
    PAUSED,
    TEXTS,
    Mistake,
    Talk,
    Wrong,
    assign,
    call,
    drop,
    has,
    hello,
    observe,
    returned,
    together,
)

STARTED, KNOWN, BEGUN, OPENED = range(4)
"""How far a talk has come when a requirement takes over."""


@dataclass(frozen=True)
class Requirement:
    """What a host has to do: ``title`` says it, and ``check`` finds out.

    Where a ``gate`` is not passed, nothing that stands behind it can be asked.
    """

    group: str
    title: str
    since: int
    gate: bool
    check: Callable[[Talk], None]


REQUIREMENTS: list[Requirement] = []

_Check = TypeVar("_Check", bound=Callable[[Talk], None])


def requirement(
    group: str, title: str, since: int = OPENED, *, gate: bool = False
) -> Callable[[_Check], _Check]:
    """Put a check into the table."""

    def put(check: _Check) -> _Check:
        REQUIREMENTS.append(Requirement(group, title, since, gate, check))
        return check

    return put


_MOVED = call("set_dc", 4, "192.0.2.4", 443)
_NOBODY = call("get_input_entity", "@nobody_of_that_name")
_UNSEEN = call("get_input_entity", {"int": "5123456789"})
_NO_DC = (0, None)

_STARTING = "Starting"


@requirement(_STARTING, "hello says what the class is and promises", STARTED, gate=True)
def _says_hello(talk: Talk) -> None:
    talk.hello()


@requirement(_STARTING, "hello gives the id of the process that was started", KNOWN)
def _is_itself(talk: Talk) -> None:
    if talk.said["pid"] != talk.process.pid:
        came = f"{talk.said['pid']} (a shell script starts its host with exec)"
        raise Wrong(f"{talk.process.pid}", came, hello(talk.setting))


@requirement(_STARTING, "hello refuses a protocol that the host does not speak", STARTED)
def _refuses_another_protocol(talk: Talk) -> None:
    request = hello(talk.setting, protocol=PROTOCOL + 1)
    answer = talk.ask(request)
    if "refused" not in answer:
        raise Wrong("refused", shown(answer), request)


@requirement(_STARTING, "a class that is not there is refused, or passed over", STARTED)
def _refuses_another_class(talk: Talk) -> None:
    request = hello(talk.setting, implementation="nowhere.Nothing")
    answer = talk.ask(request)
    if "refused" not in answer and "returned" not in answer:
        raise Wrong("refused, or returned by a host for one class", shown(answer), request)


@requirement(_STARTING, "begin changes to the directory", KNOWN, gate=True)
def _begins(talk: Talk) -> None:
    talk.begin()


@requirement(_STARTING, "open constructs a session, and load() can be called", BEGUN, gate=True)
def _opens(talk: Talk) -> None:
    talk.open()


_MEMBERS = "Members"


@requirement(_MEMBERS, "has says of each member whether it is there")
def _has_members(talk: Talk) -> None:
    missing = [member for member in talk.setting.members if not talk.flag(has(member))]
    if missing:
        raise Mistake(f"the session has no {', '.join(missing)}")


@requirement(_MEMBERS, "observe reads each property as a value")
def _observes(talk: Talk) -> None:
    for member, about in talk.setting.members.items():
        if about["kind"] == "property":
            talk.value(observe(member))


@requirement(_MEMBERS, "set assigns, and returns null")
def _assigns(talk: Talk) -> None:
    for flag in (True, False):
        talk.done(assign("test_servers", flag))
        talk.agrees(observe("test_servers"), flag)


@requirement(_MEMBERS, "call hands over numbers and text as they are")
def _calls(talk: Talk) -> None:
    talk.value(_MOVED)
    talk.agrees(observe("dc_id"), 4)
    talk.agrees(observe("server_address"), "192.0.2.4")
    talk.agrees(observe("port"), 443)


@requirement(_MEMBERS, "together answers each of its calls, in their order")
def _calls_together(talk: Talk) -> None:
    request = together(call("load"), _UNSEEN, call("get_auth_key", 2))
    answers = returned(request, talk.ask(request))
    came = shown({"returned": answers})
    if not isinstance(answers, list) or len(answers) != 3:
        raise Wrong("a list of 3 answers", came, request)
    for answer in answers:
        if problem := problem_of(answer):
            raise Wrong("answers in that list", f"{came} ({problem})", request)
    kinds = [kind for answer in answers for kind in KINDS if kind in answer]
    if kinds == ["returned", "returned", "returned"]:
        raise Mistake(f"nobody was asked for, and nothing was raised: {came}")
    if kinds != ["returned", "raised", "returned"]:
        raise Wrong("returned, raised and returned", came, request)


_VALUES = "Values"


@requirement(_VALUES, "an auth key comes back under the name that hello gave it")
def _names_keys(talk: Talk) -> None:
    talk.value(_MOVED)
    for name in [name for name, key in KEYS.items() if len(key) == SIZE]:
        talk.value(call("set_auth_key", {"key": name}))
        talk.agrees(call("get_auth_key"), {"key": name})
        talk.agrees(observe("auth_key"), {"key": name})


@requirement(_VALUES, "no key, and a key without bytes, can be handed over")
def _takes_blank_keys(talk: Talk) -> None:
    talk.value(_MOVED)
    for blank in (None, {"key": "blank"}):
        talk.value(call("set_auth_key", {"key": "A"}))
        talk.value(call("set_auth_key", blank))
        talk.agrees(call("get_auth_key"), None, [{"key": "blank"}])


@requirement(_VALUES, "a key has an object of its own, or any number of bytes")
def _fills_keys(talk: Talk) -> None:
    talk.value(_MOVED)
    for name in ("blank", "B"):
        talk.value(call("set_auth_key", {"key": name, "object": "held"}))
    talk.agrees(call("get_auth_key"), {"key": "B"})
    for name in ("short", "long"):
        talk.tried(call("set_auth_key", {"key": name}))


@requirement(_VALUES, "64-bit numbers in a TL object are text, and come back exactly")
def _keeps_numbers(talk: Talk) -> None:
    for access_hash in ("9223372036854775807", "-9223372036854775808", "9007199254740993"):
        user = {"_": "user", "id": "5123456789", "access_hash": access_hash}
        peer = {"_": "inputPeerUser", "user_id": "5123456789", "access_hash": access_hash}
        talk.value(call("process_entities", [user]))
        talk.agrees(_UNSEEN, peer)
        talk.agrees(call("get_input_entity", peer), peer)
        talk.tried(call("get_input_entity", {"long": "5123456789"}))


@requirement(_VALUES, "a TL object of any kind, and no object at all, can be handed over")
def _builds_objects(talk: Talk) -> None:
    chat = {"_": "chat", "id": "4123456789", "title": "Bridge Club"}
    within = {"_": "unheardOf.thing", "chat": chat, "users": [{"_": "userEmpty", "id": "5"}, None]}
    others: list[Any] = [[], None, "text", True, 7, {"_": "updateLoginToken"}]
    for given in (within, *others):
        talk.tried(call("process_entities", given))
    talk.value(call("process_entities", [chat]))
    peer = {"_": "inputPeerChat", "chat_id": "4123456789"}
    talk.agrees(call("get_input_entity", {"int": "-4123456789"}), peer)


@requirement(_VALUES, "text beyond ASCII is the same in both directions", KNOWN)
def _keeps_text(talk: Talk) -> None:
    text = "ä-日本-🙂.example"
    talk.begin(talk.workdir / text)
    talk.open()
    talk.value(call("set_dc", 4, text, 443))
    request = observe("server_address")
    value = talk.value(request)
    if value == text.encode().decode("latin-1"):
        raise Wrong(shown(text), f"{shown(value)} (its UTF-8 was taken for Latin-1)", request)
    talk.agrees(request, text)


@requirement(_VALUES, "a request of 100 kB is taken")
def _takes_large_requests(talk: Talk) -> None:
    talk.tried(call("get_input_entity", "x" * 100_000))
    talk.flag(has("load"))


_ERRORS = "Errors"


@requirement(_ERRORS, "what the session refuses is raised, and is no fault")
def _raises(talk: Talk) -> None:
    answer = talk.ask(_NOBODY)
    if "returned" in answer:
        raise Mistake(f"nobody was asked for, and nothing was raised: {shown(answer)}")
    if "raised" not in answer:
        raise Wrong("raised", shown(answer), _NOBODY)
    if answer["fatal"]:
        raise Mistake(f"fatal is what no caller can handle, came {shown(answer)}")


@requirement(_ERRORS, "a constructor that refuses is no fault; texts and open go on", BEGUN)
def _constructors_raise(talk: Talk) -> None:
    talk.tried({"do": "open", "session": MAIN, "arguments": [talk.name()]})
    talk.texts()
    talk.open()


@requirement(_ERRORS, "texts has the errors since begin, and no others")
def _tells_errors(talk: Talk) -> None:
    if "raised" not in talk.ask(_UNSEEN):
        raise Mistake("nobody was asked for, and nothing was raised that texts could have")
    if not _errors(talk):
        raise Wrong("an entry of errors, as there was one", "none", TEXTS)
    talk.flag(FINISH)
    talk.begin()
    talk.open()
    if errors := _errors(talk):
        raise Wrong("no entry of errors since begin", shown(errors), TEXTS)


def _errors(talk: Talk) -> list[list[str]]:
    return [text for text in talk.texts() if text[0] == "errors"]


@requirement(
    _ERRORS, "a request for a session that was never opened is a fault, and costs no other"
)
def _knows_sessions(talk: Talk) -> None:
    _makes_no_sense(talk, observe("dc_id", "nobody"))
    _makes_no_sense(talk, assign("test_servers", True) | {"session": "nobody"})
    _makes_no_sense(talk, call("load", session="nobody"))


@requirement(_ERRORS, "a request for a member that no session has is a fault, and costs no other")
def _knows_members(talk: Talk) -> None:
    _makes_no_sense(talk, observe("colour"))
    _makes_no_sense(talk, call("dance", 1))


@requirement(_ERRORS, "a request of an unknown kind is a fault, and costs no other")
def _knows_requests(talk: Talk) -> None:
    _makes_no_sense(talk, {"do": "dance", "session": MAIN})


def _makes_no_sense(talk: Talk, request: Request) -> None:
    talk.fault(request)
    talk.flag(has("load"))


_SESSIONS = "Sessions"


@requirement(_SESSIONS, "two sessions are told apart by their names")
def _tells_apart(talk: Talk) -> None:
    talk.value(_MOVED)
    talk.open("other")
    talk.value(call("set_dc", 2, "192.0.2.2", 80, session="other"))
    talk.agrees(observe("dc_id"), 4)
    talk.agrees(observe("dc_id", "other"), 2)


@requirement(_SESSIONS, "open under a name that is taken replaces the session")
def _replaces(talk: Talk) -> None:
    talk.value(_MOVED)
    talk.open("other")
    talk.agrees(observe("dc_id", "other"), None, _NO_DC)
    talk.open()
    value = talk.value(observe("dc_id"))
    if value not in _NO_DC:
        raise Wrong("a new session, without a data centre", shown(value), observe("dc_id"))


@requirement(_SESSIONS, "drop lets go of one session")
def _drops(talk: Talk) -> None:
    talk.open("other")
    talk.done(drop())
    talk.fault(observe("dc_id"))
    talk.value(observe("dc_id", "other"))
    talk.open()
    talk.value(observe("dc_id"))


_ORDER = "Order"


@requirement(_ORDER, "requests sent ahead are answered one to one, in their order")
def _keeps_order(talk: Talk) -> None:
    due = 10 * _AHEAD
    for request, _ in due:
        talk.tell(request)
    for _, looks in due:
        request, answer = talk.hear()
        if (came := _look(returned(request, answer))) != looks:
            raise Wrong(f"{looks} in its turn", f"{came}: {shown(answer)}", request)


_AHEAD = [
    (has("load"), "a flag"),
    (together(_UNSEEN, call("load")), "answers"),
    (assign("test_servers", False), "null"),
    (TEXTS, "texts"),
]
"""What is sent, and what is returned to it: no two look alike."""


def _look(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a flag"
        case [dict(), *_]:
            return "answers"
        case [] | [[*_], *_]:
            return "texts"
        case _:
            return "something else"


@requirement(_ORDER, "pause is answered when the time has passed")
def _pauses(talk: Talk) -> None:
    begun = time.monotonic()
    talk.done(PAUSE)
    passed = (time.monotonic() - begun) * 1000
    if passed < PAUSED - 1:
        raise Wrong(f"null after {PAUSED} ms", f"null after {passed:.0f} ms", PAUSE)


_ENDING = "Ending"


@requirement(_ENDING, "finish says whether anything was left, and begin works again")
def _finishes(talk: Talk) -> None:
    talk.flag(FINISH)
    talk.begin(talk.workdir / "again")
    talk.fault(observe("dc_id"))
    talk.open()


@requirement(_ENDING, "exit ends the process with code 0, and is not answered")
def _exits(talk: Talk) -> None:
    talk.tell(EXIT)
    _ends(talk, EXIT)
    if talk.process.code != 0:
        raise Wrong("exit code 0", str(talk.process.code), EXIT)


@requirement(_ENDING, "the end of its input ends the process")
def _ends_with_its_input(talk: Talk) -> None:
    talk.process.end_input()
    _ends(talk, "nothing more")


def _ends(talk: Talk, request: Request | str) -> None:
    """Wait for the end of a process that has nothing more to say."""
    limit = talk.setting.limit
    try:
        answer = talk.process.hear(limit)
    except Gone:
        return
    except Silent:
        raise Wrong("the end of the process", f"none within {limit:g} seconds", request) from None
    raise Wrong("the end of the process, and no answer", shown(answer), request)
