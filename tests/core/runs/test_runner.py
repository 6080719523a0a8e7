from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from core.errors import ModelError, UsageError
from core.model.endpoints import Endpoint, ModelChoice
from core.model.reply import TextAdded
from core.runs.events import Reported, TurnAccepted, TurnEnded, TurnEvent, TurnProposed
from core.runs.runner import Make, TurnRunner
from core.settings_tables import ModelSettings
from core.storage import store
from core.storage.store import Stored
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, FakeServer, delta, fake_server, says
from tests.tools.made import made_dataset, write_dataset

OWN_TOOL = '''
from pathlib import Path
from tools.registry import tool

Path(__file__).with_name("{mark}").touch()

@tool
def count_samples(context):
    """Count."""
    return {{"samples": 0}}
'''


class Watcher:
    """Keeps a runner's events and waits for what a test needs."""

    def __init__(self) -> None:
        self.events: list[TurnEvent] = []
        self.threads: set[str] = set()
        self.fails = False

    def __call__(self, event: TurnEvent) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread().name)
        if self.fails:
            raise RuntimeError("nobody looks")

    def ended(self) -> list[TurnEnded]:
        return [event for event in list(self.events) if isinstance(event, TurnEnded)]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the session that the threads are about: a run looks at it first."""
    workspace = open_workspace(str(tmp_path), environ={})
    lab = made_dataset(1, 1)
    lab.windows, lab.labels, lab.subjects = {"s1": lab.windows["s0_0000"]}, {"s1": ["walking"]}, {"s1": "s1"}
    write_dataset(workspace.data / "lab", lab)
    return workspace


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def runner(workspace: Workspace, watcher: Watcher) -> Iterator[TurnRunner]:
    turn_runner = TurnRunner(workspace, watcher)
    yield turn_runner
    turn_runner.close()


def begun(workspace: Workspace, number: int = 1) -> Stored:
    document = {
        "id": f"lab_s1_v4_{number:04d}",
        "metadata": {"dataset": "lab", "session": "s1", "ground_truth": "walking", "user_query": "What?"},
        "messages": [{"role": "user", "content": "User Query: What?"}],
    }
    return store.create(workspace.threads, Thread(document))


def choice(server: FakeServer) -> ModelChoice:
    return ModelChoice(Endpoint("lab", server.url), "fake", ModelSettings(timeout_sec=60.0))


def endless(started: threading.Event) -> Make:
    async def events(run: str) -> AsyncIterator[TurnEvent]:
        started.set()
        yield TextAdded(run, "…")
        await asyncio.Event().wait()

    return events


def test_several_threads_run_at_once_and_save(runner: TurnRunner, watcher: Watcher, workspace: Workspace) -> None:
    stored = [begun(workspace, number) for number in range(1, 6)]
    with fake_server(says("Final Answer: walking")) as server:
        runs = {runner.run_to_end(thread, choice(server)) for thread in stored}
        until(lambda: len(watcher.ended()) == 5)
    assert len(runs) == 5
    assert {event.run for event in watcher.ended()} == runs
    assert [event.error for event in watcher.ended()] == [""] * 5
    assert watcher.threads == {"turns"}
    assert runner.running == frozenset()
    for thread in stored:
        assert store.read(workspace.threads, thread.stem).thread.status == "finished"


def test_a_proposal_is_not_saved(runner: TurnRunner, watcher: Watcher, workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says("Final Answer: walking")) as server:
        runner.propose(stored, choice(server))
        until(watcher.ended)
    assert any(isinstance(event, TurnProposed) for event in watcher.events)
    assert store.read(workspace.threads, stored.stem) == stored


def test_tools_that_changed_since_they_were_trusted_are_not_run_and_are_told_of_once(
    runner: TurnRunner, watcher: Watcher, workspace: Workspace, trust: Callable[[Path], None]
) -> None:
    file = workspace.root / "sensorloom_tools.py"
    file.write_text(OWN_TOOL.format(mark="first"))
    trust(workspace.root)
    stored = begun(workspace)
    with fake_server(says("Final Answer: walking")) as server:
        for number, mark in enumerate(("first", "second", "third"), 1):
            file.write_text(OWN_TOOL.format(mark=mark))
            runner.propose(stored, choice(server))
            until(lambda number=number: len(watcher.ended()) == number)
    offered = [[tool["function"]["name"] for tool in request["tools"]] for request in server.requests]
    assert [("count_samples" in names) for names in offered] == [True, False, False]
    assert (workspace.root / "first").exists() and not (workspace.root / "second").exists()
    (told,) = [event.text for event in watcher.events if isinstance(event, Reported)]
    assert "sensorloom_tools.py is not run: it changed since it was trusted" in told


def test_samples_end_with_the_end_of_them_all(runner: TurnRunner, watcher: Watcher, workspace: Workspace) -> None:
    with fake_server(says("Final Answer: walking")) as server:
        run = runner.propose_many(begun(workspace), choice(server), 3)
        until(lambda: any(event.run == run for event in watcher.ended()))
    assert watcher.events[-1] == TurnEnded(run, "lab_s1_v4_0001")
    assert sum(isinstance(event, TurnProposed) for event in watcher.events) == 3


def test_one_thread_runs_once_at_a_time(runner: TurnRunner, watcher: Watcher) -> None:
    started = threading.Event()
    runner.start("one", endless(started))
    started.wait(10)
    with pytest.raises(UsageError, match="running already"):
        runner.start("one", endless(started))
    assert runner.running == {"one"}
    runner.cancel("other")
    runner.cancel("one")
    until(watcher.ended)
    assert watcher.ended()[0].cancelled
    until(lambda: not runner.running)


def test_a_run_that_is_stopped_before_it_begins_ends_too(runner: TurnRunner, watcher: Watcher) -> None:
    for _ in range(20):
        before = len(watcher.ended())
        runner.start("one", endless(threading.Event()))
        runner.cancel("one")
        until(lambda before=before: len(watcher.ended()) > before)
        until(lambda: not runner.running)
    assert all(event.cancelled for event in watcher.ended())


def test_stopping_keeps_what_came(runner: TurnRunner, watcher: Watcher, workspace: Workspace) -> None:
    with fake_server(Answer([delta(content="Half an ans")], then="hang")) as server:
        stored = begun(workspace)
        runner.run_to_end(stored, choice(server))
        until(lambda: any(isinstance(event, TextAdded) for event in watcher.events))
        runner.cancel(stored.stem)
        until(watcher.ended)
    partial = watcher.ended()[0].partial
    assert partial is not None
    assert partial.messages[0]["content"] == "Half an ans"


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ModelError("the lab burnt down"), "the lab burnt down"),
        (KeyError("x"), "the run failed unexpectedly: KeyError"),
    ],
)
def test_a_failure_ends_its_own_run_only(runner: TurnRunner, watcher: Watcher, error: Exception, wanted: str) -> None:
    async def failing(run: str) -> AsyncIterator[TurnEvent]:
        yield TextAdded(run, "a")
        raise error

    runner.start("one", endless(threading.Event()))
    runner.start("two", failing)
    until(watcher.ended)
    assert wanted in watcher.ended()[0].error
    assert runner.running == {"one"}


def test_a_watcher_that_fails_or_is_gone_does_not_stop_a_run(
    runner: TurnRunner, watcher: Watcher, workspace: Workspace
) -> None:
    watcher.fails = True
    stored = begun(workspace)
    with fake_server(says("Final Answer: walking")) as server:
        runner.run_to_end(stored, choice(server))
        until(watcher.ended)
    assert store.read(workspace.threads, stored.stem).thread.status == "finished"


def test_closing_stops_everything_and_says_so(runner: TurnRunner, watcher: Watcher) -> None:
    started = threading.Event()
    for name in ("one", "two"):
        runner.start(name, endless(started))
    started.wait(10)
    assert runner.close()
    assert {(event.stem, event.cancelled) for event in watcher.ended()} == {("one", True), ("two", True)}
    with pytest.raises(UsageError, match="closing"):
        runner.start("three", endless(started))
    assert runner.close()


def test_closing_does_not_wait_for_what_hangs(runner: TurnRunner) -> None:
    gate = threading.Event()

    async def stuck(run: str) -> AsyncIterator[TurnEvent]:
        yield TextAdded(run, "a")
        while not gate.is_set():
            try:
                await asyncio.to_thread(gate.wait, 20)
            except asyncio.CancelledError:
                continue

    runner.start("one", stuck)
    until(lambda: runner.running)
    assert not runner.close(timeout_sec=0.1)
    gate.set()


def test_a_tool_that_never_returns_is_left_behind(runner: TurnRunner, watcher: Watcher) -> None:
    from core.runs.cancelling import aside

    gate = threading.Event()

    async def calling(run: str) -> AsyncIterator[TurnEvent]:
        yield TextAdded(run, "a")
        await aside(gate.wait, 60)

    runner.start("one", calling)
    until(lambda: any(thread.name == "tool" for thread in threading.enumerate()))
    runner.cancel("one")
    until(watcher.ended)
    assert watcher.ended()[0].cancelled
    assert runner.close()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "tool")
    gate.set()
    until(lambda: not any(thread.name == "tool" for thread in threading.enumerate()))


def test_a_turn_is_on_disk_when_it_is_reported(runner: TurnRunner, watcher: Watcher, workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says("Final Answer: walking")) as server:
        runner.run_to_end(stored, choice(server))
        until(watcher.ended)
    accepted = [event for event in watcher.events if isinstance(event, TurnAccepted)]
    assert accepted[-1].stored == store.read(workspace.threads, stored.stem)
