"""Tests a host program against ``spec/HOSTS.md``: ``teleproto-conformance host COMMAND``."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract import vectors
from ..errors import UsageError
from ..subjects import programs
from ..subjects.fork_server import ForkServer
from ..subjects.programs import Program
from .requirements import REQUIREMENTS, Requirement
from .setting import Setting
from .talk import Mistake, Talk, Wrong

LIMIT = 5.0
"""Seconds that an answer may take."""

OK, FAILED, SESSION = "ok", "FAILED", "unsure"


@dataclass(frozen=True)
class Result:
    """The result of one requirement. ``detail`` says what went wrong, if anything."""

    requirement: Requirement
    outcome: str
    detail: str = ""

    def __str__(self) -> str:
        line = f"  {self.outcome:<8} {self.requirement.title}"
        return f"{line}: {self.detail}" if self.detail else line


def results(
    program: Program,
    implementation: str,
    profile: str | None = None,
    *,
    here: Path,
    limit: float = LIMIT,
    requirements: Sequence[Requirement] = REQUIREMENTS,
) -> Iterator[Result]:
    """Yield the result of each requirement, up to the first gate that fails.

    :raises UsageError: in one line, if the profile is not known.
    """
    contract = vectors.load()
    server = ForkServer(program)
    path = [*dict.fromkeys((str(here), *sys.path))]
    setting = Setting(
        launch=server,
        implementation=implementation,
        profile=profile,
        path=path,
        limit=limit,
        members=contract.members,
        profiles=contract.profiles,
    )
    try:
        for one in requirements:
            result = _result(one, setting)
            yield result
            if one.gate and result.outcome != OK:
                return
    finally:
        server.close()


def _result(one: Requirement, setting: Setting) -> Result:
    with tempfile.TemporaryDirectory(prefix="host-", ignore_cleanup_errors=True) as directory:
        try:
            talk = Talk(setting, Path(directory).resolve())
        except OSError as error:
            raise UsageError(f"the host cannot be started: {error.strerror}") from None
        in_order = False
        try:
            for take_step in (talk.hello, talk.begin, talk.open)[: one.since]:
                take_step()
            one.check(talk)
            in_order = True
            return Result(one, OK)
        except Wrong as wrong:
            return Result(one, FAILED, str(wrong))
        except Mistake as mistake:
            return Result(one, SESSION, str(mistake))
        finally:
            talk.close(in_order=in_order)


def verdict(found: Sequence[Result], implementation: str) -> str:
    """Sum up all results in one line."""
    count = Counter(result.outcome for result in found)
    suite = shlex.join(["pytest", f"--session-impl={implementation}"])
    parts = []
    if count[FAILED]:
        are = "is" if count[FAILED] == 1 else "are"
        parts.append(
            f"{count[FAILED]} of {len(REQUIREMENTS)} requirements of spec/HOSTS.md {are} not met"
        )
    elif len(found) == len(REQUIREMENTS):
        parts.append(f"no error of the host was found: {count[OK]} requirements are met")
    if len(found) < len(REQUIREMENTS):
        parts.append("the other requirements cannot be tested")
    if count[SESSION]:
        parts.append(
            f"{count[SESSION]} unsure, as either the host or its session is wrong; "
            f"to test the session, run: {suite}"
        )
    return "; ".join(parts)


def main(words: Sequence[str], implementation: str | None, profile: str | None) -> int:
    """Test the host that a command starts, and print the results.

    :returns: 0, or 1 if a requirement failed or could not be tested.
    :raises UsageError: if the program does not exist, or the profile is not known.
    """
    here = Path.cwd()
    text, program = _program(words, here)
    found: list[Result] = []
    for result in results(program, implementation or text, profile, here=here):
        if not found or found[-1].requirement.group != result.requirement.group:
            print(result.requirement.group)
        print(result, flush=True)
        found.append(result)
    print(verdict(found, implementation or text))
    passed = len(found) == len(REQUIREMENTS) and all(one.outcome != FAILED for one in found)
    return 0 if passed else 1


def _program(words: Sequence[str], here: Path) -> tuple[str, Program]:
    """Return the value of ``--session-impl`` that names the program, and the program.

    A single word may be such a value itself: ``node:MODULE#EXPORT`` names the Node host.
    """
    text = words[0] if len(words) == 1 else shlex.join(words)
    if (known := programs.program(text, here)) is not None:
        return text, known
    text = f"exec:{text}"
    try:
        made = programs.program(text, here)
    except UsageError as error:
        raise UsageError(str(error).removeprefix(f"--session-impl={text}: ")) from None
    assert made is not None
    return text, made
