"""`intervals.csv` beside a recording, in the form that `datasets import table` reads, and what can be undone in it."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.datasets.whole.marks import Mark, Marks, Stretches
from core.errors import ConflictError, DatasetError, SensorloomError, system_reason
from core.files import read_regular_file
from core.storage.atomic import digest, write_atomic

INTERVALS = "intervals.csv"
_COLUMNS = ("start_sec", "end_sec", "label")
_HISTORY = ".intervals.json"
"""The steps that can be undone, with the digest of the file they lead to: changed by somebody else, they are void."""


@dataclass(frozen=True, slots=True)
class StoredMarks:
    """What was read of a recording's marks, and of which bytes."""

    folder: Path
    marks: Marks
    digest: str
    """Empty where there was no file."""


def read_marks(folder: Path) -> StoredMarks:
    """The marks of the recording in `folder`; none where nothing was marked yet.

    Raises:
        DatasetError: the file is of another form, or a row is wrong; the sentence names the line.
    """
    data = _bytes(folder / INTERVALS)
    if data is None:
        return StoredMarks(folder, Marks(), "")
    stretches, read = _parsed(folder, data), digest(data)
    undo, redo = _history(folder, read)
    return StoredMarks(folder, Marks(stretches, undo, redo), read)


def save_marks(stored: StoredMarks, marks: Marks) -> StoredMarks:
    """Save other marks over those that were read.

    Raises:
        ConflictError: the file is no longer what was read; nothing was written.
        SensorloomError: it cannot be written.
    """
    from filelock import FileLock

    path = stored.folder / INTERVALS
    try:
        with FileLock(stored.folder / ".intervals.lock", timeout=10):
            now = _bytes(path)
            if ("" if now is None else digest(now)) != stored.digest:
                raise ConflictError(
                    f"{_shown(path)} was changed by somebody else meanwhile; it is read anew, mark again"
                )
            data = as_csv(marks.stretches).encode()
            write_atomic(path, data)
            history = {"of": digest(data), "undo": _rows(marks.undo), "redo": _rows(marks.redo)}
            write_atomic(stored.folder / _HISTORY, json.dumps(history).encode(), durable=False)
    except OSError as error:  # filelock's Timeout is one
        raise SensorloomError(f"cannot write {_shown(path)}: {system_reason(error)}") from error
    return StoredMarks(stored.folder, marks, digest(data))


class MarksOnDisk:
    """The marks of a recording while they are being changed: saved one after the other, from any thread."""

    def __init__(self, folder: Path) -> None:
        """Read them. Raises DatasetError."""
        self._stored = read_marks(folder)
        self._turn = threading.Lock()

    @property
    def marks(self) -> Marks:
        """As they are on disk, by what is known here."""
        return self._stored.marks

    def save(self, wanted: Callable[[], Marks]) -> str:
        """Save what is wanted when its turn comes; where somebody else changed the file, that is taken instead.

        Returns:
            Why they were not saved and `marks` are others now; empty where they were.

        Raises:
            SensorloomError: they cannot be written.
        """
        with self._turn:
            marks = wanted()
            if marks == self._stored.marks:
                return ""
            try:
                self._stored = save_marks(self._stored, marks)
            except ConflictError as error:
                self._stored = read_marks(self._stored.folder)
                return str(error)
        return ""


def _bytes(path: Path) -> bytes | None:
    try:
        return read_regular_file(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DatasetError(f"{_shown(path)}: {system_reason(error)}") from error


def _parsed(folder: Path, data: bytes) -> Stretches:
    where = _shown(folder / INTERVALS)
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{where}: it cannot be read as CSV: {error}") from error
    if not rows or tuple(cell.strip() for cell in rows[0]) != _COLUMNS:
        raise DatasetError(f"{where}: its first line must be {','.join(_COLUMNS)}, and it has no other columns")
    marks: list[Mark] = []
    for line, row in enumerate(rows[1:], 2):
        if not row:
            continue
        try:
            start, end, label = float(row[0]), float(row[1]), row[2].strip()
            if len(row) != len(_COLUMNS) or not label or not (math.isfinite(start) and start < end < math.inf):
                raise ValueError
        except (ValueError, IndexError) as error:
            raise DatasetError(f"{where}: line {line} needs a start, a later end in seconds, and a label") from error
        marks.append(Mark(start, end, label))
    return tuple(sorted(marks))


def as_csv(stretches: Stretches) -> str:
    """Stretches as the file has them."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows((_seconds(mark.start_sec), _seconds(mark.end_sec), mark.label) for mark in stretches)
    return file.getvalue()


def _seconds(second: float) -> str:
    """A time to a tenth of a millisecond, without zeros at its end."""
    return f"{second:.4f}".rstrip("0").rstrip(".")


def _rows(steps: tuple[Stretches, ...]) -> list[list[list[Any]]]:
    return [[[mark.start_sec, mark.end_sec, mark.label] for mark in stretches] for stretches in steps]


def _history(folder: Path, read: str) -> tuple[tuple[Stretches, ...], tuple[Stretches, ...]]:
    """What can be undone and redone of the file with this digest; nothing where that is not known."""
    try:
        kept_steps = json.loads(read_regular_file(folder / _HISTORY))
        if kept_steps["of"] != read:
            return (), ()
        undo, redo = (
            tuple(tuple(Mark(float(a), float(b), str(label)) for a, b, label in stretches) for stretches in steps)
            for steps in (kept_steps["undo"], kept_steps["redo"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return (), ()
    return undo, redo


def _shown(path: Path) -> str:
    return "/".join(path.parts[-4:])
