"""Editing the focused message: in place or in another program, with drafts that a crash does not take.

What was typed is kept in `.sensorloom/drafts/` while it is typed, and offered again. An edit that meets another
program's change of the same message asks what to do; one that does not is saved on top of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from textual.widget import Widget

from core.errors import SensorloomError, UsageError
from core.storage import drafts
from core.storage.drafts import EditDraft
from core.storage.store import Stored
from core.text import one_line
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.edit_saving import Edit, EditSaving
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.compare_lines import Side
from tui.widgets.editor import MessageEditor
from tui.widgets.message_fields import fields_of
from tui.widgets.message_text import edited_outside

DRAFT_SECONDS = 0.5
"""How soon what was typed is on disk."""
MIN_ROWS = 18
"""Height of the editor at least, where the pane has that."""

UNSAVED_WAYS = (
    Way("e", "go to it", "open that edit as it was left"),
    Way("n", "give it up", "forget what was typed there, and edit this message"),
)


class EditActions:
    """Owns the editor. Lives on the screen of the thread it edits."""

    def __init__(
        self,
        thread: OpenThread,
        opened: Callable[[Stored], None],
        rerun: Callable[[ThreadWork], Awaitable[None]],
        compare: Callable[[Sequence[Side]], None],
        show_pane: Callable[[], None],
    ) -> None:
        """Edits messages of a thread.

        Args:
            thread: the open thread.
            opened: goes to a branch that was made.
            rerun: re-runs what is stale in a thread.
            compare: shows conversations side by side.
            show_pane: brings the conversation's pane to the screen, where a narrow one shows another.
        """
        self._show_pane = show_pane
        self._thread = thread
        self._edit: Edit | None = None
        self.opening = False
        """Whether the editor was asked for and is not there yet: letters that follow are meant for it."""
        self._draft_timer: Any = None
        self._saving = EditSaving(thread, opened, rerun, self.done, self.left, compare)
        thread.screen.run_worker(self._tell_unsaved, group="unsaved")

    @property
    def editor(self) -> MessageEditor | None:
        """The editor, while it is open."""
        return self._thread.screen.query_one_optional(MessageEditor)

    # In place

    def edit(self) -> None:
        """Open the editor on the focused message, with what was typed there before and not saved."""
        if self.editor is not None:
            self.editor.focus_field()
        elif (edit := self._focused()) is not None:
            self.opening = True
            self._thread.do(partial(self._open, edit))

    async def _open(self, edit: Edit) -> None:
        try:
            await self._mount(edit)
        finally:
            self.opening = False

    async def _mount(self, edit: Edit) -> None:
        stem = edit.seen.stem
        draft = (await asyncio.to_thread(drafts.load_drafts, self._thread.workspace, stem)).edit
        if draft is not None and draft.index != edit.index:
            self._ask_which(edit, draft)
            return
        fields = draft.fields if draft is not None else None
        if draft is not None:
            changed = "; the thread has changed since" if draft.digest != edit.seen.digest else ""
            self._thread.say(f"this was typed here before and not saved{changed}")
        conversation = self._thread.conversation
        pane = conversation.parent
        if not isinstance(pane, Widget) or self._thread.work is None or self._thread.work.stored.stem != stem:
            return
        self._edit = edit
        thread = edit.seen.thread
        editor = MessageEditor(thread, edit.message, title=edit.title, head=edit.head, fields=fields)
        pane.styles.layers = "default editor"
        self._show_pane()
        await pane.mount(editor)
        self.fit()
        self._thread.screen.call_after_refresh(self.fit)  # a pane that was not on the screen has its size by then

    def fit(self) -> None:
        """Put the editor over its message, within the conversation as large as that is now."""
        editor, edit, conversation = self.editor, self._edit, self._thread.conversation
        if editor is None or edit is None:
            return
        top, rows = conversation.rows_of(edit.index)
        room = conversation.size.height
        height = min(room, max(MIN_ROWS, rows + 4))
        if top + height > conversation.scroll_offset.y + room or top < conversation.scroll_offset.y:
            conversation.scroll_line(max(0, top - 1))
        editor.styles.height = height
        editor.styles.offset = (0, max(0, min(top - conversation.scroll_offset.y - 1, room - height)))

    def _ask_which(self, edit: Edit, draft: EditDraft) -> None:
        """Another message of the thread has an edit that is not saved; a thread keeps one at a time."""

        def answered(way: str | None) -> None:
            if way == "e":
                self._thread.conversation.focus_message(draft.index)
                self.edit()
            elif way == "n":
                self._thread.do(partial(self._put_draft, edit, {}))
                self.edit()

        text = f"{one_line(' '.join(draft.fields.values()), 200)}"
        self._thread.screen.app.push_screen(ChooseScreen("another edit is not saved yet", text, UNSAVED_WAYS), answered)

    async def _tell_unsaved(self) -> None:
        """Say at the start what an earlier session left undecided."""
        unsaved = await asyncio.to_thread(drafts.all_drafts, self._thread.workspace)
        parts = [
            f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}: {what}"
            for names, what in (
                ([stem for stem, draft in unsaved.items() if draft.edit is not None], "an edit that is not saved"),
                ([stem for stem, draft in unsaved.items() if draft.proposals], "a proposal that nobody decided on"),
            )
            if names
        ]
        if parts:
            self._thread.say(f"kept from before · {' · '.join(parts)}")

    def typed(self) -> None:
        """Keep what was typed, soon."""
        if self._draft_timer is None:
            self._draft_timer = self._thread.screen.set_timer(DRAFT_SECONDS, self.keep_draft)

    async def keep_last_keys(self) -> None:
        """Write down what was typed to the last key: the program ends."""
        if (editor := self.editor) is not None:
            await editor.keys_taken_in()
        self.keep_draft()

    def keep_draft(self) -> None:
        """Write down what was typed, if an editor is open."""
        self._draft_timer = None
        edit, editor = self._edit, self.editor
        if edit is not None and editor is not None and editor.ready:
            self._thread.do(partial(self._put_draft, edit, editor.unsaved))

    async def _put_draft(self, edit: Edit, fields: dict[str, str]) -> None:
        try:
            await asyncio.to_thread(self._write_draft, edit, fields)
        except SensorloomError as error:
            self._thread.say(str(error), "warning")
            return
        work = self._thread.work
        if work is not None and work.stored.stem == edit.seen.stem:
            work.unsaved = edit.index if fields else None
            self._thread.show(work)

    def _write_draft(self, edit: Edit, fields: dict[str, str]) -> None:
        workspace, stem = self._thread.workspace, edit.seen.stem
        if fields:
            drafts.save_edit(workspace, stem, EditDraft(edit.index, edit.seen.digest, fields))
        else:
            drafts.clear_edit(workspace, stem)

    def left(self) -> None:
        """Close the editor; what was typed stays as a draft."""
        if self.editor is not None and self.editor.ready and self.editor.unsaved:
            self._thread.say(f"kept as a draft: {self._thread.keys['turn.edit']} opens it again")
        self.keep_draft()
        self._close()

    def leave(self) -> None:
        """Another thread is about to be shown."""
        if self._edit is not None:
            self.left()

    def _close(self) -> None:
        if self.editor is not None:
            self.editor.remove()
        self._edit = None
        self._thread.conversation.focus()

    def saved(self, event: MessageEditor.Saved) -> None:
        """Save what was edited, and re-run what rests on it if asked to."""
        edit = self._edit
        if edit is not None:
            self._thread.do(partial(self._saving.save, edit, event.message, event.rerun, event.despite_problems))

    async def done(self, edit: Edit) -> None:
        """What was typed is saved."""
        if self._edit is edit:
            self._close()
        await self._put_draft(edit, {})

    # In another program

    def edit_external(self) -> None:
        """Hand the focused message to `$VISUAL` or `$EDITOR`, and take it back."""
        edit = self._focused()
        if edit is None or self.editor is not None:
            return
        try:
            message = edited_outside(self._thread.screen.app, edit.message, edit.head)
        except UsageError as error:
            self._thread.say(str(error), "error")
            return
        if message != edit.message:
            if (work := self._thread.work) is not None and work.unsaved in (None, edit.index):
                # kept until it is saved: that may be refused, or meet another program's change
                self._thread.do(partial(self._put_draft, edit, fields_of(message, edit.head)))
            self._thread.do(partial(self._saving.save, edit, message, rerun=False, unchecked=False))

    def _focused(self) -> Edit | None:
        """The focused message, if it can be edited now."""
        work = self._thread.work
        if work is None:
            return None
        if work.busy:
            self._thread.say(f"this thread is running; {self._thread.keys['turn.stop']} stops it")
            return None
        index, count = self._thread.conversation.index, len(work.stored.thread.messages)
        if index < count:
            return Edit(work.stored, index, work.stored.thread.messages[index], None)
        shown = work.shown
        if shown is None or index - count >= len(shown.messages):
            return None
        return Edit(work.stored, index, shown.messages[index - count], shown)
