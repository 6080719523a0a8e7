"""Reading a thread in the real app: searching it, walking its calls, unfolding, and where it opens."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from core.curate.packing import pack
from core.storage import store
from core.storage.packed import packs_locked
from core.storage.store import Stored
from core.thread.review import verdict_of
from core.thread.value import Thread
from core.workspace import Workspace
from tests.tui.driving import notices, opened, work
from tests.tui.motion import on_screen, until
from tui.__main__ import app_options
from tui.app import SensorloomApp
from tui.open_thread import reader
from tui.screens.main import MainScreen
from tui.widgets.conversation import Conversation
from tui.widgets.key_bar import KeyBar


def save(workspace: Workspace, *results: str, stem: str = "demo_s01_v4_0001", **metadata: Any) -> None:
    asked = "Dataset Information:\n{}\n\nUser Query: What does this person do?"
    messages: list[dict[str, Any]] = [{"role": "user", "content": asked}]
    for number, result in enumerate(results, 1):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
        messages.append({"role": "assistant", "content": f"Turn {number} looks.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "name": "look", "content": result})
    messages.append({"role": "assistant", "content": "It walks.\n\nFinal Answer: walking", "tool_calls": None})
    created = {"created_at": f"2026-01-01T00:00:{stem[-2:]}+00:00"}
    facts = {"dataset": "demo", "session": "s01", "ground_truth": "walking", **created, **metadata}
    workspace.threads.mkdir(exist_ok=True)
    store.create(workspace.threads, Thread({"id": stem, "metadata": facts, "messages": messages}))


def shown(screen: MainScreen) -> Conversation:
    return screen.query_one(Conversation)


def long_result(word: str, at: int = 150) -> str:
    return json.dumps({f"key {number}": word if number == at else "plain" for number in range(200)})


async def searched(pilot: Pilot[Any], screen: MainScreen, text: str, hits: int) -> None:
    await pilot.press("slash", *text)
    await until(pilot, lambda: f" of {hits} · " in on_screen(pilot.app))
    await pilot.press("enter")
    assert shown(screen).has_focus


async def test_a_hit_in_a_folded_result_unfolds_it_and_is_on_the_screen(workspace: Workspace):
    save(workspace, '{"mean": 1}', long_result("needle"), '{"note": "a Needle too"}')
    async with opened(workspace, (120, 30)) as (pilot, screen):
        await pilot.press("g")
        assert "needle" not in on_screen(pilot.app)
        await searched(pilot, screen, "needle", 2)
        await until(pilot, lambda: '"key 150": "needle"' in on_screen(pilot.app))
        assert shown(screen).index == 4
        await pilot.press("n")
        await until(pilot, lambda: "a Needle too" in on_screen(pilot.app) and "2 of 2" in on_screen(pilot.app))
        assert shown(screen).index == 6
        await pilot.press("n")
        await until(pilot, lambda: shown(screen).index == 4)
        await pilot.press("N")
        await until(pilot, lambda: shown(screen).index == 6)


async def test_while_a_search_is_on_the_key_bar_says_what_n_does_and_after_it_n_makes_a_thread(workspace: Workspace):
    save(workspace, '{"mean": 1}')
    async with opened(workspace, (120, 30)) as (pilot, screen):
        await searched(pilot, screen, "looks", 1)
        assert "n next hit" in on_screen(pilot.app).splitlines()[-1]
        await pilot.press("escape")
        assert screen.query_one(KeyBar).situation == "conversation" and "1 of 1" not in on_screen(pilot.app)
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(pilot.app.screen, MainScreen))


async def test_a_search_that_finds_nothing_says_so_and_n_without_one_too(workspace: Workspace):
    save(workspace, '{"mean": 1}')
    async with opened(workspace, (120, 30)) as (pilot, screen):
        await pilot.press("slash", *"nowhere")
        await until(pilot, lambda: "/nowhere  no hit" in on_screen(pilot.app))
        await pilot.press("escape")
        assert "no hit" not in on_screen(pilot.app)
        screen.action_do("search.next")
        await until(pilot, lambda: any("nothing is searched for" in notice.message for notice in notices(pilot)))


async def test_words_that_stand_on_two_lines_are_found(workspace: Workspace):
    save(workspace, json.dumps("a long way to say " * 8 + "the very end of it"))
    async with opened(workspace, (100, 30)) as (pilot, screen):
        await searched(pilot, screen, "the very end of it", 1)
        assert shown(screen).index == 2


async def test_slash_in_the_list_is_the_filter_and_its_words_are_marked_in_the_thread(workspace: Workspace):
    save(workspace, '{"note": "a wobble"}')
    save(workspace, '{"note": "nothing"}', stem="demo_s02_v4_0002")
    async with opened(workspace, (120, 30)) as (pilot, screen):
        await pilot.press("1", "slash", *"wobble", "enter")
        await until(pilot, lambda: "no longer matches" in on_screen(pilot.app))
        await pilot.press("j")
        conversation = shown(screen)
        await until(pilot, lambda: "a wobble" in conversation.text)
        marked = conversation.get_component_rich_style("line--found")

        def styles() -> dict[str, Any]:
            rows = (conversation.render_line(y) for y in range(conversation.size.height))
            return {part.text: part.style for row in rows for part in row}

        await until(pilot, lambda: "wobble" in styles())
        assert styles()["wobble"].bgcolor == marked.bgcolor


async def test_braces_walk_the_results_of_calls(workspace: Workspace):
    save(workspace, '{"a": 1}', '{"b": 2}')
    async with opened(workspace, (120, 30)) as (pilot, screen):
        await pilot.press("g", "right_curly_bracket")
        assert shown(screen).index == 2
        await pilot.press("right_curly_bracket")
        assert shown(screen).index == 4
        await pilot.press("right_curly_bracket")
        assert shown(screen).index == 4
        await pilot.press("left_curly_bracket")
        assert shown(screen).index == 2


async def test_everything_unfolds_and_folds_at_once_and_one_of_it_alone(workspace: Workspace):
    save(workspace, long_result("first", at=20), long_result("second", at=20), long_result("third", at=190))
    async with opened(workspace, (120, 40)) as (pilot, screen):
        await pilot.press("g", "greater_than_sign")
        await until(pilot, lambda: all(f'"key 20": "{name}"' in shown(screen).text for name in ("first", "second")))
        assert '"key 190"' not in shown(screen).text
        shown(screen).focus_message(6)
        await pilot.press("right")
        await until(pilot, lambda: '"key 190": "third"' in shown(screen).text)
        await pilot.press("left")
        assert '"key 190"' not in shown(screen).text and '"key 20": "first"' in shown(screen).text
        focused = shown(screen).index
        await pilot.press("less_than_sign")
        await until(pilot, lambda: '"key 20"' not in shown(screen).text)
        assert shown(screen).index == focused


async def test_enter_on_a_row_goes_into_its_thread(workspace: Workspace):
    save(workspace, '{"a": 1}')
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await pilot.press("1", "enter")
        assert shown(screen).has_focus


async def copied(pilot: Pilot[Any], screen: MainScreen, workspace: Workspace, key: str) -> str:
    path = workspace.private / "copied.txt"
    path.unlink(missing_ok=True)
    await pilot.press("Y")
    await until(pilot, lambda: pilot.app.screen is not screen)
    await pilot.press(key)
    await until(pilot, path.exists)
    await until(pilot, lambda: any("copied to: terminal (OSC 52)" in notice.message for notice in notices(pilot)))
    return path.read_text()


async def test_a_call_its_arguments_its_result_and_ways_back_to_the_thread_are_copied(workspace: Workspace):
    stem = "demo_s01_v4_0001"
    save(workspace, '{"mean": 1}', '{"mean": 2}', stem=stem)
    async with opened(workspace) as (pilot, screen):
        await pilot.press("g", "J", "J")
        assert await copied(pilot, screen, workspace, "m") == "Turn 2 looks."
        assert await copied(pilot, screen, workspace, "c") == 'look {"at": 1}'
        assert await copied(pilot, screen, workspace, "a") == '{"at": 1}'
        assert await copied(pilot, screen, workspace, "r") == '{"mean": 2}'
        await pilot.press("right_curly_bracket")
        assert await copied(pilot, screen, workspace, "c") == 'look {"at": 1}'
        assert await copied(pilot, screen, workspace, "i") == stem
        assert await copied(pilot, screen, workspace, "p") == str(workspace.threads / f"{stem}.json")
        assert await copied(pilot, screen, workspace, "s") == f"sensorloom show {stem} --workspace {workspace.root}"
        link = await copied(pilot, screen, workspace, "l")
        assert app_options(shlex.split(link)[1:]) == {"--workspace": str(workspace.root), "--open": f"{stem}#5"}


async def test_a_link_opens_the_program_at_its_message(workspace: Workspace):
    for number in (1, 2, 3):
        save(workspace, '{"a": 1}', '{"b": 2}', stem=f"demo_s0{number}_v4_000{number}")
    app = SensorloomApp(workspace, link=("demo_s01_v4_0001", 4))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: getattr(app.screen_stack[0], "ready", False))
        screen = app.screen_stack[0]
        assert isinstance(screen, MainScreen)
        await until(pilot, lambda: screen.parts.thread.work and work(screen).stored.stem == "demo_s01_v4_0001")
        await until(pilot, lambda: shown(screen).index == 4 and shown(screen).has_focus)


async def test_the_file_opens_in_the_editor_and_what_is_changed_there_is_shown(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save(workspace, '{"mean": 1}')
    script = tmp_path / "editor"
    script.write_text(f"#!{sys.executable}\n" + EDITOR)
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    async with opened(workspace) as (pilot, screen):
        monkeypatch.setattr(pilot.app, "suspend", nullcontext)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "Turn 1 stares." in shown(screen).text)


async def test_a_packed_thread_opens_as_a_file_or_says_why_not(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save(workspace, '{"mean": 1}')
    stem = "demo_s01_v4_0001"
    script = tmp_path / "editor"
    script.write_text(f"#!{sys.executable}\n" + EDITOR)
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    pack(workspace, [stem])
    async with opened(workspace) as (pilot, screen):
        monkeypatch.setattr(pilot.app, "suspend", nullcontext)
        held = threading.Event()
        with ThreadPoolExecutor(1) as elsewhere:

            def hold() -> None:
                with packs_locked(workspace.threads):
                    held.set()
                    let_go.wait(60)

            let_go = threading.Event()
            elsewhere.submit(hold)
            held.wait(60)
            await pilot.press("ctrl+g", "G")
            await until(pilot, lambda: shown(screen).index == 3)  # the screen goes on while another program packs
            let_go.set()
        await until(pilot, lambda: "Turn 1 stares." in shown(screen).text)
        await until(pilot, lambda: (workspace.threads / f"{stem}.json").exists())
        pack(workspace, [stem])
        (damaged,) = workspace.threads.glob("packs/*.zst")
        data = bytearray(damaged.read_bytes())
        at = data.index(b"\x28\xb5\x2f\xfd") + 60
        data[at : at + 8] = bytes(8)
        newer = damaged.with_name("pack-000009-a.jsonl.zst")  # of another name: nobody has read it yet
        damaged.with_suffix(".copied").write_bytes(data)
        damaged.with_suffix(".copied").replace(newer)
        damaged.unlink()
        await pilot.press("ctrl+g")
        told = "damaged where this thread is"
        await until(pilot, lambda: any(told in each.message for each in notices(pilot) if each.severity == "error"))


EDITOR = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.write_text(path.read_text().replace("Turn 1 looks", "Turn 1 stares"))
"""


