"""Training files on their way to disk: hidden until they are whole, never over an existing one."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BufferedRandom, FileIO
from pathlib import Path

from core.errors import SensorloomError
from core.export.report import ExportFile
from core.files import sync_folder

_BUFFER = 1 << 20
_ABANDONED_SEC = 6 * 3600
"""A hidden file this old was left by an export that was killed."""


class PendingFile:
    """A training file being written. Nobody sees it before `publish`."""

    def __init__(self, folder: Path, split: str) -> None:
        self.split = split
        self.rows = 0
        self._size = 0
        self._richest: tuple[int, int, int] | None = None
        """How many keys the richest row has, where it begins, its length."""
        with _said(folder):
            handle, name = tempfile.mkstemp(dir=folder, prefix=".training_data_", suffix=".tmp")
            self._file = BufferedRandom(FileIO(handle, "w+b"), _BUFFER)
        self._path = Path(name)

    def write(self, line: bytes, richness: int = 0) -> None:
        """Add a row. The row of the greatest richness, the first of equals, comes to stand first."""
        with _said(self._path.parent):
            self._file.write(line)
            self._file.write(b"\n")
        if self._richest is None or richness > self._richest[0]:
            self._richest = (richness, self._size, len(line) + 1)
        self._size += len(line) + 1
        self.rows += 1

    def finish(self) -> str:
        """Put the richest row first, make everything durable, and return the SHA-256 of the content."""
        with _said(self._path.parent):
            self._file.flush()
            if self._richest is not None and self._richest[1] > 0:
                self._reorder(self._richest[1], self._richest[2])
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(self._file.fileno(), 0o666 & ~umask)
            os.fsync(self._file.fileno())
            self._file.seek(0)
            return hashlib.file_digest(self._file, "sha256").hexdigest()

    def publish(self, path: Path, sha256: str) -> ExportFile:
        """Give the file its name; an existing file of that name is never replaced."""
        with _said(path):
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
        return ExportFile(path, self.split, self.rows, self._size, sha256)

    def discard(self) -> None:
        """Leave nothing behind."""
        try:
            self._file.close()
        except OSError:
            pass  # a full disk: what was buffered is not wanted any more
        self._path.unlink(missing_ok=True)

    def _reorder(self, start: int, length: int) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".training_data_", suffix=".tmp")
        ordered = BufferedRandom(FileIO(handle, "w+b"), _BUFFER)
        try:
            for begin, size in ((start, length), (0, start), (start + length, self._size - start - length)):
                _copy(self._file, ordered, begin, size)
            ordered.flush()
        except BaseException:
            ordered.close()
            Path(name).unlink(missing_ok=True)
            raise
        self._file.close()
        self._path.unlink()
        self._file, self._path = ordered, Path(name)


def publish_all(folder: Path, stem: str, pending: Mapping[str, PendingFile], now: datetime) -> list[ExportFile]:
    """Name the finished files `{stem}_{YYYYMMDD_HHMMSS}[_{split}].jsonl`, one time for all of them.

    A second that an earlier export has is left to it; the next free one is used.
    """
    from filelock import FileLock

    hashes = {split: one.finish() for split, one in pending.items()}
    with _said(folder), FileLock(folder / ".sensorloom.lock", timeout=20):
        while any(folder.glob(f"{stamped(stem, now)}*")):
            now += timedelta(seconds=1)
        return [
            one.publish(folder / f"{stamped(stem, now)}{'_' + split if split else ''}.jsonl", hashes[split])
            for split, one in pending.items()
        ]


def stamped(stem: str, now: datetime) -> str:
    """A name with its time, as the exports folder has it."""
    return f"{stem}_{now:%Y%m%d_%H%M%S}"


def prepare_folder(folder: Path) -> None:
    """Make the exports folder, and clear away what killed exports left. Raises SensorloomError."""
    with _said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".training_data_*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_SEC:
                    path.unlink()
            except FileNotFoundError:
                continue


@contextmanager
def _said(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error


def _copy(source: BufferedRandom, target: BufferedRandom, start: int, length: int) -> None:
    source.seek(start)
    while length > 0:
        chunk = source.read(min(length, _BUFFER))
        target.write(chunk)
        length -= len(chunk)
