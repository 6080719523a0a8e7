"""The rows of the list as a function of what is asked for. Those of very many threads come soon: their order is kept,
and a first page is shown before the whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from core.filters.language import Filter, select
from core.listing.index_cache import PAGE
from core.listing.order import Row, arrange, in_order
from core.thread.summary import Summary

FIRST_SECONDS = 0.05
"""Of computing: how long rows for the first page are looked for before all are. A filter that matches little shows none
sooner."""
_CHUNK = 10_000
"""Summaries between two looks at whether they are still wanted."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The rows, sorted and filtered."""

    rows: list[Row]
    places: dict[str, int]
    """The place of each stem among them."""
    aside: dict[str, str]
    """Those that are no matches and stay all the same, each with why, by their stems."""
    labels: frozenset[str]
    """All truths of the folder's threads."""
    texts: frozenset[str] | None
    """Stems of the threads in which the filter's texts were found; None when it has none."""
    version: int
    """Tells whether they are still wanted."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a list is to have."""

    sort: str
    turned: bool
    folder: int | None
    """The version of the folder that is listed; None for threads besides, which are in no version."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted."""

    filter: Filter
    order: Order
    every: list[Summary]
    """What they are taken from."""
    stays: Mapping[str, tuple[Summary, str]]
    """What has a row whatever the filter says, by stem, each with why."""
    gone: frozenset[str]
    """Those of them that have no file any more."""
    again: Set[str] | None
    """The threads that are looked through again for the filter's texts; all when None."""
    texts: frozenset[str]
    """Stems of those in which they were found before."""
    version: int
    """Tells later whether they are still wanted."""


class LastOrder:
    """The threads in the list's order and all their labels, made anew only when threads or order are others."""

    def __init__(self) -> None:
        self._last: tuple[Order, list[Summary], frozenset[str]] | None = None

    def get(self, every: Iterable[Summary], order: Order) -> tuple[list[Summary], frozenset[str]]:
        """The threads of the folder in an order, and their labels. On any thread."""
        last = self._last
        if last is None or last[0] != order:
            summaries = in_order(every, order.sort, turned=order.turned)
            last = self._last = order, summaries, labels_of(summaries)
        return last[1], last[2]


def arranged(
    folder: Path,
    asked: Asked,
    last: LastOrder,
    count: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    first: Callable[[list[Row]], object] | None = None,
) -> Arranged | None:
    """The rows that are asked for; None when it was cancelled. On any thread.

    Args:
        folder: the threads folder, in whose files texts are looked for.
        asked: which rows.
        last: the order of the folder's threads from one time to the next.
        count: told how many threads were looked at, and of how many.
        cancelled: whether the rows are not wanted any more.
        first: given the first rows where the others take a while, and these are known at once.
    """
    wanted, order = asked.filter, asked.order
    if not wanted.prepare(asked.every, count, cancelled):
        return None
    texts = _with_texts(folder, asked, cancelled)
    if cancelled():
        return None

    def matches(summary: Summary) -> bool:
        return wanted.on_summary(summary) and (texts is None or summary.stem in texts)

    def keep(summary: Summary) -> bool:
        return matches(summary) or summary.stem in asked.stays

    is_sorted = order.folder is not None and not wanted.places and not wanted.likeness
    every, labels = last.get(asked.every, order) if is_sorted else (asked.every, labels_of(asked.every))
    if wanted.conditions:
        if first is not None and is_sorted and not wanted.slow and (page := _first_page(every, keep)):
            first(page)
        matching = _all_kept(every, keep, cancelled)
        if matching is None:
            return None
        every = matching
    rows = arrange(
        every, order.sort, turned=order.turned, places=wanted.places, likeness=wanted.likeness, is_sorted=is_sorted
    )
    aside = {stem: why for stem, (summary, why) in asked.stays.items() if stem in asked.gone or not matches(summary)}
    places = {row.summary.stem: number for number, row in enumerate(rows)}
    return Arranged(rows, places, aside, labels, texts, asked.version)


def labels_of(summaries: Iterable[Summary]) -> frozenset[str]:
    """All truths of threads."""
    return frozenset(summary.truth for summary in summaries)


def _with_texts(folder: Path, asked: Asked, cancelled: Callable[[], bool]) -> frozenset[str] | None:
    """Stems of the threads in whose files the filter's texts are; None when it has none."""
    if not asked.filter.needs_file:
        return None
    again = asked.again
    looked = asked.every if again is None else [summary for summary in asked.every if summary.stem in again]
    fresh = frozenset(summary.stem for summary in select(folder, looked, asked.filter, cancelled))
    return fresh if again is None else (asked.texts - again) | fresh


def _first_page(order: Sequence[Summary], keep: Callable[[Summary], bool]) -> list[Row]:
    """The first rows that are kept, as many as a page needs; none where they are not there at once."""
    rows: list[Row] = []
    until = time.thread_time() + FIRST_SECONDS  # of its own: on a busy machine they take longer, and so does all else
    for number, summary in enumerate(order):
        if keep(summary):
            rows.append(Row(summary))
            if len(rows) == PAGE:
                return rows
        if number % 1000 == 0 and time.thread_time() > until:
            break
    return []


def _all_kept(
    order: Sequence[Summary], keep: Callable[[Summary], bool], cancelled: Callable[[], bool]
) -> list[Summary] | None:
    """All that are kept, in their order; None when they are not wanted any more."""
    matching: list[Summary] = []
    for start in range(0, len(order), _CHUNK):
        if cancelled():
            return None
        matching += filter(keep, order[start : start + _CHUNK])
    return matching
