from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from core.storage import store
from core.storage.memory import remember
from core.workspace import Workspace
from tests.tui.driving import notices
from tui.app import SensorloomApp
from tui.open_thread.reader import Reader
from tui.screens.main import MainScreen
from tui.thread_list import arranged
from tui.widgets.picker import Picker
from tui.widgets.thread_list import ThreadList

Until = Any
Add = Callable[..., str]
Text = Callable[[Any], str]


def main(app: SensorloomApp) -> MainScreen:
    assert isinstance(app.screen, MainScreen)
    return app.screen


def drawn(app: SensorloomApp) -> list[str]:
    listed = main(app).listed
    return [listed.render_line(y).text.rstrip() for y in range(min(listed.size.height, listed.count))]


async def opened(pilot: Pilot[None], until: Until, rows: int) -> ThreadList:
    app = pilot.app
    assert isinstance(app, SensorloomApp)
    await until(pilot, lambda: getattr(app.screen, "ready", False) and main(app).parts.folder.scanned)
    await until(pilot, lambda: main(app).listed.count == rows)
    return main(app).listed


async def test_rows_say_status_verdict_and_answer_without_colour(workspace: Workspace, add_thread: Add, until: Until):
    add_thread(1, review={"verdict": "accept"})
    add_thread(2, answer="sitting", review={"verdict": "reject"})
    add_thread(3, answer=None)
    add_thread(4, answer=None, messages=3, max_turns=3)
    add_thread(5, parent_id="demo_s01_v4_0001", branched_at=1)
    (workspace.threads / "broken.json").write_text('{"id": "a",\n oops')
    (workspace.threads / "old.json").write_text('{"thread_id": "a", "schema_version": "3.0", "conversation": []}')
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30)) as pilot:
        await opened(pilot, until, 7)
        rows = {row.split()[-1]: row for row in drawn(app)}
        assert "●✓▲   walking  " in rows["0001"]
        assert "●✗▼   walking → sitting" in rows["0002"]
        assert "○     walking " in rows["0003"]
        assert "◐     walking " in rows["0004"]
        assert "●✓    └ walking  " in rows["0005"]
        text = "\n".join(drawn(app))
        assert "!     broken, line 2" in text and "◇     old: an older v3" in text
        places = [row.split()[-1] for row in drawn(app)]
        assert places.index("0005") == places.index("0001") + 1


async def test_hostile_text_in_rows_titles_and_notices_is_only_text(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text, hostile: str
):
    data = json.loads((workspace.threads / f"{add_thread(1)}.json").read_text())
    data["metadata"] |= {"ground_truth": hostile, "user_query": hostile}
    data["messages"][-1]["content"] = f"Final Answer: {hostile}"
    (workspace.threads / "one.json").write_text(json.dumps(data))
    name = hostile.encode("utf-8", "replace").decode().replace("/", "_").replace("\0", "_")
    (workspace.threads / f"{name}.json").write_text("{")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await until(pilot, lambda: getattr(app.screen, "ready", False) and main(app).parts.folder.scanned)
        for _ in range(main(app).listed.count):
            await pilot.press("j")
        await until(pilot, lambda: main(app).parts.thread.work is not None or main(app).parts.reader.wanted)
        main(app).notify(hostile, markup=False)
        await pilot.pause()
        shown = screen(app)
        for row in shown.split("\n"):
            assert all(character.isprintable() for character in row), repr(row)


async def test_ten_thousand_rows_are_no_widgets(workspace: Workspace, add_thread: Add, until: Until):
    stem = add_thread(1)
    data = (workspace.threads / f"{stem}.json").read_bytes()
    for number in range(2, 10_001):
        (workspace.threads / f"t_v4_{number:05}.json").write_bytes(data)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 30)) as pilot:
        listed = await opened(pilot, until, 10_000)
        assert len(app.screen.query("*")) < 30
        await pilot.press("G")
        assert listed.cursor == 9_999
        assert listed.current is not None and listed.current.stem in main(app).parts.folder.summaries


