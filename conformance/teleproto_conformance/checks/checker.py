"""Runs checks of a session class, each trace in its own working directory."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import tempfile
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from secrets import token_hex

from ..contract.rules import Case, Check, Contract
from ..contract.tables import Profile
from ..contract.trace import Trace
from ..subjects.subject import Driver, Fault, Point
from .effort import STANDARD, Effort, choose
from .failure import Failure
from .names import Names
from .player import Player

_RUN = f"conformance-{os.getpid()}-{token_hex(4)}"

_numbers = itertools.count(1)

_VARIES = re.compile(r"[0-9a-f]{5,}|[0-9]+")
"""The parts of file names that differ each time, such as numbers of processes."""

_ALONE = ("ISO", "DUR", "MEM", "SEC")
"""Chapters whose traces get processes of their own. They check what a program keeps, writes or
shows, and other traces in the same process would add to it.
"""
_YOUNG = ("ISO", "DUR")
"""Chapters of these whose traces may begin in the process that has ended another such trace, if
processes are dear. Most of their traces restart the program.
"""


def in_memory() -> Path | None:
    """Return a directory in memory, or None if the machine lacks it or TMPDIR, TEMP or TMP is set.

    Files in memory are enough: the checks end processes, but they never cut the power.
    """
    shared = Path("/dev/shm")
    chosen = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return None if chosen or not os.access(shared, os.W_OK) else shared


@dataclass(frozen=True)
class Checker:
    """Runs checks of a profile on the subjects that ``driver`` makes.

    ``scratch`` is the directory for working directories; None is the default for temporary files.
    ``tried`` are the points at which the last check interrupted a change.

    If the processes are ``dear``, they take long to start. Then a trace of ISO or DUR may begin in
    the process in which the trace before has ended, after a restart. The calls of an interrupted
    change are counted in a new process. Then the trace is played in used processes, once for each
    point. If it fails there, or if such a process makes other calls up to the interruption, the
    trace is played again in a new one.
    """

    contract: Contract
    profile: str
    driver: Driver
    _: KW_ONLY
    effort: Effort = STANDARD
    scratch: Path | None = None
    dear: bool = False
    tried: list[Point] = field(default_factory=list)

    @property
    def promise(self) -> Profile:
        """The promises of the profile."""
        return self.contract.profiles[self.profile]

    def apart(self, check: Check) -> bool:
        """Return whether the traces of a check get processes of their own."""
        return check.rule.partition("-")[0] in _ALONE

    def run(self, check: Check, *, known: bool = False) -> Failure | None:
        """Replay a case, or generate traces and replay each, until one fails.

        If the check is ``known`` to fail, its trace is not shortened.

        :raises Impossible: if this machine does not allow what the check needs.
        """
        self.tried.clear()
        alone = self.apart(check)
        young = self.dear and check.rule.partition("-")[0] in _YOUNG
        if isinstance(check, Case):
            return self._every_point(check.trace, alone=alone, young=young)
        # Importing Hypothesis takes longer than most commands of the console script.
        from .drawn import search

        effort = replace(self.effort, shortening=0) if known else self.effort
        replay = partial(self.replay, alone=alone, young=young)
        return search.search(check, self.contract, self.promise.keeps, effort, replay)

    def replay(self, trace: Trace, *, alone: bool = True, young: bool = False) -> Failure | None:
        """Replay ``trace`` on a new subject, and delete what it stored.

        If ``alone`` is true, its processes have played no other trace. If ``young`` is true as
        well, the first may have played the end of one, after a restart.
        """
        return self._play(trace, alone=alone, young=young)[0]

    def _play(
        self, trace: Trace, *, alone: bool, young: bool = False
    ) -> tuple[Failure | None, Fault, list[str]]:
        """Replay a trace. Return also its fault, and the calls up to there as texts to compare."""
        with contextlib.ExitStack() as tidying:
            directory = tidying.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="session-", dir=self.scratch, ignore_cleanup_errors=True
                )
            )
            # One level deeper. So the clean-up also removes files that a session writes beside it.
            workdir = Path(directory, "work")
            workdir.mkdir()
            names = Names(self.promise, _RUN, next(_numbers), trace)
            alone |= names.fixed
            young &= not names.fixed
            with self.driver(workdir, alone=alone, young=young) as subject:
                player = Player(subject, self.contract.fields, self.promise, names)
                try:
                    failure = player.run(trace)
                finally:
                    player.clean()
            # The process may still use the files of its earlier sessions.
            subject.afterwards(tidying.pop_all().close)
            calls = [_VARIES.sub("#", names.back(point.what)) for point in player.fault.points]
            return failure, player.fault, calls

    def _every_point(self, trace: Trace, *, alone: bool, young: bool) -> Failure | None:
        """Replay a trace. If it interrupts a change, replay it at each chosen point."""
        place = next((at for at, step in enumerate(trace) if step.operation == "interrupt"), None)
        failure, fault, calls = self._play(trace, alone=alone, young=young and place is None)
        if failure is not None or place is None or "at" in trace[place].argument:
            return failure
        for number, point in choose([*enumerate(fault.points, 1)], self.effort.points):
            argument = {**trace[place].argument, "at": asdict(point)}
            step = replace(trace[place], argument=argument)
            interrupted = (*trace[:place], step, *trace[place + 1 :])
            failure, fault, made = self._play(interrupted, alone=alone and not young)
            if young and (failure is not None or made != calls[:number]):
                failure, fault, _ = self._play(interrupted, alone=alone)
            if fault.fired:
                self.tried.append(point)
            if failure is not None:
                return failure
        return None
