"""Blocks of lines one under the other, one of them in focus: moving the focus, and keeping it in view."""

from __future__ import annotations

from collections.abc import Sequence

from core.thread.value import calls_of, is_assistant
from tui.widgets.conversation_layout import Layout
from tui.widgets.conversation_lines import Block
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Line, fit


class FocusedBlocks(PagedView, can_focus=True):
    """Knows where the focus is and what of it can be seen. What the blocks are, and when, a subclass decides."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.laid = Layout()
        """The blocks, and where each begins."""
        self.position = 0
        """Which of them is in focus."""
        self.question = ""
        """Stays in sight in one line once the first block is scrolled away; empty where it need not."""

    @property
    def index(self) -> int:
        """The focused message's index; a proposal's messages come after the thread's own."""
        return self.laid.blocks[self.position].part.index if self.laid.blocks else 0

    @property
    def last(self) -> int:
        """The position of the last block."""
        return max(0, len(self.laid.blocks) - 1)

    def pinned(self) -> Line:
        """The question, once its own lines are scrolled away."""
        if not self.question or len(self.laid.blocks) < 2 or self.scroll_offset.y < self.laid.tops[1]:
            return ()
        return fit([("  ", "text"), ("QUESTION ", "label"), (self.question, "user")], self.body.width)

    def draw(self) -> None:
        """Hand the lines to the pane."""
        self.put(self.laid.lines(self.position))

    def focus_moved(self) -> None:
        """Another block is in focus."""

    def focus_message(self, index: int) -> None:
        """Put a message in focus and bring it into view."""
        self._go(self.laid.position_of(index))

    def rows_of(self, index: int) -> tuple[int, int]:
        """First line and height of a message, without the empty line above it."""
        if not self.laid.blocks:
            return 0, 0
        position = self.laid.position_of(index)
        gap = int(self.laid.blocks[position].part.gap)
        top, height = self.laid.span(position)
        return top + gap, height - gap

    def action_move_down(self) -> None:
        """Focus the next message."""
        self._step(1)

    def action_move_up(self) -> None:
        """Focus the previous message."""
        self._step(-1)

    def action_move_turn(self, step: int) -> None:
        """Focus the next or previous assistant turn."""
        position, blocks = self.position + step, self.laid.blocks
        while 0 <= position < len(blocks) and not is_assistant(blocks[position].part.message):
            position += step
        self._go(position)

    def action_move_call(self, step: int) -> None:
        """Focus the result of the next or previous tool call, or a call that has none."""
        position, blocks = self.position + step, self.laid.blocks
        while 0 <= position < len(blocks) and not _ends_call(blocks[position : position + 2]):
            position += step
        if 0 <= position < len(blocks):
            self._go(position)

    def show_row(self, index: int, row: int) -> None:
        """Put a message in focus, with one of its lines, counted from 0, where it can be seen."""
        position = self.laid.position_of(index)
        self.focus_position(position)
        top = self.laid.span(position)[0] + row
        seen, page = self.scroll_offset.y, self.body.height
        if not seen < top < seen + page - 1:
            self.scroll_line(top - page // 3)

    def action_move_first(self) -> None:
        """Focus the first message."""
        self._go(0)

    def action_move_last(self) -> None:
        """Focus the last message and show its end."""
        self._go(self.last)
        self.scroll_line(self.max_scroll_y)

    def _step(self, step: int) -> None:
        """Focus the next or previous message; one that is taller than the pane is scrolled through first."""
        if not self.laid.blocks:
            return
        page, seen = self.body.height, self.scroll_offset.y
        top, height = self.laid.span(self.position)
        bottom = top + height
        on_screen = top < seen + page and bottom > seen
        if on_screen and (bottom > seen + page if step > 0 else top < seen):
            super()._page(step)
        else:
            self._go(self.position + step)

    def _page(self, step: int) -> None:
        """Scroll by a page; the focus comes along when it would be left off the screen."""
        super()._page(step)
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.body.height
        if self.laid.blocks:
            own, height = self.laid.span(self.position)
            if own + height <= top or own >= bottom:
                self.focus_position(max(0, self.laid.position_at(int(top if step > 0 else bottom - 1))))

    def _go(self, position: int) -> None:
        if self.laid.blocks:
            self.focus_position(min(max(position, 0), self.last))
            self.bring_into_view()

    def focus_position(self, position: int) -> None:
        """Put a block in focus, wherever it is."""
        if position != self.position:
            self.position = position
            self.draw()
            self.focus_moved()

    def bring_into_view(self) -> None:
        """Scroll as far as the block in focus needs."""
        if not self.laid.blocks:
            return
        page, seen = self.body.height, self.scroll_offset.y
        top, size = self.laid.span(self.position)
        covered = int(bool(self.pinned()))  # the first row, once there is one
        if top < seen + covered or size > page:
            self.scroll_line(top if self.position < 2 else top - covered)
        elif top + size > seen + page:
            self.scroll_line(top + size - page)


def follows_end(blocks: FocusedBlocks) -> bool:
    """Whether the reader is at the end. Where all fits on the screen the focus tells."""
    return blocks.is_vertical_scroll_end and (blocks.position >= blocks.last or blocks.max_scroll_y > 0)


def _ends_call(blocks: Sequence[Block]) -> bool:
    """Whether the first of these blocks is a call's result, or makes a call that the next one does not answer."""
    message, *after = (block.part.message for block in blocks)
    unanswered = bool(calls_of(message)) and not any(other.get("role") == "tool" for other in after)
    return message.get("role") == "tool" or unanswered