async def test_filter_narrows_as_it_is_typed_and_says_what_is_wrong(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    for number in range(1, 6):
        add_thread(number, answer="sitting" if number % 2 else "walking")
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        listed = await opened(pilot, until, 5)
        await pilot.press("slash", *"correct:false")
        await until(pilot, lambda: len(main(app).parts.arranging.shown) == 3)
        assert "threads 3 of 5" in screen(app)
        main(app).filter_line.value = "correct:false sttus:x"
        await until(pilot, lambda: "there is no term `sttus`" in screen(app))
        assert len(main(app).parts.arranging.shown) == 3
        await pilot.press("enter")
        assert listed.has_focus
        main(app).filter_line.value = ""
        await until(pilot, lambda: listed.count == 5)


async def test_free_text_is_looked_for_in_the_files(workspace: Workspace, add_thread: Add, until: Until):
    add_thread(1, messages=2)
    add_thread(2)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        await opened(pilot, until, 2)
        main(app).filter_line.value = '"step 1"'
        await until(pilot, lambda: len(main(app).parts.arranging.shown) == 1)
        stored = store.read(workspace.threads, "demo_s02_v4_0002")
        messages = [*stored.thread.messages, {"role": "user", "content": "now step 1 too"}]
        path = workspace.threads / "demo_s02_v4_0002.json"
        path.write_text(json.dumps({**stored.thread.document, "messages": messages}))
        await until(pilot, lambda: len(main(app).parts.arranging.shown) == 2)


def say(workspace: Workspace, stem: str, text: str) -> None:
    """Another program writes this into a thread."""
    stored = store.read(workspace.threads, stem)
    messages = [*stored.thread.messages, {"role": "user", "content": text}]
    (workspace.threads / f"{stem}.json").write_text(json.dumps({**stored.thread.document, "messages": messages}))


async def test_what_changes_while_texts_are_looked_for_is_looked_through_too(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    first, second, third = [add_thread(number) for number in (1, 2, 3)]
    free, waiting = threading.Event(), list[str]()
    select = arranged.select

    def slowly(folder: Any, listing: Any, *more: Any) -> Any:
        waiting.append(more[0].text)
        assert free.wait(60)
        return select(folder, listing, *more)

    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        listed = await opened(pilot, until, 3)
        assert listed.current is not None and listed.current.stem == third
        say(workspace, third, "apples")
        main(app).filter_line.value = "apples"
        shown = main(app).parts.arranging
        await until(pilot, lambda: [each.stem for each in shown.shown] == [third])

        monkeypatch.setattr(arranged, "select", slowly)
        for stem in (first, second):
            before = len(waiting)
            say(workspace, stem, "apples")
            await until(pilot, lambda before=before: len(waiting) > before)
        free.set()
        await until(pilot, lambda: not shown.looking)
        assert {each.stem for each in shown.shown} == {first, second, third}

        free.clear()
        waiting.clear()
        main(app).filter_line.value = "pears"
        await until(pilot, lambda: waiting == ["pears"])
        listed.focus()
        await pilot.press("o")
        await until(pilot, lambda: "Sort" in type(app.screen).__name__)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, MainScreen) and shown.turned)
        free.set()
        await until(pilot, lambda: not shown.looking)
        assert not shown.shown, "none of them says pears"


async def test_changes_by_other_programs_show_at_once(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        listed = await opened(pilot, until, 1)
        add_thread(2, answer="sitting")
        await until(pilot, lambda: listed.count == 2)
        path = workspace.threads / "demo_s01_v4_0001.json"
        replacement = path.with_suffix(".tmp")
        replacement.write_text(path.read_text().replace("Final Answer: walking", "Final Answer: laying"))
        replacement.replace(path)
        await until(pilot, lambda: "walking → laying" in screen(app))
        path.unlink()
        await until(pilot, lambda: "its file is gone" in screen(app) or listed.count == 1)


async def test_a_folder_that_appears_later_is_read(workspace: Workspace, add_thread: Add, until: Until):
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: "FirstRunScreen" in type(app.screen).__name__)
        await pilot.press("escape")
        add_thread(1)
        await opened(pilot, until, 1)


def sentences(pilot: Pilot[Any]) -> str:
    """What notices say."""
    return "\n".join(notice.message for notice in notices(pilot))


def opened_stem(app: SensorloomApp) -> str:
    work = main(app).parts.thread.work
    return work.stored.stem if work else ""


