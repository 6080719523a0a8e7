"""The sensor as it is now, on the screen: a recording that another program makes is followed, and asked about."""

from __future__ import annotations

import math
import time
from pathlib import Path

from core.datasets.tables.form import TableForm
from core.recording.live_folder import live_folder
from core.recording.recorder import Recorder, new_state
from core.storage import store
from tests.tui.driving import notices
from tests.tui.motion import motion_workspace, new_thread, until
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.widgets.sensors import Sensors


async def test_a_recording_is_followed_and_a_thread_begun_on_its_last_window(tmp_path: Path):
    workspace = motion_workspace(tmp_path)
    first = new_thread(workspace)
    recorder = Recorder(
        live_folder(workspace, "mine", "rec_r001"), new_state("mine", "rec_r001", "a test", TableForm(), 5.0, 0.0)
    )
    app = SensorloomApp(workspace)
    try:
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MainScreen) and app.screen.ready)
            screen = app.screen
            assert isinstance(screen, MainScreen)
            sensors = screen.query_one(Sensors)
            await until(pilot, lambda: sensors.view is not None)
            for number in range(400):
                t = number / 50
                recorder.feed(f"{t},{math.sin(9 * t)},0.2,{9.8 + math.cos(9 * t)}".encode(), time.time_ns())
            recorder.tick(time.time_ns())
            recorder.save()
            await pilot.press("4")
            await until(pilot, lambda: "● live" in sensors.text and "400 rows" in sensors.text)
            await until(pilot, lambda: any("\u2800" < char < "\u2900" for char in sensors.text))
            await until(pilot, lambda: screen.key_bar.situation == "live")
            await pilot.press("n")
            await until(pilot, lambda: len(list(workspace.threads.glob("mine_*.json"))) == 1)
            [stem] = (path.stem for path in workspace.threads.glob("mine_*.json"))
            thread = store.read(workspace.threads, stem).thread
            assert thread.truth == "" and thread.session == "rec_r001_w001" and first.stem != stem
            await until(pilot, lambda: sensors.view is not None and sensors.view.session == thread.session)
            assert not sensors.following
            await until(pilot, lambda: any("will not be checked" in notice.message for notice in notices(pilot)))
            await pilot.press("4")
            await until(pilot, lambda: sensors.following and "● live" in sensors.text)
            await pilot.press("4")
            assert not sensors.following and "rec_r001_w001" in sensors.text
    finally:
        recorder.close()
        recorder.let_go()
