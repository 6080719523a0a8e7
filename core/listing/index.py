"""Summaries of every file in the threads folder, kept so that nobody reads a hundred thousand files twice.

Everything here blocks and belongs in a worker. Work comes in batches, between which other threads run.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from core.files import SETTLED_NS
from core.listing import index_cache
from core.listing.summaries import Summaries
from core.listing.summary import Look, look, summarize
from core.listing.summary_columns import packed, unpacked
from core.storage.atomic import digest
from core.storage.store import Stored
from core.storage.thread_files import file_name, find_packed, listing
from core.thread.summary import Summary
from core.workspace import Workspace

BATCH = 500
"""Files between two reports of a scan: about 20 ms of work."""

FEW = 4
"""Threads of one change that are handed on with it."""

MANY = 5000
"""Files to be read from which processes are worth starting."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a scan found to differ from what was known."""

    changed: tuple[Summary, ...] = ()
    """New and changed files."""
    gone: tuple[str, ...] = ()
    """Stems that are no longer there."""
    seen: int = 0
    """Files looked at so far in this scan."""
    total: int = 0
    """Files in the folder."""
    read: int = 0
    """Files that had to be read so far; when there were any, the cache is worth renewing."""
    threads: tuple[Stored, ...] = ()
    """The changed threads themselves where they are few, for whoever shows one of them."""


def scan(folder: Path, known: Mapping[str, Summary], trusted_ns: int = 0) -> Iterator[Changes]:
    """Compare the folder with what is known, reading only files whose time or size differ.

    Yields the changes in batches, at least one; what is gone comes in the last one. An absent folder
    holds nothing.

    Args:
        folder: the threads folder.
        known: the summaries from an earlier scan.
        trusted_ns: the time of that earlier scan; files changed just before it are read again.
    """
    outdated: list[str] = []
    total = known_ones = 0
    for stem, size, mtime_ns in listing(folder):
        total += 1
        if (earlier := known.get(stem)) is None:
            outdated.append(stem)
            continue
        known_ones += 1
        is_late = trusted_ns != 0 and mtime_ns >= trusted_ns - SETTLED_NS
        if is_late or earlier.size != size or earlier.mtime_ns != mtime_ns:
            outdated.append(stem)
    gone = () if known_ones == len(known) else _gone(folder, known)
    to_read, unchanged = len(outdated), total - len(outdated)
    batch: list[Summary] = []
    for read, fresh in enumerate(_summarized(folder, outdated), 1):
        if fresh != known.get(fresh.stem):
            batch.append(fresh)
        if len(batch) >= BATCH:
            yield Changes(tuple(batch), (), unchanged + read, total, read)
            batch = []
    yield Changes(tuple(batch), gone, total, total, to_read)


def _gone(folder: Path, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the known stems that are not in the folder any more."""
    stems = {stem for stem, _, _ in listing(folder)}
    return tuple(stem for stem in known if stem not in stems)


def rescan(folder: Path, known: Mapping[str, Summary], stems: Iterable[str]) -> Changes:
    """Read these files again, whatever their times say: they are known to have been written."""
    changed: list[Summary] = []
    gone: list[str] = []
    threads: list[Stored] = []
    for number, stem in enumerate(stems):
        if not os.path.lexists(folder / file_name(stem)):
            in_pack = find_packed(folder, stem)
            if in_pack is None and stem in known:
                gone.append(stem)
            earlier = known.get(stem)
            if in_pack is None or (earlier and (earlier.size, earlier.mtime_ns) == in_pack.stamp):
                continue  # gone, or packed as it was
        seen = look(folder, stem) if number < FEW else Look(summarize(folder, stem))
        fresh = seen.summary
        if fresh != known.get(stem):
            changed.append(fresh)
            if seen.thread is not None:
                stamp = fresh.size, fresh.mtime_ns
                threads.append(Stored(seen.thread, stem, digest(seen.data), seen.data, stamp))
    return Changes(tuple(changed), tuple(gone), len(changed), len(known), threads=tuple(threads))


def summaries(workspace: Workspace) -> list[Summary]:
    """All summaries of a workspace, by stem: from the cache where it is fresh. The cache is renewed.

    For commands; the app takes the same steps in batches.
    """
    known, trusted_ns = index_cache.load(workspace)
    started = time.time_ns()
    outdated = False
    for changes in scan(workspace.threads, known, trusted_ns):
        outdated |= apply(known, changes) or changes.read > 0
    if outdated:
        index_cache.save(workspace, known, started)
    return sorted(known.every(), key=attrgetter("stem"))


def threads_by_session(workspace: Workspace) -> Counter[tuple[str, str]]:
    """How many threads there are about each session, by dataset and session."""
    return Counter((summary.dataset, summary.session) for summary in summaries(workspace) if summary.session)


def sessions_used(workspace: Workspace, dataset: str) -> set[str]:
    """The sessions of a dataset that threads are about."""
    return {summary.session for summary in summaries(workspace) if summary.dataset == dataset and summary.session}


def apply(known: Summaries, changes: Changes) -> bool:
    """Bring `known` up to date; says whether that changed anything."""
    for summary in changes.changed:
        known.put(summary)
    for stem in changes.gone:
        known.drop(stem)
    return bool(changes.changed or changes.gone)


def part_maker(folder: Path) -> Callable[[Sequence[str]], bytes | list[Summary]]:
    """The job of a process: stems in, their summaries out, as columns but where a text is no Unicode."""

    def summarized(stems: Sequence[str]) -> bytes | list[Summary]:
        some = [summarize(folder, stem) for stem in stems]
        try:
            return packed(some)
        except UnicodeEncodeError:
            return some

    return summarized


def _summarized(folder: Path, stems: list[str]) -> Iterator[Summary]:
    """The files' summaries in the order of `stems`: the first ones at once, the rest of very many on all cores. The
    stems of those are taken out of the list, as their summaries have them again."""
    alone = BATCH if len(stems) >= MANY else len(stems)
    yield from (summarize(folder, stem) for stem in stems[:alone])
    if len(stems) > alone:
        from core.processes.pool import in_order, taken_out  # no part of the app's start

        left = stems[alone:]
        stems.clear()
        with closing(in_order(part_maker, (folder,), taken_out(left, BATCH))) as results:
            for part in results:
                yield from unpacked(part) if isinstance(part, bytes) else part
