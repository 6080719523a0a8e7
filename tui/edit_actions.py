"""Editing the focused message: in place or in another program, with drafts that a crash does not take.

What was typed is kept in `.sensorloom/drafts/` while it is typed, and offered again. An edit that meets another
program's change of the same message asks what to do; one that does not is saved on top of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from textual.widget import Widget

from core import curate, drafts, edits
from core.drafts import EditDraft
from core.errors import SensorloomError, UsageError
from core.proposal import Proposal
from core.query import query_place, query_turn
from core.store import Stored
from core.text import one_line
from core.thread import Message, Thread, call_arguments, call_name, calls_of, with_messages
from tui.branch_actions import BranchActions
from tui.external_editor import edited_outside
from tui.proposals import CONFLICT_WAYS
from tui.screens.ask import ChooseScreen, Way
from tui.settling import Settling
from tui.turn_actions import TurnActions
from tui.turn_state import ThreadWork
from tui.widgets.editor import MessageEditor

DRAFT_SECONDS = 0.5
"""How soon what was typed is on disk."""
MIN_ROWS = 18
"""Height of the editor at least, where the pane has that."""

EDIT_CONFLICT_WAYS = (
    Way("t", "theirs", "leave the file as the other program wrote it; the edit stays as a draft"),
    *CONFLICT_WAYS[1:],
)
UNSAVED_WAYS = (
    Way("e", "go to it", "open that edit as it was left"),
    Way("n", "give it up", "forget what was typed there, and edit this message"),
)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is being edited."""

    seen: Stored
    """The thread as it was when editing began."""
    index: int
    message: Message
    proposal: Proposal | None
    """The proposal the message belongs to, when it is no part of the thread yet."""


