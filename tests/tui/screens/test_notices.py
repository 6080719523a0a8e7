"""Where notices stand: nothing that a person needs is under them, and none is there twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.workspace import Workspace
from tests.tui.driving import notices, opened
from tests.tui.motion import on_screen, until
from tui.terminal.textual_private import drawn_rows


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48)])
@pytest.mark.parametrize("messages", [0, 40])
async def test_a_notice_is_never_over_the_answer(
    workspace: Workspace, add_thread: Callable[..., str], size: tuple[int, int], messages: int
):
    add_thread(1, messages=messages)
    async with opened(workspace, size) as (pilot, screen):
        await pilot.press("G")
        await until(pilot, lambda: "Final Answer: walking" in on_screen(pilot.app))
        screen.notify("three threads were looked at, and in none of them was anything that asks for a decision")
        await until(pilot, lambda: "asks for a" in on_screen(pilot.app))
        assert "Final Answer: walking" in on_screen(pilot.app)


async def test_the_same_notice_is_shown_once_and_no_wider_than_its_text(
    workspace: Workspace, add_thread: Callable[..., str]
):
    add_thread(1)
    async with opened(workspace, (160, 48)) as (pilot, screen):
        for text in ("again", "and again", "again", "again"):
            screen.notify(text)
        await until(pilot, lambda: [notice.message for notice in notices(pilot)] == ["and again", "again"])
        await until(pilot, lambda: on_screen(pilot.app).count("again") == 2)
        row = next(row for row in on_screen(pilot.app).split("\n") if " and again" in row)
        assert len(row.rpartition("▌")[2].removesuffix("│").rstrip()) <= len(" and again ") + 2


async def test_of_many_notices_warnings_stay(workspace: Workspace, add_thread: Callable[..., str]):
    add_thread(1)
    async with opened(workspace) as (pilot, screen):
        screen.notify("a file cannot be read", severity="warning")
        for number in range(6):
            screen.notify(f"number {number}")
        await until(pilot, lambda: [notice.message for notice in notices(pilot)][-1:] == ["number 5"])
        assert [notice.message for notice in notices(pilot)] == ["a file cannot be read", "number 4", "number 5"]


async def test_a_notice_covers_no_title_and_no_field_of_a_dialog_and_is_there_once(
    workspace: Workspace, add_thread: Callable[..., str]
):
    add_thread(1)
    async with opened(workspace, (80, 24)) as (pilot, screen):
        screen.notify("420 sessions are broken; see the log", severity="warning")
        await until(pilot, lambda: "420 sessions" in on_screen(pilot.app))
        for key, title in (("X", "─ export "), ("P", "─ the goal, and what to judge for it "), ("o", "─ sort")):
            await pilot.press(key)
            await until(pilot, lambda title=title: title in on_screen(pilot.app) and "420 se" in on_screen(pilot.app))
            await until(pilot, lambda: not any("420 se" in row.text for row in drawn_rows(screen)))  # below the dialog
            assert "420 sessions" in "\n".join(on_screen(pilot.app).split("\n")[-3:])
            pilot.app.notify("and one more that came while the dialog is open")
            await until(pilot, lambda: "and one more" in "\n".join(on_screen(pilot.app).split("\n")[-4:]))
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is screen)
        for notice in notices(pilot):
            notice.raised_at -= 1
        await pilot.press("X")
        await until(pilot, lambda: "─ export " in on_screen(pilot.app))
        assert [notice.severity for notice in notices(pilot)] == ["warning"], "what was told before is over"


async def test_a_notice_covers_nothing_of_the_editor(workspace: Workspace, add_thread: Callable[..., str]):
    add_thread(1)
    async with opened(workspace, (80, 24)) as (pilot, screen):
        await pilot.press("2", "e")
        await until(pilot, lambda: "─ editing " in on_screen(pilot.app) and screen.query("#editor"))
        before = [row[34:] for row in on_screen(pilot.app).split("\n")]
        screen.notify("three threads were looked at, and in none of them was anything that asks for a decision")
        await until(pilot, lambda: "asks for a" in on_screen(pilot.app))
        assert [row[34:] for row in on_screen(pilot.app).split("\n")] == before
