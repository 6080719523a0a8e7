"""Undo and redo by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from core import curate
from core.errors import SensorloomError
from core.storage.store import Stored
from tui.open_thread.open_thread import OpenThread


class Undoing:
    """Takes back steps, and does them again."""

    def __init__(
        self, thread: OpenThread, running: Callable[[], frozenset[str]], go_to: Callable[[Stored], None]
    ) -> None:
        """Args: `running` gives the stems of the threads that run, `go_to` opens a thread that came back."""
        self._thread = thread
        self._running = running
        self._go_to = go_to
        self._judged: list[str] = []
        """Threads that got a verdict or were deleted, the newest last."""
        self._taken_back: list[str] = []

    def judged(self, stems: Sequence[str]) -> None:
        """Threads got a verdict or went to the trash, and the list went on: the next undo is theirs."""
        self._judged += stems[:1]
        self._taken_back.clear()

    def undo(self) -> None:
        """Take back the newest verdict or deletion, or else the open thread's newest step."""
        if self._judged:
            stem = self._judged.pop()
            self._taken_back.append(stem)
            self._again(stem, curate.undo)
        elif self._thread.work is not None:
            self._again(self._thread.work.stored.stem, curate.undo, as_seen=True)

    def redo(self) -> None:
        """Do again what was undone last."""
        if self._taken_back:
            stem = self._taken_back.pop()
            self._judged.append(stem)
            self._again(stem, curate.redo)
        elif self._thread.work is not None:
            self._again(self._thread.work.stored.stem, curate.redo, as_seen=True)

    def _again(self, stem: str, function: Callable[..., curate.Undone], *, as_seen: bool = False) -> None:
        if stem in self._running():
            self._thread.say(f"{stem} is running; esc stops it")
        else:
            self._thread.do(partial(self._undo, stem, function, as_seen))

    async def _undo(self, stem: str, function: Callable[..., curate.Undone], as_seen: bool) -> None:
        """Undo or redo. A verdict or deletion may not be on the screen yet: its thread is not held to what is."""
        work = self._thread.work
        here = work is not None and work.stored.stem == stem
        seen = work.stored.digest if work is not None and here and as_seen else None
        try:
            undone = await asyncio.to_thread(function, self._thread.workspace, stem, seen)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")
            return
        self._thread.say(undone.sentence if here else f"{undone.sentence} · {stem}")
        if undone.stored is None:
            if here:
                self._thread.close(f"{stem} has no file any more: {undone.sentence}")
        elif work is not None and here:
            self._thread.replaced(work, undone.stored)
        else:
            self._go_to(undone.stored)
