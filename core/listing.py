"""Which threads a list shows, in which order: branches under the thread they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.summary import Summary


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list."""

    summary: Summary
    depth: int = 0
    """0 for a thread of its own, 1 for a branch of the row above it at depth 0, and so on."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of threads."""

    label: str
    key: Callable[[Summary], Any]
    descending: bool = False


SORTS: Mapping[str, Sort] = {
    "newest": Sort("newest first", lambda one: (one.created, one.stem), descending=True),
    "oldest": Sort("oldest first", lambda one: (one.created, one.stem)),
    "changed": Sort("last changed first", lambda one: one.mtime_ns, descending=True),
    "name": Sort("by name", lambda one: one.stem),
    "truth": Sort("by label", lambda one: (one.truth, one.stem)),
    "answer": Sort("by answer", lambda one: (one.answer, one.stem)),
    "wrong": Sort("wrong first", lambda one: (one.correct is not False, one.correct is None, one.truth, one.stem)),
    "verdict": Sort("without a verdict first", lambda one: (one.verdict, one.stem)),
    "turns": Sort("most turns first", lambda one: (one.turns, one.calls), descending=True),
    "problem": Sort("broken first", lambda one: (not one.problem, not one.stale, one.stem)),
}
"""The orders a list offers, by name. Equal ones keep the order of their stems."""


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
