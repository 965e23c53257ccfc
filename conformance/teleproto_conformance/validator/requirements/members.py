"""Requirements for the members of a session."""

from __future__ import annotations

from ..problems import KINDS, problem_of
from ..requests import MOVED, UNSEEN, assign, call, has, observe, together
from ..showing import shown
from ..talk import Mistake, Talk, Wrong, returned
from .table import Group

GROUP = Group("Members")


@GROUP.requirement("has says whether the session has a member")
def _has_members(talk: Talk) -> None:
    missing = [member for member in talk.setting.members if not talk.flag(has(member))]
    if missing:
        raise Mistake(f"the session has no {', '.join(missing)}")


@GROUP.requirement("observe reads each property as a value")
def _observes(talk: Talk) -> None:
    for member, about in talk.setting.members.items():
        if about.kind == "property":
            talk.value(observe(member))


@GROUP.requirement("set assigns, and returns null")
def _assigns(talk: Talk) -> None:
    for flag in (True, False):
        talk.done(assign("test_servers", flag))
        talk.agrees(observe("test_servers"), flag)


@GROUP.requirement("call passes numbers and text unchanged")
def _calls(talk: Talk) -> None:
    talk.value(MOVED)
    talk.agrees(observe("dc_id"), 4)
    talk.agrees(observe("server_address"), "192.0.2.4")
    talk.agrees(observe("port"), 443)


@GROUP.requirement("together answers all calls in their order")
def _calls_together(talk: Talk) -> None:
    request = together(call("load"), UNSEEN, call("get_auth_key", 2))
    answers = returned(request, talk.ask(request))
    got = shown({"returned": answers})
    if not isinstance(answers, list) or len(answers) != 3:
        raise Wrong("a list of 3 answers", got, request)
    for answer in answers:
        if problem := problem_of(answer):
            raise Wrong("answers in that list", f"{got} ({problem})", request)
    kinds = [kind for answer in answers for kind in KINDS if kind in answer]
    if kinds == ["returned", "returned", "returned"]:
        raise Mistake(f"an unknown entity must raise, got {got}")
    if kinds != ["returned", "raised", "returned"]:
        raise Wrong("returned, raised and returned", got, request)
