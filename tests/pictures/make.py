"""The pictures of the documents: the real app on a demo workspace, drawn as SVG. `make pictures`.

Everything that a picture shows comes from fixed seeds, so that the same program makes the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import structs
from pyarrow import parquet
from textual.pilot import Pilot
from textual.widgets import TextArea

from core import curate
from core.datasets.importing import import_dataset
from core.datasets.standard import open_dataset
from core.evaluation.contest import begin
from core.evaluation.planning import Wanted, planned
from core.listing.goal import parse_goal, set_goal
from core.runs import turn_draft, turn_loop
from core.workspace import Workspace, open_workspace
from tests.phone import phone_recording
from tests.tui.motion import on_screen, until
from tui.__main__ import run
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.terminal.terminal import prepare_environment
from tui.widgets.conversation import Conversation
from tui.widgets.editor import MessageEditor

SIZES = ((160, 48), (80, 24))
SEED = 5
RECORDED = ("standing", "walking", "sitting", "walking_upstairs", "laying")
"""What the recording of the demo is of that is marked in a picture."""
SESSION = "s03_0042"
QUESTION = "Is this person walking on level ground or on stairs? Say what tells you so."
QUIET_LOOKS = 12
"""So many looks at the same screen, one after the other, and it has settled."""
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scene:
    """The app on its workspace, and what a scene does with it."""

    pilot: Pilot[Any]
    screen: MainScreen

    async def settled(self) -> None:
        """Wait until the screen stays as it is."""
        same, before = 0, ""
        while same < QUIET_LOOKS:
            await self.pilot.pause(0.05)
            now = on_screen(self.pilot.app)
            same, before = (same + 1 if now == before and not self.screen.parts.runs.running else 0), now

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.pilot.press(*text)
        await self.settled()

    async def press(self, *keys: str) -> None:
        """Press keys, each after what the one before set off."""
        for key in keys:
            self.pilot.app.simulate_key(key)
            await self.settled()


async def run_scene(scene: Scene) -> None:
    """A turn that was just proposed."""
    await scene.press("2", "r", "y", "r", "y", "r")


async def edit_scene(scene: Scene) -> None:
    """A call being edited, its arguments against the schema."""
    await finished(scene)
    conversation = scene.screen.query_one(Conversation)
    conversation.focus_message(_calls(scene, "compute_spectrum"))
    await scene.press("e")
    await until(scene.pilot, lambda: scene.screen.query(MessageEditor))
    area = scene.screen.query(MessageEditor).first().query(TextArea).last()
    area.text = '{\n  "artifact_id": "session",\n  "channel_names": "acc_x"\n}'
    area.move_cursor(area.document.end)
    area.focus()
    await scene.settled()


async def fork_scene(scene: Scene) -> None:
    """Two branches from one turn."""
    await branched(scene)


async def compare_scene(scene: Scene) -> None:
    """A thread and its branch, side by side."""
    await branched(scene)
    await scene.press("v")


async def judge_scene(scene: Scene) -> None:
    """A verdict's reasons and its note, over the thread that they are about."""
    await scene.press("1", "j", "j", "W", "r", "tab")
    await scene.type("rests on the nearest examples alone")


async def propose_scene(scene: Scene) -> None:
    """How far the goal is, and what to judge for it."""
    set_goal(scene.screen.workspace, parse_goal("total=18 label=3 right=1"))
    await scene.press("1", "a", "P")


async def filter_scene(scene: Scene) -> None:
    """The filter line, completing what is typed and saying what it means."""
    await scene.press("1", "slash")
    await scene.type("correct:true verd")


async def mark_scene(scene: Scene) -> None:
    """A recording being marked by hand: two stretches and the start of a third."""
    await scene.press("O", "r")
    await until(scene.pilot, lambda: "changes at" in on_screen(scene.pilot.app))
    await scene.press("s", "n", "5", "n", "1", "n", "4", "n", "e")


async def import_scene(scene: Scene) -> None:
    """A phone's recordings, as they would be imported."""
    folder = phone_recording(scene.screen.workspace.root / "phone")
    await scene.press("1", "O", "i", "enter")
    await scene.type(str(folder))
    await scene.press("enter")
    await until(scene.pilot, lambda: "up to 8 sessions" in on_screen(scene.pilot.app))
    await scene.settled()


async def evaluate_scene(scene: Scene) -> None:
    """The built-in analyst with its tools and without: their figures, and what the latter confuses."""
    workspace = scene.screen.workspace
    wanted = Wanted(("demo",), "analyst", count=36, seed=SEED, endpoints=("builtin",), control=True)
    begin(workspace, planned(workspace, wanted))
    await scene.press("M", "r")
    await until(scene.pilot, lambda: (workspace.root / "evaluations" / "analyst" / "table.svg").exists())
    await scene.press("enter")
    await until(scene.pilot, lambda: "differences" in on_screen(scene.pilot.app))
    await scene.press("tab", "tab")


async def finished(scene: Scene) -> None:
    """Run the thread to its end."""
    await scene.press("2", "R")
    thread = scene.screen.parts.thread
    await until(scene.pilot, lambda: thread.work and thread.work.stored.thread.status == "finished")
    await scene.settled()


