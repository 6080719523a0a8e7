"""The conversation pane: one thread, one message in focus, drawn line by line.

What the lines are is decided in `conversation_lines`; this module knows focus, folding and scrolling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.message import Message

from core.thread.value import Thread, is_assistant
from tui.widgets.conversation_layout import GUTTER, Layout, Place, layout_of, text_width, whole_block
from tui.widgets.conversation_lines import HANGING_LABEL, Block
from tui.widgets.conversation_parts import Look
from tui.widgets.line_view import PagedView
from tui.widgets.lines import wrapped

REST_SECONDS = 0.08
"""How long after a message was unfolded the part of it that is off the screen is laid out: its bytes go first."""


class Conversation(PagedView, can_focus=True):
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
        self._layout = Layout()
        self._focus = 0
        self._empty = ""

    @property
    def thread(self) -> Thread | None:
        """The thread on the screen."""
        return self._thread

    @property
    def look(self) -> Look:
        """How it is looked at."""
        return self._look

    @property
    def index(self) -> int:
        """The focused message's index; a proposal's messages come after the thread's own."""
        return self._layout.blocks[self._focus].part.index if self._layout.blocks else 0

    @property
    def place(self) -> Place:
        """Where the reader is."""
        at_end = self.is_vertical_scroll_end and self._focus >= self._last
        return Place(self.index, self.scroll_offset.y, self._look.opened, at_end)

    def open(self, thread: Thread, look: Look | None = None, place: Place | None = None) -> None:
        """Show another thread, from its end, where the work goes on, or from where the reader left it."""
        self._thread, self._look = thread, look or Look(blind=self._look.blind)
        if place is not None:
            self._look = replace(self._look, opened=place.opened)
        self._layout = Layout()
        self._lay_out()
        back = None if place is None or place.at_end else place
        self._focus = self._layout.place_of(back.index) if back else self._last
        self._draw()
        self.scroll_line(back.scroll if back else self.max_scroll_y)
        self.post_message(self.Focused(self.index))

    def show(self, thread: Thread, look: Look | None = None) -> None:
        """Show a newer value of the same thread, keeping focus and scroll; a reader at the end stays at the end."""
        focused, was_last = self.index, self._focus >= self._last
        at_end = self.is_vertical_scroll_end and (was_last or self.max_scroll_y > 0)
        self._thread, self._look = thread, look or self._look
        self._lay_out()
        self._focus = self._last if was_last and at_end else self._layout.place_of(focused)
        self._draw()
        if at_end and self.scroll_offset.y != self.max_scroll_y:
            self.scroll_line(self.max_scroll_y)
        if self.index != focused:
            self.post_message(self.Focused(self.index))

    def clear(self, message: str = "") -> None:
        """Show no thread, and say why."""
        self._thread, self._look, self._layout, self._empty = None, Look(blind=self._look.blind), Layout(), message
        self._focus = 0
        self._draw()

    def focus_message(self, index: int) -> None:
        """Put a message in focus and bring it into view."""
        self._go(self._layout.place_of(index))

    def rows_of(self, index: int) -> tuple[int, int]:
        """First line and height of a message, without the empty line above it."""
        if not self._layout.blocks:
            return 0, 0
        place = self._layout.place_of(index)
        gap = int(self._layout.blocks[place].part.gap)
        top, height = self._layout.span(place)
        return top + gap, height - gap

    def _copied(self, text: str) -> str:
        """Selected text without the gutter and the label column of the lines that it begins."""
        first, *rest = text.split("\n")
        return "\n".join([first, *(_without_margin(line) for line in rest)])

    def action_move_down(self) -> None:
        """Focus the next message."""
        self._step(1)

    def action_move_up(self) -> None:
        """Focus the previous message."""
        self._step(-1)

    def action_move_turn(self, step: int) -> None:
        """Focus the next or previous assistant turn."""
        place, blocks = self._focus + step, self._layout.blocks
        while 0 <= place < len(blocks) and not is_assistant(blocks[place].part.message):
            place += step
        self._go(place)

    def action_move_first(self) -> None:
        """Focus the first message."""
        self._go(0)

    def action_move_last(self) -> None:
        """Focus the last message and show its end."""
        self._go(self._last)
        self.scroll_line(self.max_scroll_y)

    def action_unfold(self, opened: bool | None = None) -> None:
        """Unfold the focused message's long parts, or fold them; without an argument, whichever it is not."""
        if not self._layout.blocks:
            return
        if opened is None:
            opened = self.index not in self._look.opened
        changed = self._look.opened | {self.index} if opened else self._look.opened - {self.index}
        if changed != self._look.opened and (self._layout.blocks[self._focus].folds or not opened):
            self._look = replace(self._look, opened=changed, begun=self.index if opened else -1)
            self._lay_out()
            self._draw()
            self._into_view()
            if opened:
                self.set_timer(REST_SECONDS, self._finish_unfolding)

    def _finish_unfolding(self) -> None:
        """Lay out the rest of what was unfolded, now that its beginning is on the screen, off the screen's loop."""
        begun = self._look.begun
        blocks = self._layout.blocks
        part = blocks[self._layout.place_of(begun)].part if blocks else None
        if part is None or part.index != begun or not part.begun:
            return
        whole, width = replace(part, begun=False), self._layout.width

        def work() -> None:
            self.post_message(self.Unfolded(whole_block(whole, width), width))

        self.run_worker(work, thread=True, exclusive=True, group="unfold")

    def _on_conversation_unfolded(self, event: Conversation.Unfolded) -> None:
        if self._look.begun == event.block.part.index:
            self._look = replace(self._look, begun=-1)
            self._lay_out((event.block, event.width))
            self._draw()

    def action_blind(self) -> None:
        """Hide the truth, or show it."""
        self._look = replace(self._look, blind=not self._look.blind)
        self._lay_out()
        self._draw()
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
        place = self._layout.place_at(event.y + int(self.scroll_offset.y))
        if place < 0:
            return
        self._set_focus(place)
        if event.chain == 2:
            self.action_unfold()

    def on_resize(self, event: Resize) -> None:
        """Wrap again at the new width, keeping the place."""
        if self._layout.width == self.body.width:
            return
        at_end = self.is_vertical_scroll_end
        self._lay_out()
        self._draw()
        if at_end:
            self.scroll_line(self.max_scroll_y)
        else:
            self._into_view()

    def _lay_out(self, made: tuple[Block, int] | None = None) -> None:
        self._layout = layout_of(self._thread, self._look, self.body.width, self._layout, made)
        self._focus = min(self._focus, self._last)

    @property
    def _last(self) -> int:
        return max(0, len(self._layout.blocks) - 1)

    def _draw(self) -> None:
        """Hand the lines with their gutter to the pane."""
        if self._thread is None:
            empty = wrapped(self._empty, text_width(self.body.width - GUTTER), "dim")
            self.put([(), *(((" " * GUTTER, "text"), *line) for line in empty)])
        else:
            self.put(self._layout.lines(self._focus))

    def _step(self, step: int) -> None:
        """Focus the next or previous message; one that is taller than the pane is scrolled through first."""
        if not self._layout.blocks:
            return
        page, seen = self.body.height, self.scroll_offset.y
        top, height = self._layout.span(self._focus)
        bottom = top + height
        on_screen = top < seen + page and bottom > seen
        if on_screen and (bottom > seen + page if step > 0 else top < seen):
            super()._page(step)
        else:
            self._go(self._focus + step)

    def _page(self, step: int) -> None:
        """Scroll by a page; the focus comes along when it would be left off the screen."""
        super()._page(step)
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.body.height
        if self._layout.blocks:
            own, height = self._layout.span(self._focus)
            if own + height <= top or own >= bottom:
                self._set_focus(max(0, self._layout.place_at(int(top if step > 0 else bottom - 1))))

    def _go(self, place: int) -> None:
        if self._layout.blocks:
            self._set_focus(min(max(place, 0), self._last))
            self._into_view()

    def _set_focus(self, place: int) -> None:
        if place != self._focus:
            self._focus = place
            self._draw()
            self.post_message(self.Focused(self.index))

    def _into_view(self) -> None:
        if not self._layout.blocks:
            return
        page, seen = self.body.height, self.scroll_offset.y
        top, size = self._layout.span(self._focus)
        if top < seen or size > page:
            self.scroll_line(top)
        elif top + size > seen + page:
            self.scroll_line(top + size - page)


def _without_margin(line: str) -> str:
    line = line[GUTTER:]
    return line[HANGING_LABEL:] if line.startswith(" " * HANGING_LABEL) else line.removeprefix("  ")
