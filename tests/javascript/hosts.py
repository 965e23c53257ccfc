"""JavaScript classes behind the Node host, for the tests in this folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from teleproto_conformance.contract import vectors
from teleproto_conformance.subjects import programs
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool

CONTRACT = vectors.load()
MEMBERS = CONTRACT.members


@contextlib.contextmanager
def pool(implementation: str, directory: Path) -> Iterator[Pool]:
    """Yield a pool of processes for a class in ``directory``; each process serves one trace."""
    server = ForkServer(programs.program(implementation, directory))
    made = Pool(server, implementation, [str(directory)], MEMBERS, 10)
    made.keep, made.spare = False, 1
    try:
        yield made
    finally:
        made.close()
        server.close()
