"""Requirements for several sessions at once."""

from __future__ import annotations

from ..requests import MOVED, call, drop, observe
from ..showing import shown
from ..talk import Talk, Wrong
from .table import Group

_NO_DC = (0, None)


GROUP = Group("Sessions")


@GROUP.requirement("two sessions are kept apart by their names")
def _tells_apart(talk: Talk) -> None:
    talk.value(MOVED)
    talk.open("other")
    talk.value(call("set_dc", 2, "192.0.2.2", 80, session="other"))
    talk.agrees(observe("dc_id"), 4)
    talk.agrees(observe("dc_id", "other"), 2)


@GROUP.requirement("open replaces an earlier session of the same name")
def _replaces(talk: Talk) -> None:
    talk.value(MOVED)
    talk.open("other")
    talk.agrees(observe("dc_id", "other"), None, _NO_DC)
    talk.open()
    value = talk.value(observe("dc_id"))
    if value not in _NO_DC:
        raise Wrong("a new session, without a data centre", shown(value), observe("dc_id"))


@GROUP.requirement("drop removes one session")
def _drops(talk: Talk) -> None:
    talk.open("other")
    talk.done(drop())
    talk.fault(observe("dc_id"))
    talk.value(observe("dc_id", "other"))
    talk.open()
    talk.value(observe("dc_id"))


@GROUP.requirement("chdir changes to the directory, and the sessions stay")
def _moves(talk: Talk) -> None:
    talk.value(MOVED)
    talk.change(talk.workdir / "elsewhere")
    talk.agrees(observe("dc_id"), 4)
