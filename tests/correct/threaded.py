"""Store sessions that access their file in threads; the work ends before a call returns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from correct.json_store import JsonStoreSession


class ThreadedSession(JsonStoreSession):
    """Starts a thread for each access to the file."""

    def apart(self, work: Callable[[], Any]) -> Any:
        done: list[Any] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return done[0]

    def stored(self) -> dict[str, Any]:
        document: dict[str, Any] = self.apart(super().stored)
        return document

    def write(self, document: dict[str, Any]) -> None:
        self.apart(lambda: super(ThreadedSession, self).write(document))

    def delete(self) -> None:
        self.apart(super().delete)


class PooledSession(ThreadedSession):
    """Gives each access to one of several threads, which it starts when it needs them."""

    def apart(self, work: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(3):
                pool.submit(int)
            return pool.submit(work).result()
