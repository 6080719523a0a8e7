"""Judging by keys, in the real app: why, tags, labels, marks, the history, and blind judging."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from core import curate
from core.storage import history, store
from core.workspace import Workspace, open_workspace
from tests.tui.driving import notices
from tests.tui.motion import on_screen, until
from tui.app import SensorloomApp
from tui.dialogs.steps import StepsScreen
from tui.dialogs.words import WordsScreen
from tui.screens.main import MainScreen
from tui.widgets.conversation import Conversation

Add = Callable[..., str]
SIZES = [(80, 24), (120, 36), (160, 48)]


@asynccontextmanager
async def shown(
    workspace: Workspace, count: int, size: tuple[int, int] = (160, 48)
) -> AsyncGenerator[tuple[Pilot[Any], MainScreen]]:
    app = SensorloomApp(workspace)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MainScreen) and getattr(app.screen, "ready", False))
        main = app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.listed.count == count and main.parts.thread.work is not None)
        await pilot.press("1")
        yield pilot, main


def metadata(workspace: Workspace, stem: str) -> Any:
    return store.read(workspace.threads, stem).thread.metadata


def review(workspace: Workspace, stem: str) -> Any:
    return metadata(workspace, stem).get("review", {})


async def test_several_threads_keep_the_reasons_that_are_not_common_to_them(workspace: Workspace, add_thread: Add):
    first, second = add_thread(2), add_thread(1)
    curate.set_verdicts(workspace, [first], "reject", "too loud", ["leak", "wrong answer"])
    curate.set_verdicts(workspace, [second], "reject", reasons=["leak"])
    async with shown(workspace, 2) as (pilot, _):
        await pilot.press("*", "W")
        await until(pilot, lambda: "■ leak" in on_screen(pilot.app) and "□ wrong answer" in on_screen(pilot.app))
        await pilot.press("l", "u", "enter")
        await until(pilot, lambda: review(workspace, second)["reasons"] == ["unneeded call"])
        await until(pilot, lambda: review(workspace, first)["reasons"] == ["wrong answer", "unneeded call"])
        assert review(workspace, first)["note"] == "too loud"


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_a_reason_and_a_note_reject_a_thread(workspace: Workspace, add_thread: Add, size: Any):
    first, second = add_thread(2), add_thread(1)  # the newest first
    async with shown(workspace, 2, size) as (pilot, main):
        await pilot.press("W")
        await until(pilot, lambda: isinstance(pilot.app.screen, WordsScreen))
        await until(pilot, lambda: "why rejected" in on_screen(pilot.app) and "badly said" in on_screen(pilot.app))
        await pilot.press("w", "l", "w", "u", "tab", *"too loud", "enter")
        await until(pilot, lambda: review(workspace, first).get("verdict") == "reject")
        assert review(workspace, first)["reasons"] == ["leak", "unneeded call"]
        assert review(workspace, first)["note"] == "too loud"
        assert main.listed.current and main.listed.current.stem == second, "the next one comes"
        await pilot.press("k")
        await until(pilot, lambda: "▼ rejected  leak, unneeded call" in on_screen(pilot.app))
        assert "too loud" in on_screen(pilot.app)
        await until(pilot, lambda: '" 1t' in on_screen(pilot.app))
        await pilot.press("W")
        await until(pilot, lambda: "■ leak" in on_screen(pilot.app) and "□ wrong answer" in on_screen(pilot.app))
        await pilot.press("l", "enter")
        await until(pilot, lambda: review(workspace, first)["reasons"] == ["unneeded call"])
        assert review(workspace, first)["note"] == "too loud"
        await pilot.press("u")
        await until(pilot, lambda: review(workspace, first)["reasons"] == ["leak", "unneeded call"])
        assert not review(workspace, second)


async def test_a_list_row_tells_reasons_tags_and_note_where_there_is_room(workspace: Workspace, add_thread: Add):
    stem = add_thread(1)
    curate.set_verdicts(workspace, [stem], "reject", "loud", ["leak"])
    curate.change_tags(workspace, [stem], ["hard"])
    async with shown(workspace, 1, (200, 40)) as (pilot, main):
        await until(pilot, lambda: main.listed.current is not None and main.listed.current.tags)
        text = "".join(text for text, _ in main.listed.line(0, False, 70))
        assert "leak" in text and "#hard" in text and '"loud"' in text and text.rstrip().endswith("1t 0001")
        long = msgspec.structs.replace(main.listed.rows[0].summary, truth="walking_upstairs", correct=False)
        main.parts.folder.summaries.put(long)
        assert "".join(text for text, _ in main.listed.line(0, False, 34)).endswith('walki…s→walking "# 1t 0001')
        main.parts.folder.summaries.put(msgspec.structs.replace(long, truth="walking", correct=True))
        narrow = "".join(text for text, _ in main.listed.line(0, False, 30))
        assert '"#' in narrow and narrow.rstrip().endswith("1t 0001")


async def test_escape_leaves_the_verdict_as_it_was(workspace: Workspace, add_thread: Add):
    stem = add_thread(1)
    async with shown(workspace, 1) as (pilot, main):
        await pilot.press("W", "w", "escape")
        await until(pilot, lambda: pilot.app.screen is main)
        assert not review(workspace, stem)


async def test_tags_have_a_key_each_and_new_ones_are_typed(workspace: Workspace, add_thread: Add):
    (workspace.root / "sensorloom.toml").write_text('[tags]\nh = "hard"\n')
    first, second = add_thread(2), add_thread(1, tags=["odd"])
    async with shown(open_workspace(str(workspace.root)), 2) as (pilot, main):
        await pilot.press("number_sign")
        await until(pilot, lambda: "□ hard" in on_screen(pilot.app) and "□ odd" in on_screen(pilot.app))
        await pilot.press("h", "1", "tab", *"new one, h", "enter")
        await until(pilot, lambda: metadata(workspace, first).get("tags") == ["hard", "odd", "new one", "h"])
        await until(pilot, lambda: "#hard #odd" in on_screen(pilot.app))
        await until(pilot, lambda: main.listed.current and "hard" in main.listed.current.tags)
        await pilot.press("asterisk", "number_sign")
        await until(pilot, lambda: "■ odd" in on_screen(pilot.app) and "□ hard" in on_screen(pilot.app))
        await pilot.press("1", "enter")
        await until(pilot, lambda: not metadata(workspace, second).get("tags"))
        assert metadata(workspace, first)["tags"] == ["hard", "new one", "h"]
        await pilot.press("u")
        await until(pilot, lambda: metadata(workspace, second).get("tags") == ["odd"])
        assert metadata(workspace, first)["tags"] == ["hard", "odd", "new one", "h"]


async def test_where_no_tag_has_a_key_the_first_is_typed_at_once(workspace: Workspace, add_thread: Add):
    stem = add_thread(1)
    async with shown(workspace, 1, (80, 24)) as (pilot, _):
        await pilot.press("number_sign")
        await until(pilot, lambda: "type the first" in on_screen(pilot.app))
        assert "a key each" not in on_screen(pilot.app)
        await pilot.press(*"hard, odd", "enter")
        await until(pilot, lambda: metadata(workspace, stem).get("tags") == ["hard", "odd"])


async def test_a_range_and_all_that_is_shown_are_marked(workspace: Workspace, add_thread: Add):
    stems = [add_thread(number) for number in range(8, 0, -1)]
    async with shown(workspace, 8) as (pilot, main):
        await pilot.press("j", "m", "j", "j", "comma")
        assert main.listed.marked == set(stems[1:5])
        await pilot.press("Z", "asterisk")
        assert main.listed.marked == set(stems)
        await pilot.press("asterisk")
        assert not main.listed.marked
        await pilot.press("slash", *"turns>5", "enter", "asterisk")
        await until(pilot, lambda: main.listed.count == len(main.listed.aside))
        assert not main.listed.marked, "a row that stays, greyed, is none that the filter shows"


@pytest.mark.parametrize("size", SIZES)
async def test_turns_are_labelled_one_key_each(workspace: Workspace, add_thread: Add, size: Any):
    stem = add_thread(1, messages=4)

    def labels() -> list[Any]:
        return [message.get("label") for message in store.read(workspace.threads, stem).thread.messages[1:]]

    async with shown(workspace, 1, size) as (pilot, main):
        await pilot.press("2")
        main.query_one(Conversation).focus_message(1)
        await pilot.press("plus", "equals_sign", "minus")
        await until(pilot, lambda: labels() == ["good", "neutral", "bad", "bad", "bad"])
        await until(pilot, lambda: "+ good" in on_screen(pilot.app) and "- bad" in on_screen(pilot.app))
        await pilot.press("minus")
        await until(pilot, lambda: labels() == ["good", "neutral", None, None, None])
        await pilot.press("u")
        await until(pilot, lambda: labels() == ["good", "neutral", "bad", "bad", "bad"])
        main.query_one(Conversation).focus_message(0)
        await pilot.press("plus")
        await until(pilot, lambda: any("only the assistant's turns" in told.message for told in notices(pilot)))


@pytest.mark.parametrize("size", SIZES)
async def test_any_step_is_taken_back_from_the_history(workspace: Workspace, add_thread: Add, size: Any):
    (workspace.root / "sensorloom.toml").write_text('[person]\nname = "Kai"\n')
    first, second = add_thread(2), add_thread(1)
    async with shown(open_workspace(str(workspace.root)), 2, size) as (pilot, main):
        await pilot.press("a", "d")
        await until(pilot, lambda: review(workspace, second))
        await pilot.press("1", "h")
        await until(pilot, lambda: isinstance(pilot.app.screen, StepsScreen))
        await until(pilot, lambda: "verdict reject" in on_screen(pilot.app) and "Kai" in on_screen(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: not review(workspace, first))
        assert review(workspace, second)["verdict"] == "reject", "the one after it stands"
        await until(pilot, lambda: main.parts.folder.summaries[first].verdict == "")
        await pilot.press("2", "h")
        await until(pilot, lambda: isinstance(pilot.app.screen, StepsScreen))
        await until(pilot, lambda: f"history · {second}" in on_screen(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: not review(workspace, second))
        await pilot.press("1", "u")
        await until(pilot, lambda: review(workspace, second).get("verdict") == "reject")


async def test_what_was_changed_again_is_refused_in_a_sentence(workspace: Workspace, add_thread: Add):
    stem = add_thread(1)
    curate.set_verdicts(workspace, [stem], "reject")
    curate.set_verdicts(workspace, [stem], "accept")
    async with shown(workspace, 1) as (pilot, _):
        await pilot.press("2", "h")
        await until(pilot, lambda: "verdict reject" in on_screen(pilot.app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: any("was changed again since" in told.message for told in notices(pilot)))
        assert review(workspace, stem)["verdict"] == "accept"
        assert len(history.read(workspace, stem).steps) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_who_judges_blind_sees_the_truth_once_the_verdict_is_in(workspace: Workspace, add_thread: Add, size: Any):
    stem = add_thread(2, ground_truth="sitting")
    add_thread(1, ground_truth="sitting")
    async with shown(workspace, 2, size) as (pilot, main):
        await until(pilot, lambda: "sitting" in on_screen(pilot.app) and "✗ wrong" in on_screen(pilot.app))
        await pilot.press("w")
        await until(pilot, lambda: "sitting" not in on_screen(pilot.app) and "✗" not in on_screen(pilot.app))
        await pilot.press("X")
        await until(pilot, lambda: "until your verdict" in on_screen(pilot.app))
        assert "sitting" not in on_screen(pilot.app)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is main)
        await pilot.press("a")
        await until(pilot, lambda: review(workspace, stem))
        await until(pilot, lambda: on_screen(pilot.app).count("sitting") == 1)
        await pilot.press("k")
        await until(pilot, lambda: "✗ wrong" in on_screen(pilot.app) and "the truth is sitting" in on_screen(pilot.app))
