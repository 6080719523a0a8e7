"""Batches on the screen: of this program and of others, watched, paused, gone on with, stopped, forgotten, listed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from multiprocessing import active_children
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from textual.app import App

from core.listing.goal import Goal, set_goal
from core.runs import background
from core.runs.batch_live import Look, ask, look
from core.runs.batch_run import BatchRun
from core.runs.batches import batches, begin_batch, open_batch, setup_now
from core.runs.job import Job
from core.runs.progress import Mark, Progress
from core.workspace import Workspace
from tests.fake_server import Answer, FakeServer, fake_server, says
from tests.tui.driving import notices, opened
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tui.screens import batches as screen_of_batches
from tui.screens.batches import BatchesScreen
from tui.thread_list.day import Day
from tui.widgets.batch_lines import batch_rows
from tui.widgets.lines import cells, plain_text

FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking", 60)
SESSIONS = [f"s{subject:02d}_{number}" for subject in range(1, 5) for number in range(3)]


@pytest.fixture
def server() -> Generator[FakeServer]:
    with fake_server(FINAL) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, server: FakeServer, trust: Callable[[Path], None]) -> Workspace:
    (tmp_path / "sensorloom.toml").write_text(
        f'[[endpoints]]\nname = "box"\nbase_url = "{server.url}"\nmodel = "m"\nconcurrency = 2\n'
    )
    trust(tmp_path)
    workspace = motion_workspace(tmp_path)
    new_thread(workspace)
    return workspace


def written_down(workspace: Workspace, count: int) -> str:
    from core.model.endpoints import choose

    setup = setup_now(choose(workspace), parallel=2)
    return begin_batch(workspace, [Job("motion", session, "What?") for session in SESSIONS[:count]], setup).name


class Held:
    """A server that answers as many requests as it is let."""

    def __init__(self, server: FakeServer) -> None:
        self._left = threading.Semaphore(0)
        self._server = server
        server.answer = self._answer

    def _answer(self, _: object) -> Answer:
        while not self._left.acquire(timeout=0.05):
            if self._server.closing.is_set():
                return Answer(then="cut")
        return FINAL

    def let(self, count: int) -> None:
        self._left.release(count)


async def test_a_batch_of_another_program_is_watched_and_told_what_to_do(
    workspace: Workspace, server: FakeServer
) -> None:
    held, over = Held(server), threading.Event()
    name = written_down(workspace, 8)
    other = BatchRun(workspace, name, over=lambda _: over.set())
    other.start()
    try:
        async with opened(workspace, (80, 24)) as (pilot, main):
            await pilot.press("5")
            await until(pilot, lambda: isinstance(pilot.app.screen, BatchesScreen))
            await until(pilot, lambda: "2 of 2 in flight" in on_screen(pilot.app))
            assert f"{name}  under way  motion · box" in on_screen(pilot.app)
            held.let(3)
            await until(pilot, lambda: "3 of 8 done" in on_screen(pilot.app))
            await pilot.press("p")
            await until(pilot, lambda: "pausing, 2 finish their turn" in on_screen(pilot.app))
            held.let(2)
            await until(pilot, lambda: "5 of 8 done" in on_screen(pilot.app) and "  paused  " in on_screen(pilot.app))
            await until(pilot, lambda: look(workspace, name).state == "paused")
            asked = len(server.requests)
            await pilot.press("delete")
            await until(pilot, lambda: any("stops it" in each.message for each in notices(pilot)))
            await pilot.press("r")
            await until(pilot, lambda: len(server.requests) > asked)
            await pilot.press("s")
            await until(pilot, over.is_set)
            await until(pilot, lambda: "r goes on" in on_screen(pilot.app) and "5 of 8 done" in on_screen(pilot.app))
            await pilot.press("enter")
            await until(pilot, lambda: main.filter_line.value == f"batch:{name}")
            await until(pilot, lambda: len(main.parts.arranging.shown) == 5)
            listed = {summary.stem for summary in main.parts.arranging.shown}
            assert listed <= set(open_batch(workspace, name).stems.values())
    finally:
        other.close()


async def test_one_that_was_killed_is_gone_on_with_here_and_forgotten_and_brought_back(
    workspace: Workspace, server: FakeServer
) -> None:
    name = written_down(workspace, 4)
    batch = open_batch(workspace, name)
    batch.note(0, "motion_s01_0_v4_0009")  # as a kill leaves it: noted, and its file never written
    (batch.path.with_suffix(".lock")).touch()
    (batch.path.with_suffix(".live")).write_bytes(b'{"pid": 1, "host": "h", "progr')
    async with opened(workspace, (120, 30)) as (pilot, main):
        await pilot.press("5")
        await until(pilot, lambda: "0 of 4 done" in on_screen(pilot.app) and "r goes on" in on_screen(pilot.app))
        await pilot.press("p")
        await until(pilot, lambda: "is not under way" in on_screen(pilot.app))
        await pilot.press("r")
        await until(pilot, lambda: look(workspace, name).state == "whole" and not main.parts.making.busy)
        await until(pilot, lambda: "4 of 4 done" in on_screen(pilot.app) and "whole" in on_screen(pilot.app))
        await pilot.press("delete")
        await until(pilot, lambda: "no batch yet" in on_screen(pilot.app) and not batches(workspace))
        await pilot.press("u")
        await until(pilot, lambda: name in on_screen(pilot.app))
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is main)
        await until(pilot, lambda: len(main.parts.arranging.shown) == 5)


async def test_one_whose_process_is_only_starting_is_neither_left_nor_empty(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_start, start = threading.Event(), background.started

    def started(*arguments: Any, **named: Any) -> Any:
        may_start.wait(60)
        return start(*arguments, **named)

    monkeypatch.setattr(background, "started", started)
    async with opened(workspace, (80, 24)) as (pilot, main):
        main.parts.making.make([("motion", session) for session in SESSIONS[:4]])
        await until(pilot, lambda: bool(main.parts.making.starting))
        await pilot.press("5")
        await until(pilot, lambda: "  starting  " in on_screen(pilot.app))
        assert "1 of 1 under way" in on_screen(pilot.app) and "goes on" not in on_screen(pilot.app)
        assert main.parts.making.far == "making 0 of 4"
        may_start.set()
        await until(pilot, lambda: "whole  4 of 4 done" in on_screen(pilot.app) and not main.parts.making.busy)
        assert "0 of 1 under way" in on_screen(pilot.app)


async def test_one_that_only_a_command_goes_on_with_says_which(workspace: Workspace) -> None:
    from core.model.endpoints import choose

    ways = msgspec.structs.replace(setup_now(choose(workspace)), ways=2)
    name = begin_batch(workspace, [Job("motion", "s01_0", "What?")] * 2, ways).name
    async with opened(workspace, (120, 30)) as (pilot, _):
        await pilot.press("5")
        await until(pilot, lambda: name in on_screen(pilot.app))
        await pilot.press("r")
        await until(pilot, lambda: bool(notices(pilot)))
        (told,) = notices(pilot)
    assert told.message == f"`sensorloom run --resume {name}` goes on with it, and sorts out its ways"


async def test_leaving_the_program_stops_what_it_makes_and_keeps_what_is_done(
    workspace: Workspace, server: FakeServer, screen: Callable[[App[Any]], str]
) -> None:
    held = Held(server)
    async with opened(workspace, (120, 30)) as (pilot, main):
        main.parts.making.make([("motion", session) for session in SESSIONS[:4]])
        await until(pilot, lambda: "making 0 of 4" in on_screen(pilot.app))
        await until(pilot, lambda: bool(server.requests))
        held.let(4)  # two questions, two answers
        await until(pilot, lambda: "making 2 of 4 · 2t" in on_screen(pilot.app))
        await pilot.press("q")
        await until(pilot, lambda: not main.parts.making.busy)
    (name,) = batches(workspace)
    assert not active_children()
    assert (look(workspace, name).state, look(workspace, name).progress.done) == ("left", 2)
    with pytest.raises(Exception, match="is not under way"):
        await asyncio.to_thread(ask, workspace, name, "stop")


async def test_a_new_batch_is_told_with_its_size_from_the_first_moment_on(
    workspace: Workspace, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(Day, "show_beside", lambda _, text: shown.append(text))
    held = Held(server)
    async with opened(workspace, (120, 30)) as (pilot, main):
        main.parts.making.make([("motion", session) for session in SESSIONS[:2]])
        held.let(4)
        await until(pilot, lambda: bool(shown) and not main.parts.making.busy)
    told = [text.split(" ·")[0] for text in shown if text]
    assert told and all(text.endswith(" of 2") for text in told), told


async def test_a_batch_whose_process_is_killed_is_told_of_and_gone_on_with(
    workspace: Workspace, server: FakeServer
) -> None:
    held = Held(server)
    async with opened(workspace, (120, 30)) as (pilot, main):
        making = main.parts.making
        making.make([("motion", session) for session in SESSIONS[:4]])
        held.let(3)
        await until(pilot, lambda: "making 1 of 4" in on_screen(pilot.app))
        (name,) = batches(workspace)
        (process,) = active_children()
        assert f"process {process.pid} " in look(workspace, name).maker, "none of the screen's own"
        process.kill()
        await until(pilot, lambda: any("ended early" in each.message for each in notices(pilot)) and not making.busy)
        assert look(workspace, name).state == "left"
        held.let(20)
        making.go_on(name)
        await until(pilot, lambda: look(workspace, name).state == "whole" and not making.busy)
    assert len(open_batch(workspace, name).stems) == 4 and not active_children()


async def test_one_that_is_stopped_while_its_sessions_are_drawn_makes_nothing(
    workspace: Workspace, server: FakeServer
) -> None:
    held, drawn = Held(server), threading.Event()
    name = written_down(workspace, 2)

    def jobs() -> list[Job]:
        drawn.wait(60)
        return [Job("motion", session, "What?") for session in SESSIONS[:3]]

    async with opened(workspace, (120, 30)) as (pilot, main):
        making = main.parts.making
        assert making.make_drawn(3, jobs)
        making.go_on(name)
        await until(pilot, lambda: "making 0 of 5" in on_screen(pilot.app))
        making.stop_new()
        drawn.set()
        await until(pilot, lambda: not making.makes_new and "making 0 of 2" in on_screen(pilot.app))
        held.let(4)
        await until(pilot, lambda: not making.busy)
    assert batches(workspace) == [name] and look(workspace, name).state == "whole"


FAR = Progress(
    5_000, 3_210, 12, 48, 40, 64, 20_000, 900_000, at=100.0, problem="box failed with 500",
    marks=(Mark(40.0, 3_000, 18_000, 800_000),),
)  # fmt: skip
ALL = [
    Look("20261127-164103", FAR, alive=True, maker="process 4711 on vm", begun_at="2026-11-27T16:41:03",
         endpoint="box", model="Qwen/Qwen3-8B", threads="threads", datasets=("uci_har", "wisdm")),
    Look("20261127-160000", msgspec.structs.replace(FAR, paused=True), alive=True, wish="pause"),
    Look("20261126-090000", Progress(20, 7, 1)),
    Look("20261125-090000", Progress(20, 20), whole=True),
    Look("20261124-090000", problem="it is damaged"),
]  # fmt: skip


@pytest.mark.parametrize("width", [40, 76, 156])
def test_rows_fit_and_say_the_most_wanted_first(width: int) -> None:
    rows = list(batch_rows(ALL, width, "r goes on"))
    assert all(cells(row.line) <= width for row in rows)
    assert [row.terms[0] for row in rows if row.terms] == [each.name for each in ALL]
    text = "\n".join(plain_text(row.line) for row in rows)
    assert "3,210 of 5,000 done" in text or width == 40
    assert "48 of 64 in flight · 8 min 1 s left" in text
    for word in ("under way", "pausing", "r goes on", "whole", "damaged"):
        assert word in text
    if width > 100:
        assert "33 turns/s · 222 threads/min · 1,667 tokens/s" in text and "Qwen/Qwen3-8B at box" in text


async def test_several_new_threads_at_once_are_a_batch_about_sessions_of_the_filter_that_no_thread_is_about(
    workspace: Workspace, server: FakeServer
) -> None:
    async with opened(workspace, (80, 24)) as (pilot, main):
        await pilot.press("n")
        await until(pilot, lambda: "N several" in on_screen(pilot.app) and "s01_0" in on_screen(pilot.app))
        await until(pilot, lambda: "It moves." in on_screen(pilot.app))
        await pilot.press("slash", *"label:walking", "enter")
        await pilot.press("e", "ctrl+a", *"What now?", "escape", "N")
        await until(pilot, lambda: "how many threads" in on_screen(pilot.app))
        await pilot.press(*"many", "enter")
        await until(pilot, lambda: any("a number" in each.message for each in notices(pilot)))
        await until(pilot, lambda: "the question that was written" in on_screen(pilot.app))
        await pilot.press("ctrl+u", "2", "enter")
        await until(pilot, lambda: pilot.app.screen is main)
        await until(pilot, lambda: len(main.parts.arranging.shown) == 3 and not main.parts.making.busy)
        threads = main.parts.arranging.shown
        assert len({summary.session for summary in threads}) == 3, "an old one, and two about sessions of their own"
        (name,) = batches(workspace)
        stems = set(open_batch(workspace, name).stems.values())
        drawn = [each for each in threads if each.stem in stems]
        assert len(drawn) == 2
        assert all(each.truth == "walking" and each.question.startswith("What now?") for each in drawn)
        await pilot.press("n")
        await until(pilot, lambda: "16 sessions" in on_screen(pilot.app))
        await pilot.press("N")
        await until(pilot, lambda: "how many threads" in on_screen(pilot.app))
        await pilot.press("1", "7", "enter")
        await until(pilot, lambda: any("from 1 to 16" in each.message for each in notices(pilot)))
        assert batches(workspace) == [name] and not main.parts.making.busy


async def test_the_goals_key_stops_what_was_begun_here_and_not_a_batch_that_was_gone_on_with(
    workspace: Workspace, server: FakeServer
) -> None:
    held = Held(server)
    name = written_down(workspace, 4)
    set_goal(workspace, Goal(label=2, calls=0, path=0))
    async with opened(workspace, (120, 30)) as (pilot, main):
        making = main.parts.making
        making.go_on(name)
        await until(pilot, lambda: "making 0 of 4" in on_screen(pilot.app))
        await pilot.press("P")
        await until(pilot, lambda: "wanted:" in on_screen(pilot.app))
        assert "m stop" not in on_screen(pilot.app) and "m make" not in on_screen(pilot.app)
        await pilot.press("m")
        await until(pilot, lambda: any("wait for them" in each.message for each in notices(pilot)))
        await until(pilot, lambda: bool(server.requests))
        assert making.busy and look(workspace, name).state == "under way"
        held.let(8)
        await until(pilot, lambda: not making.busy and "m make" in on_screen(pilot.app))
        await pilot.press("m")
        await until(pilot, lambda: making.makes_new and pilot.app.screen is main)
        await until(pilot, lambda: len(batches(workspace)) == 2)
        await pilot.press("P")
        await until(pilot, lambda: "m stop making" in on_screen(pilot.app))
        await pilot.press("m")
        await until(pilot, lambda: not making.busy)
    assert [look(workspace, each).state for each in batches(workspace)] == ["left", "whole"]


@pytest.mark.mishaps
async def test_what_nobody_foresaw_leaves_neither_a_count_nor_a_screen_that_stands_for_ever(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> NoReturn:
        raise RuntimeError("a fault of ours")

    written_down(workspace, 4)
    async with opened(workspace, (120, 30)) as (pilot, main):
        assert main.parts.making.make_drawn(3, fails)
        await until(pilot, lambda: any("no threads are made" in each.message for each in notices(pilot)))
        assert not main.parts.making.busy and "making 0" not in on_screen(pilot.app)
        with monkeypatch.context() as patched:
            patched.setattr(screen_of_batches, "batches", fails)
            await pilot.press("5")
            await until(pilot, lambda: "cannot be read now" in on_screen(pilot.app))
        await until(pilot, lambda: "0 of 4 done" in on_screen(pilot.app) and "cannot" not in on_screen(pilot.app))
