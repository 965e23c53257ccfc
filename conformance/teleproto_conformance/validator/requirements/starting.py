"""Requirements for the start of a process."""

from __future__ import annotations

from ...subjects.subject import PROTOCOL
from ..showing import shown
from ..talk import Talk, Wrong
from .table import BEGUN, KNOWN, STARTED, Group

GROUP = Group("Starting")


@GROUP.requirement("hello describes the class", STARTED, gate=True)
def _says_hello(talk: Talk) -> None:
    talk.hello()


@GROUP.requirement("hello gives the id of the process that was started", KNOWN)
def _is_itself(talk: Talk) -> None:
    if talk.known.pid != talk.process.pid:
        answered = f"{talk.known.pid} (a shell script must start its host with exec)"
        raise Wrong(f"{talk.process.pid}", answered, talk.setting.hello())


@GROUP.requirement("hello refuses a protocol that the host does not speak", STARTED)
def _refuses_another_protocol(talk: Talk) -> None:
    request = talk.setting.hello(protocol=PROTOCOL + 1)
    answer = talk.ask(request)
    if "refused" not in answer:
        raise Wrong("refused", shown(answer), request)


@GROUP.requirement("hello refuses a class that does not exist, or ignores the name", STARTED)
def _refuses_another_class(talk: Talk) -> None:
    request = talk.setting.hello(implementation="nowhere.Nothing")
    answer = talk.ask(request)
    if "refused" not in answer and "returned" not in answer:
        raise Wrong("refused, or returned by a host for one class", shown(answer), request)


@GROUP.requirement("begin changes to the directory", KNOWN, gate=True)
def _begins(talk: Talk) -> None:
    talk.begin()


@GROUP.requirement("open constructs a session, and load() can be called", BEGUN, gate=True)
def _opens(talk: Talk) -> None:
    talk.open()
