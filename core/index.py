"""Summaries of every file in the threads folder, kept so that nobody reads a hundred thousand files twice.

Everything here blocks and belongs in a worker. Work comes in batches, between which other threads run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core import index_cache
from core.errors import SensorloomError
from core.store import is_thread_file
from core.summary import Summary, summarize
from core.workspace import Workspace

BATCH = 500
"""Files between two reports of a scan: about 20 ms of work."""

_SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was read may have changed again within one tick of its clock."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a scan found to differ from what was known."""

    found: tuple[Summary, ...] = ()
    """New and changed files."""
    gone: tuple[str, ...] = ()
    """Stems that are no longer there."""
    seen: int = 0
    """Files looked at so far in this scan."""
    total: int = 0
    """Files in the folder."""
    read: int = 0
    """Files that had to be read so far; when there were any, the cache is worth renewing."""


def scan(folder: Path, known: Mapping[str, Summary], trusted_ns: int = 0) -> Iterator[Changes]:
    """Compare the folder with what is known, reading only files whose time or size differ.

    Yields the changes in batches, at least one; what is gone comes in the last one. An absent folder
    holds nothing.

    Args:
        folder: the threads folder.
        known: the summaries from an earlier scan.
        trusted_ns: the time of that earlier scan; files changed just before it are read again.
    """
    there = _listing(folder)
    total, read = len(there), 0
    batch: list[Summary] = []
    for seen, (stem, size, mtime_ns) in enumerate(there, 1):
        one = known.get(stem)
        settled = trusted_ns == 0 or mtime_ns < trusted_ns - _SETTLED_NS
        if one is None or not settled or (one.size, one.mtime_ns) != (size, mtime_ns):
            fresh = summarize(folder, stem)
            read += 1
            if fresh != one:
                batch.append(fresh)
        if len(batch) >= BATCH:
            yield Changes(tuple(batch), (), seen, total, read)
            batch = []
    stems = {stem for stem, _, _ in there}
    yield Changes(tuple(batch), tuple(stem for stem in known if stem not in stems), total, total, read)


def rescan(folder: Path, known: Mapping[str, Summary], stems: Iterable[str]) -> Changes:
    """Read these files again, whatever their times say: they are known to have been written."""
    found: list[Summary] = []
    gone: list[str] = []
    for stem in stems:
        if not os.path.lexists(folder / f"{stem}.json"):
            if stem in known:
                gone.append(stem)
            continue
        fresh = summarize(folder, stem)
        if fresh != known.get(stem):
            found.append(fresh)
    return Changes(tuple(found), tuple(gone), len(found), len(known))


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
    return [known[stem] for stem in sorted(known)]


def apply(known: dict[str, Summary], changes: Changes) -> bool:
    """Bring `known` up to date; says whether that changed anything."""
    for one in changes.found:
        known[one.stem] = one
    for stem in changes.gone:
        known.pop(stem, None)
    return bool(changes.found or changes.gone)


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Stem, size and mtime in ns of every thread file, newest last so that the freshest work is read first."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_thread_file(entry.name):
                    try:
                        stat = entry.stat()
                        found.append((entry.name[:-5], stat.st_size, stat.st_mtime_ns))
                    except OSError:
                        found.append((entry.name[:-5], 0, 0))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SensorloomError(f"cannot list {folder}: {(error.strerror or str(error)).lower()}") from error
    found.sort(key=lambda one: -one[2])
    return found
