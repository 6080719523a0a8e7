"""The last seconds of a recording under way, cut as an ordinary session, and a thread about them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.plan import NewSession
from core.datasets.staging import write_session
from core.datasets.standard import SESSIONS, open_dataset
from core.datasets.tables.form import TableForm
from core.datasets.tables.joining import longest_gap_sec
from core.datasets.whole.cutting import labels_of
from core.datasets.windows import Cut, cut_windows
from core.errors import UsageError
from core.recording.joining import joined, latest, stretches
from core.recording.live_folder import Live, lives, read_live, under_way
from core.recording.standing import add_labels, add_to_manifest, changing, known_units
from core.recording.timeline import SECOND

if TYPE_CHECKING:
    from core.datasets.tables.joining import Recording
    from core.storage.store import Stored
    from core.workspace import Workspace

QUESTION = "What is this person doing?"
NOT_CHECKED = "nobody has marked what is being done, so the answer will not be checked"


@dataclass(frozen=True, slots=True)
class LastWindow:
    """A session that was cut from a recording's end."""

    dataset: str
    session: str
    label: str
    """What was marked throughout it; empty where nothing was."""
    seconds: float


def recording_under_way(workspace: Workspace, dataset: str = "") -> Live:
    """The recording that was begun last, of a dataset where it is named. Raises UsageError: there is none."""
    there = [live for live in under_way(workspace) if dataset in ("", live.state.dataset)]
    if not there:
        which = f" into {dataset}" if dataset else ""
        if any(lives(workspace)):
            raise UsageError(
                f"nothing is recorded{which} at the moment, and a recorder died; `sensorloom record --recover` saves "
                "what it had"
            )
        raise UsageError(f"nothing is recorded{which} at the moment; `sensorloom record {dataset or 'NAME'}` begins it")
    return there[0]


def cut_last(workspace: Workspace, live: Live) -> LastWindow:
    """Cut the last window of a recording as a session of its dataset, which it stays.

    Raises:
        UsageError: too little has come since the last gap.
        SensorloomError: it cannot be written.
    """
    live = read_live(live.folder)
    length = live.state.length_sec
    sensors = latest(live, 1.2 * length + 1)
    if not sensors:
        raise UsageError(f"{live.name}: no rows have come yet")
    units = {**known_units(workspace, live.state.dataset), **live.state.form.units}
    recording = joined(sensors, live.name, live.state.form.over(TableForm(units=units)), Counter())
    times, values = _last(recording, length, live.name)
    marked = stretches(live.folder, recording)
    names = tuple(dict.fromkeys(mark.label for mark in marked))
    seconds = (recording.time_ns - recording.time_ns[0]) / SECOND
    labels = labels_of(seconds[seconds >= seconds[-1] - times[-1]], marked, names)
    label = names[labels[0]] if (labels == labels[0]).all() and labels[0] >= 0 else ""
    channels = tuple(channel.name for channel in recording.channels)
    with changing(workspace, live.state.dataset) as folder:
        add_to_manifest(folder, recording.channels, (*live.state.known_labels, *names))
        (folder / SESSIONS).mkdir(exist_ok=True)
        session = _free_name(live, [path.name for path in (folder / SESSIONS).iterdir()])
        write_session(folder / SESSIONS, NewSession(session, live.state.subject, label, times, channels, values))
        add_labels(folder, {session: label}, live.state.subject)
    return LastWindow(live.state.dataset, session, label, float(times[-1]))


def begin_thread(workspace: Workspace, window: LastWindow, question: str = QUESTION) -> Stored:
    """A thread about such a window. Where its label is not known, its answer is not checked. Raises SensorloomError."""
    from core.curate import create_thread

    compared = bool(open_dataset(workspace, window.dataset).sessions)
    evidence = None if compared else "measure"
    return create_thread(workspace, window.dataset, window.session, question, truth=window.label, evidence=evidence)


def _last(recording: Recording, length: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times from 0 and values of the last window that crosses no gap."""
    seconds = (recording.time_ns - recording.time_ns[-1]) / SECOND
    rows = seconds > -length - 0.5 / (recording.rate_hz or 1.0)
    times = seconds[rows] - seconds[rows][0]
    cut = Cut(length, 0.0, recording.rate_hz or 1.0, longest_gap_sec(recording.rate_hz))
    labels = np.zeros(len(times), dtype=np.int64)
    values = recording.values[:, rows].astype(np.float32)
    window = next(cut_windows(cut, times, labels, values, Counter()), None)
    if window is None:
        raise UsageError(f"{name}: the last {length:g} s are not whole yet, or have a gap; wait for so long")
    return window[1], window[2]


def _free_name(live: Live, names: list[str]) -> str:
    """A name that tells nothing: the recording's and a number."""
    pattern = re.compile(rf"{re.escape(live.state.recording)}_w(\d+)")
    used = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
    return f"{live.state.recording}_w{max(used, default=0) + 1:03d}"
