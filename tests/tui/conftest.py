"""The real app, driven without a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tui.terminal.textual_private import drawn_rows

ALL_FRAMES = os.environ.get("SENSORLOOM_FRAMES") == "all"
Until = Callable[[Pilot[Any], Callable[[], Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def a_terminal_of_many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen looks alike whatever terminal the tests are started from."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name in ("NO_COLOR", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def nobody_watches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a terminal would show is not drawn: a third of an app test's time.

    The whole screen is drawn as ever when it is new or changes its size, and where a test reads it. Left out is the
    drawing anew of parts, which without a terminal goes nowhere; `make coverage` draws that, too.
    """
    if not ALL_FRAMES and request.node.get_closest_marker("every_frame") is None:
        monkeypatch.setattr(Compositor, "render_partial_update", lambda self: self._dirty_regions.clear())


@pytest.fixture(autouse=True, scope="session")
def styles_are_read_once() -> Iterator[None]:
    """Each app reads the same style rules: the second takes them from the first."""
    read = Stylesheet._parse_rules  # pyright: ignore[reportPrivateUsage]
    known: dict[Any, Any] = {}

    def parse_rules(self: Any, *rules: Any, **origin: Any) -> Any:
        key = (rules, *sorted(origin.items()), frozenset(self._variables.items()))
        if key not in known:
            known[key] = read(self, *rules, **origin)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_rules)
        yield


@pytest.fixture(autouse=True)
def no_mishaps(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """The app lives through what goes wrong; a test does not, unless that is what it is about."""
    yield
    if request.node.get_closest_marker("mishaps") is None:
        assert not [path.read_text() for path in tmp_path.rglob(".sensorloom/log/*")]


@pytest.fixture
def until() -> Until:
    """Waits for a condition, so that no test sleeps for a guessed time."""

    async def wait(pilot: Pilot[Any], condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "condition not met in time:\n" + screen_text(pilot.app)
            await pilot.pause(0.01)

    return wait


@pytest.fixture
def screen() -> Callable[[App[Any]], str]:
    """What the terminal would show, as text."""
    return screen_text


def screen_text(app: App[Any]) -> str:
    width, height = app.size
    return "\n".join("".join(segment.text for segment in strip) for strip in drawn_rows(app.screen)[:height] if width)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "space"
    root.mkdir()
    return open_workspace(str(root))


@pytest.fixture
def add_thread(workspace: Workspace) -> Callable[..., str]:
    """Saves a thread that needs no dataset; returns its stem."""

    def add(number: int, *, answer: str | None = "walking", messages: int = 0, **metadata: Any) -> str:
        stem = f"demo_s{number:02}_v4_{number:04}"
        final = f"It is.\n\nFinal Answer: {answer}"
        asked = {"role": "user", "content": f"Dataset Information:\n{{}}\n\nUser Query: question {number}"}
        answers = [{"role": "assistant", "content": f"step {step}", "tool_calls": None} for step in range(messages)]
        if answer is not None:
            answers.append({"role": "assistant", "content": final, "tool_calls": None})
        document = {
            "id": stem,
            "metadata": {
                "dataset": "demo",
                "session": f"s{number:02}",
                "ground_truth": "walking",
                "user_query": f"question {number}",
                "created_at": f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00",
                **metadata,
            },
            "messages": [asked, *answers],
        }
        workspace.threads.mkdir(exist_ok=True)
        store.create(workspace.threads, Thread(document))
        return stem

    return add
