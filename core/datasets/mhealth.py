"""MHEALTH: Banos et al., "mHealthDroid: a novel framework for agile development of mobile health applications",
IWAAL 2014.

One file a subject, 24 tab-separated columns a row at 50 Hz, no time: a row's time is its line's number. The last
column is the activity, 0 between activities. Windows are 5 s without overlap unless told, so that no two
sessions share samples.
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

RATE_HZ = 50.0
_WIDTH = 24
_DEFAULT = Cut(length_sec=5.0, overlap=0.0, rate_hz=RATE_HZ, max_gap_sec=0.1)

ACTIVITIES = (
    "standing",
    "sitting",
    "lying",
    "walking",
    "climbing_stairs",
    "waist_bends_forward",
    "frontal_elevation_arms",
    "knees_bending",
    "cycling",
    "jogging",
    "running",
    "jump_front_back",
)
"""Labels 1 to 12 of the readme."""

_ACC = ("acc", "acceleration including gravity", "m/s²")
_GYRO = ("gyro", "angular velocity", "deg/s")
_MAG = ("mag", "magnetic field, in the sensor's own scale", "")


def _axes(body_part: str, where: str, *sensors: tuple[str, str, str]) -> list[Channel]:
    return [
        Channel(f"{body_part}_{sensor}_{axis}", f"{about}, {axis} axis, at {where}", unit, RATE_HZ)
        for sensor, about, unit in sensors
        for axis in "xyz"
    ]


CHANNELS = (
    *_axes("chest", "the chest", _ACC),
    *(Channel(f"ecg_lead{lead}", f"electrocardiogram, lead {lead}, at the chest", "mV", RATE_HZ) for lead in (1, 2)),
    *_axes("ankle", "the left ankle", _ACC, _GYRO, _MAG),
    *_axes("arm", "the right lower arm (wrist)", _ACC, _GYRO, _MAG),
)
"""The file's first 23 columns, in their order."""


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    files = raw.find(r"mHealth_subject(\d+)\.log")
    if not files:
        raise DatasetError(f"{raw.path} is no MHEALTH dataset: it holds no mHealth_subject1.log or the like")
    cut = checked_cut(_DEFAULT, options.length_sec, options.overlap)
    return Plan(
        title="MHEALTH",
        description=(
            "Mobile health monitoring: volunteers doing twelve activities out of the laboratory with sensors on the "
            "chest (accelerometer, two-lead ECG), the left ankle and the right lower arm (accelerometer, gyroscope, "
            f"magnetometer), all at 50 Hz, in windows of {cut.length_sec:g} s of one activity."
        ),
        activities=ACTIVITIES,
        channels=CHANNELS,
        source="MHEALTH (Banos et al., IWAAL 2014); to be cited",
        settings=cut.settings(),
        total=sum(file.size for file, _ in files),
        units=[
            Unit(f"subject{match[1]} ({file.name})", file.size, partial(_sessions, file, f"subject{match[1]}", cut))
            for file, match in files
        ],
    )


IMPORTER = Importer("mhealth", "MHEALTH, chest, ankle and arm", True, ("length_sec", "overlap"), _plan)


def _sessions(file: RawFile, subject: str, cut: Cut, dropped: Counter[str]) -> Iterator[NewSession]:
    rows = read_rows(file, _WIDTH, (_WIDTH - 1,), range(_WIDTH - 1), dropped)
    activity = np.nan_to_num(rows.exact[:, 0], nan=-1).astype(np.int64)
    known = (activity >= 1) & (activity <= len(ACTIVITIES))
    dropped["rows between activities (label 0)"] += int((activity == 0).sum())
    dropped["rows of an unknown activity"] += int((~known & (activity != 0)).sum())
    labels = np.where(known, activity - 1, -1)
    windows = list(cut_windows(cut, rows.places / RATE_HZ, labels, rows.values, dropped))
    names = tuple(channel.name for channel in CHANNELS)
    yield from numbered(subject, subject, ACTIVITIES, [names] * len(windows), windows)
