"""UCI HAR: Anguita et al., "A Public Domain Dataset for Human Activity Recognition Using Smartphones", ESANN 2013.

Published as windows already: 128 readings at 50 Hz (2.56 s), overlapping by half, one row a window, one file a
signal and axis. A session's id is its split, its subject and its row in the split's files, counted from 0:
`train_16_3157` is line 3158 of `y_train.txt`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.windows import MAX_MISSING
from core.errors import DatasetError
from tools.session import Channel

if TYPE_CHECKING:
    from tools.session import Samples

RATE_HZ = 50.0
ROWS = 128
SPLITS = ("train", "test")
_BLOCK = 500
"""Windows that are read, and noted as done, together."""

_SENSORS = (
    ("body_acc", "acceleration of the body alone (gravity taken out by a low-pass filter at 0.3 Hz)", "g"),
    ("total_acc", "acceleration including gravity", "g"),
    ("body_gyro", "angular velocity", "rad/s"),
)
CHANNELS = tuple(
    Channel(f"{sensor}_{axis}", f"{about}, {axis} axis of a smartphone at the waist", unit, RATE_HZ)
    for sensor, about, unit in _SENSORS
    for axis in "xyz"
)
_NAMES = tuple(channel.name for channel in CHANNELS)

_ACTIVITIES = ("walking", "walking_upstairs", "walking_downstairs", "sitting", "standing", "laying")
"""Labels 1 to 6, as `activity_labels.txt` has them."""


@dataclass(frozen=True, slots=True)
class _Split:
    name: str
    subjects: list[int]
    labels: list[int]
    signals: list[RawFile]
    """One file a channel, in the order of `CHANNELS`."""


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    splits = [own for split in SPLITS if (own := _split(raw, split))]
    if not splits:
        raise DatasetError(
            f"{raw.path} is no UCI HAR dataset: it holds neither train/y_train.txt nor test/y_test.txt "
            "(or the archive is cut off)"
        )
    missing = Counter({f"split, {split}, which is not in the archive": 1 for split in SPLITS})
    for split in splits:
        del missing[f"split, {split.name}, which is not in the archive"]
    return Plan(
        title="UCI HAR",
        description=(
            "Human activity recognition from a smartphone (Samsung Galaxy S II) worn at the waist: volunteers aged "
            "19 to 48, six activities, accelerometer and gyroscope at 50 Hz, noise-filtered, in windows of 2.56 s "
            "(128 readings) that overlap by half. With the person upright the x axis is close to vertical."
        ),
        activities=_ACTIVITIES,
        channels=CHANNELS,
        source=(
            "UCI Human Activity Recognition Using Smartphones, version 1.0 (Anguita et al., ESANN 2013); "
            "to be cited, commercial use prohibited"
        ),
        settings={"length_sec": ROWS / RATE_HZ, "overlap": 0.5},
        total=sum(len(split.labels) for split in splits),
        units=(unit for split in splits for unit in _units(split)),
        dropped=missing,
    )


IMPORTER = Importer("uci_har", "UCI HAR, smartphone at the waist", True, (), _plan)


def _split(raw: Raw, split: str) -> _Split | None:
    """A split's files. None when it is not there at all; raises DatasetError when it is there in part."""
    labels = raw.find(rf"{split}/y_{split}\.txt")
    if not labels:
        return None
    home = PurePosixPath(labels[0][0].name).parent

    def signal_file(pattern: str, shown: str) -> RawFile:
        for file, _ in raw.find(pattern):
            if PurePosixPath(file.name).is_relative_to(home):
                return file
        raise DatasetError(f"{raw.path}: {home / shown} is missing: the archive is not whole")

    signals = [
        signal_file(rf"{split}/Inertial[ _]Signals/{name}_{split}\.txt", f"Inertial Signals/{name}_{split}.txt")
        for name in _NAMES
    ]
    subjects = _numbers(signal_file(rf"{split}/subject_{split}\.txt", f"subject_{split}.txt"))
    read = _Split(split, subjects, _numbers(labels[0][0]), signals)
    if len(read.subjects) != len(read.labels):
        raise DatasetError(
            f"{raw.path}: {home} names {len(read.subjects)} subjects for {len(read.labels)} labels: "
            "the archive is not whole"
        )
    return read


def _numbers(file: RawFile) -> list[int]:
    """One whole number a line; -1 where a line holds none."""

    def number(line: bytes) -> int:
        try:
            return int(line)
        except ValueError:
            return -1

    return [number(line) for line in file.lines() if line.strip()]


def _units(split: _Split) -> Iterator[Unit]:
    """The split in blocks of rows. All nine files are read side by side, once, whatever is skipped."""
    streams = [_rows(file) for file in split.signals]
    for first in range(0, len(split.labels), _BLOCK):
        count = min(_BLOCK, len(split.labels) - first)
        lines = [list(islice(stream, count)) for stream in streams]
        for file, block in zip(split.signals, lines, strict=True):
            if len(block) < count:
                raise _uneven(file, first + len(block), split)
        yield Unit(f"{split.name} rows from {first}", count, partial(_sessions, split, first, lines))
    for file, stream in zip(split.signals, streams, strict=True):
        if next(stream, None) is not None:
            raise _uneven(file, len(split.labels) + 1, split)


def _rows(file: RawFile) -> Iterator[bytes]:
    with closing(file.lines()) as lines:
        yield from (line for line in lines if line.strip())


def _uneven(file: RawFile, rows: int, split: _Split) -> DatasetError:
    more = "more than" if rows > len(split.labels) else "only"
    count = min(rows, len(split.labels))
    return DatasetError(
        f"{file.archive}: {file.name} has {more} {count} rows for {len(split.labels)} labels: the archive is not whole"
    )


def _sessions(split: _Split, first: int, lines: list[list[bytes]], dropped: Counter[str]) -> Iterator[NewSession]:
    times = np.arange(ROWS) / RATE_HZ
    for offset, parts in enumerate(zip(*lines, strict=True)):
        row = first + offset
        subject, label = split.subjects[row], split.labels[row]
        values = _window(parts)
        if subject < 0 or not 1 <= label <= len(_ACTIVITIES):
            dropped["windows of an unknown subject or activity"] += 1
        elif values is None:
            dropped[f"windows with a broken line (other than {ROWS} numbers)"] += 1
        elif np.isnan(values).mean() > MAX_MISSING:
            dropped["windows with more than half of their samples missing"] += 1
        else:
            session = f"{split.name}_{subject:02d}_{row:04d}"
            yield NewSession(session, str(subject), _ACTIVITIES[label - 1], times, _NAMES, values)


def _window(parts: tuple[bytes, ...]) -> Samples | None:
    """One window's nine lines as numbers, shape (9, 128); None when a line is broken."""
    try:
        rows = [array("d", map(float, part.split())) for part in parts]
    except ValueError:
        return None
    return np.array(rows) if all(len(row) == ROWS for row in rows) else None
