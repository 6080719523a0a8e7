"""Datasets on their way to a machine that does not see the driver's folder: in pieces, or read from a copy at a URL,
laid out once per machine.

A dataset is known by its files' names, sizes and times. A machine keeps what it was sent for later runs, and drops what
none has used for a week.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.cluster.tables import TableFile, tables_of
from core.datasets.archive import is_archive, open_raw
from core.datasets.getting import copy_dataset
from core.datasets.remote import name_at, remote_at, shown_url
from core.datasets.standard import SESSIONS, StandardDataset
from core.errors import DatasetError, system_reason
from core.storage.atomic import digest

PART_BYTES = 32 << 20
"""Bytes of a piece: what both ends hold in memory at a time, beside the cluster's own."""
DATA = "data"
File = tuple[str, int, bytes]
"""A file's name in the dataset, its time in nanoseconds, and its bytes; or the digest of them, where they are read
elsewhere."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A dataset by what it holds."""

    name: str
    folder: str
    """Where the driver has it."""
    digest: str
    tables: tuple[TableFile, ...]
    """Those that the driver has of it."""


def parcel_of(dataset: StandardDataset) -> Parcel:
    """The parcel that a dataset makes. Raises DatasetError."""
    try:
        return Parcel(dataset.name, str(dataset.folder), _digest(dataset.folder), tables_of(dataset))
    except OSError as error:
        raise DatasetError(f"{dataset.folder}: {system_reason(error)}") from error


def is_seen(parcel: Parcel) -> bool:
    """Whether this machine sees the same dataset where the driver has it, as on shared storage."""
    try:
        return _digest(Path(parcel.folder)) == parcel.digest
    except OSError:
        return False


def parts_of(parcel: Parcel, *, by_digest: bool = False) -> Iterator[list[File]]:
    """A dataset's files in pieces, each with its bytes or with their digest. Raises DatasetError."""
    folder = Path(parcel.folder)
    part: list[File] = []
    size = 0
    try:
        for path in _files(folder):
            data = path.read_bytes()
            part.append((str(path.relative_to(folder)), path.stat().st_mtime_ns, _sum(data) if by_digest else data))
            size += len(part[-1][-1])
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
    with _whole(folder) as making:
        for part in parts:
            for name, changed_ns, data in part:
                path = making / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                os.utime(path, ns=(changed_ns, changed_ns))


def lay_out_from(url: str, folder: Path, parts: Iterable[Iterable[File]]) -> None:
    """The same with what lies at a URL, a folder or an archive: all of it is what the driver has, or none is taken.

    Args:
        url: where the dataset is.
        folder: where it goes, called as the dataset is.
        parts: the driver's files, with digests.

    Raises:
        UsageError: what reads the URL is not installed here.
        DatasetError: it cannot be read, or is another one than the driver's.
    """
    wanted = {name: (changed_ns, data) for part in parts for name, changed_ns, data in part}
    with _whole(folder) as making:
        _copied(url, list(wanted), making)
        missing = [name for name in wanted if not (making / name).is_file()]
        other = [name for name, (_, data) in wanted.items() if name not in missing and _of(making / name) != data]
        if wrong := missing or other:
            more = f", and {len(missing) + len(other) - 1} more" if len(missing) + len(other) > 1 else ""
            raise DatasetError(
                f"{shown_url(url)} is not the {folder.name} that the run is about: {wrong[0]} "
                f"{'is missing' if missing else 'differs'} there{more}; copy it there anew, or leave --data-from out"
            )
        for name, (changed_ns, _) in wanted.items():
            os.utime(making / name, ns=(changed_ns, changed_ns))


def _copied(url: str, names: Sequence[str], making: Path) -> None:
    remote = remote_at(url)
    if not is_archive(name_at(url)):
        there = {file.name for file in remote.files()} if remote.has_folders else {*names}
        remote.copy([name for name in names if name in there], making)
        return
    with tempfile.TemporaryDirectory(dir=making.parent, prefix=".archive-") as scratch:
        archive = Path(scratch) / name_at(url)
        remote.copy([""], archive)
        with open_raw(archive, Path(scratch) / "unpacked") as raw:
            copy_dataset(raw, making, names)


@contextmanager
def _whole(folder: Path) -> Generator[Path]:
    """A folder that gets its name when everything is in it; else nothing of it stays. Raises DatasetError."""
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        yield making
        making.rename(folder)
    except OSError as error:
        raise DatasetError(f"{folder}: {system_reason(error)}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _of(path: Path) -> bytes:
    return _sum(path.read_bytes())


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
