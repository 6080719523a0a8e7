"""How far a dataset's table is under way, in the bottom line. Whatever needs it waits off the screen's loop."""

from __future__ import annotations

import time
from contextlib import ExitStack

from textual.screen import Screen

from core.datasets.table_news import TableNews, told_of_tables
from tui.widgets.key_bar import KeyBar

AGAIN_SEC = 0.2
"""Between two looks."""
LEAST_SEC = 0.5
"""A table that is there sooner is not told of."""


class TablesUnderWay:
    """Hears of tables from when it is made until it is closed."""

    def __init__(self, screen: Screen[None], bar: KeyBar) -> None:
        self._screen = screen
        self._bar = bar
        self._begun = self._shown = 0.0
        self._told = ExitStack()
        self._told.enter_context(told_of_tables(self._hear))

    def close(self) -> None:
        """Hear no more. Doing it again does no harm."""
        self._told.close()

    def _hear(self, news: TableNews) -> None:
        """Called on the thread that makes the table."""
        now = time.monotonic()
        if news.done == 0 and not news.elsewhere:
            self._begun = now
        if news.over:
            self._screen.call_later(self._bar.show_note, "")
        elif now - self._begun >= LEAST_SEC and now - self._shown >= AGAIN_SEC:
            self._shown = now
            share = "" if news.elsewhere else f" {news.done / max(news.total, 1):.0%}"
            self._screen.call_later(self._bar.show_note, f"{news.sentence}{share}")
