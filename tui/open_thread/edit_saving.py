"""Saving what was edited: a message of the thread or of a proposal, also where another program changed it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core import curate
from core.errors import SensorloomError
from core.storage.store import Stored
from core.thread import edits
from core.thread.proposal import Proposal
from core.thread.question import question_place, question_turn
from core.thread.value import Message, Thread
from core.workspace import Workspace
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.proposals import CONFLICT_WAYS
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.compare_lines import Side

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
        question = question_place(thread, question_turn(thread)) if self.proposal is None else None
        return question[1] if question is not None and question[0] == self.index else ""


class EditSaving:
    """Saves edits. What is in the way is asked about, and the edit stays open until that is answered."""

    def __init__(
        self,
        thread: OpenThread,
        opened: Callable[[Stored], None],
        rerun: Callable[[ThreadWork], Awaitable[None]],
        done: Callable[[Edit], Awaitable[None]],
        leave: Callable[[], None],
        compare: Callable[[Sequence[Side]], None],
    ) -> None:
        """Saves edits of a thread.

        Args:
            thread: the open thread.
            opened: goes to a branch that was made.
            rerun: re-runs what is stale in a thread.
            done: told that what was typed is saved.
            leave: closes the editor, keeping what was typed as a draft.
            compare: shows conversations side by side.
        """
        self._thread = thread
        self._opened = opened
        self._rerun = rerun
        self._done = done
        self._leave = leave
        self._compare = compare

    async def save(self, edit: Edit, message: Message, rerun: bool, unchecked: bool) -> None:
        """Save an edit, and re-run what rests on it if asked to."""
        work = self._thread.work_on(edit.seen)
        if message == edit.message:
            saved = True
        elif edit.proposal is not None:
            saved = await self._save_proposal(work, edit, message)
        elif self._moved_on(work, edit):
            self._ask_conflict(work, edit, message)
            return
        else:
            saved = await self._save_message(work, edit.index, message, unchecked)
        if not saved:
            return
        await self._done(edit)
        if rerun:
            await self._rerun(work)

    def _moved_on(self, work: ThreadWork, edit: Edit) -> bool:
        """Whether the message that was edited is no longer what it was."""
        messages = work.stored.thread.messages
        return edit.index >= len(messages) or messages[edit.index] != edit.message

    async def _save_message(self, work: ThreadWork, index: int, message: Message, unchecked: bool) -> bool:
        before = work.stored.thread
        function = partial(curate.edit_message, tools_at=self._tools_at, unchecked=unchecked)
        saved = await self._thread.save(work, function, index, message)
        if saved and curate.left_unexecuted(before, work.stored.thread, index):
            self._thread.say("the session cannot be read, so the call is saved without being executed", "warning")
        return saved

    async def _save_proposal(self, work: ThreadWork, edit: Edit, message: Message) -> bool:
        """Put the edited message into its proposal; the one the model made goes to the alternatives."""
        proposal = edit.proposal
        if proposal is None or proposal not in work.proposals:
            self._thread.say("this proposal is gone; what was typed stays as a draft", "warning")
            return False
        changed: list[Proposal] = []

        def change(workspace: Workspace, stored: Stored) -> Stored:
            saved, edited = curate.edit_proposal(workspace, stored, proposal, edit.index, message, self._tools_at)
            changed.append(edited)
            return saved

        if not await self._thread.save(work, change):
            return False
        work.replace(proposal, changed[0])
        self._thread.show(work)
        return True

    def _tools_at(self, thread: Thread, index: int) -> tuple[Any, Any]:
        from core.runs.toolbox import tools_at

        return tools_at(self._thread.workspace, thread, index)

    def _ask_conflict(self, work: ThreadWork, edit: Edit, message: Message) -> None:
        def answered(way: str | None) -> None:
            if way == "d":
                mine = edits.edited(edit.seen.thread, edit.index, message)
                theirs = ("theirs", list(work.stored.thread.messages))
                self._compare([theirs, ("mine", list(mine.messages))])
            elif way is not None:
                self._thread.do(partial(self._resolve, work, edit, message, way))

        text = f"{edit.seen.stem}: another program changed this message while it was edited. Nothing is lost yet."
        self._thread.screen.app.push_screen(ChooseScreen("changed from outside", text, EDIT_CONFLICT_WAYS), answered)

    async def _resolve(self, work: ThreadWork, edit: Edit, message: Message, way: str) -> None:
        if way == "t":
            self._leave()
            return
        try:
            mine = edits.edited(edit.seen.thread, edit.index, message)
            kept_as = "mine" if way == "m" else "branch"
            stored = await asyncio.to_thread(curate.resolve, self._thread.workspace, edit.seen, mine, kept_as)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
            return
        await self._done(edit)
        if way == "m":
            self._thread.replaced(work, stored)
        else:
            self._opened(stored)
