"""What a live folder holds, as one recording on one clock: by the rules that files of a person's own are read with."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.datasets.archive import RawFile
from core.datasets.tables.channels import sensor_word
from core.datasets.tables.form import TableForm
from core.datasets.tables.joining import Recording, Source, usual_rate
from core.datasets.tables.recordings import read_recording
from core.datasets.whole.marks import Mark, Stretches
from core.errors import DatasetError
from core.recording.live_file import LiveReader, Rows
from core.recording.live_folder import Live, read_marks, sensor_files

_TIME = "time"
GROUP_ROWS = 60_000
"""Rows of a recording that stand together in a file."""
_LEAST_PART = 0.5
"""A sensor that would leave less than this share of the longest one's time is left out: it would cut that short."""


@dataclass(frozen=True, slots=True)
class SensorRows:
    """The rows of one sensor, read anew each time they are asked for: those of a day are never in memory as a whole."""

    columns: tuple[str, ...]
    batches: Callable[[], Iterable[Rows]]
    rows: int
    start_ns: int
    end_ns: int


Sensors = dict[str, SensorRows]
"""By the stem of their files."""


def every_sensor(folder: Path) -> Sensors:
    """All that was recorded. A file that has no whole beginning yet holds nothing."""
    sensors = {path.stem: _summed(partial(_batches, path, 0)) for path in sensor_files(folder)}
    return {stem: sensor for stem, sensor in sensors.items() if sensor is not None}


def latest(live: Live, seconds: float) -> Sensors:
    """The last so many seconds of each sensor."""
    readable = {
        Path(sensor.file).stem: list(_batches(live.folder / sensor.file, sensor.checkpoint))
        for sensor in live.state.sensors
    }
    end = max((int(batches[-1][1].time_ns[-1]) for batches in readable.values() if batches), default=0)
    sensors: Sensors = {}
    for stem, batches in readable.items():
        recent = [(columns, rows) for columns, rows in batches if rows.time_ns[-1] >= end - seconds * 1e9]
        if (sensor := _summed(lambda recent=recent: recent)) is not None:
            sensors[stem] = sensor
    return sensors


def _batches(path: Path, checkpoint: int) -> Iterator[tuple[tuple[str, ...], Rows]]:
    """The columns, and each whole batch of a file."""
    try:
        reader = LiveReader(path, checkpoint)
    except DatasetError:
        return
    try:
        for rows in reader.rows():
            yield reader.columns, rows
    finally:
        reader.close()


def _summed(batches: Callable[[], Iterable[tuple[tuple[str, ...], Rows]]]) -> SensorRows | None:
    columns: tuple[str, ...] = ()
    count = start = end = 0
    for own, rows in batches():
        columns, start, end = own, start or int(rows.time_ns[0]), int(rows.time_ns[-1])
        count += len(rows.time_ns)
    return SensorRows(columns, lambda: (rows for _, rows in batches()), count, start, end) if count else None


def joined(
    sensors: Sensors, name: str, form: TableForm, dropped: Counter[str], scratch: Path | None = None
) -> Recording:
    """The sensors as one recording: channels named and in their units, on the clock of the fastest.

    Args:
        sensors: their rows.
        name: the recording's, for messages.
        form: the units that are known.
        dropped: what is left out is counted here.
        scratch: a folder for what a long recording needs beside the memory; the system's own unless told.

    Raises:
        DatasetError: there is nothing to be measured in them.
    """
    usable = _long_enough(sensors, dropped)
    if not usable:
        raise DatasetError(f"{name}: it has fewer than three rows of any sensor")
    own = TableForm(time=_TIME, time_unit="ns", units=form.units)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        files = tuple(_as_file(Path(folder), stem, usable[stem], len(usable) > 1) for stem in sorted(usable))
        recording = read_recording(Source(name, files, scratch), own, (), dropped)
    rated = tuple(replace(channel, rate_hz=usual_rate(recording.rate_hz) or None) for channel in recording.channels)
    # times are those of our own file, and what a person or the dataset says need not be repeated
    notes = tuple(note for note in recording.notes if not (note.startswith("time:") or note.endswith("as you say")))
    return replace(recording, channels=rated, notes=notes)


def _long_enough(sensors: Sensors, dropped: Counter[str]) -> Sensors:
    """The sensors that leave all of them together the half of the longest one's time, the longest first."""
    by_length = sorted(sensors.items(), key=lambda pair: (pair[1].start_ns - pair[1].end_ns, pair[0]))
    usable: Sensors = {}
    start = end = 0
    least = 0.0
    for stem, sensor in by_length:
        began, ended = (max(start, sensor.start_ns), min(end, sensor.end_ns)) if usable else (
            sensor.start_ns, sensor.end_ns)  # fmt: skip
        if sensor.rows > 2 and ended - began >= least:
            least = least or _LEAST_PART * (ended - began)
            usable[stem], start, end = sensor, began, ended
        else:
            dropped[f"rows of {stem}, which did not send for half of the time that the others did"] += sensor.rows
    return usable


def _as_file(folder: Path, stem: str, sensor: SensorRows, several: bool) -> RawFile:
    import pyarrow as pa
    from pyarrow import parquet

    named = column_names(stem, sensor.columns, several)
    schema = pa.schema([(_TIME, pa.int64()), *((name, pa.float64()) for name in named)])
    path = folder / f"{stem}.parquet"
    with parquet.ParquetWriter(path, schema, compression="lz4") as writer:
        for rows in _gathered(sensor.batches()):
            columns = (pa.array(column.astype(np.float64)) for column in rows.samples.T)
            writer.write_table(pa.Table.from_arrays([pa.array(rows.time_ns), *columns], schema=schema))
    return RawFile(path.name, path.stat().st_size, stem, lambda: path.open("rb"))


def column_names(stem: str, columns: Sequence[str], several: bool) -> list[str]:
    """What a sensor's columns are called beside those of others: a name that says no sensor would leave the axes of
    `several` sensors with one name."""
    return [f"{stem}_{name}" if several and not sensor_word(stem) else name for name in columns]


def _gathered(batches: Iterable[Rows]) -> Iterator[Rows]:
    """Batches put together to row groups."""
    held: list[Rows] = []
    count = 0
    for rows in batches:
        held.append(rows)
        count += len(rows.time_ns)
        if count >= GROUP_ROWS:
            yield _one_batch(held)
            held, count = [], 0
    if held:
        yield _one_batch(held)


def _one_batch(batches: Sequence[Rows]) -> Rows:
    return Rows(np.concatenate([rows.time_ns for rows in batches]), np.concatenate([rows.samples for rows in batches]))


def stretches(folder: Path, recording: Recording) -> Stretches:
    """The labelled stretches that were marked, within the recording, in seconds of its clock."""
    half = 0.5 / (recording.rate_hz or 1.0)
    start = int(recording.time_ns[0])
    end = (int(recording.time_ns[-1]) - start) / 1e9 + half
    marks = sorted(read_marks(folder), key=lambda mark: mark[0])
    begins = [(time - start) / 1e9 for time, _ in marks]
    cuts = [*begins[1:], end] if marks else []
    within = ((max(begin, 0.0), min(until, end), label)
              for begin, until, (_, label) in zip(begins, cuts, marks, strict=True))  # fmt: skip
    return tuple(
        Mark(round(begin, 4), round(until, 4), label) for begin, until, label in within if label and until > begin
    )
