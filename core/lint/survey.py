"""What the checks find in a folder: kept where it was found out before, found out where it was not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.lint.duplicates import Duplicates
from core.lint.finding import Finding
from core.lint.findings_cache import FindingsCache
from core.lint.label_set import dataset_labels
from core.lint.record import Record, file_of, folder_record_maker, record_maker
from core.processes.items import Spread, Undone
from core.thread.summary import Summary
from core.workspace import Workspace

PART = 100
"""Files a process looks at in one go: about a tenth of a second, and the least one waits for when it is broken off."""

MANY = 200
"""Files to be looked at from which processes are worth starting."""

_TOGETHER = 1000
"""Files whose findings are written together: what is lost at most where the program is killed."""

Progress = Callable[[int, int], object]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Files are looked at in other places than this machine's processes."""

    spread: Spread
    undone: Callable[[str, str], object]
    """Told of each file that could not be looked at, by its stem, and why."""


class _AtWork:
    """Held while many files are looked at, so that two who ask share the work of the first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.far: tuple[int, int] = (0, 0)
        """How far the one that holds it is: how many were looked at, and of how many."""


_at_work = _AtWork()


def bring_up_to_date(
    cache: FindingsCache,
    workspace: Workspace,
    listing: Sequence[Summary],
    progress: Progress = lambda _done, _total: None,
    cancelled: Cancelled = lambda: False,
) -> bool:
    """Look at each thread of `listing` that is not known as it is now, as `left_over` does. Returns whether it came to
    its end."""
    return not left_over(cache, workspace, listing, progress, cancelled) and not cancelled()


def left_over(
    cache: FindingsCache,
    workspace: Workspace,
    listing: Sequence[Summary],
    progress: Progress = lambda _done, _total: None,
    cancelled: Cancelled = lambda: False,
    elsewhere: Elsewhere | None = None,
) -> set[str]:
    """Look at each thread of `listing` that is not known as it is now, many on all cores.

    Blocks; belongs in a worker. What was found stays found where it is broken off.

    Returns:
        The stems of those that were not looked at, as it was cancelled.
    """
    threads = [summary for summary in listing if not summary.problem]
    labels = {dataset: dataset_labels(workspace, dataset) for dataset in {summary.dataset for summary in threads}}
    old = cache.outdated(threads, labels)
    if elsewhere is not None:
        return _look(cache, old, _elsewhere(workspace.threads, labels, old, elsewhere), progress, cancelled)
    if len(old) < MANY:
        return _look(cache, old, _here(workspace.threads, labels, old), progress, cancelled)
    while not _at_work.lock.acquire(timeout=0.1):
        if cancelled():
            return {summary.stem for summary in old}
        progress(*_at_work.far)

    def told(done: int, total: int) -> None:
        _at_work.far = done, total
        progress(done, total)

    try:
        old = cache.outdated(threads, labels)
        return _look(cache, old, _here(workspace.threads, labels, old), told, cancelled)
    finally:
        _at_work.far = (0, 0)
        _at_work.lock.release()


def repeats(cache: FindingsCache, stems: set[str], cancelled: Cancelled = lambda: False) -> dict[str, Finding]:
    """Which of the threads in `stems` repeat another of them that comes before, by what is kept."""
    duplicates = Duplicates()
    findings: dict[str, Finding] = {}
    for stem, signature in cache.alike():
        if cancelled():
            break
        if stem in stems and (repeated := duplicates.find(stem, signature)) is not None:
            findings[stem] = repeated
    return findings


def _look(
    cache: FindingsCache,
    old: Sequence[Summary],
    parts: Generator[_Part],
    progress: Progress,
    cancelled: Cancelled,
) -> set[str]:
    left = {summary.stem for summary in old}
    looked: list[str] = []
    records: list[Record] = []
    try:
        with closing(parts):
            for stems, part in parts:
                looked += stems
                records += part
                left.difference_update(stems)
                progress(len(old) - len(left), len(old))
                if cancelled():
                    break
                if len(looked) >= _TOGETHER:
                    cache.put(looked, records)
                    looked, records = [], []
    finally:
        if looked:
            cache.put(looked, records)
    return left


_Part = tuple[Sequence[str], list[Record]]
"""Stems that were looked at, and what was found in those that are threads."""


def _here(folder: Path, labels: Mapping[str, tuple[str, ...]], old: Sequence[Summary]) -> Generator[_Part]:
    from core.processes.pool import in_parts

    files = [(summary.stem, summary.dataset) for summary in old]
    setup, processes = (folder, labels, os.getpid()), None if len(files) >= MANY else 1
    with closing(in_parts(folder_record_maker, setup, files, PART, processes)) as parts:
        for part, records in parts:
            yield [stem for stem, _ in part], [record for record in records if record is not None]


def _elsewhere(
    folder: Path, labels: Mapping[str, tuple[str, ...]], old: Sequence[Summary], elsewhere: Elsewhere
) -> Generator[_Part]:
    files = (file_of(folder, summary.stem, summary.dataset) for summary in old)
    stems = iter([summary.stem for summary in old])
    with closing(elsewhere.spread(record_maker, (labels,), files, len(old))) as parts:
        for part in parts:
            looked = list(islice(stems, len(part)))
            for stem, result in zip(looked, part, strict=True):
                if isinstance(result, Undone):
                    elsewhere.undone(stem, result.reason)
            yield looked, [result for result in part if isinstance(result, Record)]
