"""Requirements for the end of a process."""

from __future__ import annotations

from ...errors import Gone, Silent
from ..requests import EXIT, FINISH, Request, observe
from ..showing import shown
from ..talk import Talk, Wrong
from .table import Group

GROUP = Group("Ending")


@GROUP.requirement("finish answers true or false, and begin works again")
def _finishes(talk: Talk) -> None:
    talk.flag(FINISH)
    talk.begin(talk.workdir / "again")
    talk.fault(observe("dc_id"))
    talk.open()


@GROUP.requirement("exit ends the process with code 0, without an answer")
def _exits(talk: Talk) -> None:
    talk.tell(EXIT)
    _ends(talk, EXIT)
    if talk.process.code != 0:
        raise Wrong("exit code 0", str(talk.process.code), EXIT)


@GROUP.requirement("the end of the input ends the process")
def _ends_with_its_input(talk: Talk) -> None:
    talk.process.end_input()
    _ends(talk, "the end of the input")


def _ends(talk: Talk, request: Request | str) -> None:
    """Wait for the end of a process. It must end without another answer."""
    limit = talk.setting.limit
    try:
        answer = talk.process.hear(limit)
    except Gone:
        return
    except Silent:
        raise Wrong("the end of the process", f"none within {limit:g} seconds", request) from None
    raise Wrong("the end of the process, and no answer", shown(answer), request)
