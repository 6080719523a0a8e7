"""The driver of a run on several machines: it begins threads, gives them to workers, and alone saves what comes back.

A thread is given out by itself as soon as a worker has room for it, so that no worker waits for the slowest of a block,
and no more are out than there is room for. What a dead worker had is given to another one, with the same seed, as it
stands on the driver's disk: begun once, whoever finishes it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.cluster.interface import WorkerLost
from core.cluster.meter import ClusterMeter
from core.cluster.travelling import Answer, Errand, Question
from core.cluster.workers import Member, Workers
from core.curate.prompts import kept_for
from core.curate.task import asking_prompt
from core.errors import SensorloomError
from core.runs.cancelling import in_full, stay_alive
from core.runs.job import After, Job, Ran, begin, looked_after, question_of, unless_empty
from core.runs.tally import Tally, counted_in
from core.storage.carrying import bring_back, pick_up
from core.storage.store import Stored
from core.workspace import Workspace

TRIES = 5
"""How many workers may be lost with a thread before it counts as failed: perhaps it is what they die of."""
SUSPECT = 2
"""A thread that was lost with so many is run alone on the next one, so that no other is given up for what it does."""
LOOK_SEC = 1.0
"""How often the driver looks whether there is room for more workers, or whether a person pauses the run."""
STOP_SEC = 15.0
"""How long a stop waits for what the workers still have."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Item:
    """A job that is not over."""

    job: Job
    stored: Stored | None = None
    """Its thread, once it is begun."""
    lost: int = 0
    seconds: float = 0.0


