"""Saving what was edited: a message of the thread or of a proposal, also where another program changed it meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core import curate
from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread import edits
from core.thread.proposal import Proposal
from core.thread.query import query_place, query_turn
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, with_messages
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.branch_actions import BranchActions
from tui.open_thread.proposals import CONFLICT_WAYS
from tui.open_thread.stale_actions import Settling
from tui.open_thread.turn_actions import TurnActions
from tui.open_thread.turn_state import ThreadWork

if TYPE_CHECKING:
    from tui.open_thread.edit_actions import EditActions

EDIT_CONFLICT_WAYS = (
    Way("t", "theirs", "leave the file as the other program wrote it; the edit stays as a draft"),
    *CONFLICT_WAYS[1:],
)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is being edited."""

    seen: Stored
    """The thread as it was when editing began."""
    index: int
    message: Message
    proposal: Proposal | None
    """The proposal the message belongs to, when it is no part of the thread yet."""

    @property
    def title(self) -> str:
        """What it is, in words."""
        role = str(self.message.get("role"))
        what = {"tool": "a result", "user": "the question", "assistant": "a turn"}.get(role, f"the {role}'s message")
        return f"editing {what} of the proposal" if self.proposal is not None else f"editing {what}"

    @property
    def head(self) -> str:
        """What stands before the question in the first message, and is not for editing here."""
        thread = self.seen.thread
        place = query_place(thread, query_turn(thread)) if self.proposal is None else None
        return place[1] if place is not None and place[0] == self.index else ""


class EditSaving:
    """Saves edits. What is in the way is asked about, and the edit stays open until that is answered."""

    def __init__(self, turns: TurnActions, branches: BranchActions, settling: Settling, editing: EditActions) -> None:
        self._turns = turns
        self._branches = branches
        self._settling = settling
        self._editing = editing

    async def save(self, found: Edit, message: Message, rerun: bool, unchecked: bool) -> None:
        """Save an edit, and re-run what rests on it if asked to."""
        work = self._turns.work_on(found.seen)
        if message == found.message:
            done = True
        elif found.proposal is not None:
            done = await self._save_proposal(work, found, message)
        elif self._moved_on(work, found):
            self._ask_conflict(work, found, message)
            return
        else:
            done = await self._save_message(work, found.index, message, unchecked)
        if not done:
            return
        await self._editing.done(found)
        if rerun:
            await self._settling.settle(work, "rerun")

    def _moved_on(self, work: ThreadWork, found: Edit) -> bool:
        """Whether the message that was edited is no longer what it was."""
        messages = work.stored.thread.messages
        return found.index >= len(messages) or messages[found.index] != found.message

    async def _save_message(self, work: ThreadWork, index: int, message: Message, unchecked: bool) -> bool:
        before = work.stored.thread.messages[index]
        if _calls(message) == _calls(before):
            return await self._turns.save(work, partial(curate.edit_message, unchecked=unchecked), index, message)
        tools, context = await asyncio.to_thread(self._tools_at, work.stored.thread, index)
        if context is None:
            self._turns.say("the session cannot be read, so the call is saved without being executed", "warning")
            return await self._turns.save(work, partial(curate.edit_message, unchecked=unchecked), index, message)
        function = partial(curate.edit_and_reexecute, unchecked=unchecked)
        return await self._turns.save(work, function, index, message, tools, context)

    async def _save_proposal(self, work: ThreadWork, found: Edit, message: Message) -> bool:
        """Put the edited message into its proposal; the one the model made goes to the alternatives."""
        proposal = found.proposal
        if proposal is None or proposal not in work.proposals:
            self._turns.say("this proposal is gone; what was typed stays as a draft", "warning")
            return False
        if not await self._turns.save(work, curate.set_aside, proposal, "edited"):
            return False
        thread = work.stored.thread
        whole = with_messages(thread, [*thread.messages[: proposal.position], *proposal.messages])
        made = edits.edited(whole, found.index, message)
        if _calls(message) != _calls(found.message):
            tools, context = await asyncio.to_thread(self._tools_at, whole, found.index)
            if context is not None:
                made = await asyncio.to_thread(edits.reexecuted, made, found.index, tools, context)
        changed = replace(proposal, messages=tuple(made.messages[proposal.position :]), complete=True, edited=True)
        work.replace(proposal, changed)
        self._turns.show(work)
        return True

    def _tools_at(self, thread: Thread, index: int) -> tuple[Any, Any]:
        from core.runs.toolbox import tools_at

        return tools_at(self._turns.workspace, thread, index)

    def _ask_conflict(self, work: ThreadWork, found: Edit, message: Message) -> None:
        def answered(way: str | None) -> None:
            if way == "d":
                mine = edits.edited(found.seen.thread, found.index, message)
                theirs = ("theirs", list(work.stored.thread.messages))
                self._branches.comparing.show([theirs, ("mine", list(mine.messages))])
            elif way is not None:
                self._turns.do(partial(self._resolve, work, found, message, way))

        text = f"{found.seen.stem}: another program changed this message while it was edited. Nothing is lost yet."
        self._turns.screen.app.push_screen(ChooseScreen("changed from outside", text, EDIT_CONFLICT_WAYS), answered)

    async def _resolve(self, work: ThreadWork, found: Edit, message: Message, way: str) -> None:
        if way == "t":
            self._editing.left()
            return
        try:
            mine = edits.edited(found.seen.thread, found.index, message)
            function = curate.keep_mine if way == "m" else curate.mine_as_branch
            stored = await asyncio.to_thread(function, self._turns.workspace, found.seen, mine)
        except SensorloomError as error:
            self._turns.say(str(error), "error")
            return
        await self._editing.done(found)
        if way == "m":
            self._turns.replaced(work, stored)
        else:
            self._branches.opened(stored)


def _calls(message: Message) -> list[tuple[str, str]]:
    return [(call_name(call), call_arguments(call)) for call in calls_of(message)]
