"""A file of rows that lies among the threads is listed, and a key makes threads of it, which undo takes back."""

from __future__ import annotations

import json

from core.storage.thread_files import stems
from core.workspace import Workspace
from tui.app import SensorloomApp

from ..dialogs.test_exporting import Add, Text, Until, opened


async def test_a_key_makes_threads_of_the_rows_under_the_cursor_and_undo_takes_them_back(
    workspace: Workspace, add_thread: Add, until: Until, screen: Text
):
    add_thread(1)
    chat = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "Final Answer: walking"}]
    rows = [{"messages": chat}, {"messages": chat[1:]}]
    (workspace.threads / "zz_old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    app = SensorloomApp(workspace)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        main = await opened(pilot, until, 2)
        await pilot.press("G")
        await until(pilot, lambda: "Q does so here" in screen(app))
        await pilot.press("Q")
        await until(pilot, lambda: "zz_old.jsonl" in screen(app) and "make threads of rows" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "1 refused" in screen(app) and "message is not the user's" in screen(app))
        await pilot.press("y")
        await until(pilot, lambda: main.listed.count == 3 and app.screen is main and "1 new" in screen(app))
        assert any(stem.startswith("imported_") for stem in stems(workspace.threads))
        await pilot.press("u")
        await until(pilot, lambda: main.listed.count == 2)
        assert (workspace.threads / "zz_old.jsonl").exists()