class EditActions:
    """Owns the editor. Lives on the screen of the turns it edits."""

    def __init__(self, turns: TurnActions, branches: BranchActions) -> None:
        self._turns = turns
        self._branches = branches
        self._edit: _Edit | None = None
        self._typed: dict[str, str] = {}
        self.opening = False
        """Whether the editor was asked for and is not there yet: letters that follow are meant for it."""
        self._draft_timer: Any = None
        self._settling = Settling(turns)
        turns.before_leaving = self._leave_for_another
        turns.screen.run_worker(self._tell_unsaved, group="unsaved")

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "turn.edit": self.edit,
            "turn.edit_external": self.edit_external,
            "turn.settle": self._settling.ask,
        }

    @property
    def editor(self) -> MessageEditor | None:
        """The editor, while it is open."""
        return self._turns.screen.query_one_optional(MessageEditor)

    # In place

    def edit(self) -> None:
        """Open the editor on the focused message, with what was typed there before and not saved."""
        if self.editor is not None:
            self.editor.focus_field()
        elif (found := self._focused()) is not None:
            self.opening = True
            self._turns.do(partial(self._open, found))

    async def _open(self, found: _Edit) -> None:
        try:
            await self._mount(found)
        finally:
            self.opening = False

    async def _mount(self, found: _Edit) -> None:
        stem = found.seen.stem
        kept = (await asyncio.to_thread(drafts.load_drafts, self._turns.workspace, stem)).edit
        if kept is not None and kept.index != found.index:
            self._ask_which(found, kept)
            return
        fields = kept.fields if kept is not None else None
        if kept is not None:
            changed = "; the thread has changed since" if kept.digest != found.seen.digest else ""
            self._turns.say(f"this was typed here before and not saved{changed}")
        conversation = self._turns.conversation
        pane = conversation.parent
        if not isinstance(pane, Widget) or self._turns.work is None or self._turns.work.stored.stem != stem:
            return
        self._edit, self._typed = found, dict(fields or {})
        thread = found.seen.thread
        editor = MessageEditor(thread, found.message, title=_title(found), head=_head(thread, found), fields=fields)
        top, rows = conversation.rows_of(found.index)
        room = conversation.size.height
        height = min(room, max(MIN_ROWS, rows + 4))
        if top + height > conversation.scroll_offset.y + room or top < conversation.scroll_offset.y:
            conversation.scroll_line(max(0, top - 1))
        place = max(0, min(top - conversation.scroll_offset.y - 1, room - height))
        editor.styles.height = height
        editor.styles.offset = (0, place)
        pane.styles.layers = "default editor"
        await pane.mount(editor)

    def _ask_which(self, found: _Edit, kept: EditDraft) -> None:
        """Another message of the thread has an edit that is not saved; a thread keeps one at a time."""

        def answered(way: str | None) -> None:
            if way == "e":
                self._turns.conversation.focus_message(kept.index)
                self.edit()
            elif way == "n":
                self._turns.do(partial(self._put_draft, found, {}))
                self.edit()

        text = f"{one_line(' '.join(kept.fields.values()), 200)}"
        self._turns.screen.app.push_screen(ChooseScreen("another edit is not saved yet", text, UNSAVED_WAYS), answered)

    async def _tell_unsaved(self) -> None:
        """Say at the start what an earlier session left undecided."""
        kept = await asyncio.to_thread(drafts.all_drafts, self._turns.workspace)
        parts = [
            f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}: {what}"
            for names, what in (
                ([stem for stem, one in kept.items() if one.edit is not None], "an edit that is not saved"),
                ([stem for stem, one in kept.items() if one.proposals], "a proposal that nobody decided on"),
            )
            if names
        ]
        if parts:
            self._turns.say(f"kept from before · {' · '.join(parts)}")

    def typed(self, event: MessageEditor.Changed) -> None:
        """Keep what was typed, soon."""
        self._typed = event.fields
        if self._draft_timer is None:
            self._draft_timer = self._turns.screen.set_timer(DRAFT_SECONDS, self._keep_draft)

    def _keep_draft(self) -> None:
        self._draft_timer = None
        found = self._edit
        if found is not None:
            self._turns.do(partial(self._put_draft, found, self._typed))

    async def _put_draft(self, found: _Edit, fields: dict[str, str]) -> None:
        try:
            await asyncio.to_thread(self._write_draft, found, fields)
        except SensorloomError as error:
            self._turns.say(str(error), "warning")
            return
        work = self._turns.work
        if work is not None and work.stored.stem == found.seen.stem:
            work.unsaved = found.index if fields else None
            self._turns.show(work)

    def _write_draft(self, found: _Edit, fields: dict[str, str]) -> None:
        workspace, stem = self._turns.workspace, found.seen.stem
        if fields:
            drafts.save_edit(workspace, stem, EditDraft(found.index, found.seen.digest, fields))
        else:
            drafts.clear_edit(workspace, stem)

    def left(self) -> None:
        """Close the editor; what was typed stays as a draft."""
        if self._typed:
            self._turns.say("kept as a draft: e opens it again")
        self._keep_draft()
        self._close()

    def _leave_for_another(self) -> None:
        """Another thread is about to be shown."""
        if self._edit is not None:
            self.left()

    def _close(self) -> None:
        if self.editor is not None:
            self.editor.remove()
        self._edit = None
        self._turns.conversation.focus()

    def saved(self, event: MessageEditor.Saved) -> None:
        """Save what was edited, and re-run what rests on it if asked to."""
        found = self._edit
        if found is not None:
            self._turns.do(partial(self._save, found, event.message, event.rerun, event.despite_problems))

    async def _save(self, found: _Edit, message: Message, rerun: bool, unchecked: bool) -> None:
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
        await self._done(found)
        if rerun:
            await self._settling.settle(work, "rerun")

    async def _done(self, found: _Edit) -> None:
        """What was typed is saved."""
        if self._edit is found:
            self._typed = {}
            self._close()
        await self._put_draft(found, {})

    def _moved_on(self, work: ThreadWork, found: _Edit) -> bool:
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

    async def _save_proposal(self, work: ThreadWork, found: _Edit, message: Message) -> bool:
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
        from core.toolbox import tools_at

        return tools_at(self._turns.workspace, thread, index)

    # Another program's change

    def _ask_conflict(self, work: ThreadWork, found: _Edit, message: Message) -> None:
        def answered(way: str | None) -> None:
            if way == "d":
                mine = edits.edited(found.seen.thread, found.index, message)
                theirs = ("theirs", list(work.stored.thread.messages))
                self._branches.comparing.show([theirs, ("mine", list(mine.messages))])
            elif way is not None:
                self._turns.do(partial(self._resolve, work, found, message, way))

        text = f"{found.seen.stem}: another program changed this message while it was edited. Nothing is lost yet."
        self._turns.screen.app.push_screen(ChooseScreen("changed from outside", text, EDIT_CONFLICT_WAYS), answered)

    async def _resolve(self, work: ThreadWork, found: _Edit, message: Message, way: str) -> None:
        if way == "t":
            self.left()
            return
        try:
            mine = edits.edited(found.seen.thread, found.index, message)
            function = curate.keep_mine if way == "m" else curate.mine_as_branch
            stored = await asyncio.to_thread(function, self._turns.workspace, found.seen, mine)
        except SensorloomError as error:
            self._turns.say(str(error), "error")
            return
        await self._done(found)
        if way == "m":
            self._turns.replaced(work, stored)
        else:
            self._branches.opened(stored)

    # In another program

    def edit_external(self) -> None:
        """Hand the focused message to `$VISUAL` or `$EDITOR`, and take it back."""
        found = self._focused()
        if found is None or self.editor is not None:
            return
        try:
            message = edited_outside(self._turns.screen.app, found.message, _head(found.seen.thread, found))
        except UsageError as error:
            self._turns.say(str(error), "error")
            return
        if message != found.message:
            self._turns.do(partial(self._save, found, message, rerun=False, unchecked=False))

    def _focused(self) -> _Edit | None:
        """The focused message, if it can be edited now."""
        work = self._turns.work
        if work is None:
            return None
        if work.busy:
            self._turns.say("this thread is running; esc stops it")
            return None
        index, count = self._turns.conversation.index, len(work.stored.thread.messages)
        if index < count:
            return _Edit(work.stored, index, work.stored.thread.messages[index], None)
        shown = work.shown
        if shown is None or index - count >= len(shown.messages):
            return None
        return _Edit(work.stored, index, shown.messages[index - count], shown)


def _calls(message: Message) -> list[tuple[str, str]]:
    return [(call_name(call), call_arguments(call)) for call in calls_of(message)]


def _title(found: _Edit) -> str:
    role = str(found.message.get("role"))
    what = {"tool": "a result", "user": "the question", "assistant": "a turn"}.get(role, f"the {role}'s message")
    return f"editing {what} of the proposal" if found.proposal is not None else f"editing {what}"


def _head(thread: Thread, found: _Edit) -> str:
    """What stands before the question in the first message, and is not for editing here."""
    place = query_place(thread, query_turn(thread)) if found.proposal is None else None
    return place[1] if place is not None and place[0] == found.index else ""