async def test_a_thread_to_be_judged_opens_at_its_question_which_stays_in_sight(workspace: Workspace):
    save(workspace, long_result("needle"), '{"b": 2}', user_query="What does this person do?")
    save(workspace, *['{"b": 2}'] * 9, stem="demo_s02_v4_0002", review={"verdict": "accept"}, user_query="What is it?")
    async with opened(workspace, (120, 16)) as (pilot, screen):
        conversation = shown(screen)
        assert work(screen).stored.stem == "demo_s02_v4_0002" and conversation.is_vertical_scroll_end
        assert conversation.render_line(0).text.startswith("  QUESTION What is it?")
        await pilot.press("1", "j", "enter")
        await until(pilot, lambda: work(screen).stored.stem == "demo_s01_v4_0001")
        assert conversation.index == 0 and conversation.scroll_offset.y == 0
        assert conversation.render_line(0).text.startswith("▌ USER")
        await pilot.press("G")
        assert conversation.render_line(0).text.startswith("  QUESTION What does this person do?")
        await pilot.press("k", "k")
        assert conversation.index == 3
        top = conversation.render_line(1).text
        assert top.startswith("▌") or conversation.rows_of(3)[0] > conversation.scroll_offset.y
        await pilot.press("1", "k", "j")
        await until(pilot, lambda: work(screen).stored.stem == "demo_s01_v4_0001" and conversation.index == 3)


