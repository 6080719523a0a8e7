"""Which threads a list shows, in which order: branches under the thread they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from core.thread.summary import Summary


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


_RANKS = {False: 0, True: 1, None: 2}

SORTS: Mapping[str, Sort] = {
    "newest": Sort("newest first", lambda one: one.created, descending=True),
    "oldest": Sort("oldest first", lambda one: one.created),
    "changed": Sort("last changed first", lambda one: one.mtime_ns, descending=True),
    "name": Sort("by name", lambda one: ""),
    "truth": Sort("by label", lambda one: one.truth),
    "answer": Sort("by answer", lambda one: one.answer),
    "wrong": Sort("wrong first", lambda one: f"{_RANKS[one.correct]}{one.truth}"),
    "verdict": Sort("without a verdict first", lambda one: one.verdict),
    "turns": Sort("most turns first", lambda one: 1000 * one.turns + min(one.calls, 999), descending=True),
    "problem": Sort("broken first", lambda one: 0 if one.problem else 1 if one.stale else 2),
}
"""The orders a list offers, by name. Equal ones keep the order of their stems.

Keys are plain values rather than tuples: comparing those takes long enough to be felt by whoever presses a key."""


def arrange(
    summaries: Iterable[Summary], sort: str = "newest", keep: Callable[[Summary], bool] | None = None
) -> list[Row]:
    """The rows of a list: what `keep` keeps, sorted, each branch under its parent where that is shown.

    Raises:
        KeyError: there is no such sort.
    """
    order = SORTS[sort]
    shown = [one for one in summaries if keep is None or keep(one)]
    shown.sort(key=lambda one: one.stem)
    shown.sort(key=order.key, reverse=order.descending)
    if not any(one.parent for one in shown):
        return [Row(one) for one in shown]
    ids = {one.id or one.stem for one in shown}
    children: dict[str, list[Summary]] = {}
    roots: list[Summary] = []
    for one in shown:
        branch = bool(one.parent) and one.parent in ids and one.parent != one.id
        (children.setdefault(one.parent, []) if branch else roots).append(one)
    return _tree(shown, roots, children)


def _tree(shown: list[Summary], roots: list[Summary], children: Mapping[str, list[Summary]]) -> list[Row]:
    rows: list[Row] = []
    placed: set[str] = set()
    waiting = [Row(one) for one in reversed(roots)]
    while waiting:
        row = waiting.pop()
        if row.summary.stem in placed:
            continue
        placed.add(row.summary.stem)
        rows.append(row)
        below = sorted(children.get(row.summary.id, ()), key=lambda one: (one.created, one.stem), reverse=True)
        waiting.extend(Row(one, row.depth + 1) for one in below)
    # files can name each other as parents in a circle; they are listed all the same
    rows.extend(Row(one) for one in shown if one.stem not in placed)
    return rows
