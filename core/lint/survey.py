"""What the checks find in a folder: kept where it was found out before, found out where it was not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from core.errors import SensorloomError
from core.lint.duplicates import Duplicates
from core.lint.finding import Finding
from core.lint.findings_cache import FindingsCache
from core.lint.label_set import dataset_labels
from core.lint.record import Record, record_maker
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
    """Look at each thread of `listing` that is not known as it is now, many on all cores.

    Blocks; belongs in a worker. What was found stays found where it is broken off.

    Returns:
        Whether it came to its end.
    """
    threads = [summary for summary in listing if not summary.problem]
    labels = {dataset: dataset_labels(workspace, dataset) for dataset in {summary.dataset for summary in threads}}
    old = cache.outdated(threads, labels)
    if len(old) < MANY:
        return _look(cache, workspace.threads, labels, old, progress, cancelled)
    while not _at_work.lock.acquire(timeout=0.1):
        if cancelled():
            return False
        progress(*_at_work.far)

    def told(done: int, total: int) -> None:
        _at_work.far = done, total
        progress(done, total)

    try:
        return _look(cache, workspace.threads, labels, cache.outdated(threads, labels), told, cancelled)
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
    folder: Path,
    labels: Mapping[str, tuple[str, ...]],
    old: Sequence[Summary],
    progress: Progress,
    cancelled: Cancelled,
) -> bool:
    done = 0
    looked: list[str] = []
    records: list[Record] = []
    with closing(_records(folder, labels, old)) as parts:
        for stems, part in parts:
            looked += stems
            records += part
            done += PART
            progress(min(done, len(old)), len(old))
            if stop := cancelled():
                break
            if len(looked) >= _TOGETHER:
                cache.put(looked, records)
                looked, records = [], []
        else:
            stop = cancelled()
    if looked:
        cache.put(looked, records)
    return not stop


def _records(
    folder: Path, labels: Mapping[str, tuple[str, ...]], old: Sequence[Summary]
) -> Generator[tuple[list[str], list[Record]]]:
    """Stems that were looked at, with what was found in those that are threads."""
    files = [(summary.stem, summary.dataset) for summary in old]
    parts = [files[start : start + PART] for start in range(0, len(files), PART)]
    done = 0
    if len(files) >= MANY:
        from core.processes.pool import in_order

        try:
            with closing(in_order(record_maker, (folder, labels, os.getpid()), parts)) as results:
                for records in results:
                    yield [stem for stem, _ in parts[done]], records
                    done += 1
        except SensorloomError:
            pass  # a process could not be started, or was ended: the rest is done here
    job = record_maker(folder, labels, os.getpid())
    for part in parts[done:]:
        yield [stem for stem, _ in part], job(part)
