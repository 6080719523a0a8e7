"""A run whose threads other processes carry out: the same threads, none lost with a process, none left after a stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from dataclasses import replace
from itertools import count
from multiprocessing import Pipe, active_children
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.analyst.transport import BuiltinTransport
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.runs import crew_needed
from core.runs.crew import Crew
from core.runs.crew_needed import crew_for
from core.runs.events import TurnEvent, TurnMade, TurnStarted
from core.runs.job import Job, Ran
from core.runs.pace import Pace
from core.runs.progress import Meter
from core.runs.worker import Do, Go, Wants, Worker
from core.storage import store
from core.thread.value import Thread, call_arguments, call_name, calls_of, text_of
from core.workspace import Workspace, open_workspace
from tests.core.runs.told import told_by
from tests.tools.made import made_dataset, write_dataset

DATASET = made_dataset(4, 3)


def slow_analyst(workspace: Workspace, choice: ModelChoice) -> Model:
    """The built-in analyst, at a pace at which there is time to interrupt it."""
    return Model(choice, transport=BuiltinTransport(delay=0.005))


def workspace_in(root: Path) -> Workspace:
    write_dataset(root / "data" / "made", DATASET)
    return open_workspace(str(root), environ={})


def jobs_of(count: int, begun: list[str] | None = None) -> list[Job]:
    told = None if begun is None else begun.append
    sessions = sorted(DATASET.labels)[:count]
    return [
        Job("made", session, "What?", seed, number=seed, evidence="reference", begun=told)
        for seed, session in enumerate(sessions)
    ]


def words_of(thread: Thread) -> list[Any]:
    """A thread without its id and the ids of its calls."""
    return [
        (message["role"], text_of(message), [(call_name(call), call_arguments(call)) for call in calls_of(message)])
        for message in thread.messages
    ]


def on_disk(workspace: Workspace) -> list[Thread]:
    return [read.thread for read in store.read_all(workspace.threads) if isinstance(read, store.Stored)]


async def test_processes_make_the_same_threads_and_a_lost_one_takes_nothing_with_it(tmp_path: Path):
    here, there = workspace_in(tmp_path / "here"), workspace_in(tmp_path / "there")
    choice = ModelChoice()
    model = Model(choice)
    expected = {
        ran.job.session: words_of(ran.stored.thread)
        for ran in await told_by(here, jobs_of(6), model, parallel=2)
        if ran.stored
    }
    begun = list[str]()
    turns, killed = Counter[str](), list[int]()

    def watch(job: Job, event: TurnEvent) -> None:
        if not isinstance(event, TurnMade):
            return
        turns[job.session] += 1
        if len(turns) == 2 and not killed:
            killed.extend(child.pid for child in active_children() if child.pid)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    crew, meter = Crew(there, choice, 2, opens=slow_analyst), Meter(Pace(4), 6)
    await crew.start()
    try:
        ran = await told_by(there, jobs_of(6, begun), model, meter=meter, watch=watch, crew=crew)
    finally:
        await crew.close()
        await model.aclose()
    assert len(killed) == 2 and not active_children()
    assert [result.error for result in ran] == [""] * 6
    threads = on_disk(there)
    assert {thread.session: words_of(thread) for thread in threads} == expected
    assert len(threads) == 6 and {thread.id for thread in threads} <= {*begun}
    assert [result.thread for result in ran] == sorted(threads, key=lambda thread: thread.session)
    assert (meter.progress.done, meter.progress.running, meter.pace.turns) == (6, 0, 0)
    assert meter.progress.turns == sum(turns.values()) >= 6


def silent_analyst(workspace: Workspace, choice: ModelChoice) -> Model:
    return Model(choice, transport=BuiltinTransport(delay=60))


async def test_a_thread_that_its_processes_die_of_is_given_up_and_not_left_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("core.runs.crew.TRIES", 2)
    workspace, choice = workspace_in(tmp_path), ModelChoice()

    def watch(_: Job, event: TurnEvent) -> None:
        if isinstance(event, TurnStarted):
            for process in active_children():
                process.kill()

    crew, model = Crew(workspace, choice, 1, opens=silent_analyst), Model(choice)
    await crew.start()
    ran = await told_by(workspace, jobs_of(1), model, watch=watch, crew=crew)
    await crew.close()
    await model.aclose()
    assert [result.error[:29] for result in ran] == ["2 processes ended early while"] and not on_disk(workspace)


class DeadlyTransport(BuiltinTransport):
    """Ends its process where it is asked about the deadly question."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if "Deadly?" in request.content.decode():
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().handle_async_request(request)


def deadly_analyst(workspace: Workspace, choice: ModelChoice) -> Model:
    return Model(choice, transport=DeadlyTransport(delay=0.005))


async def test_no_other_thread_is_given_up_for_one_that_processes_die_of(tmp_path: Path):
    workspace, choice = workspace_in(tmp_path), ModelChoice()
    jobs = jobs_of(8)
    jobs[0] = replace(jobs[0], question="Deadly?")
    crew, model = Crew(workspace, choice, 1, opens=deadly_analyst), Model(choice)
    await crew.start()
    ran = await told_by(workspace, jobs, model, parallel=4, crew=crew)
    await crew.close()
    await model.aclose()
    assert [result.finished for result in ran] == [False, *[True] * 7] and not active_children()
    assert ran[0].error.startswith("3 processes ended early") and not ran[0].for_all and len(on_disk(workspace)) == 7


