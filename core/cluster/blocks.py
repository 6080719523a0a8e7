"""Items of work done on a cluster in blocks, as `core.processes.pool` does them in processes of one machine.

`Blocks(cluster, workspace, …)` is a `core.processes.items.Spread`: called with an opener, its setup, items and how many
they are, it yields their results in order, or an `Undone` in the place of one. What that takes is here, whatever the
work is:

- The opener is called once in each worker, with a workspace of its own, in which the `datasets` that were named lie as
  the driver has them, and with the setup; what it returns is called with lists of items.
- Items are taken from their iterable as workers need them, in a thread of its own, and hold what the work needs of
  the driver's files. A block has as many as take about a second, by what blocks took so far. Each worker has two, so
  that it never waits; nobody has any so far ahead of the first that is missing that results pile up.
- A worker that is lost costs its blocks, which others are given. What was lost with two is given out an item at a time,
  each alone with its worker; an item that was lost with five is `Undone`.
- A `SensorloomError` that the work raises ends it and is raised here. Nothing is written but by who takes the results.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from core.cluster.driver import LOOK_SEC, SUSPECT, TRIES
from core.cluster.interface import Cluster, WorkerLost
from core.cluster.kits import kit_of
from core.cluster.tables import make_tables
from core.cluster.travelling import Done, Kit, Task
from core.cluster.workers import Member, Workers
from core.processes.items import Undone
from core.workspace import Workspace

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""Blocks that each worker may have."""
BLOCK_SEC = 1.0
"""How long a block is to take: a hundred times what giving it out does, and little to lose."""
FIRST, MOST = 4, 256
"""Items of the first blocks, and of any."""
MOST_BYTES = 8 << 20
"""Of what a block holds, where items know their sizes."""
WINDOW = 4
"""How many times what all workers may have may be out or done before the first result that is missing."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Where, and with what, items of work are done on a cluster."""

    cluster: Cluster
    workspace: Workspace
    tell: Callable[[str], None]
    """Told a sentence that a person may want to know."""
    datasets: tuple[str, ...] = ()
    """What the work needs of them; each worker's workspace has them."""
    shared: bool = True
    """Whether a dataset is read where the driver has it by machines that see it there."""
    data_from: str = ""
    """A URL from which machines read datasets; see `core.cluster.travelling.Kit`."""
    tables: bool = False
    """Whether the datasets' feature tables are made before the work begins, for each machine to have them."""
    with_tools: bool = False
    """Whether a machine that lacks one of the workspace's tools is left out."""
    cancelled: Callable[[], bool] = lambda: False
    """Asked every second; then the work ends early, with what came in order by then."""
    size_of: Callable[[Any], int] = lambda _item: 0
    """An item's bytes."""

    def __call__(
        self,
        opener: Callable[..., Callable[[Sequence[Item]], Sequence[Result]]],
        setup: tuple[Any, ...],
        items: Iterable[Item],
        count: int,
    ) -> Generator[list[Result | Undone]]:
        """Do the items; see above, and `core.processes.items.Spread`.

        Raises:
            UsageError: no worker can work.
            SensorloomError: what a job raised.
        """
        if not count:
            return
        if self.tables:
            make_tables(self.workspace, self.datasets, self.for_tables)
        kit = kit_of(
            self.workspace,
            self.datasets,
            self.tell,
            with_tools=self.with_tools,
            shared=self.shared,
            data_from=self.data_from,
        )
        kit = replace(kit, parallel=AHEAD, tables=self.tables, task=Task(opener, setup))
        drive = _Drive(self, kit, iter(items), count)
        with asyncio.Runner() as runner:
            try:
                while part := runner.run(drive.next_results()):
                    yield part
            finally:
                runner.run(drive.close())

    def for_tables(self, dataset: str) -> Blocks:
        """The same for the work on a dataset's tables."""
        return Blocks(
            self.cluster,
            self.workspace,
            self.tell,
            (dataset,),
            self.shared,
            self.data_from,
            cancelled=self.cancelled,
        )


