"""Ways to give threads out on a cluster, compared: `python -m tests.cluster.ways`.

Threads are stood in for by waiting, as for a model's server, so that only the giving out is compared: three nodes of
one core, four threads at once on each. The durations are lognormal, since some threads take many turns: a mean of 2 s,
one in twenty over 5 s. What is printed is how long it takes beside what twelve at once would take at best, and how many
that take no time are done a second.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.cluster.nodes import Nodes

NODES, EACH = 3, 4
COUNT, INSTANT = 240, 2000
BLOCK = 32
SIZE = 60_000
"""Bytes that come back of a thread."""

Seconds = Sequence[float]


async def wait(seconds: float) -> bytes:
    """A thread."""
    await asyncio.sleep(seconds)
    return bytes(SIZE)


class Waiter:
    """A worker to which each thread is a call."""

    async def run(self, seconds: float) -> bytes:
        return await wait(seconds)


def block_of(durations: Seconds) -> Iterator[bytes]:
    """A block of threads, so many at once, each given back when it is over."""
    loop = asyncio.new_event_loop()
    left = deque(durations)
    running: set[asyncio.Task[bytes]] = set()
    while left or running:
        while left and len(running) < EACH:
            running.add(loop.create_task(wait(left.popleft())))
        done, running = loop.run_until_complete(asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED))
        for task in done:
            yield task.result()
    loop.close()


class Blocks:
    """The same for `ray.data`: a batch comes back when all of it is over."""

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"data": [len(data) for data in block_of([float(seconds) for seconds in batch["item"]])]}


def by_calls(ray: Any, durations: Seconds) -> None:
    """An actor on each core, to which threads are given singly as it has room: what the program does."""
    actors = [
        ray.remote(num_cpus=1, max_concurrency=1000, scheduling_strategy="SPREAD")(Waiter).remote()
        for _ in range(NODES)
    ]
    left, out = deque(durations), dict[Any, Any]()
    while left or out:
        for actor in actors:
            while left and sum(other is actor for other in out.values()) < EACH:
                out[actor.run.remote(left.popleft())] = actor
        for reference in ray.wait(list(out), num_returns=1)[0]:
            ray.get(reference)
            del out[reference]


def by_tasks(ray: Any, durations: Seconds) -> None:
    """A task for each thread, with a quarter of a core."""

    def task(seconds: float) -> bytes:
        time.sleep(seconds)
        return bytes(SIZE)

    remote = ray.remote(num_cpus=1 / EACH)(task)
    left, out = deque(durations), list[Any]()
    while left or out:
        while left and len(out) < 2 * NODES * EACH:
            out.append(remote.remote(left.popleft()))
        done, out = ray.wait(out, num_returns=1)
        ray.get(done)


def by_blocks(ray: Any, durations: Seconds) -> None:
    """A task for a block of threads, which streams them back."""
    remote = ray.remote(num_cpus=1, num_returns="streaming")(block_of)
    left = deque(durations[start : start + BLOCK] for start in range(0, len(durations), BLOCK))
    out = list[Any]()
    while left or out:
        while left and len(out) < 2 * NODES:
            out.append(remote.remote(left.popleft()))
        ready, _ = ray.wait(out, num_returns=1)
        for generator in ready:
            try:
                ray.get(next(generator))
            except StopIteration:
                out.remove(generator)


def by_data(ray: Any, durations: Seconds) -> None:
    """`ray.data` with a pool of actors."""
    data = importlib.import_module("ray.data")
    data.DataContext.get_current().enable_progress_bars = False
    rows = data.from_items(list(durations), override_num_blocks=-(-len(durations) // BLOCK))
    for _ in rows.map_batches(Blocks, batch_size=BLOCK, num_cpus=1, concurrency=NODES).iter_rows():
        pass


def main() -> None:
    """Prints a line for each way."""
    ray: Any = importlib.import_module("ray")
    chance = random.Random(3)
    durations = [chance.lognormvariate(math.log(2) - 0.32, 0.8) for _ in range(COUNT)]
    best = sum(durations) / NODES / EACH
    nodes = Nodes(NODES)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
    print(f"{COUNT} threads of {sum(durations) / COUNT:.1f} s, {best:.0f} s at best; longest {max(durations):.0f} s")
    ways: list[Callable[[Any, Seconds], None]] = [by_calls, by_tasks, by_blocks, by_data]
    for way in ways:
        try:
            seconds: list[float] = []
            for wanted in (durations, [0.0] * INSTANT):
                started = time.monotonic()
                way(ray, wanted)
                seconds.append(time.monotonic() - started)
            told = f"{seconds[0]:5.1f} s, {seconds[0] / best:.2f} of the best; {INSTANT / seconds[1]:5.0f} a second"
            print(f"{way.__name__:10} {told}")
        except ImportError as error:
            print(f"{way.__name__:10} not measured: {error}")
    ray.shutdown()
    nodes.close()


if __name__ == "__main__":
    main()
