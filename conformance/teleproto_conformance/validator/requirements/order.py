"""Requirements for the order of answers."""

from __future__ import annotations

import time
from typing import Any

from ..requests import PAUSE, PAUSED, TEXTS, UNSEEN, assign, call, has, together
from ..showing import shown
from ..talk import Talk, Wrong, returned
from .table import Group

GROUP = Group("Order")


@GROUP.requirement("requests sent ahead are answered in their order")
def _keeps_order(talk: Talk) -> None:
    due = 10 * _AHEAD
    for request, _ in due:
        talk.tell(request)
    for _, looks in due:
        request, answer = talk.hear()
        if (look := _look(returned(request, answer))) != looks:
            raise Wrong(f"{looks} in its turn", f"{look}: {shown(answer)}", request)


_AHEAD = [
    (has("load"), "a flag"),
    (together(UNSEEN, call("load")), "answers"),
    (assign("test_servers", False), "null"),
    (TEXTS, "texts"),
]
"""Requests, and the form of their answers. Each form is different."""


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


@GROUP.requirement("pause answers when the time has passed")
def _pauses(talk: Talk) -> None:
    begun = time.monotonic()
    talk.done(PAUSE)
    passed = (time.monotonic() - begun) * 1000
    if passed < PAUSED - 1:
        raise Wrong(f"null after {PAUSED} ms", f"null after {passed:.0f} ms", PAUSE)
