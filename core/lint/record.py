"""What looking at one thread file brings to light, in any process of any machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import SensorloomError
from core.lint import Context, Finding, check_thread
from core.lint.duplicates import spoken_signature
from core.storage import thread_files
from core.thread.json_form import decode
from core.thread.signature import Signature
from core.workspace import Workspace

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


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file as it was read, which any process may look at."""

    stem: str
    dataset: str
    size: int = 0
    mtime_ns: int = 0
    looked_ns: int = 0
    data: bytes = b""
    """Empty where it could not be read."""


def file_of(folder: Path, stem: str, dataset: str) -> ReadFile:
    """A file of the folder, read."""
    try:
        looked = time.time_ns()
        size, mtime_ns = thread_files.thread_stamp(folder, stem)
        return ReadFile(
            stem, dataset, size, mtime_ns, looked, thread_files.read_bytes(thread_files.path_of(folder, stem))
        )
    except (SensorloomError, OSError):
        return ReadFile(stem, dataset)


def look_at(file: ReadFile, labels: tuple[str, ...]) -> Record | None:
    """Check one file; None when it is no thread any more. A millisecond, or a few for a long thread."""
    try:
        thread = decode(file.data, f"{file.stem}.json")
    except SensorloomError:
        return None
    findings, spoken = tuple(check_thread(thread, Context(file.stem, labels))), spoken_signature(thread)
    return Record(file.stem, file.size, file.mtime_ns, file.looked_ns, labels, findings, spoken)


def record_maker(
    _workspace: Workspace | None, labels: Mapping[str, tuple[str, ...]]
) -> Callable[[Sequence[ReadFile]], list[Record | None]]:
    """The job (`core.processes.items`) that looks at files, with the label sets of their datasets. Of a workspace it
    needs nothing."""
    return lambda files: [look_at(file, labels[file.dataset]) for file in files]


def folder_record_maker(
    folder: Path, labels: Mapping[str, tuple[str, ...]], parent: int
) -> Callable[[Sequence[tuple[str, str]]], list[Record | None]]:
    """The same job where the folder is: stems with their datasets in, which it reads by itself. `parent` is the id of
    the process that waits."""
    if os.getpid() != parent:
        os.nice(_NICE)
    return lambda files: [look_at(file_of(folder, stem, dataset), labels[dataset]) for stem, dataset in files]
