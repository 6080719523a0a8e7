"""PAMAP2: Reiss & Stricker, "Introducing a New Benchmarked Dataset for Activity Monitoring", ISWC 2012.

One file a subject, 54 columns a row at 100 Hz: time, activity, heart rate, and 17 columns of each of three
inertial units. What its readme says not to use is left out: activity 0 (between activities), the orientation
columns (invalid), and the ±6 g accelerometer, which saturates. Temperatures tell nothing about motion.

The publishers cut windows of 5.12 s; 5 s is the default here, without overlap, so that no two sessions share
samples.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.rows import read_rows
from core.datasets.windows import Cut, checked_cut, cut_windows, numbered
from core.errors import DatasetError
from tools.session import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 100.0
_WIDTH = 54
_TIME, _ACTIVITY, _HEART = 0, 1, 2
_DEFAULT = Cut(length_sec=5.0, overlap=0.0, rate_hz=RATE_HZ, max_gap_sec=0.1)

ACTIVITIES = {
    1: "lying",
    2: "sitting",
    3: "standing",
    4: "walking",
    5: "running",
    6: "cycling",
    7: "nordic_walking",
    12: "ascending_stairs",
    13: "descending_stairs",
    16: "vacuum_cleaning",
    17: "ironing",
    24: "rope_jumping",
}
"""The protocol's twelve activities, by the readme's numbers; the optional recordings have six more."""

_UNITS = (
    ("hand", 3, "the dominant arm's wrist"),
    ("chest", 20, "the chest"),
    ("ankle", 37, "the dominant side's ankle"),
)
"""Where a unit is worn and its first column; the next one is the first of the ±16 g accelerometer."""
_SENSORS = (
    ("acc16", 1, "acceleration including gravity (±16 g)", "m/s²"),
    ("gyro", 7, "angular velocity", "rad/s"),
    ("mag", 10, "magnetic field", "µT"),
)

_CHANNELS = {
    first + offset + axis: Channel(
        f"{body_part}_{sensor}_{'xyz'[axis]}", f"{about}, {'xyz'[axis]} axis, at {where}", unit, RATE_HZ
    )
    for body_part, first, where in _UNITS
    for sensor, offset, about, unit in _SENSORS
    for axis in range(3)
} | {_HEART: Channel("heart_rate", "heart rate from a chest strap; NaN between its readings", "beats/min", 9.0)}
"""Column to channel."""


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    files = raw.find(r"Protocol/subject(\d+)\.dat") or raw.find(r"subject(\d+)\.dat")
    if not files:
        raise DatasetError(f"{raw.path} is no PAMAP2 dataset: it holds no Protocol/subject101.dat or the like")
    cut = checked_cut(_DEFAULT, options.length_sec, options.overlap)
    left = len(raw.find(r"Optional/subject(\d+)\.dat")) if "/Protocol/" in f"/{files[0][0].name}" else 0
    return Plan(
        title="PAMAP2",
        description=(
            "Physical activity monitoring: nine adults doing everyday and sports activities with three inertial "
            "units (wrist of the dominant arm, chest, ankle of the dominant side) at 100 Hz and a heart rate monitor, "
            f"in windows of {cut.length_sec:g} s of one activity. A unit's samples are NaN while its radio was out."
        ),
        activities=tuple(ACTIVITIES.values()),
        channels=tuple(_CHANNELS.values()),
        source="PAMAP2 Physical Activity Monitoring (Reiss & Stricker, ISWC 2012); for scientific use, to be cited",
        settings=cut.settings(),
        total=sum(file.size for file, _ in files),
        units=[
            Unit(f"subject{match[1]} ({file.name})", file.size, partial(_sessions, file, f"subject{match[1]}", cut))
            for file, match in files
        ],
        dropped=Counter({"files of the optional recordings": left}),
    )


IMPORTER = Importer("pamap2", "PAMAP2, wrist, chest and ankle", True, ("length_sec", "overlap"), _plan)


def _sessions(file: RawFile, subject: str, cut: Cut, dropped: Counter[str]) -> Iterator[NewSession]:
    rows = read_rows(file, _WIDTH, (_TIME, _ACTIVITY), tuple(_CHANNELS), dropped)
    activity = np.nan_to_num(rows.exact[:, 1]).astype(np.int64)
    known = np.isin(activity, list(ACTIVITIES))
    dropped["rows between activities (activity 0)"] += int((activity == 0).sum())
    dropped["rows of an activity outside the protocol"] += int((~known & (activity != 0)).sum())
    labels = np.where(known, activity, -1)
    windows = list(cut_windows(cut, rows.exact[:, 0], labels, rows.values, dropped))
    names = tuple(channel.name for channel in _CHANNELS.values())
    yield from numbered(subject, subject, ACTIVITIES, [names] * len(windows), windows)