async def test_what_made_a_turn_and_what_it_took_stand_at_the_turn(workspace: Workspace):
    stem, usage = "demo_s01_v4_0001", {"prompt_tokens": 1812, "completion_tokens": 34}
    save(workspace, '{"a": 1}', stem=stem, made_by={"model": "small", "endpoint": "lab", "temperature": 0.5})
    path = workspace.threads / f"{stem}.json"
    document = json.loads(path.read_text())
    document["messages"][1] |= {"usage": usage, "made_by": {"seconds": 1.234}}
    document["messages"][3] |= {"made_by": {"model": "large", "seconds": 0.2}}
    path.write_text(json.dumps(document))
    async with opened(workspace, (120, 30)) as (_, screen):
        lines = [line.split(maxsplit=2) for line in shown(screen).text.splitlines()]
        assert ["TURN", "1", "small at lab"] in lines and ["TURN", "2", "large at lab"] in lines
        assert ["1.8k→34", "Turn", "1 looks."] in lines
        assert any(line[:2] == ["1.2", "s"] for line in lines) and any(line[:2] == ["200", "ms"] for line in lines)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Event]]:
    """Has the reading of a thread wait until the event is set."""
    waited: dict[str, Event] = {}

    def read(folder: Path, stem: str) -> Stored:
        if stem in waited:
            waited[stem].wait(20)  # one that is never set ends a test that fails
        return store.read(folder, stem)

    monkeypatch.setattr(reader, "store", SimpleNamespace(read=read))
    yield lambda stem: waited.setdefault(stem, Event())
    for event in waited.values():
        event.set()