class Drive:
    """One run on a cluster."""

    def __init__(
        self,
        workers: Workers,
        workspace: Workspace,
        addresses: Sequence[str],
        meter: ClusterMeter,
        *,
        ended: Callable[[Ran], None],
        tell: Callable[[str], None],
        keep_empty: bool = False,
        after: After | None = None,
        only_ask: bool = False,
    ) -> None:
        """Make it ready.

        Args:
            workers: its own.
            workspace: where the threads are, on this machine.
            addresses: of the endpoint.
            meter: counts the threads.
            ended: told of each thread when it is over, and saved.
            tell: told a sentence that a person may want to know.
            keep_empty: whether a new thread stays to which nothing came.
            after: looks after each thread that is over, before `ended` is told.
            only_ask: whether no thread is begun, and a job is over once it has its question.
        """
        self._workers = workers
        self._workspace = workspace
        self._meter = meter
        self._ended = ended
        self._tell = tell
        self._keep_empty = keep_empty
        self._after = after
        self._only_ask = only_ask
        self._asked: Counter[str] = Counter(dict.fromkeys(addresses, 0))
        """How many threads are under way at each address."""
        self._waiting: deque[_Item] = deque()
        self._out: dict[asyncio.Task[Ran], tuple[Member, _Item]] = {}
        self._over: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
        """Tasks that are over and not heard of yet: of threads, and of workers that join."""
        self._tally = Tally()
        self._stopping = False
        self._told: set[str] = set()

    async def run(self, jobs: Iterable[Job]) -> Tally:
        """Run the jobs, as `core.runs.batch.run_jobs` does on one machine.

        Raises:
            UsageError: no worker can work; it says why.
            SensorloomError: what became of a thread cannot be written down.
        """
        self._waiting.extend(_Item(job) for job in jobs)
        try:
            while self._out or (self._waiting and not self._stopping):
                self._workers.pause(self._meter.progress.paused)
                self._workers.recruit(len(self._waiting) + len(self._out), self._over.put_nowait)
                self._give_out()
                self._meter.load(len(self._out), self._workers.limit)
                await self._hear(LOOK_SEC)
        except asyncio.CancelledError:
            stay_alive()
            self._meter.stopped = True
            await self._stop()
        except SensorloomError:
            await self._give_up()
            raise
        finally:
            await self._workers.part()
        return self._tally

    def _give_out(self) -> None:
        """Give each thread to the worker that has the most room, as long as any has; while it is paused none."""
        while self._waiting and not (self._stopping or self._meter.pace.paused):
            alone = self._waiting[0].lost >= SUSPECT
            if (member := self._workers.free(alone=alone)) is None:
                return
            item = self._waiting.popleft()
            member.busy += 1
            member.is_full = alone
            task = asyncio.create_task(self._carried_out(member, item))
            self._out[task] = member, item
            task.add_done_callback(self._over.put_nowait)

    async def _hear(self, seconds: float) -> None:
        """Take note of what is over, waiting so long for the first."""
        with suppress(TimeoutError):
            task = await asyncio.wait_for(self._over.get(), seconds)
            self._heard(task)
        while not self._over.empty():
            self._heard(self._over.get_nowait())

    def _heard(self, task: asyncio.Task[Any]) -> None:
        if task not in self._out:
            self._workers.take_up(task)
            return
        member, item = self._out.pop(task)
        member.busy -= 1
        member.is_full = False
        try:
            ran = task.result()
        except WorkerLost as error:
            self._workers.lose(member, str(error))
            item.lost += 1
            if item.lost < TRIES:
                self._waiting.appendleft(item)
                return
            ran = Ran(item.job, item.stored, f"{item.lost} workers were lost while they ran it, the last one: {error}")
        self._stopping = self._stopping or ran.for_all
        self._is_over(ran)

    def _is_over(self, ran: Ran) -> None:
        self._tally = counted_in(self._tally, ran)
        self._meter.hear(ran)
        self._ended(ran)

    async def _carried_out(self, member: Member, item: _Item) -> Ran:
        """Begin a thread, have it run, save it. Raises WorkerLost."""
        started = time.monotonic()
        address = min(self._asked, key=lambda address: self._asked[address])
        self._asked[address] += 1
        try:
            return await self._at(member, item, address)
        except SensorloomError as error:
            for_all = getattr(error, "for_all", False)
            return Ran(item.job, item.stored, str(error), seconds=time.monotonic() - started, for_all=for_all)
        except (WorkerLost, asyncio.CancelledError):
            raise
        except Exception as error:
            _log.exception("run of %s failed", item.job.stem or item.job.session)
            return Ran(item.job, item.stored, f"the run failed unexpectedly: {type(error).__name__}: {error}")
        finally:
            self._asked[address] -= 1

    async def _at(self, member: Member, item: _Item, address: str) -> Ran:
        job, question = item.job, question_of(item.job)
        if not (item.stored or job.stem or question):
            prompt = await asyncio.to_thread(asking_prompt, self._workspace, job.form)
            asked: Answer = await member.hand.call("ask", Question(_to_travel(job), prompt, address))
            item.seconds += asked.seconds
            if not asked.question:
                return Ran(job, None, asked.error, asked.cancelled, item.seconds, asked.for_all)
            question = asked.question
        if self._only_ask:
            return Ran(replace(job, question=question), seconds=item.seconds)
        return await self._run_at(member, item, address, question)

    async def _run_at(self, member: Member, item: _Item, address: str, question: str) -> Ran:
        job = item.job
        if item.stored is None:
            item.stored, cancelled = await in_full(begin, self._workspace, job, question)
            self._meter.begun(item.stored.thread)
            if cancelled:
                raise asyncio.CancelledError
        errand = await asyncio.to_thread(self._errand, job, item.stored, address)
        if self._meter.stopped:  # the workers were told to stop before they had it
            begun: Stored | None = item.stored
            if not (job.stem or self._keep_empty):
                begun, _ = await in_full(unless_empty, self._workspace, item.stored)
            return Ran(job, begun, cancelled=True)
        answer: Answer = await member.hand.call("run", errand)
        member.limit = answer.limit
        for note in answer.notes:
            if note not in self._told:
                self._told.add(note)
                self._tell(note)
        assert answer.thread is not None
        item.stored, _ = await in_full(bring_back, self._workspace, errand.thread, answer.thread)
        stored: Stored | None = item.stored
        if (answer.error or answer.cancelled) and not (job.stem or self._keep_empty):
            stored, _ = await in_full(unless_empty, self._workspace, item.stored)
        ran = Ran(job, stored, answer.error, answer.cancelled, item.seconds + answer.seconds, answer.for_all)
        return await looked_after(self._workspace, ran, self._after)

    def _errand(self, job: Job, stored: Stored, address: str) -> Errand:
        thread = pick_up(self._workspace, stored.stem)
        hint = job.hint(stored.thread) if job.hint else ""
        prompts = kept_for(self._workspace, stored.thread)
        return Errand(replace(_to_travel(job), stem=stored.stem), thread, prompts, address, hint)

    async def _stop(self) -> None:
        """Have the workers stop, and save what they give back; what is not back in time is run anew another time."""
        self._stopping = True
        self._workers.stop()
        until = time.monotonic() + STOP_SEC
        while self._out and (left := until - time.monotonic()) > 0:
            with suppress(SensorloomError):  # that it cannot be noted the next run tells, which finds the thread over
                await self._hear(left)
        await self._give_up()

    async def _give_up(self) -> None:
        """Wait for nothing more. New threads to which nothing came are taken away."""
        self._stopping = True
        for task in self._out:
            task.cancel()
        if self._out:
            await asyncio.wait(self._out)
        broken_off = [item for item in self._waiting if item.stored is not None]  # its worker was lost
        for task, (_, item) in list(self._out.items()):
            if not task.cancelled() and task.exception() is None:
                with suppress(SensorloomError):
                    self._heard(task)
            else:
                broken_off.append(item)
        for item in broken_off:
            stored = item.stored
            if stored is not None and not (item.job.stem or self._keep_empty):
                with suppress(SensorloomError):
                    stored = await asyncio.to_thread(unless_empty, self._workspace, stored)
            with suppress(SensorloomError):
                self._is_over(Ran(item.job, stored, cancelled=True))
        self._out.clear()


def _to_travel(job: Job) -> Job:
    """The job without what cannot leave this process, or is done already."""
    return replace(job, begun=None, hint=None, asked=None)
