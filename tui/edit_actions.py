"""Editing the focused message: in place or in another program, with drafts that a crash does not take.

What was typed is kept in `.sensorloom/drafts/` while it is typed, and offered again. An edit that meets another
program's change of the same message asks what to do; one that does not is saved on top of it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import SuspendNotSupported
from textual.widget import Widget

from core import curate, drafts, edits
from core.drafts import EditDraft
from core.errors import SensorloomError
from core.proposal import Proposal
from core.query import query_place, query_turn
from core.stale import stale_messages
from core.store import Stored
from core.thread import Message, Thread, call_arguments, call_name, calls_of, text_of, with_messages
from tui.branch_actions import BranchActions
from tui.proposals import CONFLICT_WAYS
from tui.screens.ask import ChooseScreen, Way
from tui.turn_actions import TurnActions
from tui.turn_state import ThreadWork
from tui.widgets.editor import MessageEditor, compact, laid_out

DRAFT_SECONDS = 0.5
"""How soon what was typed is on disk."""
CALL_MARK = "▸ "
"""In another editor, a line that begins so names a call; its arguments follow."""
MIN_ROWS = 14
"""Height of the editor at least, where the pane has that."""

EDIT_CONFLICT_WAYS = (
    Way("t", "theirs", "leave the file as the other program wrote it; the edit stays as a draft"),
    *CONFLICT_WAYS[1:],
)
STALE_WAYS = (
    Way("r", "re-run", "take the stale turns off, into the alternatives, and ask the model again"),
    Way("y", "accept as they are", "they still hold; the marks go"),
    Way("b", "move to a branch", "a thread of their own keeps them; this one ends before them"),
)
_WAYS = {"r": "rerun", "y": "accept", "b": "branch"}


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
        self._draft_timer: Any = None

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {
            "turn.edit": self.edit,
            "turn.edit_external": self.edit_external,
            "turn.settle": self.ask_settle,
        }

    @property
    def editor(self) -> MessageEditor | None:
        """The editor, while it is open."""
        return self._turns.screen.query_one_optional(MessageEditor)

    # In place

    def edit(self) -> None:
        """Open the editor on the focused message, with what was typed there before and not saved."""
        found = self._focused()
        if found is None or self.editor is not None:
            return
        self._turns.do(partial(self._open, found))

    async def _open(self, found: _Edit) -> None:
        stem = found.seen.stem
        kept = (await asyncio.to_thread(drafts.load_drafts, self._turns.workspace, stem)).edit
        fields = kept.fields if kept is not None and kept.index == found.index else None
        if fields:
            self._turns.say("this is what was typed here before and not saved; ctrl+z does not go behind it")
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
        work = self._turns.work
        if work is None:
            return
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
        self._typed = {}
        await self._put_draft(found, {})
        self._close()
        if rerun:
            await self.settle(work, "rerun")

    def _moved_on(self, work: ThreadWork, found: _Edit) -> bool:
        """Whether the message that was edited is no longer what it was."""
        messages = work.stored.thread.messages
        return found.index >= len(messages) or messages[found.index] != found.message

    async def _save_message(self, work: ThreadWork, index: int, message: Message, unchecked: bool) -> bool:
        before = work.stored.thread.messages[index]
        if _calls(message) == _calls(before):
            return await self._turns.save(work, partial(curate.edit_message, unchecked=unchecked), index, message)
        tools, context = await asyncio.to_thread(self._equipment, work.stored.thread, index)
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
            tools, context = await asyncio.to_thread(self._equipment, whole, found.index)
            if context is not None:
                made = await asyncio.to_thread(edits.reexecuted, made, found.index, tools, context)
        changed = replace(proposal, messages=tuple(made.messages[proposal.position :]), complete=True, edited=True)
        work.replace(proposal, changed)
        self._turns.show(work)
        return True

    def _equipment(self, thread: Thread, index: int) -> tuple[Any, Any]:
        """The tools, and what a call in message `index` works on; no context when the session cannot be read."""
        from core.toolbox import context_for, open_toolbox

        tools = open_toolbox(self._turns.workspace)
        try:
            return tools, context_for(self._turns.workspace, with_messages(thread, thread.messages[:index]), tools)
        except SensorloomError:
            return tools, None

    # Stale turns

    def ask_settle(self) -> None:
        """Ask which way the stale turns are settled."""
        work = self._turns.work
        if work is None or work.run:
            return
        count = len(stale_messages(work.stored.thread))
        if not count:
            self._turns.say("nothing in this thread is stale")
            return

        def answered(way: str | None) -> None:
            if way is not None:
                self._turns.do(partial(self.settle, work, _WAYS[way]))

        many = "1 message rests" if count == 1 else f"{count} messages rest"
        text = f"{many} on something that changed. An export refuses the thread until that is settled."
        self._turns.screen.app.push_screen(ChooseScreen("stale turns", text, STALE_WAYS), answered)

    async def settle(self, work: ThreadWork, how: Any) -> None:
        """Settle what is stale in one of the three ways; re-running goes on with a proposal."""
        thread = work.stored.thread
        tools, context = await asyncio.to_thread(self._equipment, thread, len(thread.messages))
        function = partial(curate.settle_stale, tools=tools, context=context)
        if await self._turns.save(work, function, how) and how == "rerun" and work is self._turns.work:
            if work.stored.thread.status == "finished":
                self._turns.say("nothing rests on it, and the thread is finished: there is nothing to re-run")
            elif not work.slots:
                self._turns.run()

    # Another program's change

    def _ask_conflict(self, work: ThreadWork, found: _Edit, message: Message) -> None:
        def answered(way: str | None) -> None:
            if way == "d":
                mine = edits.edited(found.seen.thread, found.index, message)
                theirs = ("theirs", list(work.stored.thread.messages))
                self._branches.show_sides(theirs, ("mine", list(mine.messages)))
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
        self._typed = {}
        await self._put_draft(found, {})
        self._close()
        if way == "m":
            self._turns.replaced(work, stored)
        else:
            self._branches.opened(stored)

    # In another program

    def edit_external(self) -> None:
        """Hand the focused message to `$VISUAL` or `$EDITOR`, and take it back."""
        found = self._focused()
        if found is None:
            return
        head = _head(found.seen.thread, found)
        before = external_text(found.message, head)
        after = self._in_editor(before)
        if after is None or after == before:
            return
        try:
            message = from_external(found.message, head, after)
        except ValueError as error:
            self._turns.say(f"not taken: {error}", "error")
            return
        self._turns.do(partial(self._save, found, message, rerun=False, unchecked=False))

    def _in_editor(self, text: str) -> str | None:
        """The text as a person left it in their editor; None when that could not be run, or failed."""
        command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        handle, name = tempfile.mkstemp(prefix="sensorloom-", suffix=".md")
        path = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
            with self._turns.screen.app.suspend():
                ended = subprocess.run([*command, name], check=False).returncode
            if ended:
                self._turns.say(f"{command[0]} ended with {ended}; nothing was changed", "warning")
                return None
            return path.read_text(encoding="utf-8", errors="surrogateescape")
        except (OSError, SuspendNotSupported) as error:
            self._turns.say(f"cannot run {command[0]}: {error}; set $EDITOR to the editor you use", "error")
            return None
        finally:
            path.unlink(missing_ok=True)

    def _focused(self) -> _Edit | None:
        """The focused message, if it can be edited now."""
        work = self._turns.work
        if work is None:
            return None
        if work.run:
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


def external_text(message: Message, head: str = "") -> str:
    """A message for another editor: its text, then each call as a line with its name and its arguments below."""
    parts = [text_of(message)[len(head) :]]
    parts += [f"{CALL_MARK}{call_name(call)}\n{laid_out(call_arguments(call))}" for call in calls_of(message)]
    return "\n\n".join(parts)


def from_external(message: Message, head: str, text: str) -> Message:
    """The message as it came back from another editor; what was not touched stays byte for byte.

    Raises:
        ValueError: there are more or fewer calls than the message has; the sentence says so.
    """
    calls = calls_of(message)
    before = external_text(message, head)
    text = text if before.endswith("\n") else text.removesuffix("\n")
    if text == before:
        return message
    body, *blocks = text.split(f"\n\n{CALL_MARK}") if calls else [text]
    if len(blocks) != len(calls):
        raise ValueError(f"there must be {len(calls)} calls, each beginning with a line `{CALL_MARK}name`")
    made = message
    if body != text_of(message)[len(head) :]:
        made = edits.with_text(made, head + body)
    for number, (call, block) in enumerate(zip(calls, blocks, strict=True)):
        name, _, arguments = block.partition("\n")
        if arguments != laid_out(call_arguments(call)) or name != call_name(call):
            kept = arguments == laid_out(call_arguments(call))
            made = edits.with_call(made, number, name.strip(), call_arguments(call) if kept else compact(arguments))
    return made
