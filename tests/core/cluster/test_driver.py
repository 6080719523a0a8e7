"""Threads from a cluster are those of this machine, each once, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.cluster import node
from core.cluster.driver import TRIES
from core.cluster.meter import ClusterMeter
from core.cluster.run import OnCluster, run_on_cluster
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.model.client import Model
from core.model.endpoints import ModelChoice, choose
from core.runs.batches import Batch, begin_batch, open_batch, setup_now
from core.runs.job import Job, Ran
from core.storage.store import read
from core.storage.thread_files import stems
from core.thread.value import is_assistant
from core.workspace import Workspace, open_workspace
from tests.cluster.content import told_apart
from tests.core.cluster.in_process import ClusterHere, Mishap
from tests.core.runs.told import in_order, told_by
from tests.fake_server import fake_server, says
from tests.tools.made import made_dataset, write_dataset

COUNT = 6
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    write_dataset(root / "made", made_dataset(4, 3))
    return root


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node") / "base"


@pytest.fixture
def opened(tmp_path: Path, recordings: Path) -> Callable[[str], Workspace]:
    def opened(name: str) -> Workspace:
        (tmp_path / name).mkdir()
        return open_workspace(str(tmp_path / name), parts={"data": str(recordings)}, environ={})

    return opened


@pytest.fixture
def workspace(opened: Callable[[str], Workspace]) -> Workspace:
    return opened("cluster")


def jobs_about(workspace: Workspace, count: int = COUNT, question: str = "") -> list[Job]:
    sessions = open_dataset(workspace, "made").sessions
    return [Job("made", sessions[number % len(sessions)], question, seed=number) for number in range(count)]


def batch_of(workspace: Workspace, count: int = COUNT) -> Batch:
    return begin_batch(workspace, jobs_about(workspace, count), setup_now(ModelChoice()))


async def run_here(workspace: Workspace, jobs: list[Job]) -> list[Ran]:
    model = Model(ModelChoice())
    try:
        return await told_by(workspace, jobs, model)
    finally:
        await model.aclose()


async def run_there(
    workspace: Workspace, jobs: list[Job], cluster: ClusterHere, choice: ModelChoice | None = None, **options: Any
) -> tuple[list[Ran], list[str]]:
    told: list[str] = []
    ended: list[Ran] = []
    on = OnCluster(cluster, 2, **options)
    tally = await run_on_cluster(on, workspace, jobs, choice or ModelChoice(), ended=ended.append, tell=told.append)
    assert tally.told == len({id(result.job) for result in ended}) == len(ended), "each is told once"
    return in_order(jobs, ended), told


def losing(every: int, times: int) -> Mishap:
    """At every so many threads a worker is lost, when the thread is done and not given back."""
    count = 0

    def lost(method: str, arguments: tuple[Any, ...]) -> bool:
        nonlocal count
        count += method == "run"
        return method == "run" and count % every == 0 and count <= every * times

    return lost


async def test_threads_are_those_of_this_machine_with_their_history(
    opened: Callable[[str], Workspace], workspace: Workspace, base: Path
):
    here = opened("here")
    await run_here(here, jobs_about(here))
    ran, told = await run_there(workspace, jobs_about(workspace), ClusterHere(base))
    assert told_apart(here.threads, workspace.threads) == (COUNT, 0, 0)
    assert all(result.finished for result in ran) and not told
    assert [result.job.seed for result in ran] == list(range(COUNT))
    stored = read(workspace.threads, ran[0].stored.stem if ran[0].stored else "")
    undone = curate.undo(workspace, stored.stem).stored
    assert undone is not None and len(undone.thread.messages) < len(stored.thread.messages)


async def test_what_lost_workers_had_is_run_by_others_and_nothing_twice(
    opened: Callable[[str], Workspace], workspace: Workspace, base: Path
):
    here = opened("here")
    await run_here(here, jobs_about(here))
    batch = batch_of(workspace)
    cluster = ClusterHere(base, losing(every=2, times=3))
    ran, told = await run_there(workspace, batch.left(workspace), cluster)
    assert told_apart(here.threads, workspace.threads) == (COUNT, 0, 0)
    assert cluster.hired == 5 and any("was lost, its threads go to others: it was killed" in line for line in told)
    for result in ran:
        batch.note_ended(result)
    assert not open_batch(workspace).left(workspace)


async def test_a_thread_that_kills_its_workers_is_given_up(workspace: Workspace, base: Path):
    def lost(method: str, arguments: tuple[Any, ...]) -> bool:
        return method == "run" and arguments[0].job.seed == 3

    ran, _ = await run_there(workspace, jobs_about(workspace), ClusterHere(base, lost))
    (failed,) = [result for result in ran if result.error]
    assert failed.job.seed == 3
    assert failed.error == f"{TRIES} workers were lost while they ran it, the last one: it was killed"
    assert sum(result.finished for result in ran) == COUNT - 1


async def test_a_stop_keeps_what_is_done_and_the_batch_goes_on(workspace: Workspace, base: Path):
    batch = batch_of(workspace)
    running, stops = asyncio.current_task(), list[bool]()
    assert running is not None

    def stopping(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "run" and not stops:
            stops.append(running.cancel())
        return False

    ran, _ = await run_there(workspace, batch.left(workspace), ClusterHere(base, stopping))
    for result in ran:
        batch.note_ended(result)
    assert sum(result.finished for result in ran) < COUNT
    left = open_batch(workspace).left(workspace)
    assert left
    await run_there(workspace, left, ClusterHere(base))
    threads = [read(workspace.threads, stem).thread for stem in stems(workspace.threads)]
    assert sorted(thread.session for thread in threads) == sorted(job.session for job in jobs_about(workspace))
    assert all(thread.status == "finished" for thread in threads)


async def test_a_stop_takes_away_what_a_lost_worker_had_only_begun(workspace: Workspace, base: Path):
    running = asyncio.current_task()
    assert running is not None

    def lost(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "run":
            running.cancel()
        return method == "run"

    ran, _ = await run_there(workspace, jobs_about(workspace, 2), ClusterHere(base, lost))
    assert [result.cancelled for result in ran] == [True] * 2 and not stems(workspace.threads)


async def test_a_pause_holds_what_is_here_and_there_until_it_goes_on(workspace: Workspace, base: Path):
    meter, running = ClusterMeter(COUNT), asyncio.get_running_loop()
    paused: list[int] = []

    def pausing(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "run" and not meter.progress.paused and not paused:
            meter.pace.pause()
        if method == "pause" and arguments[0]:
            paused.append(meter.progress.done)
            running.call_soon(meter.pace.pause, False)
        return False

    on = OnCluster(ClusterHere(base, pausing), 2)
    jobs = jobs_about(workspace)
    tally = await run_on_cluster(
        on, workspace, jobs, ModelChoice(), meter=meter, ended=lambda ran: None, tell=lambda sentence: None
    )
    assert paused and max(paused) < COUNT and tally.finished == COUNT


async def test_a_stop_reaches_threads_that_a_worker_was_just_handed(
    workspace: Workspace, base: Path, monkeypatch: pytest.MonkeyPatch
):
    running, laid_out = asyncio.current_task(), node.lay_out
    assert running is not None
    loop, stopped, cluster = asyncio.get_running_loop(), threading.Event(), ClusterHere(base, room=1)
    stop = node.Worker.stop

    async def stopping(worker: node.Worker) -> None:
        await stop(worker)
        stopped.set()

    def lay_out(space: Workspace, carried: Any) -> None:
        loop.call_soon_threadsafe(running.cancel)
        assert stopped.wait(60.0)
        laid_out(space, carried)

    monkeypatch.setattr(node.Worker, "stop", stopping)
    monkeypatch.setattr(node, "lay_out", lay_out)
    ran, _ = await run_there(workspace, jobs_about(workspace, 1), cluster)
    assert [result.cancelled for result in ran] == [True] and not stems(workspace.threads)


async def test_turns_that_were_there_before_are_not_counted(workspace: Workspace, base: Path):
    jobs = jobs_about(workspace, 1)
    await run_there(workspace, [replace(jobs[0], max_turns=1)], ClusterHere(base))
    (stem,) = stems(workspace.threads)
    before = read(workspace.threads, stem).thread
    meter = ClusterMeter(1)
    on, going_on = OnCluster(ClusterHere(base), 2), [Job(stem=stem, max_turns=9)]
    await run_on_cluster(
        on, workspace, going_on, ModelChoice(), meter=meter, ended=lambda ran: None, tell=lambda sentence: None
    )
    turns = [sum(map(is_assistant, thread.messages)) for thread in (before, read(workspace.threads, stem).thread)]
    assert turns[0] == 1 and meter.progress.turns == turns[1] - turns[0] > 0


async def test_a_stop_before_anything_came_is_known_as_one(workspace: Workspace, base: Path):
    running, meter = asyncio.current_task(), ClusterMeter(COUNT)
    assert running is not None

    def stopping(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "prepare" and not meter.stopped:
            running.cancel()
        return False

    on, jobs = OnCluster(ClusterHere(base, stopping, room=1), 2), jobs_about(workspace)
    tally = await run_on_cluster(
        on, workspace, jobs, ModelChoice(), meter=meter, ended=lambda ran: None, tell=lambda sentence: None
    )
    assert meter.stopped and not tally.told and not stems(workspace.threads)


async def test_what_somebody_changed_meanwhile_is_left_as_it_is(workspace: Workspace, base: Path):
    def tagging(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "run" and arguments[0].job.seed < 2:
            curate.change_tags(workspace, [arguments[0].thread.stem], add=["mine"])
        if method == "run" and arguments[0].job.seed == 1:
            curate.undo(workspace, arguments[0].thread.stem)
        return False

    ran, _ = await run_there(workspace, jobs_about(workspace, 3), ClusterHere(base, tagging))
    changed, undone = ran[:2]
    assert "was changed while it ran elsewhere" in changed.error and ran[2].finished
    assert "was changed while it ran elsewhere" in undone.error and undone.stored is not None
    assert curate.redo(workspace, undone.stored.stem).stored is not None
    assert changed.stored is not None
    there = read(workspace.threads, changed.stored.stem)
    assert "mine" in there.thread.metadata["tags"] and len(there.thread.messages) == 1


async def test_datasets_own_tools_and_prompts_are_sent(
    workspace: Workspace, base: Path, tmp_path: Path, trust: Callable[[Path], None]
):
    (workspace.root / "sensorloom_tools.py").write_text(
        "from tools.registry import tool\n\n"
        "@tool\ndef weather(ctx):\n    'Say the weather.'\n    return {'sky': 'blue'}\n"
    )
    trust(workspace.root)
    (workspace.root / "prompts").mkdir()
    (workspace.root / "prompts" / "terse.txt").write_text("Be terse, BE_TERSE.")
    form = replace_form(workspace, system="terse.txt")
    jobs = [replace(job, form=form) for job in jobs_about(workspace, 2, "What?")]
    with fake_server(FINAL, FINAL) as server:
        choice = choose(workspace, server.url, "m", environ={})
        cluster = ClusterHere(tmp_path / "elsewhere")
        ran, told = await run_there(workspace, jobs, cluster, choice, shared=False)
        bodies = [json.dumps(request) for request in server.requests]
    assert all(result.finished for result in ran)
    assert any(line.startswith("sending made to the nodes") for line in told)
    assert len(cluster.sent) == 3  # the dataset in one piece, and its two tables
    assert len(bodies) == 2 and all("BE_TERSE" in body and '"weather"' in body for body in bodies)


async def test_tools_that_nobody_trusts_stay_here_and_it_is_said(workspace: Workspace, base: Path):
    (workspace.root / "sensorloom_tools.py").write_text("raise SystemExit('run')\n")
    cluster = ClusterHere(base)
    ran, told = await run_there(workspace, jobs_about(workspace, 1), cluster)
    assert ran[0].finished and not any(b"SystemExit" in call for call in cluster.heard)
    assert told == ["sensorloom_tools.py is not run: nobody trusts it as it is (`sensorloom trust` does)"]


async def test_nodes_with_another_program_are_refused(
    workspace: Workspace, base: Path, monkeypatch: pytest.MonkeyPatch
):
    digests = iter(["ours", *["theirs"] * 9])
    monkeypatch.setattr("core.cluster.kits.code_digest", lambda: next(digests))
    monkeypatch.setattr(node, "code_digest", lambda: next(digests))
    with pytest.raises(UsageError, match=r"10\.0\.0\.\d has sensorloom .* install sensorloom .* on every node"):
        await run_there(workspace, jobs_about(workspace), ClusterHere(base))
    assert not list(workspace.threads.glob("*.json"))


async def test_keys_are_handed_over_by_themselves(workspace: Workspace, base: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BOX_KEY", "s3cret-value")
    monkeypatch.setenv("OTHER_KEY", "another-secret")
    (workspace.root / "sensorloom.toml").write_text("")
    with fake_server(FINAL) as server:
        choice = choose(workspace, server.url, "m", environ={})
        choice = replace(choice, endpoint=replace(choice.endpoint, api_key_env="BOX_KEY"))
        cluster = ClusterHere(base)
        ran, _ = await run_there(workspace, jobs_about(workspace, 1, "What?"), cluster, choice)
        assert ran[0].finished
    with_key = [call for call in cluster.heard if b"s3cret-value" in call]
    assert len(with_key) == 1 and not any(b"another-secret" in call for call in cluster.heard)
    assert not on_disk(base, b"s3cret-value")


def on_disk(folder: Path, wanted: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()]


def replace_form(workspace: Workspace, **changes: Any) -> Any:
    import msgspec

    from core.runs.mode import wanted_form

    return msgspec.structs.replace(wanted_form(workspace), **changes)
