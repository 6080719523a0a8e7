"""The screen as it is drawn, in text and styles, against what was looked at and found good.

A change of the layout fails here. One that is meant is written down with `make snapshots`, and looked at in the diff.
"""

from __future__ import annotations

import json
import os
import re
import string
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.listing.goal import parse_goal, set_goal
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tests.phone import phone_recording
from tests.tui.batched import batched_workspace
from tests.tui.driving import opened
from tests.tui.evaluated import evaluated_workspace
from tests.tui.motion import on_screen, until, with_recording
from tui.app import SensorloomApp
from tui.screens.main import MainScreen
from tui.screens.own_recordings import OwnRecordingsScreen
from tui.terminal.textual_private import drawn_rows
from tui.widgets.editor import MessageEditor

FOLDER = Path(__file__).parent / "snapshots"
WRITE = os.environ.get("SENSORLOOM_SNAPSHOTS") == "write"
pytestmark = pytest.mark.every_frame

SIZES = ((160, 48), (80, 24))
WHEN = re.compile(r"\d\d-\d\d \d\d:\d\d")
"""A step's time, which is another one each time."""
LETTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits


def workspace_of(pilot: Pilot[Any]) -> Workspace:
    app = pilot.app
    assert isinstance(app, SensorloomApp)
    return app.workspace


def drawn(pilot: Pilot[Any]) -> str:
    """The rows of the screen, paths and times made alike, then a letter for the style of each cell, and its meaning."""
    names: dict[str, str] = {}
    texts: list[str] = []
    styles: list[str] = []
    root = re.compile(re.escape(str(workspace_of(pilot).root)[:5]) + r"[^\s│]*")
    for strip in drawn_rows(pilot.app.screen):
        text = root.sub(lambda path: "/".ljust(len(path[0]), "~"), strip.text)
        texts.append(WHEN.sub("01-02 03:04", text).rstrip())
        row = ""
        for segment in strip:
            style = str(segment.style)
            if segment.style and not segment.text.strip():
                style = f"on {segment.style.bgcolor.name if segment.style.bgcolor else 'default'}"
            row += names.setdefault(style, LETTERS[len(names)]) * segment.cell_length
        styles.append(row)
    legend = [f"{letter}  {style}" for style, letter in names.items()]
    return "\n".join([*texts, "", *styles, "", *legend, ""])


def call(number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function",
            "function": {"name": tool, "arguments": json.dumps(arguments)}}  # fmt: skip


def answer(number: int, tool: str, result: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"call_{number}", "name": tool, "content": json.dumps(result)}


def thread(number: int, final: str, truth: str) -> Thread:
    stem = f"demo_s{number:02}_v4_{number:04}"
    manifest = {"dataset_name": "demo", "channels": [{"name": "acc_x"}], "activities": ["walking", "sitting"]}
    asked = f"Dataset Information:\n{json.dumps(manifest)}\n\nUser Query: What is this person doing, and how surely?"
    messages = [
        {"role": "user", "content": asked},
        {
            "role": "assistant",
            "content": "I look at the whole session first, and then at how regular it is.",
            "reasoning_content": "Two tools will do: statistics and the spectrum.",
            "tool_calls": [call(1, "show_channel_stats"), call(2, "compute_spectrum", channel_names=["acc_x"])],
        },
        answer(1, "show_channel_stats", {"acc_x": {"mean_g": 0.01, "std_g": 0.24}, "note": "x" * 300}),
        answer(2, "compute_spectrum", {"error": "there is no channel `acc_q`; the channels are acc_x"}),
        {"role": "assistant", "content": "The frequency is that of steps. " * 6, "edited": True, "train": False},
        {"role": "assistant", "content": f"It is {final}.\n\nConfidence: high\nFinal Answer: {final}", "stale": True},
    ]
    metadata = {"dataset": "demo", "session": f"s{number:02}", "ground_truth": truth,
                "created_at": f"2026-01-01T00:00:{number:02}+00:00"}  # fmt: skip
    alternatives = [{"position": 4, "messages": [{"role": "assistant", "content": "Another way to say so."}]}]
    return Thread({"id": stem, "metadata": metadata, "messages": messages, "alternatives": alternatives})


