"""The requests that the validator sends."""

from __future__ import annotations

from typing import Any

from ..contract.trace import MAIN

Request = dict[str, Any]

TEXTS = {"do": "texts", "session": MAIN}
FINISH = {"do": "finish"}


PAUSED = 50
"""The duration of ``pause``, in milliseconds."""


PAUSE = {"do": "pause", "milliseconds": PAUSED}


EXIT = {"do": "exit"}


def drop(session: str = MAIN) -> Request:
    return {"do": "drop", "session": session}


def has(member: str, session: str = MAIN) -> Request:
    return {"do": "has", "session": session, "member": member}


def observe(member: str, session: str = MAIN) -> Request:
    return {"do": "observe", "session": session, "member": member}


def assign(member: str, value: Any) -> Request:
    return {"do": "set", "session": MAIN, "member": member, "value": value}


def call(member: str, *arguments: Any, session: str = MAIN) -> Request:
    return {"do": "call", "session": session, "member": member, "arguments": [*arguments]}


def together(*calls: Request) -> Request:
    listed = [[one["session"], one["member"], one["arguments"]] for one in calls]
    return {"do": "together", "calls": listed}


MOVED = call("set_dc", 4, "192.0.2.4", 443)
NOBODY = call("get_input_entity", "@nobody_of_that_name")
UNSEEN = call("get_input_entity", {"int": "5123456789"})
