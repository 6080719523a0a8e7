"""A line on stderr while a dataset's table is made, whichever command it is needed in: the first one about a large
dataset would wait without a word."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event

import click

from core.cli.output import in_terminal
from core.datasets.table_news import TableNews, told_of_tables
from core.text import one_line

AGAIN_SEC = 0.1
"""Between two lines."""
BAR = 36
_drawn = Event()


@contextmanager
def tables_shown() -> Generator[None]:
    """Show meanwhile how far each table is, where stderr is a terminal. The line is gone when the table is there."""
    if not in_terminal(sys.stderr):
        yield
        return
    drawn = 0.0

    def draw(news: TableNews) -> None:
        nonlocal drawn
        now = time.monotonic()
        if news.over:
            _write("")
            _drawn.clear()
        elif now - drawn >= AGAIN_SEC:
            _drawn.set()
            _write(told(news))
            drawn = now

    try:
        with told_of_tables(draw):
            yield
    finally:
        if _drawn.is_set():
            _write("")
            _drawn.clear()


def is_drawn() -> bool:
    """Whether the line is there: another one that is kept at the end of the output would be drawn over it."""
    return _drawn.is_set()


def told(news: TableNews) -> str:
    """The line that says how far a table is."""
    sentence = one_line(news.sentence, 80)
    if news.elsewhere:
        return sentence
    share = news.done / max(news.total, 1)
    filled = round(share * BAR)
    return f"{sentence}  [{'#' * filled}{'-' * (BAR - filled)}]  {share:4.0%}"


def _write(line: str) -> None:
    """Put a line in the place of the one that is there."""
    columns = shutil.get_terminal_size().columns - 1
    shown = one_line(line, columns) if len(line) > columns else line
    click.echo(f"\r{shown:<{columns}}{'' if shown else chr(13)}", err=True, nl=False)