async def branched(scene: Scene) -> None:
    """Branch twice at one turn, and let each branch go its own way."""
    await finished(scene)
    parent = _stem(scene)
    runs = scene.screen.parts.runs
    for seed in (SEED + 1, SEED + 2):
        scene.screen.parts.arranging.go_to(parent)
        await until(scene.pilot, lambda: _stem(scene) == parent)
        await scene.settled()
        scene.screen.query_one(Conversation).focus_message(1)
        await scene.press("b")
        await until(scene.pilot, lambda: _stem(scene) != parent)
        await scene.settled()
        runs.choice = replace(runs.choice, settings=structs.replace(runs.choice.settings, seed=seed))
        await finished(scene)
    scene.screen.query_one(Conversation).focus_message(3)
    await scene.settled()


class Clock:
    """Stands in for `time` where durations are shown: a tick at each look, so that they are always the same."""

    def __init__(self, tick: float) -> None:
        self._now = 0.0
        self._tick = tick

    def monotonic(self) -> float:
        """Seconds."""
        self._now += self._tick
        return self._now


SCENES: Mapping[str, Callable[[Scene], Awaitable[None]]] = {
    "run": run_scene,
    "edit": edit_scene,
    "fork": fork_scene,
    "compare": compare_scene,
    "judge": judge_scene,
    "propose": propose_scene,
    "filter": filter_scene,
    "import": import_scene,
    "mark": mark_scene,
    "evaluate": evaluate_scene,
}


def _stem(scene: Scene) -> str:
    work = scene.screen.parts.thread.work
    return work.stored.stem if work else ""


def _calls(scene: Scene, tool: str) -> int:
    """The index of the message that calls a tool; the first that calls any where none does."""
    work = scene.screen.parts.thread.work
    messages = work.stored.thread.messages if work else ()
    calling = [index for index, message in enumerate(messages) if message.get("tool_calls")]
    named = [index for index in calling if tool in str(messages[index]["tool_calls"])]
    return (named or calling)[0]


def demo_workspace(root: Path, threads: int = 9) -> None:
    """A folder with the demo dataset, a few finished threads, and one that was just begun."""
    (root / "sensorloom.toml").write_text(f"[model]\nseed = {SEED}\n")
    workspace = open_workspace(str(root), environ={})
    import_dataset(workspace, "demo")
    options = [
        "--workspace",
        str(root),
        "--dataset",
        "demo",
        "--count",
        str(threads),
        "--seed",
        str(SEED),
        "--parallel",
        "1",
        "--evidence",
        "reference",
    ]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(["run", *options])
    curate.create_thread(workspace, "demo", SESSION, QUESTION)
    keep_whole(workspace, RECORDED)


def keep_whole(workspace: Workspace, labels: Sequence[str]) -> None:
    """A recording in the demo dataset: one person's windows of these labels, one after the other."""
    dataset = open_dataset(workspace, "demo")
    sessions = [next(s for s in dataset.sessions if s.startswith("s03") and label in dataset.labels[s])
                for label in labels]  # fmt: skip
    windows = [dataset.load(session) for session in sessions for _ in range(2)]
    values = np.concatenate([window.values for window in windows], axis=1)
    time_sec = np.arange(values.shape[1]) * float(np.median(np.diff(windows[0].time_sec)))
    columns = {"timestamp_sec": time_sec} | dict(zip(windows[0].names, values, strict=True))
    folder = dataset.folder / "recordings" / "s03_r001"
    folder.mkdir(parents=True)
    parquet.write_table(pa.table(columns), folder / "data.parquet")


async def picture(name: str, size: tuple[int, int], demo: Path) -> str:
    """The SVG of one scene, played in a copy of the demo workspace."""
    with tempfile.TemporaryDirectory(prefix="sensorloom-pictures-") as folder:
        root = Path(folder) / "workspace"
        shutil.copytree(demo, root)
        app = SensorloomApp(open_workspace(str(root), environ={}))
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MainScreen) and getattr(app.screen, "ready", False))
            screen = app.screen
            assert isinstance(screen, MainScreen)
            await until(pilot, lambda: screen.parts.thread.work is not None)
            scene = Scene(pilot, screen)
            await scene.settled()
            await SCENES[name](scene)
            return without_font(app.export_screenshot(title="sensorloom"))


def without_font(svg: str) -> str:
    """The picture with the reader's own monospaced font: Textual's names one that is loaded from elsewhere."""
    fonts = "Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    return re.sub(r"font-family: Fira Code[^;]*;", f"font-family: {fonts};", _FONT.sub("", svg))


def main() -> None:
    """Make the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"of: {', '.join(SCENES)}; all unless told")
    parser.add_argument("--to", type=Path, default=Path(__file__).parents[2] / "docs", help="the folder they go to")
    chosen = parser.parse_args()
    prepare_environment()
    turn_loop.time, turn_draft.time = Clock(0.002), Clock(0.0)  # pyright: ignore[reportAttributeAccessIssue]
    os.environ.pop("NO_COLOR", None)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with tempfile.TemporaryDirectory(prefix="sensorloom-demo-") as folder:
        demo_workspace(Path(folder))
        for name in chosen.scenes or SCENES:
            for columns, lines in SIZES:
                path = chosen.to / f"screen-{name}-{columns}x{lines}.svg"
                path.write_text(asyncio.run(picture(name, (columns, lines), Path(folder))), encoding="utf-8")
                print(path)


if __name__ == "__main__":
    main()
