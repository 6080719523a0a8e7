"""One measurement of `make bench-generate`, in a process of its own: prints what it measured as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import core.runs.job
import core.runs.turn_loop
import core.storage.store
import tools.reference
import tools.registry
from core.datasets.standard import open_dataset
from core.model.endpoints import choose
from core.runs.batch import run_jobs
from core.runs.batches import begin_batch, setup_now
from core.runs.crew import Crew
from core.runs.job import Job, Ran
from core.runs.remembered import open_model
from core.runs.tally import Tally
from core.workspace import Workspace, open_workspace
from tests.bench.generate import MEMORY, PARALLEL, QUESTION, sessions_of
from tests.bench.instant_server import ScriptedTransport, scripted_model

WARM = 4
"""Threads of each process before the clock is started: what is imported and read once is no part of a turn."""


class Clock:
    """Measures between `start` and `stop`: seconds, and the computing of this process and of those that it has."""

    def __init__(self, parts: Parts) -> None:
        self.seconds = self.cpu = 0.0
        self._parts = parts

    def start(self) -> None:
        self._parts.spent.clear()
        self._began, self._before = time.perf_counter(), computed()

    def stop(self) -> None:
        self.seconds, self.cpu = time.perf_counter() - self._began, computed() - self._before


def computed() -> float:
    """Seconds of computing so far of this process, and of the processes of a run."""
    ticks = os.sysconf("SC_CLK_TCK")
    states = [Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split() for child in active_children()]
    return time.process_time() + sum((int(state[11]) + int(state[12])) / ticks for state in states)


async def bare(root: Path, url: str, threads: int, clock: Clock) -> int:
    """The same conversations by the openai client alone, as its own documentation has it; the number of turns."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    script, request = (json.loads((root / f"{name}.json").read_bytes()) for name in ("script", "request"))
    transport = ScriptedTransport(script) if url == MEMORY else None
    base_url = "http://memory.invalid/v1" if url == MEMORY else url
    http = DefaultAsyncHttpxClient(transport=transport, trust_env=False)
    client = AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0, http_client=http)
    messages: list[Any] = request["messages"]
    places = [index for index, message in enumerate(messages) if message["role"] == "assistant"] + [len(messages)]

    async def work(waiting: Any) -> None:
        for _ in waiting:
            for index in places:
                stream = await client.chat.completions.create(
                    model="scripted", messages=messages[:index], tools=request["tools"], stream=True,
                    stream_options={"include_usage": True},
                )  # fmt: skip
                text, arguments = "", ""
                async for chunk in stream:
                    delta = chunk.choices[0].delta if chunk.choices else None
                    text += (delta and delta.content) or ""
                    for call in (delta and delta.tool_calls) or ():
                        arguments += (call.function and call.function.arguments) or ""

    await work(range(WARM))
    clock.start()
    waiting = iter(range(threads))
    await asyncio.gather(*(work(waiting) for _ in range(PARALLEL)))
    clock.stop()
    await client.close()
    return threads * len(places)


async def ours(workspace: Workspace, url: str, counts: tuple[int, int, int], clock: Clock) -> int:
    """The same by the product, so many threads, so many at once, in so many processes; the number of turns."""
    threads, parallel, workers = counts
    drawn = random.Random(0).choices(sessions_of(workspace), k=threads + WARM * workers)
    jobs = [Job("demo", session, QUESTION, seed, evidence="reference") for seed, session in enumerate(drawn)]
    patience: Any = {"connect_timeout_sec": 300.0, "timeout_sec": 300.0}  # the machine may be busy with other work
    choice = choose(workspace, "http://memory.invalid/v1" if url == MEMORY else url, "scripted", **patience)
    batch = begin_batch(workspace, jobs, setup_now(choice, parallel=parallel))
    jobs = batch.left(workspace)
    opens = scripted_model if url == MEMORY else open_model
    model, crew = opens(workspace, choice), Crew(workspace, choice, workers, opens=opens)
    if workers > 1:
        await crew.start()

    turns = 0

    def ended(ran: Ran) -> None:
        nonlocal turns
        batch.note_ended(ran)
        turns += ran.thread.metadata["num_turns"] if ran.thread else 0

    async def run(some: list[Job], at_once: int) -> Tally:
        return await run_jobs(workspace, some, model, parallel=at_once, ended=ended, crew=crew)

    await run(jobs[: WARM * workers], workers)
    clock.start()
    turns = 0
    tally = await run(jobs[WARM * workers :], parallel)
    clock.stop()
    await crew.close()
    await model.aclose()
    if tally.finished < threads:
        raise SystemExit(f"{threads - tally.finished} threads are not finished: {tally.problem}")
    return turns


