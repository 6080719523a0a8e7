"""Which threads a list shows, in which order: branches under the thread they come from."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import msgspec

from core.listing.summaries import Summaries
from core.thread.summary import Summary

if TYPE_CHECKING:
    from core.listing.similar import Likeness


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of a list."""

    summary: Summary
    depth: int = 0
    """0 for a thread of its own, 1 for a branch of the row above it at depth 0, and so on."""


class Rows(Sequence[Row]):
    """The rows of a list by the numbers of their threads: each shows what is known of its thread now."""

    def __init__(self, known: Summaries, numbers: array[int], depths: bytes = b"") -> None:
        """Args: `depths` has that of each row, 255 for what is deeper; empty where all are 0."""
        self._known, self._numbers, self._depths = known, numbers, depths
        self._places = array("i", [-1]) * known.size
        for index, number in enumerate(numbers):
            self._places[number] = index

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return Row(self._known.at(self._numbers[index]), self._depths[index] if self._depths else 0)

    def __len__(self) -> int:
        return len(self._numbers)

    def index_of(self, stem: str) -> int | None:
        """Where a thread stands among them; None where it does not."""
        number = self._known.number(stem)
        index = self._places[number] if number is not None and number < len(self._places) else -1
        return index if index >= 0 else None


NO_ROWS = Rows(Summaries(), array("i"))


def as_rows(known: Summaries, rows: Iterable[Row]) -> Rows:
    """The same rows by their numbers. Those of threads that never were in `known` are left out."""
    numbers, depths = array("i"), bytearray()
    for row in rows:
        if (number := known.number(row.summary.stem)) is not None:
            numbers.append(number)
            depths.append(min(row.depth, 255))
    return Rows(known, numbers, bytes(depths))


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of threads."""

    label: str
    key: Callable[[Summary], Any]
    descending: bool = False


_CONFIDENCE = {"low": 0, "medium": 1, "high": 2}
_RANKS = {False: 0, True: 1, None: 2}

NEAREST = "nearest"
"""The order by likeness, which a filter with `similar:` knows; without one it is that of the names."""

SORTS: Mapping[str, Sort] = {
    "newest": Sort("newest first", lambda summary: summary.created, descending=True),
    "oldest": Sort("oldest first", lambda summary: summary.created),
    "changed": Sort("last changed first", lambda summary: summary.mtime_ns, descending=True),
    "name": Sort("by name", lambda summary: ""),
    "truth": Sort("by label", lambda summary: summary.truth),
    "answer": Sort("by answer", lambda summary: summary.answer),
    "wrong": Sort("wrong first", lambda summary: f"{_RANKS[summary.correct]}{summary.truth}"),
    "verdict": Sort("without a verdict first", lambda summary: summary.verdict),
    "turns": Sort("most turns first", lambda summary: 1000 * summary.turns + min(summary.calls, 999), descending=True),
    "dataset": Sort("by dataset", lambda summary: summary.dataset),
    "session": Sort("by session", lambda summary: summary.session),
    "status": Sort("by status", lambda summary: summary.status),
    "confidence": Sort("least confident first", lambda summary: _CONFIDENCE.get(summary.confidence, 3)),
    "calls": Sort("most calls first", lambda summary: summary.calls, descending=True),
    "tools": Sort("by tool path", lambda summary: " ".join(summary.tools_used)),
    "tokens": Sort("most tokens first", lambda summary: summary.tokens, descending=True),
    "edited": Sort("most edited first", lambda summary: summary.edited, descending=True),
    "rejected": Sort("most rejected turns first", lambda summary: summary.rejected_turns, descending=True),
    "stale": Sort("most stale first", lambda summary: summary.stale, descending=True),
    "reason": Sort("by reason", lambda summary: " ".join(summary.reasons) or "\uffff"),
    "tag": Sort("by tag", lambda summary: " ".join(summary.tags) or "\uffff"),
    "question": Sort("by question", lambda summary: summary.question),
    "model": Sort("by model", lambda summary: summary.model),
    "size": Sort("largest first", lambda summary: summary.size, descending=True),
    "asked": Sort("in queue order", lambda summary: ""),
    NEAREST: Sort("nearest first", lambda summary: ""),
    "problem": Sort("broken first", lambda summary: 0 if summary.problem else 1 if summary.stale else 2),
}
"""The orders a list offers, by name. Equal ones keep the order of their stems.

