"""The rows of the list as a function of what is asked for. Those of very many threads come soon: their order is kept,
and a first page is shown before the whole."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from pathlib import Path

from core.filters.language import Filter, select
from core.listing.index_cache import PAGE
from core.listing.order import Rows, arrange, as_rows, laid_out, places_in_order
from core.listing.summaries import Summaries
from core.thread.summary import Summary

FIRST_SECONDS = 0.05
"""Of computing: how long rows for the first page are looked for before all are. A filter that matches little shows none
sooner."""
_CHUNK = 10_000
"""Summaries between two looks at whether they are still wanted."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The rows, sorted and filtered."""

    rows: Rows
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
class Ordered:
    """The threads of a folder in an order."""

    order: Order
    numbers: array[int]
    labels: frozenset[str]
    """All their truths."""
    is_flat: bool
    """Whether none is a branch."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted."""

    filter: Filter
    order: Order
    known: Summaries
    """What they are taken from, and those of `stays`."""
    stays: Mapping[str, tuple[Summary, str]]
    """What has a row whatever the filter says, by stem, each with why."""
    gone: frozenset[str]
    """Those of them that have no file any more."""
    again: Set[str] | None
    """The threads that are looked through again for the filter's texts; all when None."""
    texts: frozenset[str]
    """Stems of those in which they were found before."""
    current: str
    """The thread under the cursor, to which the first rows reach where it has one; empty for none."""
    version: int
    """Tells later whether they are still wanted."""


class LastOrder:
    """The folder's threads in the list's order, made anew only when threads or order are others."""

    def __init__(self) -> None:
        self._last: Ordered | None = None

    def get(self, known: Summaries, order: Order) -> Ordered:
        """The threads in an order. On any thread."""
        last = self._last
        if last is None or last.order != order:
            numbers = known.numbers()
            every = list(map(known.at, numbers))
            places = places_in_order(every, order.sort, turned=order.turned)
            is_flat = not any(map(attrgetter("parent"), every))
            last = Ordered(order, array("i", [numbers[index] for index in places]), labels_of(every), is_flat)
            self._last = last
        return last


def arranged(
    folder: Path,
    asked: Asked,
    last: LastOrder,
    count: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    first: Callable[[Rows], object] | None = None,
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
    wanted, order, known = asked.filter, asked.order, asked.known
    if wanted.needs_folder and not wanted.prepare(_every(asked), count, cancelled):
        return None
    texts = _with_texts(folder, asked, cancelled)
    if cancelled():
        return None

    choice = _Choice(asked, texts)
    if order.folder is not None and not wanted.places and not wanted.likeness:
        ordered = last.get(known, order)
        labels = ordered.labels
        if wanted.conditions and first is not None and not wanted.slow and (page := _first_page(ordered, choice)):
            first(Rows(known, page))
        numbers = _all_kept(ordered, choice, cancelled) if wanted.conditions else ordered.numbers
        if numbers is None:
            return None
        shown = None if ordered.is_flat else laid_out(list(map(known.at, numbers)))
        rows = Rows(known, numbers) if shown is None else as_rows(known, shown)
    else:
        every = _every(asked)
        labels = labels_of(every)
        keep = choice.keeps if wanted.conditions else None
        shown = arrange(every, order.sort, keep, turned=order.turned, places=wanted.places, likeness=wanted.likeness)
        rows = as_rows(known, shown)
    aside = {stem: why for stem, (summary, why) in asked.stays.items()
             if stem in asked.gone or not choice.matches(summary)}  # fmt: skip
    return Arranged(rows, aside, labels, texts, asked.version)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which threads have a row."""

    asked: Asked
    texts: frozenset[str] | None
    """Stems of those in which the filter's texts were found; None when it has none."""

    def matches(self, summary: Summary) -> bool:
        return self.asked.filter.on_summary(summary) and (self.texts is None or summary.stem in self.texts)

    def keeps(self, summary: Summary) -> bool:
        return summary.stem in self.asked.stays or self.matches(summary)

    def among(self, numbers: Sequence[int]) -> list[int]:
        """The numbers of those that `keeps` keeps, in the same order."""
        known, texts = self.asked.known, self.texts
        some = list(map(known.at, numbers))
        places = self.asked.filter.possible(some)
        fitting = [numbers[index] for index in places if texts is None or some[index].stem in texts]
        staying = {known.number(stem) for stem in self.asked.stays}
        if staying.isdisjoint(numbers):
            return fitting
        staying.update(fitting)
        return [number for number in numbers if number in staying]


def _every(asked: Asked) -> list[Summary]:
    """The folder's threads, and those that are gone and stay."""
    return asked.known.every() + [asked.stays[stem][0] for stem in asked.gone]


def labels_of(summaries: Iterable[Summary]) -> frozenset[str]:
    """All truths of threads."""
    return frozenset(map(attrgetter("truth"), summaries))


def _with_texts(folder: Path, asked: Asked, cancelled: Callable[[], bool]) -> frozenset[str] | None:
    """Stems of the threads in whose files the filter's texts are; None when it has none."""
    if not asked.filter.needs_file:
        return None
    again, every = asked.again, _every(asked)
    looked = every if again is None else [summary for summary in every if summary.stem in again]
    fresh = frozenset(summary.stem for summary in select(folder, looked, asked.filter, cancelled))
    return fresh if again is None else (asked.texts - again) | fresh


def _first_page(ordered: Ordered, choice: _Choice) -> array[int]:
    """The first that are kept, as many as a page needs, and on to the cursor where its thread is one of them; none
    where they are not there at once."""
    known, current = choice.asked.known, choice.asked.current
    left = {known.number(current)} if current in known and choice.keeps(known[current]) else set[int | None]()
    page = array("i")
    until = time.thread_time() + FIRST_SECONDS  # of its own: on a busy machine they take longer, and so does all else
    start, size = 0, PAGE
    while start < len(ordered.numbers) and time.thread_time() < until:
        some = choice.among(ordered.numbers[start : start + size])
        page.extend(some)
        left.difference_update(some)
        if len(page) >= PAGE and not left:
            return page
        start, size = start + size, min(2 * size, _CHUNK)
    return array("i")


def _all_kept(ordered: Ordered, choice: _Choice, cancelled: Callable[[], bool]) -> array[int] | None:
    """All that are kept, in their order; None when they are not wanted any more."""
    size = choice.asked.known.size
    is_kept = bytearray(size)  # they are gone through as they lie in memory: in the list's order it takes twice as long
    for start in range(0, size, _CHUNK):
        if cancelled():
            return None
        for number in choice.among(range(start, min(start + _CHUNK, size))):
            is_kept[number] = True
    return array("i", compress(ordered.numbers, map(is_kept.__getitem__, ordered.numbers)))
