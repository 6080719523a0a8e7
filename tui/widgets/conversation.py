"""The conversation pane: one thread, one message in focus, drawn line by line.

What the lines are is decided in `conversation_lines`, where the focus is in `focused_blocks`; this module knows what is
shown, and what of it is unfolded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.message import Message

from core.thread.value import Thread
from tui.widgets.conversation_layout import GUTTER, Layout, ReadingPlace, layout_of, text_width, whole_block
from tui.widgets.conversation_lines import HANGING_LABEL, Block
from tui.widgets.conversation_parts import Look
from tui.widgets.focused_blocks import FocusedBlocks
from tui.widgets.lines import wrapped

REST_SECONDS = 0.08
"""How long after a message was unfolded the part of it that is off the screen is laid out: its bytes go first."""


class Conversation(FocusedBlocks):
    """Shows a thread and follows its end while the reader is there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J", "move_turn(1)", "next turn", id="conversation.next_turn", show=False),
        Binding("K", "move_turn(-1)", "previous turn", id="conversation.previous_turn", show=False),
        Binding("right", "unfold(True)", "unfold", id="conversation.unfold", show=False),
        Binding("left", "unfold(False)", "fold", id="conversation.fold", show=False),
        *(Binding(str(n), f"take({n})", f"take proposal {n}", show=False) for n in range(1, 10)),
    ]

    @dataclass
    class Focused(Message):
        """Another message is in focus."""

        index: int
        """Its index in the thread's messages; the proposal's come after the thread's own."""

    @dataclass
    class Unfolded(Message):
        """The rest of a message that was unfolded is laid out."""

        block: Block
        width: int

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
        self._thread, self._look = thread, look or Look(blind=self._look.blind)
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
        focused, was_last = self.index, self.position >= self.last
        at_end = self.is_vertical_scroll_end and (was_last or self.max_scroll_y > 0)
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
        self._thread, self._look, self.laid, self._empty = None, Look(blind=self._look.blind), Layout(), message
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
        """Unfold every message, of long parts the beginning, or fold every one."""
        folding = (block.part.index for block in self.laid.blocks if block.folds)
        brief = frozenset(folding) - self._look.opened if opened else frozenset[int]()
        alone = self._look.opened if opened else frozenset[int]()
        self._look = replace(self._look, opened=alone, brief=brief, begun=-1)
        self._lay_out()
        self.draw()
        self.bring_into_view()

    def _finish_unfolding(self) -> None:
        """Lay out the rest of what was unfolded, now that its beginning is on the screen, off the screen's loop."""
        begun = self._look.begun
        blocks = self.laid.blocks
        part = blocks[self.laid.position_of(begun)].part if blocks else None
        if part is None or part.index != begun or not part.begun:
            return
        whole, width = replace(part, begun=False), self.laid.width

        def work() -> None:
            self.post_message(self.Unfolded(whole_block(whole, width), width))

        self.run_worker(work, thread=True, exclusive=True, group="unfold")

    def _on_conversation_unfolded(self, event: Conversation.Unfolded) -> None:
        if self._look.begun == event.block.part.index:
            self._look = replace(self._look, begun=-1)
            self._lay_out((event.block, event.width))
            self.draw()
            self.unfolded()

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
        at_end = self.is_vertical_scroll_end
        self._lay_out()
        self.draw()
        if at_end:
            self.scroll_line(self.max_scroll_y)
        else:
            self.bring_into_view()

    def _lay_out(self, ready: tuple[Block, int] | None = None) -> None:
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


def _without_margin(line: str) -> str:
    line = line[GUTTER:]
    return line[HANGING_LABEL:] if line.startswith(" " * HANGING_LABEL) else line.removeprefix("  ")
