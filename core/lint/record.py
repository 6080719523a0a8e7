"""What looking at one thread file brings to light, on any process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import SensorloomError
from core.lint import Context, Finding, check_thread
from core.lint.duplicates import spoken_signature
from core.storage import store, thread_files
from core.thread.signature import Signature

_NICE = 19
"""How much a process that looks at a whole folder gives way to what somebody is waiting for."""


@dataclass(frozen=True, slots=True)
class Record:
    """One file as it was looked at."""

    stem: str
    size: int
    mtime_ns: int
    looked_ns: int
    """When it was looked at, by the clock of files."""
    labels: tuple[str, ...]
    """The label set it was checked with."""
    findings: tuple[Finding, ...]
    """What the checks of a thread on its own find."""
    signature: Signature | None
    """What it is compared with others by; None when nothing was said yet."""


def look_at(folder: Path, stem: str, labels: tuple[str, ...]) -> Record | None:
    """Read and check one file; None when it is no thread any more. A millisecond, or a few for a long thread."""
    try:
        looked = time.time_ns()
        size, mtime_ns = thread_files.thread_stamp(folder, stem)
        thread = store.read(folder, stem).thread
    except (SensorloomError, OSError):
        return None
    findings = tuple(check_thread(thread, Context(stem, labels)))
    return Record(stem, size, mtime_ns, looked, labels, findings, spoken_signature(thread))


def record_maker(
    folder: Path, labels: Mapping[str, tuple[str, ...]], parent: int
) -> Callable[[Sequence[tuple[str, str]]], list[Record]]:
    """The job of a process: stems with their datasets in, records out. `parent` is the id of the one that waits."""
    if os.getpid() != parent:
        os.nice(_NICE)

    def part(files: Sequence[tuple[str, str]]) -> list[Record]:
        records = (look_at(folder, stem, labels[dataset]) for stem, dataset in files)
        return [record for record in records if record is not None]

    return part
