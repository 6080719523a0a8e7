"""A recording that has ended, as the standard form has it: whole, with its labelled stretches, and cut into windows.

Whatever happens meanwhile, the live folder stays until all of it stands in the dataset, and finishing again gives the
same files under the same names.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets.plan import NewRecording
from core.datasets.staging import write_recording, write_session
from core.datasets.standard import LABELS, SESSIONS, read_object
from core.datasets.tables.cutting import seconds_of
from core.datasets.whole.cutting import Windows, cut_recording, rate_of
from core.datasets.whole.marks_file import as_csv
from core.datasets.whole.recording import RECORDINGS, read_recording
from core.errors import SensorloomError, system_reason
from core.recording.joining import Sensors, every_sensor, joined, stretches
from core.recording.live_folder import Live, LiveState, lives, lock_of
from core.recording.standing import add_labels, add_to_manifest, changing
from core.storage.atomic import sync_folder

if TYPE_CHECKING:
    from core.workspace import Workspace

FASTEST_HZ = 100_000.0
"""No sensor that people wear sends so many rows a second."""
_FEWEST_ROWS = 2
"""So few rows are no recording."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a recording."""

    dataset: str
    recording: str
    seconds: float
    rate_hz: float
    windows: Mapping[str, int]
    """Sessions by label."""
    unlabelled_sec: float
    counts: Mapping[str, int]
    """What was left out, and how often time paused or jumped."""
    notes: tuple[str, ...] = ()
    """What was decided by looking at the numbers."""


def finish(workspace: Workspace, live: Live) -> Finished:
    """Bring what was recorded into the dataset, and remove the live folder. A recording without rows, or that stands
    there already, is only removed.

    Raises:
        SensorloomError: it cannot be written; the live folder is still there.
    """
    state, counts = live.state, Counter(live.state.counts)
    sensors = every_sensor(live.folder)
    if sum(sensor.rows for sensor in sensors.values()) <= _FEWEST_ROWS:
        _remove(live.folder)
        return Finished(state.dataset, state.recording, 0.0, 0.0, {}, 0.0, counts)
    with changing(workspace, state.dataset) as folder:
        if (folder / RECORDINGS / state.recording).is_dir():
            finished = _there_already(folder, state)
        else:
            finished = _brought_in(folder, live, sensors, counts)
        _remove(live.folder)
    return finished


def _brought_in(folder: Path, live: Live, sensors: Sensors, counts: Counter[str]) -> Finished:
    """Write all that comes of a recording into the dataset's folder; the recording itself comes to its place last, so
    that all of it stands where that stands."""
    state = live.state
    recording = joined(sensors, state.recording, state.form, counts, live.folder)
    marked = stretches(live.folder, recording)
    partial = folder / RECORDINGS / f".{state.recording}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    names = tuple(channel.name for channel in recording.channels)
    whole = NewRecording(
        state.recording, state.subject, seconds_of(recording.time_ns), names, recording.samples, as_csv(marked)
    )
    write_recording(partial, whole)
    window = read_recording(partial / state.recording, recording.channels)
    labels: dict[str, str] = {}
    (folder / SESSIONS).mkdir(exist_ok=True)
    how = Windows(state.length_sec, state.overlap)
    for session in cut_recording(state.recording, window, marked, how, state.subject, counts):
        write_session(folder / SESSIONS, session)
        labels[session.session] = session.label
    known = (*state.known_labels, *(mark.label for mark in marked))
    add_to_manifest(folder, recording.channels, known)
    add_labels(folder, labels, state.subject, state.recording)
    os.sync()
    (partial / state.recording).rename(folder / RECORDINGS / state.recording)
    partial.rmdir()
    sync_folder(folder / RECORDINGS)
    unlabelled = counts.pop("rows without a label", 0) / (recording.rate_hz or 1.0)
    return Finished(
        state.dataset,
        state.recording,
        window.end_sec,
        recording.rate_hz,
        dict(sorted(Counter(labels.values()).items())),
        min(unlabelled, window.end_sec),
        {reason: count for reason, count in counts.items() if count},
        (*recording.notes, *too_fast(recording.rate_hz)),
    )


def _there_already(folder: Path, state: LiveState) -> Finished:
    """What the dataset has of a recording that was brought in before; it may have been marked and cut since."""
    window = read_recording(folder / RECORDINGS / state.recording, ())
    labels = read_object(folder / LABELS)
    windows = Counter(str(own[0]) for name, own in labels.items() if own and name.startswith(f"{state.recording}_"))
    note = "it was in the dataset already, and is as it was"
    return Finished(
        state.dataset, state.recording, window.end_sec, rate_of(window.time_sec), dict(windows), 0.0, {}, (note,)
    )


def too_fast(rate_hz: float) -> list[str]:
    """What is said of a rate that no sensor has: times that are none, such as when the lines of a file came."""
    if rate_hz < FASTEST_HZ:
        return []
    return [f"{rate_hz:,.0f} rows a second are none that a sensor sends: record again, with --rate HZ or --time COLUMN"]


def finish_left(workspace: Workspace) -> list[Finished | str]:
    """Finish what recorders left that died; a sentence for each that cannot be."""
    from filelock import Timeout

    outcomes: list[Finished | str] = []
    for live in list(lives(workspace)):
        lock = lock_of(live.folder)
        try:
            lock.acquire()
        except Timeout:
            continue  # somebody records there, or finishes it
        except OSError as error:
            outcomes.append(f"{live.name} could not be finished: {system_reason(error)}")
            continue
        try:
            outcomes.append(finish(workspace, live))
        except SensorloomError as error:
            outcomes.append(f"{live.name} could not be finished: {error}")
        finally:
            lock.release()
    return outcomes


def _remove(folder: Path) -> None:
    """Remove a live folder; under another name first, so that half of it is never there."""
    gone = folder.with_name(f"{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
