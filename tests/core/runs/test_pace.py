"""How many threads are in flight: a server's refusals and latency decide, up to the ceiling."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from pathlib import Path

from core.model.client import Model
from core.model.endpoints import BUILTIN, Endpoint, ModelChoice
from core.model.reply import TextAdded, Waiting
from core.runs.events import TurnStarted
from core.runs.job import Job
from core.runs.pace import MOST, Pace, pace_for
from core.runs.progress import Meter
from core.settings_tables import ModelSettings
from core.workspace import open_workspace
from tests.core.runs.told import told_by
from tests.fake_server import fails, fake_server, says
from tests.tools.made import made_dataset, write_dataset

REMOTE = Endpoint("box", "http://box/v1")


@dataclass
class Server:
    """A server on a clock of its own that answers `slots` turns at a time, each in `seconds`; more wait, or are
    refused where `refuses`."""

    pace: Pace
    slots: int
    seconds: float = 1.0
    refuses: bool = False
    now: float = 0.0
    limits: list[int] = field(default_factory=list[int])
    refused: int = 0

    def serve(self, turns: int) -> None:
        """Keep as many turns in flight as the pace allows, one thread each, until so many are answered."""
        free, ends, number, answered = [0.0] * self.slots, list[tuple[float, float, int]](), 0, 0
        while answered < turns:
            while self.pace.running < self.pace.limit:
                self.pace._threads.inside += 1  # pyright: ignore[reportPrivateUsage] - no loop runs here
                number += 1
                self.pace.hear(TurnStarted(str(number), "t", "m"))
                heapq.heapify(free)
                begins = max(self.now, heapq.heappop(free))
                if self.refuses and begins > self.now:
                    heapq.heappush(free, begins)
                    self.refused += 1
                    self.pace.hear(Waiting(str(number), 0.5, "429", busy=True))
                    heapq.heappush(ends, (self.now + 0.5, self.now, -number))
                else:
                    heapq.heappush(free, begins + self.seconds)
                    heapq.heappush(ends, (begins + self.seconds, self.now, number))
            self.now, _, which = heapq.heappop(ends)
            if which > 0:
                self.pace.hear(TextAdded(str(which), "x"))
                answered += 1
            self.pace._threads.inside -= 1  # pyright: ignore[reportPrivateUsage]
            self.limits.append(self.pace.limit)


def clocked(slots: int, seconds: float = 1.0, *, refuses: bool = False, named: int = 0) -> Server:
    def now() -> float:
        return server.now

    pace = Pace(named, clock=now) if named else Pace(MOST, begin=4, by_latency=True, clock=now)
    server = Server(pace, slots, seconds, refuses)
    return server


def test_a_large_server_is_filled_in_a_few_rounds_and_a_small_one_is_not_flooded() -> None:
    large = clocked(1_000)
    large.serve(800)
    assert large.pace.limit == MOST and large.now < 10, "it doubles each round"
    small = clocked(8)
    small.serve(2_000)
    late = small.limits[1_000:]
    assert 8 <= min(late) and max(late) <= 64, "its queue shows in the latency"
    assert small.now < 2_000 / 8 * 1.05, "and it is kept busy"


def test_refusals_halve_it_once_a_round_and_it_finds_back() -> None:
    server = clocked(20, refuses=True, named=100)
    server.serve(4_000)
    late = server.limits[2_000:]
    assert 10 <= min(late) and max(late) <= 32, "a saw around what the server takes"
    assert server.now < 4_000 / 20 * 1.4
    assert server.refused < 400


def test_who_names_a_number_is_not_slowed_by_latency_and_the_analyst_by_nothing() -> None:
    named = clocked(4, named=32)
    named.serve(400)
    assert set(named.limits) == {32}
    settings = ModelSettings(concurrency=7)
    assert pace_for(ModelChoice(REMOTE, settings=settings)).limit == 7
    assert pace_for(ModelChoice(REMOTE, settings=settings), 3).limit == 3
    assert pace_for(ModelChoice(REMOTE)).limit == pace_for(ModelChoice(BUILTIN)).limit == 4


async def test_paused_it_begins_nothing_and_those_who_wait_come_in_their_order() -> None:
    pace, came = Pace(2), list[int]()

    async def thread(number: int) -> None:
        await pace.begin_thread()
        async with pace.turn():
            came.append(number)
            await asyncio.sleep(0)
        pace.end_thread()

    pace.pause()
    tasks = [asyncio.create_task(thread(number)) for number in range(5)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert came == [] and pace.running == 0
    tasks[1].cancel()
    pace.pause(False)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert came == [0, 2, 3, 4] and (pace.running, pace.turns) == (0, 0)


async def test_the_place_of_who_is_stopped_as_it_comes_is_the_next_ones() -> None:
    """As where a process is lost with a thread whose turn it just was."""
    pace = Pace(1)
    await pace.begin_thread()
    stopped, last = (asyncio.create_task(pace.begin_thread()) for _ in range(2))
    await asyncio.sleep(0)
    pace.end_thread()
    stopped.cancel()
    await asyncio.wait([stopped])
    await asyncio.wait_for(last, 10)
    assert stopped.cancelled() and pace.running == 1


async def test_a_server_that_names_a_time_is_left_alone_until_then() -> None:
    pace = Pace(3)
    await pace.begin_thread()
    pace.hear(Waiting("a", 0.05, "429", busy=True, asked_to=True))
    other = asyncio.create_task(pace.begin_thread())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not other.done()
    pace.end_thread()
    assert not other.done()
    await other


async def test_it_hears_what_the_client_is_told(tmp_path: Path) -> None:
    dataset = made_dataset(4, 3)
    write_dataset(tmp_path / "data" / "made", dataset)
    workspace, pace = open_workspace(str(tmp_path), environ={}), Pace(4)
    busy = fails(429, "slow down", retry_after_ms="20")
    with fake_server(busy, busy, says("It moves.\n\nConfidence: high\nFinal Answer: walking", 60)) as server:
        jobs = [Job("made", session, "What?") for session in sorted(dataset.labels)[:4]]
        model = Model(ModelChoice(Endpoint("fake", server.url), "m"))
        ran = await told_by(workspace, jobs, model, meter=Meter(pace, 4))
        await model.aclose()
    assert [result.finished for result in ran] == [True] * 4
    assert pace.limit < 4 and (pace.running, pace.turns) == (0, 0)
