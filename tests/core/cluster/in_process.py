"""A cluster without Ray: its workers live in this process, and what goes to them and comes back is pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.cluster.interface import WorkerLost
from core.cluster.node import Worker

Mishap = Callable[[str, tuple[Any, ...]], bool]
"""Whether a worker is lost in this call, after it did its work and before anybody hears of it."""


class HandHere:
    def __init__(self, worker: Worker, mishap: Mishap, heard: list[bytes]) -> None:
        self._worker = worker
        self._mishap = mishap
        self._heard = heard
        self.lost = False
        self._calls = 0
        """Under way."""

    async def call(self, method: str, *arguments: Any) -> Any:
        if self.lost:
            raise WorkerLost("it is gone")
        if method == "receive":
            parcel, parts, url = arguments
            return await self._worker.receive(parcel, lambda: [pickle.loads(part) for part in parts], url)
        if method == "receive_table":
            name, table, part = arguments
            return await self._worker.receive_table(name, table, lambda: pickle.loads(part))
        packed = pickle.dumps(arguments)
        self._heard.append(packed)
        self._calls += 1
        try:
            answer = pickle.dumps(await getattr(self._worker, method)(*pickle.loads(packed)))
            self.lost = self.lost or self._mishap(method, arguments)
        finally:
            self._calls -= 1
        if self.lost:
            if not self._calls:  # with a process its connections end
                await self._worker.close()
            raise WorkerLost("it was killed")
        return pickle.loads(answer)

    def dismiss(self) -> None:
        self.lost = True


class ClusterHere:
    """Two machines of one core in this process."""

    def __init__(self, base: Path, mishap: Mishap = lambda method, arguments: False, room: int = 2) -> None:
        self._base = base
        self._mishap = mishap
        self._room = room
        self.address = "10.0.0.{}"
        """Of each machine, by its number."""
        self.hired = 0
        self.heard: list[bytes] = []
        """All that the driver said to workers."""
        self.sent: list[bytes] = []
        """What was put into the cluster's memory."""

    def room(self) -> int:
        return self._room

    def hire(self) -> HandHere:
        self.hired += 1
        return HandHere(Worker(self.address.format(self.hired), self._base), self._mishap, self.heard)

    def put(self, value: Any) -> bytes:
        self.sent.append(pickle.dumps(value))
        return self.sent[-1]


Joins = Callable[..., ClusterHere]
"""Makes the cluster that `--ray here` joins, by a mishap and how many workers there is room for."""
