"""The conversation pane: one thread, one message in focus, drawn line by line.

What the lines are is decided in `conversation_lines`, where the focus is in `focused_blocks`; this module knows what is
shown, and what of it is unfolded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.events import Click, Resize
from textual.message import Message

from core.thread.value import Thread
from tui.local_keys import keys_of, local_bindings
from tui.widgets.conversation_layout import GUTTER, Layout, ReadingPlace, layout_of, text_width, whole_block
from tui.widgets.conversation_lines import HANGING_LABEL, Block
from tui.widgets.conversation_parts import Look
from tui.widgets.focused_blocks import FocusedBlocks, follows_end
from tui.widgets.lines import wrapped

REST_SECONDS = 0.08
"""How long after a message was unfolded the part of it that is off the screen is laid out: its bytes go first."""


class Conversation(FocusedBlocks):
    """Shows a thread and follows its end while the reader is there."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("conversation")]

    @dataclass
    class Focused(Message):
        """Another message is in focus."""

        index: int
        """Its index in the thread's messages; the proposal's come after the thread's own."""

    @dataclass
    class Unfolded(Message):
        """What was unfolded, or folded, is laid out, the part of it that was off the screen as well."""

        blocks: Sequence[Block]
        width: int
        version: int
        """Of what was asked for; others are no longer wanted."""
        of_all: bool | None = None
        """Whether every message was unfolded; False: folded; None: it is the rest of a single one."""

    @dataclass
    class Taken(Message):
        """One of several proposals is to be taken."""

        number: int
        """Counted from 1."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._thread: Thread | None = None
        self._look = Look()
        self._empty = ""
        self._version = 0
        """Counts what is asked for that is laid out off the screen's loop."""
        self.unfolded: Callable[[], object] = lambda: None
        """Called when the rest of a message was laid out."""

    @property
    def thread(self) -> Thread | None:
        """The thread on the screen."""
        return self._thread

    @property
    def look(self) -> Look:
        """How it is looked at."""
        return self._look

    @property
    def reading_place(self) -> ReadingPlace:
        """Where the reader is."""
        at_end = self.is_vertical_scroll_end and self.position >= self.last
        return ReadingPlace(self.index, self.scroll_offset.y, self._look.opened, self._look.brief, at_end)

    def open(self, thread: Thread, look: Look | None = None, place_before: ReadingPlace | None = None) -> None:
        """Show another thread, from its end, where the work goes on, or from where the reader left it."""
        self._version += 1
        self._thread, self._look = thread, look or first_look(self)
        if place_before is not None:
            self._look = replace(self._look, opened=place_before.opened, brief=place_before.brief)
        self.laid = Layout()
        self._lay_out()
        back = None if place_before is None or place_before.at_end else place_before
        self.position = self.laid.position_of(back.index) if back else self.last
        self.draw()
        self.scroll_line(back.scroll if back else self.max_scroll_y)
        self.post_message(self.Focused(self.index))

    def show(self, thread: Thread, look: Look | None = None) -> None:
        """Show a newer value of the same thread, keeping focus and scroll; a reader at the end stays at the end."""
        focused, was_last, at_end = self.index, self.position >= self.last, follows_end(self)
        self._thread, self._look = thread, look or self._look
        self._lay_out()
        self.position = self.last if was_last and at_end else self.laid.position_of(focused)
        self.draw()
        if at_end and self.scroll_offset.y != self.max_scroll_y:
            self.scroll_line(self.max_scroll_y)
        if self.index != focused:
            self.post_message(self.Focused(self.index))

    def focus_moved(self) -> None:
        """Say so."""
        self.post_message(self.Focused(self.index))

    def clear(self, message: str = "") -> None:
        """Show no thread, and say why."""
        self._thread, self._look, self.laid, self._empty = None, first_look(self), Layout(), message
        self.position = 0
        self.draw()

    def _copied(self, text: str) -> str:
        """Selected text without the gutter and the label column of the lines that it begins."""
        first, *rest = text.split("\n")
        return "\n".join([first, *(_without_margin(line) for line in rest)])

    def action_unfold(self, opened: bool | None = None) -> None:
        """Unfold the focused message's long parts, or fold them; without an argument, whichever it is not."""
        if not self.laid.blocks:
            return
        if opened is None:
            opened = not self.laid.blocks[self.position].part.opened
        alone, brief = self._look.opened, self._look.brief - {self.index}
        changed = alone | {self.index} if opened else alone - {self.index}
        if (changed, brief) != (alone, self._look.brief) and (self.laid.blocks[self.position].folds or not opened):
            self._look = replace(self._look, opened=changed, brief=brief, begun=self.index if opened else -1)
            self._lay_out()
            self.draw()
            self.bring_into_view()
            if opened:
                self.set_timer(REST_SECONDS, self._finish_unfolding)

    def action_unfold_all(self, opened: bool) -> None:
        """Unfold every message, of long parts the beginning, or fold every one: those in view at once, the others off
        the screen's loop, since a long thread has thousands of lines."""
        before, now, blocks = self.laid, self._look, self.laid.blocks
        top, end = self.scroll_offset.y, self.scroll_offset.y + self.body.height
        near = frozenset(
            block.part.index for block in blocks[max(0, before.position_at(top)) : before.position_at(end) + 1]
        )
        alone = now.opened if opened else frozenset[int]()
        every = frozenset(block.part.index for block in blocks if block.folds) - alone if opened else frozenset[int]()
        if opened:
            self._look = replace(now, brief=now.brief | (every & near))
        else:
            self._look = replace(now, opened=now.opened - near, brief=now.brief - near, begun=-1)
        self._lay_out()
        self.draw()
        self.bring_into_view()
        self._version += 1
        thread, wanted, version = self._thread, replace(self._look, opened=alone, brief=every), self._version
        if (self._look.opened, self._look.brief) == (alone, every):
            return
        laid = self.laid

        def work() -> None:
            whole = layout_of(thread, wanted, laid.width, laid)
            self.post_message(self.Unfolded(whole.blocks, laid.width, version, opened))

        self.run_worker(work, thread=True, exclusive=True, group="unfold")

    def _finish_unfolding(self) -> None:
        """Lay out the rest of what was unfolded, now that its beginning is on the screen, off the screen's loop."""
        begun = self._look.begun
        blocks = self.laid.blocks
        part = blocks[self.laid.position_of(begun)].part if blocks else None
        if part is None or part.index != begun or not part.begun:
            return
        whole, width, version = replace(part, begun=False), self.laid.width, self._version

        def work() -> None:
            self.post_message(self.Unfolded((whole_block(whole, width),), width, version))

        self.run_worker(work, thread=True, exclusive=True, group="unfold rest")

    def _on_conversation_unfolded(self, event: Conversation.Unfolded) -> None:
        """Show it, the focused message staying where it is."""
        look, blocks = self._look, event.blocks
        is_wanted = look.begun == blocks[0].part.index if event.of_all is None else event.version == self._version
        if not is_wanted or not self.laid.blocks:
            return
        if event.of_all:
            folding = frozenset(block.part.index for block in blocks if block.folds)
            self._look = replace(look, brief=(look.brief | folding) - look.opened)
        elif event.of_all is None:
            self._look = replace(look, begun=-1)
        else:
            self._look = replace(look, opened=frozenset(), brief=frozenset())
        below = self.scroll_offset.y - self.laid.span(self.position)[0]
        self._lay_out((blocks, event.width))
        self.draw()
        if event.of_all is None:
            self.unfolded()
        else:
            self.scroll_line(self.laid.span(self.position)[0] + below)

    def action_blind(self) -> None:
        """Hide the truth, or show it."""
        self._look = replace(self._look, blind=not self._look.blind)
        self._lay_out()
        self.draw()
        self.post_message(self.Focused(self.index))

    def action_take(self, number: int) -> None:
        """Take one of several proposals."""
        self.post_message(self.Taken(number))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Digits take a proposal only where there are several; else they go on to the screen."""
        return action != "take" or len(self._look.drafts) > 1

    @on(Click)
    def _clicked(self, event: Click) -> None:
        """Focus the message that was clicked; a double click folds or unfolds it."""
        position = self.laid.position_at(event.y + int(self.scroll_offset.y))
        if position < 0:
            return
        self.focus_position(position)
        if event.chain == 2:
            self.action_unfold()

    def on_resize(self, event: Resize) -> None:
        """Wrap again at the new width, keeping the place."""
        if self.laid.width == self.body.width:
            return
        at_end = follows_end(self)
        self._lay_out()
        self.draw()
        if at_end:
            self.scroll_line(self.max_scroll_y)
        else:
            self.bring_into_view()

    def _lay_out(self, ready: tuple[Sequence[Block], int] | None = None) -> None:
        self.laid = layout_of(self._thread, self._look, self.body.width, self.laid, ready)
        self.position = min(self.position, self.last)
        self.question = self._look.question

    def draw(self) -> None:
        """Hand the lines with their gutter to the pane."""
        if self._thread is None:
            empty = wrapped(self._empty, text_width(self.body.width - GUTTER), "dim")
            self.put([(), *(((" " * GUTTER, "text"), *line) for line in empty)])
        else:
            super().draw()


def first_look(conversation: Conversation) -> Look:
    """How another thread is looked at at first."""
    return Look(blind=conversation.look.blind, keys=keys_of(conversation))


def _without_margin(line: str) -> str:
    line = line[GUTTER:]
    return line[HANGING_LABEL:] if line.startswith(" " * HANGING_LABEL) else line.removeprefix("  ")
