"""Which thread is read while the cursor moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.workspace import Workspace
from tui.open_thread import reader as reading
from tui.open_thread.reader import Reader


class Loop:
    """A screen whose timers have gone off already when they are stopped, as on a busy machine."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []
        self.read: list[str] = []

    def set_timer(self, _: float, callback: Callable[[], None]) -> Loop:
        self.due.append(callback)
        return self

    def stop(self) -> None: ...

    def run_worker(self, work: Any, **_: object) -> None:
        self.read.append(work.args[0])


def test_a_timer_that_went_off_as_it_was_stopped_opens_no_thread_that_the_cursor_left(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    loop, now = Loop(), [10.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: now[0])
    reader = Reader(loop, workspace, lambda _: None)  # pyright: ignore[reportArgumentType]
    for stem, seconds in (("first", 1.0), ("passed", 0.05), ("last", 1.0)):
        now[0] += seconds
        reader.follow(stem)
    for callback in loop.due:
        callback()
    assert loop.read == ["first", "last"] and reader.wanted == "last"


def test_a_thread_that_was_skipped_to_is_read_when_the_cursor_comes_back_to_it(workspace: Workspace):
    loop = Loop()
    reader = Reader(loop, workspace, lambda _: None)  # pyright: ignore[reportArgumentType]
    reader.skip_to("made")  # the cursor stands there already, so that it does not come
    for stem in ("other", "made"):
        reader.follow(stem)
        for callback in loop.due:
            callback()
    assert loop.read == ["other", "made"]