async def test_a_stop_reaches_the_processes_and_leaves_none(tmp_path: Path):
    workspace, choice = workspace_in(tmp_path), ModelChoice()
    crew = Crew(workspace, choice, 2, opens=slow_analyst)
    await crew.start()
    model = Model(choice)
    meter = Meter(Pace(4), 6)
    seen = asyncio.Event()

    def watch(_: Job, event: TurnEvent) -> None:
        if isinstance(event, TurnMade):
            seen.set()

    work = asyncio.create_task(told_by(workspace, jobs_of(6), model, meter=meter, watch=watch, crew=crew))
    await seen.wait()
    meter.pace.pause()
    processes = {*active_children()}
    for process in processes:
        process.terminate()  # as where a whole session is told to end
    work.cancel()
    ran = await work
    assert {*active_children()} == processes
    await crew.close()
    await model.aclose()
    assert not active_children()
    assert 1 <= len(ran) <= 4 and any(result.cancelled for result in ran)
    assert {result.thread.id for result in ran if result.thread} == {thread.id for thread in on_disk(workspace)}


async def test_a_stop_does_not_wait_for_a_process_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.runs.hand.STOP_SEC", 0.1)
    monkeypatch.setattr("core.runs.hand.END_SEC", 0.1)
    workspace, choice = workspace_in(tmp_path), ModelChoice()
    crew, model, seen = Crew(workspace, choice, 1, opens=slow_analyst), Model(choice), asyncio.Event()

    def watch(_: Job, event: TurnEvent) -> None:
        if isinstance(event, TurnMade):
            seen.set()

    await crew.start()
    work = asyncio.create_task(told_by(workspace, jobs_of(1), model, watch=watch, crew=crew))
    await seen.wait()
    for process in active_children():
        os.kill(process.pid or 0, signal.SIGSTOP)  # as a tool of somebody's does that never lets go
    work.cancel()
    (ran,) = await work
    await crew.close()
    await model.aclose()
    assert not active_children()
    assert ran.cancelled and ran.thread and ran.thread.messages == on_disk(workspace)[0].messages


@pytest.mark.parametrize(("workers", "number"), [(None, 6), (1, 2), (2, 1)])
async def test_who_runs_a_few_threads_has_no_processes(tmp_path: Path, workers: int | None, number: int):
    workspace, choice, meter, told = workspace_in(tmp_path), ModelChoice(), Meter(Pace(4), number), list[str]()
    jobs, model = jobs_of(number), Model(choice)
    async with crew_for(workspace, choice, jobs, meter, workers, told.append) as crew:
        ran = await told_by(workspace, jobs, model, meter=meter, crew=crew)
        assert not active_children()
    await model.aclose()
    assert [result.finished for result in ran] == [True] * number and not told


class _SeenCrew(Crew):
    """A crew that has no processes, and says whether it would."""

    started = asyncio.Event()

    async def start(self) -> None:
        self.started.set()


async def test_processes_come_when_one_core_is_not_enough_for_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crew_needed, "Crew", _SeenCrew)
    monkeypatch.setattr(crew_needed, "LOOK_SEC", 0.01)
    monkeypatch.setattr(crew_needed, "cores", lambda: 3)
    computed = count(1.0)
    monkeypatch.setattr("time.process_time", lambda: next(computed))  # much more than the time that goes by
    choice, told, clock = ModelChoice(), list[str](), count(1000.0)
    meter = Meter(Pace(4), 500, clock=lambda: next(clock))
    for _ in range(3):
        meter.hear(Ran(Job("made", "a")))
    async with crew_for(workspace_in(tmp_path), choice, jobs_of(4), meter, None, told.append):
        await _SeenCrew.started.wait()
    assert told == ["one core is not enough for the rate of these replies: 3 processes go on"]


async def test_no_job_goes_to_a_process_that_was_lost_while_another_was_started(tmp_path: Path):
    workspace, choice = workspace_in(tmp_path), ModelChoice()
    crew, model, meter = Crew(workspace, choice, 1), Model(choice), Meter(Pace(1), 1)
    await crew.start()
    (child,) = active_children()
    child.kill()
    child.join()  # the loop has not heard of it yet
    ran = await told_by(workspace, jobs_of(1), model, meter=meter, crew=crew)
    await crew.close()
    await model.aclose()
    assert [result.finished for result in ran] == [True] and len(on_disk(workspace)) == 1


async def test_a_process_ends_when_the_run_is_over_while_a_thread_of_it_is_about_to_be_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, choice = workspace_in(tmp_path), ModelChoice()
    is_begun, goes_on = threading.Event(), threading.Event()

    def look_at_session(*_: object) -> None:
        is_begun.set()
        goes_on.wait()

    monkeypatch.setattr("core.datasets.check.look_at_session", look_at_session)
    line, of_worker = Pipe()
    model = Model(choice)
    serving = asyncio.create_task(Worker(of_worker, workspace, keep_empty=False).serve(model, ()))
    line.send(Do(0, jobs_of(1)[0]))
    assert isinstance(await asyncio.to_thread(line.recv), Wants)
    line.send(Go(0))
    await asyncio.to_thread(is_begun.wait)
    line.close()
    for _ in range(20):  # it hears that nobody is there any more
        await asyncio.sleep(0)
    goes_on.set()
    await serving
    await model.aclose()
    assert not on_disk(workspace), "what nobody wrote down is not begun"
