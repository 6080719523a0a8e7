"""Whom a thread's references leave out beside its own subject: who is held out, and who is outside the training side of
the split by subject that was used last. A thread quotes its references, and is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from core.storage.splits_file import SplitBook, read_book
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset


def barred_names(workspace: Workspace, dataset: StandardDataset) -> tuple[str, ...]:
    """The names that stand for sessions of a dataset which references leave out, by `splits.json` as it is now, sorted:
    what a new thread keeps. Raises WorkspaceError for a file that is damaged."""
    book = read_book(workspace.root)
    return tuple(sorted(name for name in outside_training(book) if barred_sessions(dataset, (name,))))


def outside_training(book: SplitBook) -> set[str]:
    """The names and patterns that stand for sessions outside training.

    Of a split only people count: sessions of unknown subject are groups of their own in it, too many to be kept in each
    thread, and `sensorloom export` says how many threads may rest on them.
    """
    sides = book.assigned.get(book.split_by_subject, {})
    return {*book.held_out, *(group for group, side in sides.items() if side != "train" and "/subject:" in group)}


def barred_sessions(dataset: StandardDataset, names: Iterable[str]) -> frozenset[str]:
    """The sessions of a dataset that these names and patterns stand for."""
    return _sessions(dataset, tuple(names))


@lru_cache(maxsize=256)
def _sessions(dataset: StandardDataset, names: tuple[str, ...]) -> frozenset[str]:
    from core.datasets.standard import subject_in

    book, subjects = SplitBook(list(names)), dataset.subjects
    if not names:
        return frozenset()
    return frozenset(
        session
        for session in dataset.labels
        if book.holds_out(dataset.name, session, subjects.get(session) or subject_in(session))
    )