async def test_verdict_goes_to_the_next_thread_and_is_saved(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    stems = [add_thread(number) for number in (3, 2, 1)]
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30), notifications=True) as pilot:
        listed = await opened(pilot, until, 3)
        await pilot.press("a", "d", "z")

        def verdicts() -> list[Any]:
            reviews = [store.read(workspace.threads, stem).thread.metadata.get("review") for stem in stems]
            return [review and review["verdict"] for review in reviews]

        await until(pilot, lambda: verdicts() == ["accept", "reject", "skip"])
        assert listed.cursor == 2
        await until(pilot, lambda: [row.summary.verdict for row in listed.rows] == ["accept", "reject", "skip"])
        await pilot.press("g", "a")
        await until(pilot, lambda: "accepted already" in sentences(pilot))
        assert verdicts()[0] == "accept"
        await pilot.press("a")
        await until(pilot, lambda: verdicts()[0] is None and "verdict taken back" in sentences(pilot))


async def test_marked_threads_are_judged_and_deleted_together(
    workspace: Workspace, add_thread: Add, until: Until, monkeypatch: pytest.MonkeyPatch
):
    for number in range(1, 5):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30), notifications=True) as pilot:
        listed = await opened(pilot, until, 4)
        await pilot.press("m", "m", "d")
        await until(pilot, lambda: sum(row.summary.verdict == "reject" for row in listed.rows) == 2)
        assert not listed.marked
        await pilot.press("g", "m", "m", "delete")
        await until(pilot, lambda: listed.count == 2)
        await until(pilot, lambda: "in the list u undoes that" in sentences(pilot))
        await until(pilot, lambda: opened_stem(app) == "demo_s02_v4_0002")
        monkeypatch.setattr(Reader, "read", lambda *_: None)  # the next thread takes a while to be read
        await pilot.press("delete")
        await until(pilot, lambda: "demo_s02_v4_0002" not in main(app).parts.folder.summaries)
        after = asyncio.Event()

        async def come() -> None:
            after.set()

        main(app).parts.thread.do(come)
        await until(pilot, after.is_set)
        assert "no such thread" not in sentences(pilot), "who deletes a thread is not told that it is gone"


@pytest.mark.parametrize("filter_text", ["status:finished", "correct:true"])
async def test_a_kept_filter_comes_back(workspace: Workspace, add_thread: Add, until: Until, filter_text: str):
    add_thread(1)
    remember(workspace, "saved filters", [filter_text])
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        await opened(pilot, until, 1)
        await pilot.press("f")
        await until(pilot, lambda: "SavedFilters" in type(app.screen).__name__)
        await until(pilot, lambda: app.screen.query_one(Picker).choices[-1].text == filter_text)
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
        assert main(app).filter_line.value == filter_text


async def test_any_order_is_chosen_and_turned_round_and_keeps_the_cursor(
    workspace: Workspace, add_thread: Add, until: Until
):
    for number in range(1, 4):
        add_thread(number)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 30)) as pilot:
        listed = await opened(pilot, until, 3)
        assert listed.current is not None and listed.current.stem.endswith("0003")
        await pilot.press("o")
        await until(pilot, lambda: "Sort" in type(app.screen).__name__)
        await pilot.press("o", "enter")
        await until(pilot, lambda: [row.summary.stem[-1] for row in listed.rows] == ["1", "2", "3"])
        await pilot.press("o")
        await until(pilot, lambda: "Sort" in type(app.screen).__name__)
        await pilot.press("r")
        await until(pilot, lambda: [row.summary.stem[-1] for row in listed.rows] == ["3", "2", "1"])
        assert listed.current.stem.endswith("0003")


async def test_a_narrow_terminal_shows_one_pane_at_a_time(workspace: Workspace, add_thread: Add, until: Until):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(60, 20)) as pilot:
        await opened(pilot, until, 1)
        shown = [pane.id for pane in app.screen.query(".pane") if pane.display]
        assert shown == ["threads-pane"]
        await pilot.press("2")
        assert [pane.id for pane in app.screen.query(".pane") if pane.display] == ["conversation-pane"]
        await pilot.press("tab")
        assert [pane.id for pane in app.screen.query(".pane") if pane.display] == ["sensors-pane"]
        await pilot.resize_terminal(160, 40)
        await until(pilot, lambda: sum(pane.display for pane in app.screen.query(".pane")) == 3)


async def test_the_filter_line_offers_what_could_follow_and_the_right_key_takes_it(
    workspace: Workspace, add_thread: Add, until: Until
):
    add_thread(1)
    app = SensorloomApp(workspace)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot, until, 1)
        await pilot.press("slash", *"-status:f")
        line = main(app).filter_line
        await until(pilot, lambda: "-status:finished" in line.render_line(0).text)
        await pilot.press("right")
        await until(pilot, lambda: line.value == "-status:finished")
