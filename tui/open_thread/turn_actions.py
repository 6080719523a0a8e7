"""What keys do to the focused turn besides editing it: its label and loss, taking it out, replaying its calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

from core import curate
from core.errors import SensorloomError
from core.thread.turn_labels import TurnLabel, label_of
from core.thread.turns import turn_at
from core.thread.value import Message, in_loss, is_assistant
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork


class TurnActions:
    """Acts on the focused turn of the open thread."""

    def __init__(self, thread: OpenThread) -> None:
        self._thread = thread

    def toggle_loss(self) -> None:
        """Keep the focused turn out of the training loss, or take it in again."""
        work = self._thread.work
        index = self._thread.conversation.index
        if work is None or index >= len(work.stored.thread.messages):
            return
        start = turn_at(work.stored.thread, index).start
        message = work.stored.thread.messages[start]
        if not is_assistant(message):
            self._thread.say("only the assistant's turns are trained; put the focus on one")
            return
        self._thread.do(partial(self._set_loss, work, start, not in_loss(message)))

    async def _set_loss(self, work: ThreadWork, index: int, train: bool) -> None:
        await self._thread.save(work, curate.set_loss, index, train)

    def label(self, label: TurnLabel) -> None:
        """Label the focused turn, and go to the next one; the label that it has is taken off by the same key.

        `bad` stays where it is: it marks the rest.
        """
        work = self._thread.work
        conversation = self._thread.conversation
        if work is None or conversation.index >= len(work.stored.thread.messages):
            return
        start = turn_at(work.stored.thread, conversation.index).start
        message = work.stored.thread.messages[start]
        if not is_assistant(message):
            self._thread.say("only the assistant's turns are labelled; put the focus on one")
            return
        wanted = None if label_of(message) == label else label
        self._thread.do(partial(self._label, work, start, wanted))
        if wanted in ("good", "neutral"):
            conversation.action_move_turn(1)

    async def _label(self, work: ThreadWork, index: int, label: TurnLabel | None) -> None:
        await self._thread.save(work, curate.label_turn, index, label)

    def delete(self) -> None:
        """Take the focused turn out; what rests on it is marked stale."""
        work = self._thread.work
        index = self._thread.conversation.index
        if work is not None and index < len(work.stored.thread.messages):
            self._thread.do(partial(self._delete, work, work.stored.thread.messages[index], index))

    async def _delete(self, work: ThreadWork, message: Message, index: int) -> None:
        messages = work.stored.thread.messages
        if index >= len(messages) or messages[index] != message:
            return  # the key came again before the screen showed what the first one did
        if await self._thread.save(work, curate.delete_turn, index):
            undo = self._thread.keys["turn.undo"]
            self._thread.say(f"the turn is taken out, and kept among the alternatives; {undo} brings it back")

    def replay(self) -> None:
        """Execute the stored calls again and mark each with what came of it."""
        work = self._thread.work
        if work is not None:
            self._thread.do(partial(self._replay, work))

    async def _replay(self, work: ThreadWork) -> None:
        from core.runs.replay import replay

        try:
            replays = await asyncio.to_thread(replay, self._thread.workspace, work.stored.thread)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")
            return
        work.replays = {call.call_id: call.status for call in replays}
        self._thread.show(work)
        counts = Counter(call.status for call in replays)
        statuses = [
            f"{counts[status]} {status}" for status in ("same", "differs", "edited", "cannot") if counts[status]
        ]
        reason = next((f" ({call.reason})" for call in replays if call.reason), "")
        severity = "warning" if counts["differs"] else "information"
        self._thread.say(f"replayed: {', '.join(statuses) or 'no calls'}{reason}", severity)

    def execute(self) -> None:
        """Execute the focused turn's calls anew; a result that comes out otherwise takes the stored one's place."""
        work = self._thread.work
        index = self._thread.conversation.index
        if work is not None and index < len(work.stored.thread.messages):
            self._thread.do(partial(self._execute, work, turn_at(work.stored.thread, index).start))

    async def _execute(self, work: ThreadWork, index: int) -> None:
        from core.runs.toolbox import tools_at

        before = work.stored
        tools, context = await asyncio.to_thread(tools_at, self._thread.workspace, before.thread, index)
        if context is None:
            self._thread.say("the session cannot be read, so nothing can be executed", "warning")
        elif await self._thread.save(work, curate.reexecute, index, tools, context):
            same = work.stored.digest == before.digest
            anew = f"executed anew; {self._thread.keys['turn.undo']} takes it back"
            self._thread.say("executed: the results are what they were" if same else anew)
