"""Where each message of a conversation stands: its blocks one under the other at a width, and where a reader is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from core.thread.value import Thread
from tui.widgets.conversation_lines import Block, block_of, lay_out
from tui.widgets.conversation_parts import Look, Part, parts_of
from tui.widgets.lines import Line

GUTTER = 2
"""Columns left of the text: the bar of the focused message, or the dotted one of a proposal."""
_MIN_WIDTH = 16


@dataclass(frozen=True, slots=True)
class ReadingPlace:
    """Where a reader is in a thread."""

    index: int
    """The message in focus."""
    scroll: float
    """The uppermost line."""
    opened: frozenset[int]
    """What is unfolded."""
    brief: frozenset[int]
    """What is unfolded as far as everything is that is unfolded at once."""
    at_end: bool
    """Whether the last message is in focus and its end in view; then what is added is followed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a conversation, and the line that each begins at."""

    blocks: tuple[Block, ...] = ()
    tops: tuple[int, ...] = ()
    width: int = 0
    """Columns, the gutter included."""

    def position_of(self, index: int) -> int:
        """The position of the block of message `index`, or of the last one before it."""
        return max(0, bisect_right(self.blocks, index, key=lambda block: block.part.index) - 1)

    def position_at(self, row: int) -> int:
        """The position of the block that line `row` belongs to; -1 above the first."""
        return bisect_right(self.tops, row) - 1

    def span(self, position: int) -> tuple[int, int]:
        """First line and height of a block."""
        return self.tops[position], len(self.blocks[position].lines)

    def lines(self, focus: int) -> list[Line]:
        """All lines with their gutter, one block being in focus."""
        rows: list[Line] = []
        for position, block in enumerate(self.blocks):
            rows += block.focused if position == focus else block.unfocused
        return rows


def layout_of(
    thread: Thread | None, look: Look, width: int, before: Layout, ready: tuple[Sequence[Block], int] | None = None
) -> Layout:
    """The layout at a width. Blocks that did not change are taken from `before`.

    Args:
        thread: what is laid out; nothing where there is none.
        look: how it is looked at.
        width: columns, the gutter included.
        before: an earlier layout.
        ready: blocks that were laid out elsewhere, and the width they were laid out at.
    """
    known = {block.part.index: block for block in before.blocks} if width == before.width else {}
    if ready is not None and ready[1] == width:
        known |= {block.part.index: block for block in ready[0]}
    parts = parts_of(thread, look) if thread is not None else []
    blocks = tuple(lay_out(parts, text_width(width), known))
    tops = accumulate((len(block.lines) for block in blocks), initial=0)
    return Layout(blocks, tuple(tops)[: len(blocks)], width)


def whole_block(part: Part, width: int) -> Block:
    """The block of a part of which only the beginning was laid out."""
    return block_of(part, text_width(width))


def text_width(width: int) -> int:
    """Columns for the text where the pane has `width`."""
    return max(_MIN_WIDTH, width - GUTTER)