def two_long_threads(workspace: Workspace) -> tuple[str, str]:
    """Two threads of several pages, the second one above the first."""
    stems = "demo_s01_v4_0001", "demo_s02_v4_0002"
    for stem in stems:
        save(workspace, *['{"mean": 1}'] * 8, stem=stem, is_correct=True)
    return stems


def verdict(workspace: Workspace, stem: str) -> str:
    return verdict_of(store.read(workspace.threads, stem).thread)


async def in_the_middle(pilot: Any, screen: MainScreen) -> tuple[int, float]:
    """Go to a place of the open thread that is neither where it opens nor where it ends."""
    conversation = shown(screen)
    await pilot.press("2", "g", *"JJJJ", "1")
    assert 0 < conversation.scroll_offset.y < conversation.max_scroll_y
    return conversation.index, conversation.scroll_offset.y


async def test_a_thread_that_the_cursor_comes_back_to_before_another_opened_stays_where_it_is_read(
    workspace: Workspace, slow: Callable[[str], Event]
):
    passed, stem = two_long_threads(workspace)
    async with opened(workspace, (80, 12)) as (pilot, screen):
        await until(pilot, lambda: work(screen).stored.stem == stem)
        middle = await in_the_middle(pilot, screen)
        event = slow(passed)
        await pilot.press("j")
        assert screen.parts.reader.wanted == passed
        await pilot.press("k")
        await until(pilot, lambda: screen.parts.reader.wanted == stem and not screen.parts.reader.reading)
        event.set()
        assert (shown(screen).index, shown(screen).scroll_offset.y) == middle


async def test_a_verdict_that_is_taken_back_before_the_next_thread_opened_leaves_the_cursor_on_its_thread(
    workspace: Workspace, slow: Callable[[str], Event]
):
    after, stem = two_long_threads(workspace)
    async with opened(workspace, (80, 12)) as (pilot, screen):
        await until(pilot, lambda: work(screen).stored.stem == stem)
        middle = await in_the_middle(pilot, screen)
        event = slow(after)
        await pilot.press("a")
        await until(pilot, lambda: verdict(workspace, stem) == "accept" and screen.listed.cursor == 1)
        await pilot.press("u")
        await until(pilot, lambda: not verdict(workspace, stem) and screen.listed.cursor == 0)
        event.set()
        await until(pilot, lambda: not screen.parts.reader.reading)
        assert work(screen).stored.stem == stem
        assert (shown(screen).index, shown(screen).scroll_offset.y) == middle
