"""Undo and redo by keys: in the conversation of the open thread, in the list of what was done there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from core import curate
from core.curate.undoing import Direction, next_step
from core.errors import SensorloomError, UsageError
from core.storage import history
from core.storage.history import ThreadStep
from core.storage.store import Stored
from core.workspace import Workspace
from tui.open_thread.open_thread import OpenThread

LIST_STEPS = (
    "verdict ",
    "tags ",
    "deletion",
    "restoring",
    "conversion",
    "import from ",
    "taken back: verdict ",
    "taken back: tags ",
)
"""How the steps that are made in the list begin, in the words of the history."""


class Undoing:
    """Takes back steps, and does them again. Other actions wait until it has said what and where."""

    def __init__(
        self,
        thread: OpenThread,
        running: Callable[[], frozenset[str]],
        in_list: Callable[[], bool],
        go_to: Callable[[Stored], None],
        let_go: Callable[[Sequence[str]], None],
        judged: Callable[[], Awaitable[object]],
        ended: Callable[[], None],
    ) -> None:
        """Undoes by keys.

        Args:
            thread: the open thread.
            running: gives the stems of the threads that run.
            in_list: whether keys go to the list.
            go_to: opens a thread that was put back.
            let_go: told of threads that are about to leave the folder.
            judged: waits until the verdicts that were given are saved.
            ended: carries out what waited.
        """
        self._thread = thread
        self._running = running
        self._in_list = in_list
        self._go_to = go_to
        self._let_go = let_go
        self._judged = judged
        self._ended = ended
        self._steps: dict[Direction, list[str]] = {"undo": [], "redo": []}
        """Threads with a step of the list, and those in which one was undone; the newest last."""
        self.busy = False
        """Whether a step is being taken back, and it is not said yet which."""

    def step_taken(self, stems: Sequence[str]) -> None:
        """Threads got a verdict, were deleted or brought back, in one step of the list."""
        self._steps["undo"] += stems[:1]
        self._steps["redo"].clear()

    def undo(self) -> None:
        """Take back the list's last step, or the open thread's, by where the keys go."""
        self._begin("undo")

    def redo(self) -> None:
        """Do again what was undone last, there."""
        self._begin("redo")

    def history(self) -> None:
        """List what was done, in the open thread or in all by where the keys go, and take back what is chosen there."""
        from tui.dialogs.steps import StepsScreen

        work = self._thread.work
        stem = None if self._in_list() or work is None else work.stored.stem

        def chosen(row: ThreadStep | None) -> None:
            if row is not None:
                self._thread.do(partial(self._take_back, row))

        self._thread.screen.app.push_screen(StepsScreen(self._thread.workspace, stem), chosen)

    async def _take_back(self, row: ThreadStep) -> None:
        """Take back one step and none of those after it; the open thread stays open."""
        stem = row.stem
        try:
            await self._judged()
            if stem in self._running():
                raise UsageError(f"{stem} is running; {self._thread.keys['turn.stop']} stops it")
            stored = await asyncio.to_thread(curate.take_back, self._thread.workspace, stem, row.step.number)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")
            return
        work = self._thread.under_way(stem)
        if work is not None:
            self._thread.replaced(work, stored)
        else:
            self._thread.tell_saved(stored)
        self.step_taken([stem])
        self._thread.say(f"taken back: {row.step.what} · {stem}; the steps after it stand")

    def _begin(self, direction: Direction) -> None:
        work = self._thread.work
        if not self._in_list() and work is None:
            self._thread.say(f"no thread is open in which there were something to {direction}")
            return
        stem = None if self._in_list() or work is None else work.stored.stem
        self.busy = True
        self._thread.do(partial(self._carry_out, direction, stem))

    async def _carry_out(self, direction: Direction, stem: str | None) -> None:
        try:
            await self._again(direction, stem)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")
        finally:
            self.busy = False
            self._ended()

    async def _again(self, direction: Direction, stem: str | None) -> None:
        """Undo or redo. A step of the list may not be on the screen yet: its thread is not held to what is."""
        work = self._thread.work
        seen = work.stored.digest if work is not None and work.stored.stem == stem else None
        in_list = stem is None
        if stem is None:
            await self._judged()
            stem = await asyncio.to_thread(_list_step, self._thread.workspace, direction, self._steps[direction][-1:])
        if stem in self._running():
            raise UsageError(f"{stem} is running; {self._thread.keys['turn.stop']} stops it")
        function = curate.undo if direction == "undo" else curate.redo
        undone = await asyncio.to_thread(function, self._thread.workspace, stem, seen)
        if in_list:
            self._steps[direction] = self._steps[direction][:-1]
            self._steps["redo" if direction == "undo" else "undo"].append(stem)
        self._thread.say(f"{undone.sentence} · {stem}")
        work = self._thread.work
        here = work is not None and work.stored.stem == stem
        if undone.stored is None:
            self._let_go(undone.stems)
            if here:
                self._thread.close(f"{stem} has no file any more: {undone.sentence}")
            return
        if work is not None and here:
            self._thread.replaced(work, undone.stored)
        if in_list or not here:  # the cursor may have gone on from the open thread to one that is still read
            self._go_to(undone.stored)


def _list_step(workspace: Workspace, direction: Direction, newest: Sequence[str]) -> str:
    """The thread in which the list's last step is: the newest that is known, or else the newest of the workspace.

    Raises:
        UsageError: there is none, or the thread was changed since; the sentence says where to undo that.
    """
    latest = history.latest if direction == "undo" else history.latest_undone
    stem = newest[0] if newest else latest(workspace)
    what = next_step(workspace, stem, direction) if stem is not None else None
    if stem is None or what is None:
        raise UsageError(f"there is no verdict or deletion to {direction}")
    if not what.startswith(LIST_STEPS):
        raise UsageError(
            f"the last step in {stem} is no verdict or deletion ({what}); {direction} it in its conversation"
        )
    return stem
