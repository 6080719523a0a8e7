"""Sessions whose changes and faults are known, because a program put them there: made from a dataset's own sessions.

Of each person some sessions are joined in pairs, one activity after the other, so that it is known when it changes; and
some are copied as they are or with one sensor made to fail, so that it is known which does. The new dataset stands
beside the one it is made from, says in its description what was done, and states each truth in its `facts.json`:
nothing is planted while a thread is made, so that every thread can be replayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.datasets.archive import Raw
from core.datasets.facts import FACTS
from core.datasets.manifest_channels import channels_of
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.session_file import read_session
from core.datasets.standard import (
    DATA,
    LABELS,
    MANIFEST,
    SESSIONS,
    SUBJECTS,
    is_safe_name,
    read_object,
    subject_in,
)
from core.datasets.windows import numbered
from core.errors import DatasetError
from tools.results import MOTION, rows_of
from tools.sensors import Sensor, sensors_of

if TYPE_CHECKING:
    from tools.session import Channel, Samples, Window

OF_EACH = 12
"""Sessions of a person that are joined, and that are copied, at most."""
LEAST_PART = 0.4
"""Share of a session that is joined at least."""
STUCK_SEC = 0.5
"""An original that holds one value for so long is not copied: whether it is whole is not known."""
STUCK, MISSING = (0.4, 0.6), (0.15, 0.35)
"""Least and greatest share of a window in which a sensor sticks, or gives nothing."""
CLIPPED_AT = (25, 75)
"""Percentiles of an axis's samples: what lies beyond is cut off, as by a sensor whose range is too small."""


@dataclass(frozen=True, slots=True)
class _Source:
    folder: Path
    manifest: Mapping[str, Any]
    labels: Mapping[str, str]
    """Of the sessions that have one label and nothing stated of them."""
    subjects: Mapping[str, str]
    channels: tuple[Channel, ...]

    def load(self, session: str) -> Window:
        return read_session(self.folder / SESSIONS / session / DATA, self.channels)


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    source = _source(raw.path)
    by_subject: dict[str, list[str]] = {}
    for session in sorted(source.labels):
        by_subject.setdefault(source.subjects.get(session, ""), []).append(session)
    seed = 0 if options.seed is None else options.seed
    title = str(source.manifest.get("dataset_name") or raw.path.name)
    activities = tuple(dict.fromkeys(source.labels[session] for session in sorted(source.labels)))
    return Plan(
        title=f"{title}, with changes and faults planted",
        description=(
            f"{source.manifest.get('description') or title} A program made these sessions of that dataset's: some are "
            "two sessions of one person joined, one after the other; of others one sensor was made to fail."
        ),
        activities=activities,
        channels=source.channels,
        source=f"made by sensorloom from {raw.path.name} and the seed {seed}; what may be done with it is as there",
        settings={"seed": seed, "from": raw.path.name},
        total=len(by_subject),
        units=[
            Unit(
                f"subject {subject}" if subject else "sessions of nobody known",
                1,
                partial(_sessions, source, seed, number, subject, sessions),
            )
            for number, (subject, sessions) in enumerate(sorted(by_subject.items()))
        ],
        synthetic=source.manifest.get("synthetic") is True,
    )


IMPORTER = Importer("planted", "changes and faults, planted into a dataset that is there", True, ("seed",), _plan)


def _source(folder: Path) -> _Source:
    if not (folder / MANIFEST).is_file():
        raise DatasetError(f"{folder} is no dataset in the standard form: name the folder of one, such as data/demo")
    manifest, stated = read_object(folder / MANIFEST), folder / FACTS
    several = {
        session for session, facts in (read_object(stated) if stated.exists() else {}).items()
        if isinstance(facts, dict) and ("changes_sec" in facts or "faulty_sensor" in facts)
    }  # fmt: skip
    labels = {
        session: held[0]
        for session, held in read_object(folder / LABELS).items()
        if isinstance(held, list) and len(held) == 1 and session not in several and is_safe_name(session)
        and (folder / SESSIONS / session / DATA).is_file()
    }  # fmt: skip
    named = read_object(folder / SUBJECTS) if (folder / SUBJECTS).exists() else {}
    subjects = {session: str(named[session]) if session in named else subject_in(session) for session in labels}
    channels = channels_of(manifest)
    if not labels or not channels:
        raise DatasetError(f"{folder}: there is no labelled session in it, or its manifest describes no channel")
    return _Source(folder, manifest, labels, subjects, channels)


