"""Training files on their way to disk: hidden until they are whole, never over an existing one.

Rows are spooled in the order they come; which of them stay, on which side, and which stands first is known only
at the end, so the final files are put together from the spool without decoding anything again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path

from filelock import FileLock

from core.errors import SensorloomError, system_reason
from core.export.direct_file import DirectFile
from core.export.entry import Span
from core.export.report import ExportFile
from core.storage.atomic import sync_folder

_CHUNK = 1 << 20
_ABANDONED_SEC = 6 * 3600
"""A hidden file this old was left by an export that was killed."""


class HiddenFile:
    """A file that nobody sees before `publish`."""

    def __init__(self, folder: Path, *, hashed: bool = True) -> None:
        with said(folder):
            handle, name = tempfile.mkstemp(dir=folder, prefix=".training_data_", suffix=".tmp")
            self._file = FileIO(handle, "w+b")
        self._path = Path(name)
        self._rows = DirectFile(handle)
        self._hash = hashlib.sha256() if hashed else None
        self.size = 0

    def write(self, rows: bytes | memoryview) -> None:
        """Add whole lines."""
        with said(self._path.parent):
            self._add(rows)

    def _add(self, data: bytes | memoryview) -> None:
        if self._hash is not None:
            self._hash.update(data)
        self._rows.write(data)
        self.size += len(data)

    def forget_hash(self) -> None:
        """Do not hash what is written, as this will hardly be published: if it is, it is read once more."""
        self._hash = None

    def copy(self, spans: Iterable[Span]) -> HiddenFile:
        """A new hidden file of these parts of this one, in this order."""
        made = HiddenFile(self._path.parent)
        try:
            with said(self._path.parent):
                self._rows.flush()
                for start, end in _runs(spans):
                    while start < end:
                        data = os.pread(self._file.fileno(), min(end - start, _CHUNK), start)
                        if not data:
                            raise OSError("the file ended early")
                        made._add(data)
                        start += len(data)
        except BaseException:
            made.discard()
            raise
        return made

    def finish(self) -> str:
        """Make everything durable, and return the SHA-256 of the content."""
        with said(self._path.parent):
            self._rows.flush()
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(self._file.fileno(), 0o666 & ~umask)
            os.fsync(self._file.fileno())
            if self._hash is None:
                self._file.seek(0)
                self._hash = hashlib.file_digest(self._file, "sha256")
        return self._hash.hexdigest()

    def publish(self, path: Path) -> None:
        """Give the file its name; an existing file of that name is never replaced."""
        with said(path):
            try:
                os.link(self._path, path)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                if path.exists():
                    raise
                self._path.replace(path)
        self.discard()
        sync_folder(path.parent)

    def __enter__(self) -> HiddenFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Leave nothing hidden behind."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def publish_all(
    folder: Path, stem: str, hidden: Mapping[str, HiddenFile], rows: Mapping[str, int], now: datetime
) -> tuple[str, list[ExportFile]]:
    """Name the files `{stem}_{YYYYMMDD_HHMMSS}[_{split}].jsonl`, one time for all of them.

    A second that an earlier export has is left to it; the next free one is used. Returns the name without
    split and ending, and the files.
    """
    hashes = {split: one.finish() for split, one in hidden.items()}
    with said(folder), FileLock(folder / ".sensorloom.lock", timeout=20):
        while any(folder.glob(f"{stem}_{now:%Y%m%d_%H%M%S}*")):
            now += timedelta(seconds=1)
        name = f"{stem}_{now:%Y%m%d_%H%M%S}"
        made: list[ExportFile] = []
        for split, one in hidden.items():
            path = folder / f"{name}{'_' + split if split else ''}.jsonl"
            one.publish(path)
            made.append(ExportFile(path, split, rows[split], one.size, hashes[split]))
        return name, made


def prepare_folder(folder: Path) -> None:
    """Make the exports folder, and clear away what killed exports left. Raises SensorloomError."""
    with said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".training_data_*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_SEC:
                    path.unlink()
            except FileNotFoundError:
                continue


@contextmanager
def said(path: Path) -> Generator[None]:
    """Turn what the file system refuses into one sentence with the path."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> SensorloomError:
    """One sentence about what could not be written, and why."""
    return SensorloomError(f"cannot write {path}: {system_reason(error)}")


def _runs(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans with neighbours joined."""
    open_run: Span | None = None
    for start, end in spans:
        if open_run is not None and start == open_run[1]:
            open_run = open_run[0], end
            continue
        if open_run is not None:
            yield open_run
        open_run = start, end
    if open_run is not None:
        yield open_run
