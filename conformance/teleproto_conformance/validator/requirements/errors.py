"""Requirements for errors."""

from __future__ import annotations

from ...contract.trace import MAIN
from ..requests import FINISH, NOBODY, TEXTS, UNSEEN, Request, assign, call, has, observe
from ..showing import shown
from ..talk import Mistake, Talk, Wrong
from .table import BEGUN, Group

GROUP = Group("Errors")


@GROUP.requirement("an error of the session is raised, not a fault")
def _raises(talk: Talk) -> None:
    answer = talk.ask(NOBODY)
    if "returned" in answer:
        raise Mistake(f"an unknown entity must raise, got {shown(answer)}")
    if "raised" not in answer:
        raise Wrong("raised", shown(answer), NOBODY)
    if answer["fatal"]:
        raise Mistake(f"an unknown entity must not be fatal, got {shown(answer)}")


@GROUP.requirement("an error of the constructor is raised; texts and open still work", BEGUN)
def _constructors_raise(talk: Talk) -> None:
    talk.tried({"do": "open", "session": MAIN, "arguments": [talk.name()]})
    talk.texts()
    talk.open()


@GROUP.requirement("texts has only the errors since begin")
def _tells_errors(talk: Talk) -> None:
    if "raised" not in talk.ask(UNSEEN):
        raise Mistake("an unknown entity must raise; texts cannot be tested without an error")
    if not _errors(talk):
        raise Wrong("an entry of errors", "none", TEXTS)
    talk.flag(FINISH)
    talk.begin()
    talk.open()
    if errors := _errors(talk):
        raise Wrong("no entry of errors since begin", shown(errors), TEXTS)


def _errors(talk: Talk) -> list[list[str]]:
    return [text for text in talk.texts() if text[0] == "errors"]


@GROUP.requirement("a request for an unknown session is a fault, and later requests work")
def _knows_sessions(talk: Talk) -> None:
    _makes_no_sense(talk, observe("dc_id", "nobody"))
    _makes_no_sense(talk, assign("test_servers", True) | {"session": "nobody"})
    _makes_no_sense(talk, call("load", session="nobody"))


@GROUP.requirement("a request for an unknown member is a fault, and later requests work")
def _knows_members(talk: Talk) -> None:
    _makes_no_sense(talk, observe("colour"))
    _makes_no_sense(talk, call("dance", 1))


@GROUP.requirement("a request of an unknown kind is a fault, and later requests work")
def _knows_requests(talk: Talk) -> None:
    _makes_no_sense(talk, {"do": "dance", "session": MAIN})


def _makes_no_sense(talk: Talk, request: Request) -> None:
    talk.fault(request)
    talk.flag(has("load"))
