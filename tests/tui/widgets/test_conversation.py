from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from textual.app import App, ComposeResult

from core.thread.proposal import Generation, Proposal
from core.thread.value import Thread
from tests.tui.motion import until
from tui.widgets.conversation import Conversation
from tui.widgets.conversation_parts import Look
from tui.widgets.drafts import Draft


class Page(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Conversation()

    @property
    def shown(self) -> Conversation:
        return self.query_one(Conversation)


def long_thread(turns: int, result: str = '{"mean": 1}') -> Thread:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "User Query: what is it?"}]
    for number in range(1, turns + 1):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": f"turn {number} " + "word " * 40, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "name": "look", "content": result})
    return Thread({"id": "t", "metadata": {}, "messages": messages})


def rows(page: Page) -> list[str]:
    shown = page.shown
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


async def test_two_hundred_turns_with_long_results_mount_no_widget_each():
    page = Page()
    async with page.run_test(size=(100, 30)) as pilot:
        page.shown.open(long_thread(200, json.dumps({"values": ["x" * 40] * 2400})))
        await pilot.pause()
        assert len(page.shown.children) == 0
        assert page.shown.is_vertical_scroll_end and page.shown.index == 400
        page.shown.focus()
        await pilot.press("g")
        assert page.shown.index == 0 and page.shown.scroll_offset.y == 0
        assert rows(page)[0].startswith("▌ USER")


async def test_moving_by_message_and_by_turn():
    page = Page()
    async with page.run_test(size=(100, 30)) as pilot:
        page.shown.open(long_thread(9))
        page.shown.focus()
        await pilot.press("g", "j", "j")
        assert page.shown.index == 2
        await pilot.press("J")
        assert page.shown.index == 3
        await pilot.press("K", "k", "G")
        assert page.shown.index == 18


async def test_a_message_taller_than_the_pane_is_read_before_the_next():
    page = Page()
    async with page.run_test(size=(60, 10)) as pilot:
        base = long_thread(1)
        tall = {**base.messages[1], "content": "line\n" * 40}
        page.shown.open(Thread({**base.document, "messages": [base.messages[0], tall, base.messages[2]]}))
        page.shown.focus()
        await pilot.press("g", "j")
        seen: list[int] = []
        while page.shown.index == 1 and len(seen) < 20:
            seen.append(page.shown.scroll_offset.y)
            await pilot.press("j")
        assert len(seen) > 3 and seen == sorted(set(seen))


async def test_unfolding_shows_all_and_folding_hides_it_again():
    page = Page()
    async with page.run_test(size=(100, 30)) as pilot:
        page.shown.open(long_thread(1, json.dumps({f"key {n}": n for n in range(60)})))
        page.shown.focus()
        await pilot.press("G", "right")
        assert '"key 59": 59' in page.shown.text
        await pilot.press("left")
        assert '"key 59": 59' not in page.shown.text


async def test_new_text_does_not_move_a_reader_who_scrolled_up():
    page = Page()
    thread = long_thread(30)
    async with page.run_test(size=(100, 20)) as pilot:
        page.shown.open(thread)
        page.shown.focus()
        await pilot.press("g", "j", "j", "j")
        await pilot.pause()
        before = page.shown.scroll_offset.y
        for text in ("one", "one two", "one two three " * 50):
            page.shown.show(thread, proposed(thread, text))
            await pilot.pause()
        assert page.shown.scroll_offset.y == before and page.shown.index == 3
        await pilot.press("G")
        page.shown.show(thread, proposed(thread, "four " * 300))
        await pilot.pause()
        assert page.shown.is_vertical_scroll_end


def proposed(thread: Thread, text: str) -> Look:
    message = {"role": "assistant", "content": text, "tool_calls": None}
    proposal = Proposal(len(thread.messages), (message,), Generation("m"), complete=False)
    return Look(drafts=(Draft(proposal, running=True, note="running"),))


async def test_streamed_text_repaints_only_the_lines_that_changed(monkeypatch: Any):
    page = Page()
    thread = long_thread(3)
    async with page.run_test(size=(100, 40)) as pilot:
        page.shown.open(thread, proposed(thread, "a line\n" * 6))
        await pilot.pause()
        painted: list[int] = []
        monkeypatch.setattr(page.shown, "refresh_lines", lambda first, count: painted.append(count))
        page.shown.show(thread, proposed(thread, "a line\n" * 6 + "more"))
        assert sum(painted) <= 2


async def test_the_place_is_kept_when_the_pane_changes_its_width():
    page = Page()
    async with page.run_test(size=(120, 20)) as pilot:
        page.shown.open(long_thread(40))
        page.shown.focus_message(21)
        await pilot.resize_terminal(60, 20)
        await until(pilot, lambda: page.shown.size.width <= 60)
        await pilot.pause()
        assert page.shown.index == 21
        assert any(row.startswith("▌") for row in rows(page))


async def test_a_thread_that_no_longer_fits_when_the_pane_is_narrowed_stays_at_its_question():
    page = Page()
    async with page.run_test(size=(200, 20)) as pilot:
        page.shown.open(long_thread(2))
        page.shown.focus()
        await pilot.press("g")
        assert page.shown.max_scroll_y == 0
        await pilot.resize_terminal(30, 20)
        await until(pilot, lambda: page.shown.size.width <= 30 and page.shown.max_scroll_y > 0)
        assert page.shown.scroll_offset.y == 0 and rows(page)[0].startswith("▌ USER")


async def test_a_mouse_drag_selects_text_across_lines():
    page = Page()
    async with page.run_test(size=(100, 20)) as pilot:
        page.shown.open(Thread({"id": "t", "metadata": {}, "messages": [{"role": "user", "content": "first\nsecond"}]}))
        await pilot.pause()
        await pilot.mouse_down(Conversation, offset=(11, 0))
        await pilot.hover(Conversation, offset=(14, 1))
        await pilot.mouse_up(Conversation, offset=(14, 1))
        selected = page.screen.get_selected_text()
        assert selected in ("first\nsec", "first\nseco")


async def test_another_theme_repaints_in_its_own_colours():
    page = Page()
    async with page.run_test(size=(100, 20)) as pilot:
        page.shown.open(long_thread(1))
        await pilot.pause()
        before = [segment.style for segment in page.shown.render_line(0)]
        page.theme = "textual-light"
        await until(pilot, lambda: [segment.style for segment in page.shown.render_line(0)] != before)


async def test_clicking_a_message_puts_it_in_focus():
    page = Page()
    async with page.run_test(size=(100, 30)) as pilot:
        page.shown.open(long_thread(2))
        await pilot.pause()
        await pilot.click(Conversation, offset=(20, 0))
        assert page.shown.index == 0


async def test_hostile_text_reaches_no_terminal(hostile: str):
    page = Page()
    async with page.run_test(size=(100, 30)) as pilot:
        base = long_thread(1, hostile)
        messages = [dict(message) for message in base.messages]
        messages[1]["content"] = hostile
        page.shown.open(Thread({**base.document, "messages": messages}), replace(Look(), opened=frozenset({1, 2})))
        await pilot.pause()
        for y in range(page.shown.size.height):
            for segment in page.shown.render_line(y):
                assert "@click" not in (segment.style.meta if segment.style else {})
                assert segment.text.isprintable()
        page.shown.clear(hostile)
        await pilot.pause()
        assert all(row.isprintable() for row in rows(page))