def tables(workspace: Workspace, clock: Clock) -> int:
    """What is derived of a dataset that nobody has used yet; the number of its sessions."""
    shutil.rmtree(workspace.private / "features")
    dataset = open_dataset(workspace, "demo")
    clock.start()
    dataset.features()
    dataset.measurements()
    clock.stop()
    return len(dataset.sessions)


class Parts:
    """How long functions took, in all threads: of computing, and of waiting."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self._here = threading.local()
        self._lock = threading.Lock()

    @contextmanager
    def counted(self, part: str) -> Generator[None]:
        """Count the time in here as a part's; that of a part inside it is not counted again."""
        outer, inner = getattr(self._here, "inner", None), [0.0, 0.0]
        self._here.inner = inner
        cpu, clock = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            cpu, clock = time.thread_time() - cpu, time.perf_counter() - clock
            both = cpu, clock - cpu
            self._here.inner = outer
            with self._lock:
                spent = self.spent.setdefault(part, [0.0, 0.0])
                for index in (0, 1):
                    spent[index] += both[index] - inner[index]
                    if outer is not None:
                        outer[index] += both[index]

    def wrap(self, module: Any, name: str, part: str) -> None:
        """Count a function's time as a part's."""
        function: Callable[..., Any] = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            with self.counted(part):
                return function(*arguments, **options)

        setattr(module, name, counted)

    def wrap_entering(self, module: Any, name: str, part: str) -> None:
        """Count what it takes to enter a context as a part's."""
        function: Callable[..., Any] = getattr(module, name)

        @contextmanager
        def entered(*arguments: Any, **options: Any) -> Generator[Any]:
            context = function(*arguments, **options)
            with self.counted(part):
                value = context.__enter__()
            try:
                yield value
            except BaseException as error:
                if not context.__exit__(type(error), error, error.__traceback__):
                    raise
            else:
                context.__exit__(None, None, None)

        setattr(module, name, entered)


def watched() -> Parts:
    """Watch what a turn's time goes into."""
    parts = Parts()
    parts.wrap(tools.registry, "call", "tools, references apart")
    parts.wrap(tools.reference, "reference_for", "references")
    parts.wrap(core.runs.job, "begin", "beginning the thread, saved with its history")
    parts.wrap(core.runs.turn_loop, "_settle", "saving the turn, with its history")
    parts.wrap(os, "fsync", "the disk: fsync")
    parts.wrap_entering(core.storage.store, "thread_locked", "locks")
    return parts


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("bare", "ours", "tables"))
    parser.add_argument("root", type=Path)
    parser.add_argument("url")
    for name, default in (("threads", 100), ("workers", 1), ("parallel", PARALLEL), ("profile", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    workspace = open_workspace(str(options.root / "workspace"), environ={})
    parts = watched() if options.profile else Parts()
    clock = Clock(parts)
    if options.part == "bare":
        turns = asyncio.run(bare(options.root, options.url, options.threads, clock))
    elif options.part == "tables":
        turns = tables(workspace, clock)
    else:
        counts = options.threads, options.parallel, options.workers
        turns = asyncio.run(ours(workspace, options.url, counts, clock))
    told = {part: [1000 * seconds / turns for seconds in spent] for part, spent in parts.spent.items()}
    cpu = 1000 * clock.cpu / turns
    if told:
        loop = "the model call: request, stream, events, and what carries them"
        told = {loop: [cpu - sum(spent[0] for spent in told.values()), 0.0], **told}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"turns": turns, "seconds": clock.seconds, "cpu_ms": cpu, "memory_mb": memory, "parts": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
