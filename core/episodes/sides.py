"""On which side of a dataset's split a session stands: what may be trained on, and what may not."""

from __future__ import annotations

from typing import Literal, get_args

from core.datasets.standard import StandardDataset, subject_in
from core.storage.splits_file import SplitBook

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = get_args(Side)


def side_of(book: SplitBook, dataset: StandardDataset, session: str) -> str:
    """The side of a session, by `splits.json`: `test` for what is held out; else where the split that was used last has
    its person, or the session itself. Empty for one that a split of this dataset does not name yet: it may come to
    stand on any side. Everything else is `train` where the dataset was never split."""
    subject = dataset.subjects.get(session) or subject_in(session)
    if book.holds_out(dataset.name, session, subject):
        return "test"
    sides = book.assigned.get(_way(book), {})
    names = (f"{dataset.name}/subject:{subject}", f"{dataset.name}/{session}")
    if known := next((sides[name] for name in names if name in sides), ""):
        return known
    return "" if any(name.startswith(f"{dataset.name}/") for name in sides) else "train"


def _way(book: SplitBook) -> str:
    """The way of splitting that was used last: by subject, else by session. Families are of threads, and say nothing of
    sessions."""
    return book.split_by_subject or next((way for way in reversed(book.assigned) if " by session," in way), "")
