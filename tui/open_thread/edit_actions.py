"""Editing the focused message: in place or in another program, with drafts that a crash does not take.

What was typed is kept in `.sensorloom/drafts/` while it is typed, and offered again. An edit that meets another
program's change of the same message asks what to do; one that does not is saved on top of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from textual.widget import Widget

from core.errors import SensorloomError, UsageError
from core.storage import drafts
from core.storage.drafts import EditDraft
from core.text import one_line
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.branch_actions import BranchActions
from tui.open_thread.edit_saving import Edit, EditSaving
from tui.open_thread.external_editor import edited_outside
from tui.open_thread.stale_actions import Settling
from tui.open_thread.turn_actions import TurnActions
from tui.widgets.editor import MessageEditor
from tui.widgets.message_fields import fields_of

DRAFT_SECONDS = 0.5
"""How soon what was typed is on disk."""
MIN_ROWS = 18
"""Height of the editor at least, where the pane has that."""

UNSAVED_WAYS = (
    Way("e", "go to it", "open that edit as it was left"),
    Way("n", "give it up", "forget what was typed there, and edit this message"),
)


class EditActions:
    """Owns the editor. Lives on the screen of the turns it edits."""

    def __init__(self, turns: TurnActions, branches: BranchActions) -> None:
        self._turns = turns
        self._edit: Edit | None = None
        self._typed: dict[str, str] = {}
        self.opening = False
        """Whether the editor was asked for and is not there yet: letters that follow are meant for it."""
        self._draft_timer: Any = None
        self._settling = Settling(turns)
        self._saving = EditSaving(turns, branches, self._settling, self)
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

    async def _open(self, found: Edit) -> None:
        try:
            await self._mount(found)
        finally:
            self.opening = False

    async def _mount(self, found: Edit) -> None:
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
        editor = MessageEditor(thread, found.message, title=found.title, head=found.head, fields=fields)
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

    def _ask_which(self, found: Edit, kept: EditDraft) -> None:
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
            self._draft_timer = self._turns.screen.set_timer(DRAFT_SECONDS, self.keep_draft)

    def keep_draft(self) -> None:
        """Write down what was typed, if an editor is open."""
        self._draft_timer = None
        found = self._edit
        if found is not None:
            self._turns.do(partial(self._put_draft, found, self._typed))

    async def _put_draft(self, found: Edit, fields: dict[str, str]) -> None:
        try:
            await asyncio.to_thread(self._write_draft, found, fields)
        except SensorloomError as error:
            self._turns.say(str(error), "warning")
            return
        work = self._turns.work
        if work is not None and work.stored.stem == found.seen.stem:
            work.unsaved = found.index if fields else None
            self._turns.show(work)

    def _write_draft(self, found: Edit, fields: dict[str, str]) -> None:
        workspace, stem = self._turns.workspace, found.seen.stem
        if fields:
            drafts.save_edit(workspace, stem, EditDraft(found.index, found.seen.digest, fields))
        else:
            drafts.clear_edit(workspace, stem)

    def left(self) -> None:
        """Close the editor; what was typed stays as a draft."""
        if self._typed:
            self._turns.say("kept as a draft: e opens it again")
        self.keep_draft()
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
            self._turns.do(partial(self._saving.save, found, event.message, event.rerun, event.despite_problems))

    async def done(self, found: Edit) -> None:
        """What was typed is saved."""
        if self._edit is found:
            self._typed = {}
            self._close()
        await self._put_draft(found, {})

    # In another program

    def edit_external(self) -> None:
        """Hand the focused message to `$VISUAL` or `$EDITOR`, and take it back."""
        found = self._focused()
        if found is None or self.editor is not None:
            return
        try:
            message = edited_outside(self._turns.screen.app, found.message, found.head)
        except UsageError as error:
            self._turns.say(str(error), "error")
            return
        if message != found.message:
            if (work := self._turns.work) is not None and work.unsaved in (None, found.index):
                # kept until it is saved: that may be refused, or meet another program's change
                self._turns.do(partial(self._put_draft, found, fields_of(message, found.head)))
            self._turns.do(partial(self._saving.save, found, message, rerun=False, unchecked=False))

    def _focused(self) -> Edit | None:
        """The focused message, if it can be edited now."""
        work = self._turns.work
        if work is None:
            return None
        if work.busy:
            self._turns.say("this thread is running; esc stops it")
            return None
        index, count = self._turns.conversation.index, len(work.stored.thread.messages)
        if index < count:
            return Edit(work.stored, index, work.stored.thread.messages[index], None)
        shown = work.shown
        if shown is None or index - count >= len(shown.messages):
            return None
        return Edit(work.stored, index, shown.messages[index - count], shown)
