"""Which threads a list shows, in which order: branches under the thread they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from core.thread.summary import Summary

if TYPE_CHECKING:
    from core.listing.similar import Likeness


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of a list. There may be a hundred thousand of them, which the garbage collector need not look at."""

    summary: Summary
    depth: int = 0
    """0 for a thread of its own, 1 for a branch of the row above it at depth 0, and so on."""


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
    is_sorted: bool = False,
) -> list[Row]:
    """The rows of a list: what `keep` keeps, sorted, each branch under its parent where that is shown.

    Args:
        summaries: in any order.
        sort: one of `SORTS`.
        keep: which of them have a row; all when None.
        turned: the last ones first.
        places: the order that `asked` is, by stem (`core.filters.language.Filter.places`); the others come after it.
        likeness: for the nearest first, how near each is, by stem; branches then stand on their own.
        is_sorted: whether the summaries stand in the order of `in_order` already.

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
    elif not is_sorted:
        shown = in_order(shown, sort, turned=turned)
    if not any(summary.parent for summary in shown):
        return [Row(summary) for summary in shown]
    ids = {summary.id or summary.stem for summary in shown}
    children: dict[str, list[Summary]] = {}
    roots: list[Summary] = []
    for summary in shown:
        branch = bool(summary.parent) and summary.parent in ids and summary.parent != summary.id
        (children.setdefault(summary.parent, []) if branch else roots).append(summary)
    return _tree(shown, roots, children)


def in_order(summaries: Iterable[Summary], sort: str, *, turned: bool = False) -> list[Summary]:
    """Summaries sorted, equal ones by their stems; branches have no place of their own here. Raises KeyError when there
    is no such sort."""
    order = SORTS[sort]
    every = sorted(summaries, key=lambda summary: summary.stem)
    every.sort(key=order.key, reverse=order.descending is not turned)
    return every


def _tree(shown: list[Summary], roots: list[Summary], children: Mapping[str, list[Summary]]) -> list[Row]:
    rows: list[Row] = []
    placed: set[str] = set()
    waiting = [Row(root) for root in reversed(roots)]
    while waiting:
        row = waiting.pop()
        if row.summary.stem in placed:
            continue
        placed.add(row.summary.stem)
        rows.append(row)
        below = sorted(children.get(row.summary.id, ()), key=lambda branch: (branch.created, branch.stem), reverse=True)
        waiting.extend(Row(branch, row.depth + 1) for branch in below)
    # files can name each other as parents in a circle; they are listed all the same
    rows.extend(Row(summary) for summary in shown if summary.stem not in placed)
    return rows
