"""A recording kept whole: where it is, and its samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from core.datasets.session_file import TIME_COLUMN, layout_problems, opened, shown, wanted_columns, without_path
from core.datasets.standard import DATA, StandardDataset, is_safe_name, subject_in
from core.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from tools.session import Channel, Samples, Window

RECORDINGS = "recordings"
"""The folder of a dataset in which each whole recording has a folder of its own."""
MAX_NUMBERS = 250_000_000
"""Rows times columns of a recording at most: a gigabyte as float32, two days of nine channels at 100 Hz."""
_TOO_LONG = "too long"
_LOOKS = 16
"""So many samples of a channel tell where in a recording a session may lie, and so many places are compared whole."""


def recordings_of(dataset: StandardDataset) -> list[str]:
    """The names of its recordings, sorted; none where windows alone were kept."""
    return names_of_recordings(dataset.folder)


def names_of_recordings(dataset: Path) -> list[str]:
    """The names of the recordings in a dataset's folder, sorted."""
    folder = dataset / RECORDINGS
    try:
        return sorted(entry.name for entry in folder.iterdir() if (entry / DATA).is_file() and is_safe_name(entry.name))
    except OSError:
        return []


def recording_folder(dataset: StandardDataset, name: str) -> Path:
    """Where a recording is.

    Raises:
        DatasetError: there is none of that name; the sentence says what can be done, for a session above all, whose
            own label is never changed by marking.
    """
    names = recordings_of(dataset)
    if name in names:
        return dataset.folder / RECORDINGS / name
    way = (
        f"mark one of its recordings: {', '.join(names[:6])}{' …' if len(names) > 6 else ''}"
        if names
        else "import what it was cut from with `sensorloom datasets import table PATH --keep-whole`, and mark that"
    )
    if name in dataset.labels:
        raise DatasetError(
            f"{name} is a window with a label of its own, which threads rest on, so it is not marked; {way}"
        )
    raise DatasetError(f"{dataset.name} has no recording {name!r}; {way}")


def subject_of(dataset: StandardDataset, name: str) -> str:
    """Who was recorded: `subjects.json` may name recordings too; else what the name plainly says; else empty."""
    return dataset.subjects.get(name) or subject_in(name)


def read_recording(folder: Path, described: tuple[Channel, ...]) -> Window:
    """A recording's samples in the order of its rows, values as float32, times as float64, on its own clock.

    Args:
        folder: the recording's folder.
        described: the channels of the manifest; all columns are read where there are none.

    Raises:
        DatasetError: the file cannot be read, or is longer than fits into memory.
    """
    import pyarrow as pa

    from tools.session import Channel, Window

    path = folder / DATA
    try:
        with opened(path) as file:
            rows = file.metadata.num_rows
            names = wanted_columns(file.schema_arrow.names, [channel.name for channel in described])
            for kind, sentence, _ in layout_problems(file, [channel.name for channel in described]):
                if kind != _TOO_LONG:
                    raise DatasetError(f"{shown(path)}: cannot be read as a recording: {sentence}")
            if rows * len(names) > MAX_NUMBERS:
                raise DatasetError(
                    f"{shown(path)}: {rows:,} rows of {len(names)} columns are more than are held at once; "
                    "cut the recording in two where nothing happens"
                )
            if TIME_COLUMN not in names:
                raise DatasetError(f"{shown(path)}: it has no column {TIME_COLUMN}")
            known = {channel.name: channel for channel in described}
            channels = tuple(known.get(name, Channel(name)) for name in names if name != TIME_COLUMN)
            time_sec, values = np.empty(rows), np.empty((len(channels), rows), dtype=np.float32)
            at = 0
            for group in range(file.metadata.num_row_groups):  # iter_batches would hold the whole file meanwhile
                table = file.read_row_group(group, names, use_threads=False)
                end = at + table.num_rows
                time_sec[at:end] = table.column(TIME_COLUMN).to_numpy()
                for row, channel in enumerate(channels):
                    values[row, at:end] = table.column(channel.name).to_numpy()
                at = end
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{shown(path)}: cannot be read as a recording: {without_path(str(error), path)}") from error
    return Window(channels, time_sec, cast("Samples", values))


def check_within(folder: Path, start: float, end: float) -> None:
    """Raise UsageError where a stretch lies outside of the recording in `folder`, DatasetError where that cannot be
    read; its times alone are looked at, of the first and the last row group."""
    import pyarrow as pa

    path = folder / DATA
    try:
        with opened(path) as file:
            groups = sorted({0, file.metadata.num_row_groups - 1} - {-1})
            times = [file.read_row_group(group, [TIME_COLUMN]).column(0).to_numpy() for group in groups]
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(f"{shown(path)}: cannot be read as a recording: {without_path(str(error), path)}") from error
    first, last = (float(min(t.min() for t in times)), float(max(t.max() for t in times))) if times else (0.0, 0.0)
    if end <= first or start >= last:
        raise UsageError(
            f"{folder.name} lasts from {first:g} to {last:g} s; nothing of it lies in {start:g} to {end:g} s"
        )


def in_time(window: Window) -> Window:
    """The recording in rising time without repeated times, as it is drawn; itself where it rises already."""
    from tools.session import Window

    if window.time_sec.size < 2 or bool(np.all(np.diff(window.time_sec) > 0)):
        return window
    _, rising = np.unique(window.time_sec, return_index=True)
    rising = rising[np.isfinite(window.time_sec[rising])]
    return Window(window.channels, window.time_sec[rising], window.values[:, rising])


def recording_of_session(dataset: StandardDataset, session: str) -> str:
    """The recording that a session was cut from, by the beginning of its name; the session itself where none is."""
    names = [name for name in recordings_of(dataset) if session == name or session.startswith(f"{name}_")]
    return max(names, key=len, default=session)


def place_of(recording: Window, session: Window) -> tuple[float, float] | None:
    """From where to where a session was cut from a recording: where the same samples stand; None where they do not."""
    rows = [recording.names.index(name) for name in session.names if name in recording.names]
    count = session.time_sec.size
    if not rows or not count or count > recording.time_sec.size:
        return None
    values = session.values[[session.names.index(recording.names[row]) for row in rows]].astype(np.float32)
    starts = np.arange(recording.time_sec.size - count + 1)
    for row, wanted in zip(rows, values, strict=True):
        known = np.flatnonzero(np.isfinite(wanted))
        for at in known[np.linspace(0, known.size - 1, min(_LOOKS, known.size)).astype(np.intp)]:
            starts = starts[recording.values[row, starts + at] == wanted[at]]
    for start in starts[:_LOOKS].tolist():
        if np.array_equal(recording.values[rows, start : start + count], values, equal_nan=True):
            return float(recording.time_sec[start]), float(recording.time_sec[start + count - 1])
    return None
