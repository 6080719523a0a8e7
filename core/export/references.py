"""Whether threads that are trained on quote people who are not: whom their references were made without, beside who is
outside the training side by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from core.datasets.barred import barred_sessions, outside_training
from core.errors import DatasetError
from core.export.entry import Entry
from core.export.split import SplitSpec
from core.storage.splits_file import SplitBook
from core.thread.summary import Summary
from core.workspace import Workspace
from tools.builtin import LOOKING_UP, RANKING


def references_of(summary: Summary) -> str | None:
    """The names that a thread's references were made without, one a line; None for a thread that has no references."""
    return summary.references_without if (LOOKING_UP | RANKING) & set(summary.tools_used) else None


def quoting(workspace: Workspace, entries: Sequence[Entry], spec: SplitSpec | None, book: SplitBook) -> tuple[str, ...]:
    """How many of the threads that are trained on have references with people who are not: a sentence for each kind,
    nothing where all keep to it."""
    by_subject = spec is not None and spec.group == "subject"
    outside = tuple(sorted(outside_training(book) if by_subject else book.held_out))
    nameless = _nameless_outside(entries) if by_subject else frozenset()
    sessions = _sessions_of(workspace)

    @cache
    def quotes_some(dataset: str, without: str) -> bool:
        left_out = sessions(dataset, tuple(without.split("\n")) if without else ())
        return bool(sessions(dataset, outside) - left_out)

    trained = [entry for entry in entries if entry.side in ("", "train") and entry.references is not None]
    known = sum(quotes_some(entry.dataset, entry.references or "") for entry in trained)
    unknown = sum(entry.dataset in nameless for entry in trained)
    of_all = f"of the {len(trained)} threads to train on that compare with other people"
    sentences = (
        f"{known} {of_all} may quote some who are held out or on another side of the split; threads begun now do not, "
        "and the filter term `without` tells them apart",
        f"{unknown} {of_all} may quote sessions on another side of the split: their dataset names no subjects, so only "
        "what is held out by name is left out of references",
    )
    return tuple(sentence for sentence, count in zip(sentences, (known, unknown), strict=True) if count)


def _sessions_of(workspace: Workspace) -> Callable[[str, tuple[str, ...]], frozenset[str]]:
    """Names to the sessions they stand for in a dataset; of one that is not at hand, the names themselves."""
    from core.datasets.standard import open_dataset

    @cache
    def sessions(dataset: str, names: tuple[str, ...]) -> frozenset[str]:
        try:
            return barred_sessions(open_dataset(workspace, dataset), names)
        except DatasetError:
            return frozenset(name for name in names if name.startswith(f"{dataset}/"))

    return sessions


def _nameless_outside(entries: Iterable[Entry]) -> frozenset[str]:
    """Datasets with a session of unknown subject on another side than training, in a split by subject."""
    return frozenset(
        entry.dataset
        for entry in entries
        if entry.side not in ("", "train") and not entry.held_out and entry.group == f"{entry.dataset}/{entry.session}"
    )


def told(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """What the manifest says: for each set of names that references were made without, how many threads."""
    counts = Counter(entry.references for entry in entries if entry.references is not None)
    return [{"without": names.split("\n") if names else [], "threads": count} for names, count in counts.most_common()]