@pytest.fixture
def threads(workspace: Workspace) -> Workspace:
    (workspace.root / "sensorloom.toml").write_text('[person]\nname = "ana"\n')
    workspace = open_workspace(str(workspace.root), environ={})
    workspace.threads.mkdir(exist_ok=True)
    for number, (final, truth) in enumerate([("walking", "walking"), ("sitting", "walking"), ("lying", "lying")], 1):
        store.create(workspace.threads, thread(number, final, truth))
    return workspace


async def conversation(pilot: Pilot[Any], screen: MainScreen) -> None:
    await pilot.press("2", "g", "J")


async def unfolded(pilot: Pilot[Any], screen: MainScreen) -> None:
    await pilot.press("2", "g", "J", "right")


async def the_list(pilot: Pilot[Any], screen: MainScreen) -> None:
    await pilot.press("1", "j", "m", "w")


async def why(pilot: Pilot[Any], screen: MainScreen) -> None:
    """The reasons of a verdict, over a thread whose turns are labelled from the first error on."""
    await pilot.press("2", "g", "J", "plus", "minus")
    await until(pilot, lambda: "- bad" in on_screen(pilot.app))
    await pilot.press("1", "W", "l", "tab", *"names it")


async def editor(pilot: Pilot[Any], screen: MainScreen) -> None:
    await pilot.press("2", "g", "J", "e")
    await until(pilot, lambda: screen.query(MessageEditor) and screen.query_one(MessageEditor).query("#text"))


async def searched(pilot: Pilot[Any], screen: MainScreen) -> None:
    """A search in a conversation, at a hit in what was folded."""
    await pilot.press("2", "slash", *"xxx", "enter", "n")
    await until(pilot, lambda: "/xxx  2 of" in on_screen(pilot.app))


async def filter_help(pilot: Pilot[Any], screen: MainScreen) -> None:
    """The fields of the filter, over a line that is half typed: the last of them, which seldom become more."""
    await pilot.press("1", "slash", *"verd", "f2", "G")
    await until(pilot, lambda: "each with an example" in on_screen(pilot.app))


async def history(pilot: Pilot[Any], screen: MainScreen) -> None:
    """What was done, one step of it taken back."""
    await pilot.press("1", "a")
    await until(pilot, lambda: screen.listed.rows[0].summary.verdict == "accept")
    await pilot.press("u")
    await until(pilot, lambda: not screen.listed.rows[0].summary.verdict)
    pilot.app.clear_notifications()
    await pilot.press("1", "h")
    await until(pilot, lambda: "undid: verdict accept" in on_screen(pilot.app))


SAYINGS = (
    ("walking", "A peak at twice a second, in each axis alike: so fast and so even only steps are, one after another."),
    ("lying", "Gravity has moved over to the side of the phone. Nothing else is there to see, whoever carries it."),
    (
        "walking",
        "Whether it repeats decides. It does, with every half second nearly the same as the one that went before.",
    ),
)


async def propose(pilot: Pilot[Any], screen: MainScreen) -> None:
    """What to judge for the goal, among threads that repeat each other and some that do not."""
    for number, (label, saying) in enumerate(SAYINGS, 4):
        plain = thread(number, label, label)
        asked, calling, *results, _, last = [dict(message) for message in plain.messages]
        calling["content"], last["content"] = saying, f"{saying} {saying}\n\nFinal Answer: {label}"
        del last["stale"]
        store.create(screen.workspace.threads, Thread({**plain.document, "messages": [asked, calling, *results, last]}))
    await until(pilot, lambda: screen.listed.count == 6)
    set_goal(screen.workspace, parse_goal("total=4 label=2 path=100"))
    await pilot.press("1", "P")
    await until(pilot, lambda: "to judge, the most useful first" in on_screen(pilot.app))


async def copy_menu(pilot: Pilot[Any], screen: MainScreen) -> None:
    """What can be taken along of a call's result."""
    await pilot.press("2", "g", "J", "j", "Y")
    await until(pilot, lambda: "What is copied?" in on_screen(pilot.app))


async def compared(pilot: Pilot[Any], screen: MainScreen) -> None:
    """Two threads side by side."""
    await pilot.press("1", "g", "m", "m", "v")
    await until(pilot, lambda: "difference 1 of" in on_screen(pilot.app))


async def marked(pilot: Pilot[Any], screen: MainScreen) -> None:
    """A recording in its plot, one stretch of it marked and another one begun."""
    with_recording(screen.workspace.root)
    await pilot.press("1", "O")
    await until(pilot, lambda: "motion" in on_screen(pilot.app))
    await pilot.press("r")
    await until(pilot, lambda: "changes at 30.0" in on_screen(pilot.app))
    await pilot.press("s", "n", "1", "right", "right", "e")


