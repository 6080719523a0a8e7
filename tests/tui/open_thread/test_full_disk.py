"""What was typed, where the disk takes nothing more."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from textual.widgets import TextArea

from core.storage import drafts
from core.workspace import Workspace
from tests.tui.driving import notices, opened
from tests.tui.motion import motion_workspace, new_thread, until
from tui.widgets.conversation import Conversation
from tui.widgets.editor import MessageEditor


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    return motion_workspace(root)


async def test_what_was_typed_on_a_full_disk_is_there_again_and_the_screen_says_it_is_not_written(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    stem = new_thread(workspace).stem

    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    async with opened(workspace) as (pilot, screen):
        screen.query_one(Conversation).focus_message(0)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            await pilot.press("e")
            await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
            await pilot.press(*"hours", "escape")
            told = "is kept until sensorloom ends"
            await until(pilot, lambda: any(told in notice.message for notice in notices(pilot)))
            await until(pilot, lambda: not screen.query(MessageEditor))
        await pilot.press("e")
        await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query(TextArea))
        assert any("hours" in area.text for area in screen.query_one(MessageEditor).query(TextArea))
        await pilot.press("!")
        path = workspace.private / "drafts" / f"{stem}.json"
        await until(pilot, lambda: path.exists() and b"!hours" in path.read_bytes())
        assert drafts.load_drafts(workspace, stem).edit is not None
