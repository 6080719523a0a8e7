"""Searching the open conversation: the line it is typed in, the hits, and the walk from one to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from textual.widgets import Input

from tui.open_thread.open_thread import OpenThread
from tui.widgets.hits import Hits, SearchedTexts, pattern_of, rows_with
from tui.widgets.plain import Plain


class Searching:
    """Finds text in the open thread. The hits are counted off the screen's loop, in the stored text, so that what is
    folded, or was never laid out, is found as well."""

    def __init__(
        self,
        thread: OpenThread,
        line: Input,
        count: Plain,
        words: Callable[[], Sequence[str]],
        show_searched: Callable[[bool], None],
    ) -> None:
        """Searches the open thread.

        Args:
            thread: which is searched.
            line: what is searched for is typed here.
            count: says which of how many hits is shown.
            words: what the list's filter looks for in texts, which is marked while nothing else is searched for.
            show_searched: shows the keys that walk the hits, or no longer.
        """
        self._thread = thread
        self._line = line
        self._count = count
        self._words = words
        self._show_searched = show_searched
        self._texts = SearchedTexts()
        self._reading = asyncio.Lock()
        self._hits = Hits()
        self._number = 0
        self._began_at = 0
        """The message that was in focus when the search began."""
        line.can_focus = False
        thread.conversation.unfolded = self._show_hit

    @property
    def _wanted(self) -> str:
        return self._line.value.strip()

    def begin(self) -> None:
        """Go to the line."""
        self._began_at = self._thread.conversation.index
        self._line.display = True
        self._line.can_focus = True
        self._line.screen.set_focus(self._line)  # at once: what is typed next belongs to the line
        self._line.select_all()
        self._show_searched(True)
        self._thread.screen.run_worker(self._read, group="search texts")

    def typed(self, text: str) -> None:
        """Find what was typed so far, from where the reader was when the search began."""
        self._mark()
        if text.strip():
            self._thread.screen.run_worker(partial(self._find, self._began_at), group="search", exclusive=True)
        else:
            self._tell(Hits(), "")

    def entered(self) -> None:
        """Go on with the hits in the conversation; with nothing typed, end."""
        if not self._wanted:
            self.end()
            return
        self._hide_line()

    def step(self, step: int) -> None:
        """Go to the next hit, or the one before; past the last comes the first."""
        if not self._wanted:
            self._thread.say("nothing is searched for in this conversation; / there begins a search")
        elif self._hits.total:
            self._number = (self._number + step) % self._hits.total
            self._tell(self._hits, "")
            self._show_hit()

    def end(self) -> None:
        """Search for nothing any more."""
        self._line.value = ""
        self._hide_line()
        self._tell(Hits(), "")
        self._mark()
        self._show_searched(False)

    def opened(self) -> None:
        """Another thread is open: mark what the list's filter looks for, or, while a search is on, find it here."""
        self._mark()
        if self._wanted:
            self._thread.screen.run_worker(partial(self._find, None), group="search", exclusive=True)

    async def _find(self, first: int | None) -> None:
        """Count the hits, and show the first in message `first` or after it; none where the reader is not led."""
        wanted, conversation = self._wanted, self._thread.conversation
        await self._read()
        hits = await asyncio.to_thread(self._texts.hits, wanted)
        self._number = hits.first_from(conversation.index if first is None else first)
        self._tell(hits, "no hit" if not hits.total else "")
        if first is not None:
            self._show_hit()

    async def _read(self) -> None:
        """Have the texts ready, which a long thread takes longer for than to look through them."""
        parts = [block.part for block in self._thread.conversation.laid.blocks]
        if self._texts.are_of(parts):
            return  # as at each letter but the first
        async with self._reading:
            self._texts = await asyncio.to_thread(self._texts.of, parts)

    def _tell(self, hits: Hits, problem: str) -> None:
        self._hits = hits
        many = f"{self._number + 1} of {hits.total} · {len(hits.counts)} message{'s' if len(hits.counts) > 1 else ''}"
        self._count.show(f"/{self._wanted}  {problem or many}" if problem or hits.total else "")
        self._count.display = bool(problem or hits.total)

    def _mark(self) -> None:
        self._thread.conversation.mark(pattern_of([self._wanted] if self._wanted else self._words()))

    def _show_hit(self) -> None:
        """Bring the hit to the screen; where it is folded away, unfold its message first."""
        conversation, pattern = self._thread.conversation, pattern_of([self._wanted])
        if pattern is None or not self._hits.total:
            return
        index, nth = self._hits.at(self._number)
        block = conversation.laid.blocks[conversation.laid.position_of(index)]
        rows = rows_with(block, pattern)
        if nth >= len(rows) and block.folds and not (block.part.opened and not block.part.brief):
            conversation.focus_message(index)
            conversation.action_unfold(True)
            block = conversation.laid.blocks[conversation.laid.position_of(index)]
            rows = rows_with(block, pattern)
        conversation.show_row(index, rows[min(nth, len(rows) - 1)] if rows else 0)

    def _hide_line(self) -> None:
        self._line.display = False
        if self._line.has_focus:
            self._thread.conversation.focus()
        self._line.can_focus = False
