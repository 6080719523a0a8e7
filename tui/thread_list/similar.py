"""The list as threads similar to one: a term of the filter, the nearest first, and why each is near."""

from __future__ import annotations

from core.filters.language import narrowed, without
from core.filters.queue import QUEUE
from core.filters.values import term
from core.listing.order import NEAREST
from core.text import one_line
from tui.keys import Keys
from tui.thread_list.arranging import Arranging
from tui.thread_list.filter_line import FilterLine


class Similar:
    """Puts the term into the filter and takes it out again. The rest of the filter stays in force."""

    def __init__(self, arranging: Arranging, filter_line: FilterLine, keys: Keys) -> None:
        self._arranging = arranging
        self._filter_line = filter_line
        self._keys = keys
        self._order_before: tuple[str, bool] | None = None
        """The sort, and whether it was turned round, to go back to."""
        arranging.shown_anew = self.tell

    def begin(self) -> None:
        """List the threads that are like the one under the cursor."""
        arranging, current = self._arranging, self._arranging.current
        if current is None:
            return
        if arranging.sort != NEAREST:
            self._order_before = arranging.sort, arranging.turned
        arranging.sort, arranging.turned = NEAREST, False
        rest = without(self._filter_line.text, "similar")
        self._filter_line.put(narrowed(rest, term("similar", current.stem)))

    def end(self) -> None:
        """List what was listed before, in the order of before."""
        arranging = self._arranging
        if arranging.sort == NEAREST:
            arranging.sort, arranging.turned = self._order_before or ("newest", False)
        self._filter_line.put(without(self._filter_line.text, "similar"))

    def tell(self) -> None:
        """Say under the list how near the thread under the cursor is, and why; and what comes after the queue."""
        current = self._arranging.current
        likeness = self._arranging.filter.likeness.get(current.stem) if current is not None else None
        ends = f"{self._keys['list.similar_end']} ends"
        text = f"{likeness.score:.0%} like it: {one_line(likeness.reason)} · {ends}" if likeness is not None else ""
        if f"saved:{QUEUE}" in self._filter_line.text.split() and not self._arranging.shown:
            text = f"all judged · {self._keys['list.propose']} goes on for the goal, {self._keys['export.now']} exports"
        self._filter_line.tell(text)
