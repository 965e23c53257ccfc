"""Shows requests, answers and output to the author of a host."""

from __future__ import annotations

import json
from typing import Any

from ..contract.secrets import masked
from .requests import Request

_SHOWN = 160
"""The most characters to show of a text."""


_TEDIOUS = ("members", "keys", "path")
"""Members of hello that are too long to show."""


def shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def shown(thing: Any) -> str:
    """Return a value, an answer or a request as JSON, shortened and without keys."""
    return shortened(masked(json.dumps(thing, ensure_ascii=False)))


def request_shown(request: Request) -> str:
    return shown({name: "…" if name in _TEDIOUS else given for name, given in request.items()})


def printed_shown(output: bytes) -> str:
    """Return the end of the output of a program, in one line."""
    line = " ".join(masked(output.decode("utf-8", "backslashreplace")).split())
    return line if len(line) <= _SHOWN else f"…{line[-_SHOWN:]}"