@dataclass(eq=False, slots=True)
class _Block:
    first: int
    """The number of its first item."""
    items: list[Any]
    lost: int = 0


class _Drive:
    """Gives out blocks and puts their results into order."""

    def __init__(self, on: Blocks, kit: Kit, items: Iterator[Any], count: int) -> None:
        self._on = on
        self._workers = Workers(on.cluster, kit, {}, on.tell)
        self._items = items
        self._left = count
        """Items that were not taken yet."""
        self._begun = 0
        self._again: deque[_Block] = deque()
        """Lost with their workers."""
        self._out: dict[asyncio.Task[Done], tuple[Member, _Block]] = {}
        self._over: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
        self._results: dict[int, Any] = {}
        """Those that wait for one before them, by number."""
        self._next = 0
        """The number of the first result that was not given on."""
        self._size = FIRST

    async def next_results(self) -> list[Any]:
        """The next results in order, as many as there are; none where all is done, or was cancelled."""
        while self._next not in self._results:
            if self._on.cancelled() or not (self._left or self._again or self._out):
                return []
            blocks = len(self._out) + len(self._again) + -(-self._left // self._size)
            self._workers.recruit(blocks, self._over.put_nowait)
            await self._give_out()
            with suppress(TimeoutError):
                self._heard(await asyncio.wait_for(self._over.get(), LOOK_SEC))
            while not self._over.empty():
                self._heard(self._over.get_nowait())
        part: list[Any] = []
        while self._next in self._results:
            part.append(self._results.pop(self._next))
            self._next += 1
        return part

    async def close(self) -> None:
        """Let the workers go, and what they still have."""
        for task in self._out:
            task.cancel()
        if self._out:
            await asyncio.wait(self._out)
        await self._workers.part()

    async def _give_out(self) -> None:
        """Give out blocks as long as a worker has room: first what was lost, then what is next."""
        while True:
            alone = bool(self._again) and self._again[0].lost >= SUSPECT
            if (member := self._workers.free(alone=alone)) is None:
                return
            if self._again:
                block = self._again.popleft()
            elif self._begun - self._next >= WINDOW * self._size * max(1, self._workers.limit):
                return
            elif (block := await asyncio.to_thread(self._next_block)) is None:
                return
            member.busy += 1
            member.is_full = alone
            task: asyncio.Task[Done] = asyncio.create_task(member.hand.call("work", block.items))
            self._out[task] = member, block
            task.add_done_callback(self._over.put_nowait)

    def _next_block(self) -> _Block | None:
        """Take as many items as one block has; None where there are no more."""
        first, items, size = self._begun, list[Any](), 0
        while len(items) < self._size and size < MOST_BYTES:
            try:
                item = next(self._items)
            except StopIteration:
                self._left = 0
                break
            self._left -= 1
            items.append(item)
            size += self._on.size_of(item)
        self._begun += len(items)
        return _Block(first, items) if items else None

    def _heard(self, task: asyncio.Task[Any]) -> None:
        if task not in self._out:
            self._workers.take_up(task)
            return
        member, block = self._out.pop(task)
        member.busy -= 1
        member.is_full = False
        try:
            done: Done = task.result()
        except WorkerLost as error:
            self._workers.lose(member, str(error))
            self._lost(block, str(error))
            return
        if done.error is not None:
            raise done.error
        self._results.update(enumerate(done.results, block.first))
        wanted = round(len(block.items) * BLOCK_SEC / max(done.seconds, 1e-3))
        self._size = max(1, min(wanted, 2 * self._size, MOST))

    def _lost(self, block: _Block, reason: str) -> None:
        block.lost += 1
        if block.lost >= TRIES:
            undone = Undone(f"{block.lost} workers were lost while they had it, the last one: {reason}")
            self._results[block.first] = undone
        elif block.lost == SUSPECT:
            singly = [_Block(block.first + number, [item], block.lost) for number, item in enumerate(block.items)]
            self._again.extendleft(reversed(singly))
        else:
            self._again.appendleft(block)