async def help_searched(pilot: Pilot[Any], screen: MainScreen) -> None:
    """What the help says of a word."""
    await pilot.press("question_mark", "slash", *"stale")
    await until(pilot, lambda: "rests on what was edited" in on_screen(pilot.app))


async def own_recordings(pilot: Pilot[Any], screen: MainScreen) -> None:
    """A phone's recordings, as they would be imported, a choice of it changed."""
    phone = phone_recording(screen.workspace.root / "phone")
    pilot.app.push_screen(OwnRecordingsScreen(screen.workspace, phone))
    await until(pilot, lambda: "up to 8 sessions" in on_screen(pilot.app))
    await pilot.press("j", "j", "space", *"ann", "enter")
    await until(pilot, lambda: "8 sessions of 1 subject" in on_screen(pilot.app))


async def evaluation(pilot: Pilot[Any], screen: MainScreen) -> None:
    """Two models' answers to the same sessions, a cell of what the second one confuses under the cursor."""
    evaluated_workspace(screen.workspace.root)
    await pilot.press("1", "M")
    await until(pilot, lambda: "15 of 16 tries" in on_screen(pilot.app))
    await pilot.press("enter")
    await until(pilot, lambda: "good − poor" in on_screen(pilot.app))
    await pilot.press("tab", "tab", "tab", "tab", "right")
    await until(pilot, lambda: "2 tries: sitting" in on_screen(pilot.app))


async def batches(pilot: Pilot[Any], screen: MainScreen) -> None:
    """Three batches, one of them under way."""
    lock = batched_workspace(screen.workspace)
    screen.call_later(lambda: setattr(screen, "batch_lock", lock))  # held as long as the screen is there
    await pilot.press("5")
    await until(pilot, lambda: "1 of 3 under way" in on_screen(pilot.app))


SCENES: Mapping[str, Callable[[Pilot[Any], MainScreen], Awaitable[None]]] = {
    "conversation": conversation,
    "unfolded": unfolded,
    "list": the_list,
    "editor": editor,
    "why": why,
    "search": searched,
    "filter-help": filter_help,
    "history": history,
    "propose": propose,
    "copy": copy_menu,
    "compare": compared,
    "help": help_searched,
    "mark": marked,
    "own": own_recordings,
    "evaluation": evaluation,
    "batches": batches,
}


CASES = [(name, size) for name in SCENES for size in SIZES if name != "filter-help" or size == SIZES[-1]]
"""At the larger size all fields would be there, and each new one another picture: docs/filters.md has them."""


@pytest.mark.parametrize(("name", "size"), CASES, ids=[f"{name}-{size[0]}x{size[1]}" for name, size in CASES])
async def test_the_screen_is_as_it_was_looked_at(name: str, size: tuple[int, int], threads: Workspace):
    await compare(f"{name}-{size[0]}x{size[1]}", name, size, threads)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "xterm", "COLORTERM": ""}], ids=["none", "sixteen"])
@pytest.mark.parametrize("name", ["list", "editor", "compare", "own"])
async def test_the_screen_with_few_colours_is_as_it_was_looked_at(
    name: str, environ: dict[str, str], threads: Workspace, monkeypatch: pytest.MonkeyPatch
):
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    await compare(f"{name}-{'none' if 'NO_COLOR' in environ else 'sixteen'}", name, (120, 30), threads)


async def compare(file: str, name: str, size: tuple[int, int], workspace: Workspace) -> None:
    async with opened(workspace, size) as (pilot, screen):
        await until(pilot, lambda: screen.listed.count == 3)
        await SCENES[name](pilot, screen)
        await as_looked_at(pilot, file)


async def as_looked_at(pilot: Pilot[Any], file: str) -> None:
    path = FOLDER / f"{file}.txt"
    if WRITE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(await settled(pilot), encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8")
    with suppress(AssertionError):  # the comparison below shows where they differ
        await until(pilot, lambda: drawn(pilot) == wanted)
    assert drawn(pilot) == wanted


async def settled(pilot: Pilot[Any]) -> str:
    before, quiet = "", 0
    while quiet < 30:
        await pilot.pause(0.1)
        now = drawn(pilot)
        before, quiet = now, quiet + 1 if now == before else 0
    return before
