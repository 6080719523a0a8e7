"""Datasets on their way to a machine that does not see the driver's folder: in pieces, laid out once per machine.

A dataset is known by its files' names, sizes and times. A machine keeps what it was sent for later runs, and drops what
none has used for a week.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.datasets.standard import SESSIONS, StandardDataset
from core.errors import DatasetError, system_reason
from core.storage.atomic import digest

PART_BYTES = 32 << 20
"""Bytes of a piece: what both ends hold in memory at a time, beside the cluster's own."""
DATA = "data"
UNUSED_SEC = 7 * 24 * 3600.0
"""How long a dataset stays on a machine that nothing uses."""

File = tuple[str, int, bytes]
"""A file's name in the dataset, its time in nanoseconds, and its bytes."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A dataset by what it holds."""

    name: str
    folder: str
    """Where the driver has it."""
    digest: str


def parcel_of(dataset: StandardDataset) -> Parcel:
    """The parcel that a dataset makes. Raises DatasetError."""
    try:
        return Parcel(dataset.name, str(dataset.folder), _digest(dataset.folder))
    except OSError as error:
        raise DatasetError(f"{dataset.folder}: {system_reason(error)}") from error


def is_seen(parcel: Parcel) -> bool:
    """Whether this machine sees the same dataset where the driver has it, as on shared storage."""
    try:
        return _digest(Path(parcel.folder)) == parcel.digest
    except OSError:
        return False


def parts_of(parcel: Parcel) -> Iterator[list[File]]:
    """A dataset's files in pieces. Raises DatasetError."""
    folder = Path(parcel.folder)
    part: list[File] = []
    size = 0
    try:
        for path in _files(folder):
            data = path.read_bytes()
            part.append((str(path.relative_to(folder)), path.stat().st_mtime_ns, data))
            size += len(data)
            if size >= PART_BYTES:
                yield part
                part, size = [], 0
    except OSError as error:
        raise DatasetError(f"{folder}: {system_reason(error)}") from error
    if part:
        yield part


def data_folder(base: Path, parcels: Sequence[Parcel]) -> Path:
    """Where a machine keeps these datasets, when they were sent to it: a data folder of their own."""
    return base / DATA / digest("".join(parcel.digest for parcel in parcels).encode())[:24]


def lay_out_parts(folder: Path, parts: Iterable[Iterable[File]]) -> None:
    """Write a dataset's files with the times that they had, all or nothing. Raises DatasetError."""
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        for part in parts:
            for name, changed_ns, data in part:
                path = making / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                os.utime(path, ns=(changed_ns, changed_ns))
        making.rename(folder)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise DatasetError(f"{folder}: {system_reason(error)}") from error


def drop_unused(base: Path, used: Path) -> None:
    """Note that this data folder is used now, and drop those that nothing has used for long."""
    with suppress(OSError):
        os.utime(used)
    with suppress(OSError):
        for folder in (base / DATA).iterdir():
            if folder.is_dir() and folder.stat().st_mtime < time.time() - UNUSED_SEC:
                shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Path) -> Iterator[Path]:
    """The files of the standard form: those beside the sessions, and each session's. What else lies there, such as
    recordings that are kept whole, is not needed to run threads."""
    yield from sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    for session in sorted((folder / SESSIONS).iterdir()):
        if session.is_dir():
            yield from sorted(path for path in session.iterdir() if path.is_file() and not path.name.startswith("."))


def _digest(folder: Path) -> str:
    listed: list[str] = []
    for path in _files(folder):
        status = path.stat()
        listed.append(f"{path.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}")
    return digest("\n".join(listed).encode("utf-8", "surrogateescape"))[:24]
