"""What the model is asked for beside turns, by key: it runs as a run of the open thread, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import curate
from core.storage.pass_rates import PassRate, latest, read_pass_rates
from core.storage.store import Stored, read_all
from core.workspace import Workspace, open_workspace
from tests.core.teaching.test_paraphrase import finished
from tests.fake_server import Answer, calls, fails, fake_server, says
from tests.tui.driving import notices, opened, work
from tests.tui.motion import motion_workspace, new_thread, until
from tui.widgets.conversation import Conversation

RIGHT = says("It swings.\n\nConfidence: high\nFinal Answer: walking", 20)
WRONG = says("It rests.\n\nConfidence: high\nFinal Answer: sitting", 20)
Served = Callable[[str], Workspace]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


@pytest.fixture
def served(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Served:
    def at(url: str) -> Workspace:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        return open_workspace(str(workspace.root))

    return at


async def told(workspace: Workspace, *keys: str, until_told: str) -> str:
    """Press keys with the thread open, and wait for the notice that has these words."""
    async with opened(workspace) as (pilot, screen):
        await pilot.press(*keys)

        def heard() -> list[str]:
            return [notice.message for notice in notices(pilot) if until_told in notice.message]

        await until(pilot, heard)
        await until(pilot, lambda: not work(screen).busy)
        return heard()[0]


async def test_several_ways_at_the_session_leave_the_right_ones(workspace: Workspace, served: Served):
    stem = new_thread(workspace).stem
    with fake_server(RIGHT, WRONG, RIGHT) as server:
        sentence = await told(served(server.url), "L", "n", until_told="ways were right")
    assert sentence == "3 of 4 ways were right: 3 threads kept with 1 preference pair, the others are in the trash"
    threads = [stored for stored in read_all(workspace.threads) if isinstance(stored, Stored)]
    assert len(threads) == 4
    assert all(stored.thread.question == threads[0].thread.question for stored in threads)
    assert {stored.thread.metadata.get("is_correct") for stored in threads if stored.stem != stem} == {True}


async def test_difficulty_is_told_and_recorded(workspace: Workspace, served: Served):
    new_thread(workspace)
    with fake_server(RIGHT, WRONG, WRONG) as server:
        sentence = await told(served(server.url), "L", "d", until_told="was right")
    assert sentence == "fake was right 1 of 4 times (pass@1 25%, pass@4 100%): middle"
    assert latest(read_pass_rates(workspace.root), "motion", "s01_0") == PassRate(1, 4)


async def test_it_can_be_stopped(workspace: Workspace, served: Served):
    new_thread(workspace)
    with fake_server(Answer(hang_first=True)) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("L", "d")
            await until(pilot, lambda: server.requests)
            await pilot.press("escape")
            await until(pilot, lambda: not work(screen).busy)
    assert read_pass_rates(workspace.root) == {}


async def test_a_hint_that_shows_is_thrown_away_and_one_that_does_not_makes_a_thread(
    workspace: Workspace, served: Served
):
    stem = new_thread(workspace).stem
    with fake_server(says("You told me.\n\nFinal Answer: walking", 20)) as server:
        sentence = await told(served(server.url), "L", "h", until_told="thrown away")
        assert "it speaks of what it was told: 'You told'" in sentence
        server.script = [calls(("compute_spectrum", "{}")), RIGHT]
        await told(served(server.url), "L", "h", until_told="nothing in it shows")
        assert "labelled walking" in server.requests[-1]["messages"][-1]["content"]
    hinted = [
        stored.thread for stored in read_all(workspace.threads) if isinstance(stored, Stored) and stored.stem != stem
    ]
    assert [thread.metadata["made_by"]["hint"] for thread in hinted] == ["stripped"]


async def test_other_words_come_into_the_open_thread_and_undone(workspace: Workspace, served: Served):
    stored = finished(workspace)
    with fake_server(says("Is there a beat?"), says("Somebody is on foot.")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("L", "p")
            await until(pilot, lambda: any("in other words" in notice.message for notice in notices(pilot)))
            assert work(screen).stored.thread.messages[1]["content"] == "Is there a beat?"
            await until(pilot, lambda: not work(screen).busy)
            await pilot.press("u")
            await until(pilot, lambda: work(screen).stored.thread.messages == stored.thread.messages)


async def test_what_the_server_would_not_be_asked_is_said_on_the_screen_too(
    workspace: Workspace, served: Served, trust: Callable[[Path], None]
):
    finished(workspace)
    (workspace.root / "sensorloom.toml").write_text("[model]\nseed = 3\n")
    trust(workspace.root)
    with fake_server(fails(400, "Unsupported parameter: seed"), RIGHT) as server:
        assert "it is left out from now on" in await told(served(server.url), "L", "f", until_told="refuses `seed`")


async def test_whether_an_answer_rests_on_what_it_cites(workspace: Workspace, served: Served):
    stem = finished(workspace).stem
    with fake_server(RIGHT, RIGHT) as server:
        sentence = await told(served(server.url), "L", "f", until_told="unfaithful")
    assert sentence.startswith(f"{stem} is unfaithful: with message 3, which the answer cites, dropped, the model says")


async def test_a_judge_is_shown_once_the_person_has_judged(workspace: Workspace, served: Served):
    stem = finished(workspace).stem
    (workspace.root / "rubric.md").write_text("Measure first.")
    judgement = says('{"reason": "It measures.", "score": 4, "verdict": "accept"}')
    with fake_server(judgement) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("L", "j")
            await until(pilot, lambda: type(pilot.app.screen).__name__ == "AskTextScreen")
            await pilot.press("enter")
            await until(pilot, lambda: any("accept, 4 of 5" in notice.message for notice in notices(pilot)))
            await until(pilot, lambda: not work(screen).busy)
            assert "judge" not in screen.query_one(Conversation).text
            curate.set_verdicts(workspace, [stem], "reject")
            await until(pilot, lambda: "judge ▲ 4 of 5  It measures." in screen.query_one(Conversation).text)
