"""Runs in the real app: what streams in, what stops, what fails, several at once, models that reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from core.model.options import OPTIONS, shown_option
from core.model.reply import Prefilling, TextAdded, Waiting
from core.runs.events import CallAnswered, TurnEnded, TurnStarted
from core.storage.store import Stored
from core.thread.proposal import Generation, Proposal
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, calls, delta, fails, fake_server, says
from tests.tui.driving import finished, notices, on_disk, opened, proposed, work
from tests.tui.motion import motion_workspace, new_thread, on_screen, until
from tui.open_thread.thread_work import LiveTurn, ThreadWork
from tui.screens.main import MainScreen
from tui.screens.model import ModelScreen
from tui.widgets.conversation import Conversation
from tui.widgets.picker import Choice, choice_line
from tui.widgets.turn_effort import effort

Served = Callable[[str], Workspace]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    root.mkdir()
    return root


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return motion_workspace(root)


@pytest.fixture
def served(root: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    def at(url: str) -> Workspace:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        return open_workspace(str(root))

    return at


def spoken(text: str) -> list[Any]:
    return [delta(content=text[start : start + 5]) for start in range(0, len(text), 5)]


def shown_text(screen: MainScreen) -> str:
    return screen.query_one(Conversation).text


# The state of a run, without a screen


def test_a_run_that_ends_before_its_id_is_known_is_over(workspace: Workspace):
    thread_work = ThreadWork(new_thread(workspace), asked=True)
    thread_work.apply(TurnStarted("t#1", "t", "fake"), 0.0)
    thread_work.apply(TurnEnded("t#1", "t", error="no answer"), 0.1)
    thread_work.begin("t#1")
    assert not thread_work.busy and thread_work.idle
    thread_work.asked = True
    thread_work.begin("t#2")
    assert thread_work.busy


def test_waiting_makes_what_came_of_the_message_void_but_not_earlier_calls(workspace: Workspace):
    stored: Stored = new_thread(workspace)
    thread_work = ThreadWork(stored, run="t#1")
    thread_work.apply(TurnStarted("t#1", "t", "fake"), 0.0)
    thread_work.apply(CallAnswered("t#1", -1, "c0", "look", "{}", False, 0.1), 0.0)
    thread_work.apply(TextAdded("t#1", "half a sent"), 0.0)
    thread_work.apply(Waiting("t#1", 3, "429"), 0.0)
    (draft,) = thread_work.drafts(1.0)
    assert "waiting 3 s" in draft.note
    assert [message.get("content") for message in draft.proposal.messages] == ["{}", ""]
    thread_work.apply(TextAdded("t#1", "A whole sentence."), 2.0)
    assert thread_work.drafts(3.0)[0].proposal.messages[-1]["content"] == "A whole sentence."


def test_the_count_of_tokens_changes_at_most_once_a_second(workspace: Workspace):
    thread_work = ThreadWork(new_thread(workspace), run="t#1")
    thread_work.apply(TurnStarted("t#1", "t", "fake"), 0.0)
    notes: set[str] = set()
    for step in range(40):
        thread_work.apply(TextAdded("t#1", "word " * 3), step / 20)
        notes.add(thread_work.drafts(step / 20)[0].note)
    assert len(notes) <= 3
    assert any("tokens" in note and "/s" in note for note in notes)


# In the app


async def test_escape_stops_a_run_and_keeps_what_came(workspace: Workspace, served: Served):
    stem = new_thread(workspace).stem
    with fake_server(Answer(spoken("I look at the signal first, and then"), then="hang")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("r")
            await until(pilot, lambda: "and then" in shown_text(screen))
            assert "running" in shown_text(screen)
            await until(pilot, lambda: screen.key_bar.situation == "running")
            await pilot.press("escape")
            await until(pilot, lambda: work(screen).shown is not None and not work(screen).busy)
            assert "incomplete: it was stopped" in shown_text(screen)
            assert work(screen).shown.messages[0]["content"].startswith("I look at the signal first")
            await pilot.press("y")
            await until(pilot, lambda: any("edit it whole with e" in notice.message for notice in notices(pilot)))
            assert len(on_disk(workspace, stem).thread.messages) == 1
            await pilot.press("backspace")
            await until(pilot, lambda: len(on_disk(workspace, stem).thread.alternatives) == 1)
            assert on_disk(workspace, stem).thread.alternatives[0]["complete"] is False


async def test_a_run_shows_at_once_that_the_model_was_asked(workspace: Workspace, served: Served):
    new_thread(workspace)
    with fake_server(Answer(hang_first=True)) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("r")
            await until(pilot, lambda: "waiting for the first token" in shown_text(screen))
            await pilot.press("escape")
            await until(pilot, lambda: not work(screen).busy)
            assert work(screen).idle


async def test_a_server_that_fails_says_why_once_and_the_thread_can_run_again(workspace: Workspace, served: Served):
    stem = new_thread(workspace).stem
    refused = Answer(status=401, body=b'{"error": {"message": "no such key"}}')
    with fake_server(refused, says("Final Answer: walking")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("r")
            await until(pilot, lambda: any("no such key" in notice.message for notice in notices(pilot)))
            await until(pilot, lambda: not work(screen).busy)
            (notice,) = [notice.message for notice in notices(pilot) if "no such key" in notice.message]
            assert notice.count(stem) == 1
            await proposed(pilot, screen)


async def test_a_finished_thread_says_what_can_be_done(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        await finished(pilot, screen)
        await pilot.press("r")
        await until(pilot, lambda: any("b branches" in notice.message for notice in notices(pilot)))
        assert not work(screen).busy


@pytest.mark.parametrize("keep", [False, True])
async def test_what_a_model_reasons_is_folded_and_stored_only_when_configured(
    root: Path, workspace: Workspace, served: Served, keep: bool
):
    answer = Answer(
        [
            delta(reasoning_content="First I wonder. "),
            delta(reasoning_content="Then I know."),
            *spoken("Final Answer: walking"),
            delta("stop"),
        ]
    )
    stem = new_thread(workspace).stem
    (root / "sensorloom.toml").write_text(f"[model]\nkeep_reasoning = {str(keep).lower()}\n")
    with fake_server(answer) as server:
        async with opened(served(server.url)) as (pilot, screen):
            screen.parts.arranging.go_to(stem)
            await until(pilot, lambda: work(screen).stored.stem == stem)
            await pilot.press("2")
            await proposed(pilot, screen)
            assert "▸ thinking  First I wonder." in shown_text(screen)
            await pilot.press("right")
            assert "▾ thinking" in shown_text(screen)
            await pilot.press("y")
            await until(pilot, lambda: len(on_disk(workspace, stem).thread.messages) > 1)
    message = on_disk(workspace, stem).thread.messages[-1]
    assert message.get("reasoning_content") == ("First I wonder. Then I know." if keep else None)


def test_until_the_first_token_a_turn_says_what_it_waits_for() -> None:
    live = LiveTurn(1, "m", started=0.0)
    assert live.draft(12.4).note == "waiting for the first token · 12 s"
    live.apply(Prefilling("run", 1024, 4096))
    assert live.draft(13.0).note == "reading 1,024 of 4,096 tokens · 13 s"
    live.apply(TextAdded("run", "It walks."))
    assert "reading" not in live.draft(14.0).note and "running" in live.draft(14.0).note


def test_what_a_turn_cost_fits_beside_it() -> None:
    costs = (0, 0.000078, 0.00013, 0.021, 12.4)
    shown = [effort({"usage": {"cost": cost}})[-1] for cost in costs]
    assert shown == ["¤0", "<¤0.0001", "¤0.00013", "¤0.021", "¤12.40"]


def test_long_names_of_models_are_told_apart() -> None:
    names = [f"Qwen/Qwen3-235B-A22B-Instruct-2507-FP8-dynamic-quantised-v{n}" for n in (1, 2)]
    first, second = (
        "".join(text for text, _ in choice_line(Choice(name, "box  http://b/v1"), False, 60, 62, frozenset(names)))
        for name in names
    )
    assert first != second and "…" in first and "box" in first


TYPED = {
    "temperature": "0.25", "seed": "11", "max_tokens": "99", "top_p": "0.9", "top_k": "40", "min_p": "0.1",
    "stop": "END", "tool_choice": "auto", "parallel_tool_calls": "no", "response_format": '{"type": "text"}',
    "extra_body": '{"extra": {"on": true}}', "headers": '{"X-Team": "${HOME}"}', "system_role": "developer",
    "concurrency": "2", "connect_timeout_sec": "9", "first_token_timeout_sec": "90", "timeout_sec": "45",
    "price_in": "3", "price_out": "15",
}  # fmt: skip


async def test_every_option_of_the_request_is_set_by_key_and_recorded(workspace: Workspace, served: Served):
    assert TYPED.keys() == {*OPTIONS}
    stem = new_thread(workspace).stem
    with fake_server(says("Final Answer: walking")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("ctrl+o")
            await until(pilot, lambda: isinstance(pilot.app.screen, ModelScreen) and "fake" in on_screen(pilot.app))
            headers = pilot.app.screen.query_one("#headers", Input)
            headers.value = '{"X-Key": "of this one"}'
            await pilot.press("down")
            await until(pilot, lambda: not headers.value)  # no other endpoint is sent it
            await pilot.press("up")
            for name, value in TYPED.items():
                pilot.app.screen.query_one(f"#{name}", Input).value = value
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, MainScreen))
            settings = screen.parts.runs.choice.settings
            await proposed(pilot, screen)
            await pilot.press("y")
            await until(pilot, lambda: len(on_disk(workspace, stem).thread.messages) > 1)
            await until(pilot, lambda: "→3 tokens · cost 0.0000" in on_screen(pilot.app))
        asked = server.requests[-1]
    assert {name: shown_option(getattr(settings, name)) for name in TYPED} == TYPED
    sent = {
        "temperature": 0.25, "seed": 11, "max_tokens": 99, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "stop": ["END"],
        "tool_choice": "auto", "parallel_tool_calls": False, "response_format": {"type": "text"},
    }  # fmt: skip
    assert {name: asked[name] for name in sent} == sent and asked["extra"] == {"on": True}
    assert asked["messages"][0]["role"] == "developer"
    made_by = on_disk(workspace, stem).thread.metadata["made_by"]
    assert {name: made_by[name] for name in sent} == sent and "headers" not in made_by
    assert (made_by["extra_body"], made_by["system_role"]) == ({"extra": {"on": True}}, "developer")
    usage = on_disk(workspace, stem).thread.messages[-1]["usage"]
    assert usage["cost"] == pytest.approx((3 * usage["prompt_tokens"] + 15 * usage["completion_tokens"]) / 1e6)
    metadata = on_disk(workspace, stem).thread.metadata
    assert (metadata["model"], metadata["temperature"], metadata["seed"], metadata["max_tokens"]) == (
        "fake",
        0.25,
        11,
        99,
    )


async def test_several_threads_run_at_once_and_each_is_found_as_it_was_left(workspace: Workspace, served: Served):
    first, second = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    with fake_server(Answer(spoken("I am still looking"), then="hang")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            for stem in (first, second):
                screen.parts.arranging.go_to(stem)
                await until(pilot, lambda stem=stem: work(screen).stored.stem == stem)
                await pilot.press("r")
                await until(pilot, lambda: "still looking" in shown_text(screen))
            assert screen.parts.runs.running == {first, second}
            screen.parts.arranging.go_to(first)
            await until(pilot, lambda: work(screen).stored.stem == first and "still looking" in shown_text(screen))
            await pilot.press("escape")
            await until(pilot, lambda: work(screen).shown is not None)
            assert screen.parts.runs.running == {second}


async def test_a_run_that_only_begins_goes_on_while_another_thread_is_read(workspace: Workspace, served: Served):
    first, second = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    with fake_server(says("I look at the signal.")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            screen.parts.arranging.go_to(first)
            await until(pilot, lambda: work(screen).stored.stem == first)
            screen.action_do("turn.run")
            began = work(screen)
            assert began.asked and not began.run
            screen.parts.thread.open(on_disk(workspace, second))
            assert work(screen).stored.stem == second and began.asked
            await until(pilot, lambda: began.proposals and not began.busy)
            assert "I look at the signal." not in shown_text(screen)
            screen.parts.arranging.go_to(second)
            await until(pilot, lambda: screen.parts.reader.wanted == second)
            screen.parts.arranging.go_to(first)
            await until(pilot, lambda: work(screen) is began and "I look at the signal." in shown_text(screen))
            await pilot.press("y")
            await until(pilot, lambda: len(on_disk(workspace, first).thread.messages) == 2)
            assert len(on_disk(workspace, second).thread.messages) == 1


async def test_a_thread_is_found_where_it_was_left(workspace: Workspace):
    first, second = new_thread(workspace).stem, new_thread(workspace, "s02_1").stem
    async with opened(workspace, (100, 24)) as (pilot, screen):
        screen.parts.arranging.go_to(first)
        await until(pilot, lambda: work(screen).stored.stem == first)
        await pilot.press("2")
        await finished(pilot, screen)
        shown = screen.query_one(Conversation)
        shown.focus_message(3)
        await pilot.press("right")
        before = shown.reading_place
        assert not before.at_end
        screen.parts.arranging.go_to(second)
        await until(pilot, lambda: work(screen).stored.stem == second)
        screen.parts.arranging.go_to(first)
        await until(pilot, lambda: work(screen).stored.stem == first)
        await until(pilot, lambda: shown.reading_place == before)


async def test_a_change_from_outside_is_one_step_back(workspace: Workspace):
    stem = new_thread(workspace).stem
    path = workspace.threads / f"{stem}.json"
    async with opened(workspace) as (pilot, screen):
        path.write_text(path.read_text().replace("What is this person doing?", "theirs"))
        await until(pilot, lambda: work(screen).stored.thread.question == "theirs")
        await pilot.press("u")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "What is this person doing?")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: on_disk(workspace, stem).thread.question == "theirs")


async def test_a_change_from_outside_while_a_run_is_under_way_is_not_overwritten(workspace: Workspace, served: Served):
    stem = new_thread(workspace).stem
    path = workspace.threads / f"{stem}.json"
    with fake_server(Answer(spoken("Final Answer: walk"), then="hang")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await pilot.press("R")
            await until(pilot, lambda: "walk" in shown_text(screen).rpartition("TURN 1")[2])
            path.write_text(path.read_text().replace("What is this person doing?", "theirs"))
            await pilot.press("escape")
            await until(pilot, lambda: "changed from outside" in on_screen(pilot.app))
            assert "mine as a branch" not in on_screen(pilot.app), "it broke off: there is no turn to keep"
            await pilot.press("t")
            await until(pilot, lambda: not work(screen).slots and work(screen).stored.thread.question == "theirs")
            thread = on_disk(workspace, stem).thread
            assert (thread.question, len(thread.messages), len(thread.alternatives)) == ("theirs", 1, 1)


async def test_space_plays_the_session_and_stops(workspace: Workspace):
    new_thread(workspace)
    async with opened(workspace) as (pilot, screen):
        sensors = screen.parts.thread.sensors
        await until(pilot, lambda: sensors.view is not None)
        still = sensors.text
        await pilot.press("space")
        assert sensors.playing
        await until(pilot, lambda: "┿" in sensors.text)
        await pilot.press("space")
        assert not sensors.playing and sensors.text == still
        await pilot.press("space")
        await until(pilot, lambda: not sensors.playing)
        assert sensors.text == still


def test_a_proposal_of_an_earlier_session_that_no_longer_follows_is_not_offered(workspace: Workspace):
    thread_work = ThreadWork(new_thread(workspace))
    old = Proposal(7, ({"role": "assistant", "content": "old"},), Generation("m"))
    assert not thread_work.restore([old]) and thread_work.idle


async def test_calls_of_a_server_are_carried_out_and_shown(workspace: Workspace, served: Served):
    new_thread(workspace)
    with fake_server(calls(("show_channel_stats", '{"artifact_id": "session"}'))) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await proposed(pilot, screen)
            assert "▸ show_channel_stats" in shown_text(screen) and "✓" in shown_text(screen)
            await pilot.press("right_square_bracket")
            assert "proposal" in shown_text(screen)


async def test_what_the_server_refuses_is_said_once_and_left_out(workspace: Workspace, served: Served):
    new_thread(workspace)
    with fake_server(fails(400, "Unknown parameter: 'stream_options'"), says("Final Answer: walking")) as server:
        async with opened(served(server.url)) as (pilot, screen):
            await proposed(pilot, screen)
            told = [note.message for note in notices(pilot) if "openai refuses `stream_options`" in note.message]
    assert len(told) == 1 and "stream_options" not in server.requests[-1]
