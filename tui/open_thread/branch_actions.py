"""Ways a thread goes on: branches and their siblings, comparisons, undo and redo, the loss flag."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core import curate
from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread.lineage import lineage
from core.thread.query import query_of, query_turn
from core.thread.turns import turn_at
from core.thread.value import Message, is_assistant
from tui.dialogs.ask import AskTextScreen
from tui.open_thread.comparing import Comparing
from tui.open_thread.turn_actions import TurnActions
from tui.open_thread.turn_state import ThreadWork

if TYPE_CHECKING:
    from core.thread.summary import Summary


class BranchActions:
    """Acts on the open thread as a whole. Lives on the screen of its turns."""

    def __init__(
        self,
        turns: TurnActions,
        known: Callable[[], Iterable[Summary]],
        related: Callable[[str], bool],
        go_to: Callable[[str], None],
        marked: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Acts on the open thread.

        Args:
            turns: which has it.
            known: gives the summaries of all threads.
            related: whether a thread is a branch, or has some.
            go_to: opens one by its stem.
            marked: gives the stems of the threads that are marked in the list.
        """
        self.comparing = Comparing(turns, known, marked)
        self._turns = turns
        self._known = known
        self._related = related
        self._go_to = go_to
        self._judged: list[str] = []
        """Threads that got a verdict or were deleted, the newest last."""
        self._taken_back: list[str] = []

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "turn.branch": self.branch,
            "turn.previous_sibling": partial(self.sibling, -1),
            "turn.next_sibling": partial(self.sibling, 1),
            "turn.compare": self.comparing.compare,
            "turn.undo": self.undo,
            "turn.redo": self.redo,
            "turn.loss": self.toggle_loss,
            "turn.delete": self.delete_turn,
            "turn.replay": self.replay,
            "turn.execute": self.execute,
            "sensor.plot": self.plot,
            "sensor.play": self._turns.sensors.toggle_play,
        }

    # Branches

    def branch(self) -> None:
        """Copy the thread up to the focused turn into a new one; at the question, another can be asked."""
        work = self._turns.work
        if work is None:
            return
        thread = work.stored.thread
        index = min(self._turns.conversation.index, len(thread.messages) - 1)
        if index < 0:
            return
        if index < query_turn(thread).end:
            screen = AskTextScreen("branch: ask this instead", query_of(thread) or "")
            self._turns.screen.app.push_screen(screen, partial(self._branch_asking, work, index))
        else:
            self._turns.do(partial(self._branch, work, turn_at(thread, index).end, None))

    def _branch_asking(self, work: ThreadWork, index: int, query: str | None) -> None:
        if query:
            self._turns.do(partial(self._branch, work, index, query))

    async def _branch(self, work: ThreadWork, position: int, query: str | None) -> None:
        try:
            made = await asyncio.to_thread(curate.branch, self._turns.workspace, work.stored, position, query)
        except SensorloomError as error:
            self._turns.say(str(error), "error")
            return
        self.opened(made)
        self._turns.say(f"branched into {made.stem}")

    def opened(self, made: Stored) -> None:
        """Go to a thread that was just made."""
        self._turns.screen.post_message(TurnActions.Saved(made))
        self._go_to(made.stem)

    def sibling(self, step: int) -> None:
        """The next of several proposals, or else the next branch of the fork nearest to the focus."""
        work = self._turns.work
        if work is None:
            return
        if len(work.slots) > 1:
            self._turns.proposals.choose(work.chosen + step)
        else:
            self._turns.do(partial(self._to_sibling, work, step))

    async def _to_sibling(self, work: ThreadWork, step: int) -> None:
        stem = work.stored.stem
        found = await asyncio.to_thread(lineage, list(self._known()))
        focus = self._turns.conversation.index
        forks = sorted(found.forks(stem), key=lambda fork: abs(fork.position - focus))
        members = next((fork.members for fork in forks if stem in fork.members and len(fork.members) > 1), ())
        if members:
            self._go_to(members[(members.index(stem) + step) % len(members)])
        else:
            self._turns.say("no other branch leaves this thread; b makes one at the focused turn")

    def mark_forks(self) -> None:
        """Find where other threads leave the open one, for the marks in the conversation."""
        work = self._turns.work
        if work is None:
            return

        async def mark() -> None:
            stem = work.stored.stem
            found = await asyncio.to_thread(forks_of, list(self._known()), stem) if self._related(stem) else {}
            if found != work.forks:
                work.forks = found
                self._turns.show(work)

        self._turns.screen.run_worker(mark, group="forks", exclusive=True)

    # One thread as a whole

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
        elif self._turns.work is not None:
            self._again(self._turns.work.stored.stem, curate.undo, as_seen=True)

    def redo(self) -> None:
        """Do again what was undone last."""
        if self._taken_back:
            stem = self._taken_back.pop()
            self._judged.append(stem)
            self._again(stem, curate.redo)
        elif self._turns.work is not None:
            self._again(self._turns.work.stored.stem, curate.redo, as_seen=True)

    def _again(self, stem: str, function: Callable[..., curate.Undone], *, as_seen: bool = False) -> None:
        if stem in self._turns.runs.running:
            self._turns.say(f"{stem} is running; esc stops it")
        else:
            self._turns.do(partial(self._undo, stem, function, as_seen))

    async def _undo(self, stem: str, function: Callable[..., curate.Undone], as_seen: bool) -> None:
        """Undo or redo. A verdict or deletion may not be on the screen yet: its thread is not held to what is."""
        work = self._turns.work
        here = work is not None and work.stored.stem == stem
        seen = work.stored.digest if work is not None and here and as_seen else None
        try:
            undone = await asyncio.to_thread(function, self._turns.workspace, stem, seen)
        except SensorloomError as error:
            self._turns.say(str(error), "warning")
            return
        self._turns.say(undone.sentence if here else f"{undone.sentence} · {stem}")
        if undone.stored is None:
            if here:
                self._turns.close(f"{stem} has no file any more: {undone.sentence}")
        elif work is not None and here:
            self._turns.replaced(work, undone.stored)
        else:
            self.opened(undone.stored)

    def toggle_loss(self) -> None:
        """Keep the focused turn out of the training loss, or take it in again."""
        work = self._turns.work
        index = self._turns.conversation.index
        if work is None or index >= len(work.stored.thread.messages):
            return
        start = turn_at(work.stored.thread, index).start
        message = work.stored.thread.messages[start]
        if not is_assistant(message):
            self._turns.say("only the assistant's turns are trained; put the focus on one")
            return
        self._turns.do(partial(self._set_loss, work, start, message.get("train") is False))

    async def _set_loss(self, work: ThreadWork, index: int, train: bool) -> None:
        await self._turns.save(work, curate.set_loss, index, train)

    def delete_turn(self) -> None:
        """Take the focused turn out; what rests on it is marked stale."""
        work = self._turns.running.ready()
        if work is None or not self._turns.running.nothing_proposed(work):
            return
        index = self._turns.conversation.index
        if index < len(work.stored.thread.messages):
            self._turns.do(partial(self._delete_turn, work, work.stored.thread.messages[index], index))

    async def _delete_turn(self, work: ThreadWork, message: Message, index: int) -> None:
        messages = work.stored.thread.messages
        if index >= len(messages) or messages[index] != message:
            return  # the key came again before the screen showed what the first one did
        if await self._turns.save(work, curate.delete_turn, index):
            self._turns.say("the turn is taken out, and kept among the alternatives; u brings it back")

    def replay(self) -> None:
        """Execute the stored calls again and mark each with what came of it."""
        work = self._turns.work
        if work is not None:
            self._turns.do(partial(self._replay, work))

    async def _replay(self, work: ThreadWork) -> None:
        from core.runs.replay import replay

        stored = work.stored
        try:
            found = await asyncio.to_thread(replay, self._turns.workspace, stored.thread)
        except SensorloomError as error:
            self._turns.say(str(error), "warning")
            return
        work.replays = {one.call_id: one.status for one in found}
        self._turns.show(work)
        counts = {
            status: sum(one.status == status for one in found) for status in ("same", "differs", "edited", "cannot")
        }
        said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        reason = next((f" ({one.reason})" for one in found if one.reason), "")
        self._turns.say(f"replayed: {said or 'no calls'}{reason}", "warning" if counts["differs"] else "information")

    def execute(self) -> None:
        """Execute the focused turn's calls anew; a result that comes out otherwise takes the stored one's place."""
        work = self._turns.running.ready()
        if work is None or not self._turns.running.nothing_proposed(work):
            return
        index = self._turns.conversation.index
        if index < len(work.stored.thread.messages):
            self._turns.do(partial(self._execute, work, turn_at(work.stored.thread, index).start))

    async def _execute(self, work: ThreadWork, index: int) -> None:
        from core.runs.toolbox import tools_at

        before = work.stored
        tools, context = await asyncio.to_thread(tools_at, self._turns.workspace, before.thread, index)
        if context is None:
            self._turns.say("the session cannot be read, so nothing can be executed", "warning")
        elif await self._turns.save(work, curate.reexecute, index, tools, context):
            same = work.stored.digest == before.digest
            self._turns.say("executed: the results are what they were" if same else "executed anew; u takes it back")

    def plot(self) -> None:
        """The channels on the full screen."""
        view = self._turns.sensors.view
        if view is None:
            self._turns.say("there is no session to plot here")
            return
        from tui.screens.plot import PlotScreen

        self._turns.screen.app.push_screen(PlotScreen(view))


def forks_of(every: Sequence[Summary], stem: str) -> dict[int, tuple[int, int]]:
    """By position, which of how many branches the thread is at each fork on its way, counted from 1."""
    return {
        fork.position: (fork.members.index(stem) + 1, len(fork.members))
        for fork in lineage(every).forks(stem)
        if stem in fork.members and len(fork.members) > 1
    }