Keys are plain values rather than tuples: comparing those takes long enough to be felt by whoever presses a key."""


def arrange(
    summaries: Iterable[Summary],
    sort: str = "newest",
    keep: Callable[[Summary], bool] | None = None,
    *,
    turned: bool = False,
    places: Mapping[str, int] | None = None,
    likeness: Mapping[str, Likeness] | None = None,
) -> list[Row]:
    """The rows of a list: what `keep` keeps, sorted, each branch under its parent where that is shown.

    Args:
        summaries: in any order.
        sort: one of `SORTS`.
        keep: which of them have a row; all when None.
        turned: the last ones first.
        places: the order that `asked` is, by stem (`core.filters.language.Filter.places`); the others come after it.
        likeness: for the nearest first, how near each is, by stem; branches then stand on their own.

    Raises:
        KeyError: there is no such sort.
    """
    shown = [summary for summary in summaries if keep is None or keep(summary)]
    if sort == NEAREST and likeness:
        scores = {stem: like.score for stem, like in likeness.items()}
        shown.sort(key=lambda summary: summary.stem)
        shown.sort(key=lambda summary: scores.get(summary.stem, -1.0), reverse=not turned)
        return [Row(summary) for summary in shown]
    if sort == "asked" and places:
        shown.sort(key=lambda summary: summary.stem)
        shown.sort(key=lambda summary: places.get(summary.stem, len(places)), reverse=turned)
    else:
        shown = in_order(shown, sort, turned=turned)
    return list(laid_out(shown))


def laid_out(shown: Sequence[Summary]) -> Iterator[Row]:
    """The rows of these threads in their order, each branch under its parent where that is among them."""
    parents = {summary.parent for summary in shown if summary.parent}
    ids = {own for summary in shown if (own := summary.id or summary.stem) in parents} if parents else ()
    children: dict[str, list[Summary]] = {}
    for summary in shown if ids else ():
        if summary.parent in ids and summary.parent != summary.id:
            children.setdefault(summary.parent, []).append(summary)
    if not children:
        yield from map(Row, shown)
        return
    branches = {branch.stem for below in children.values() for branch in below}
    placed: set[str] = set()
    """Branches, and those that have some."""
    for root in shown:
        if root.stem in branches:
            continue
        waiting = [Row(root)]
        while waiting:
            row = waiting.pop()
            if row.summary.stem in placed:
                continue
            yield row
            if not row.depth and row.summary.id not in children:
                continue
            placed.add(row.summary.stem)
            below = sorted(children.get(row.summary.id, ()), key=lambda branch: (branch.created, branch.stem))
            waiting.extend(Row(branch, row.depth + 1) for branch in reversed(below))
    # files can name each other as parents in a circle; they are listed all the same
    yield from (Row(summary) for summary in shown if summary.stem in branches and summary.stem not in placed)


def in_order(summaries: Iterable[Summary], sort: str, *, turned: bool = False) -> list[Summary]:
    """Summaries sorted, equal ones by their stems; branches have no place of their own here. Raises KeyError when there
    is no such sort."""
    every = list(summaries)
    return [every[index] for index in places_in_order(every, sort, turned=turned)]


def places_in_order(every: Sequence[Summary], sort: str, *, turned: bool = False) -> list[int]:
    """Where in `every` the first one in an order stands, then the second, and so on. Raises KeyError."""
    order = SORTS[sort]
    places = list(range(len(every)))
    places.sort(key=[summary.stem for summary in every].__getitem__)
    places.sort(key=list(map(order.key, every)).__getitem__, reverse=order.descending is not turned)
    return places