def _sessions(
    source: _Source, seed: int, number: int, subject: str, sessions: list[str], dropped: Counter[str]
) -> Iterator[NewSession]:
    random = np.random.default_rng([abs(seed), number])
    order = [sessions[index] for index in random.permutation(len(sessions))]
    windows: list[tuple[int, Samples, Samples]] = []
    names: list[tuple[str, ...]] = []
    facts: list[dict[str, Any]] = []
    labels = sorted(set(source.labels.values()))
    for first, second in _pairs(source, order):
        before, after = source.load(first), source.load(second)
        if before.names != after.names:
            dropped["pairs with unlike channels"] += 1
            continue
        times, values, change = _joined(before, after, random)
        windows.append((labels.index(source.labels[first]), times, values))
        names.append(before.names)
        facts.append({"changes_sec": [change]})
    copies = 0
    for session in order:
        if copies == OF_EACH:
            break
        window = source.load(session)
        if not _is_whole(window):
            dropped["copies of sessions that are not whole"] += 1
            continue
        values, stated = _copied(window, random, faulty=copies % 2 == 0)
        windows.append((labels.index(source.labels[session]), window.time_sec, values))
        names.append(window.names)
        facts.append(stated)
        copies += 1
    yield from numbered(subject, f"p{number + 1:02d}", labels, names, windows, facts)


def _pairs(source: _Source, order: list[str]) -> Iterator[tuple[str, str]]:
    """Sessions of different labels, each in one pair."""
    left, pairs = list(order), 0
    while left and pairs < OF_EACH:
        first = left.pop()
        second = next((session for session in left if source.labels[session] != source.labels[first]), None)
        if second is None:
            return
        left.remove(second)
        pairs += 1
        yield first, second


def _joined(before: Window, after: Window, random: np.random.Generator) -> tuple[Samples, Samples, float]:
    """Times from 0, values, and when the second begins, in seconds. Of each a part is taken that is drawn, so that the
    length does not tell where the change is."""
    first, second = (round(window.time_sec.size * random.uniform(LEAST_PART, 1)) for window in (before, after))
    times = before.time_sec[-first:] - before.time_sec[-first]
    change = float(times[-1] + np.median(np.diff(times)))
    later = after.time_sec[:second] - after.time_sec[0] + change
    values = np.concatenate((before.values[:, -first:], after.values[:, :second]), axis=1)
    return np.concatenate((times, later)), values, round(change, 2)


def _is_whole(window: Window) -> bool:
    """Whether nothing is missing, and no axis of a motion sensor sticks, before anything is planted."""
    if window.time_sec.size < 32 or not np.isfinite(window.values).all():
        return False
    run = max(round(STUCK_SEC / float(np.median(np.diff(window.time_sec)))), 4)
    still = np.lib.stride_tricks.sliding_window_view(np.diff(window.values, axis=1) == 0, run, axis=1)
    return not still.all(axis=2).any() and bool(_motion(window))


def _motion(window: Window) -> list[Sensor]:
    return [sensor for sensor in sensors_of(window.channels) if sensor.kind in MOTION]


def _copied(window: Window, random: np.random.Generator, *, faulty: bool) -> tuple[Samples, dict[str, Any]]:
    """The values, with one sensor made to fail where it is to be, and what is stated of it."""
    values = window.values.copy()
    if not faulty:
        return values, {"faulty_sensor": "none"}
    sensors = _motion(window)
    sensor = sensors[int(random.integers(len(sensors)))]
    rows, count = [window.names.index(name) for name in sensor.names], values.shape[1]
    signal = rows_of(window, sensor)
    fault = ("stuck", "missing", "clipped")[int(random.integers(3))]
    if fault == "clipped":
        low, high = np.percentile(signal, CLIPPED_AT, axis=1, keepdims=True)
        values[rows] = np.clip(signal, low, high)
        return values, {"faulty_sensor": sensor.name, "fault": fault}
    length = round(count * random.uniform(*(STUCK if fault == "stuck" else MISSING)))
    start = int(random.integers(1, count - length))
    span = slice(start, start + length)
    values[rows, span] = signal[:, start : start + 1] if fault == "stuck" else np.nan
    return values, {"faulty_sensor": sensor.name, "fault": fault}
