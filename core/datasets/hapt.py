"""HAPT, postural transitions included: Reyes-Ortiz et al., "Transition-Aware Human Activity Recognition Using
Smartphones", Neurocomputing 2016. The volunteers and the protocol are those of UCI HAR, as whole recordings.

Two files an experiment, accelerometer and gyroscope, of equal length: three columns at 50 Hz, no time. `labels.txt`
has experiment, user, activity, first and last row, counted from 1. Windows are the publishers' 2.56 s, without
overlap unless told, so that no two sessions share samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
    from numpy.typing import NDArray

RATE_HZ = 50.0
_DEFAULT = Cut(length_sec=2.56, overlap=0.0, rate_hz=RATE_HZ, max_gap_sec=0.1)

ACTIVITIES = (
    "walking",
    "walking_upstairs",
    "walking_downstairs",
    "sitting",
    "standing",
    "laying",
    "stand_to_sit",
    "sit_to_stand",
    "sit_to_lie",
    "lie_to_sit",
    "stand_to_lie",
    "lie_to_stand",
)
"""Labels 1 to 12 of `activity_labels.txt`; the last six are transitions."""
_SENSORS = {"acc": ("acceleration including gravity", "g"), "gyro": ("angular velocity", "rad/s")}
CHANNELS = tuple(
    Channel(f"{sensor}_{axis}", f"{about}, {axis} axis of a phone at the waist", unit, RATE_HZ)
    for sensor, (about, unit) in _SENSORS.items()
    for axis in "xyz"
)
_Stretch = tuple[int, int, int]
"""Activity, first and last row, counted from 1."""


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    files = {(match[1], match[2], match[3]): file for file, match in raw.find(r"(acc|gyro)_exp(\d+)_user(\d+)\.txt")}
    labels = raw.find(r"labels\.txt")
    if not files or not labels:
        raise DatasetError(f"{raw.path} is no HAPT dataset: RawData/acc_exp01_user01.txt and labels.txt are needed")
    dropped: Counter[str] = Counter()
    stretches = _stretches(labels[0][0], dropped)
    cut = checked_cut(_DEFAULT, options.length_sec, options.overlap)
    both = sorted({key[1:] for key in files if ("acc", *key[1:]) in files and ("gyro", *key[1:]) in files})
    dropped["files without the other sensor's"] += len(files) - 2 * len(both)
    pairs = {key: (files["acc", *key], files["gyro", *key]) for key in both}
    return Plan(
        title="HAPT",
        description=(
            "Basic activities and the transitions between postures, done in one go by volunteers with a phone at the "
            f"waist, accelerometer and gyroscope at 50 Hz, in windows of {cut.length_sec:g} s of one activity."
        ),
        activities=ACTIVITIES,
        channels=CHANNELS,
        source="Smartphone-Based Recognition of Human Activities and Postural Transitions, UCI repository; to be cited",
        settings=cut.settings(),
        total=sum(file.size for pair in pairs.values() for file in pair),
        units=_units(pairs, stretches, cut),
        dropped=dropped,
    )


IMPORTER = Importer("hapt", "HAPT, a phone at the waist, with transitions", True, ("length_sec", "overlap"), _plan)


def _stretches(file: RawFile, dropped: Counter[str]) -> dict[tuple[int, int], list[_Stretch]]:
    """The labelled stretches of each experiment and user."""
    stretches: dict[tuple[int, int], list[_Stretch]] = {}
    for line in file.read().decode("ascii", "replace").splitlines():
        try:
            experiment, user, activity, first, last = map(int, line.split())
        except ValueError:
            dropped["lines of labels.txt that are no five numbers"] += bool(line.strip())
            continue
        stretches.setdefault((experiment, user), []).append((activity, first, last))
    return stretches


def _units(
    pairs: dict[tuple[str, str], tuple[RawFile, RawFile]],
    stretches: dict[tuple[int, int], list[_Stretch]],
    cut: Cut,
) -> Iterator[Unit]:
    for (experiment, user), files in pairs.items():
        own = stretches.get((int(experiment), int(user)), [])
        size = sum(file.size for file in files)
        yield Unit(
            f"experiment {experiment} of user {user}", size, partial(_sessions, experiment, user, files, own, cut)
        )


def _sessions(
    experiment: str,
    user: str,
    files: Sequence[RawFile],
    stretches: Sequence[_Stretch],
    cut: Cut,
    dropped: Counter[str],
) -> Iterator[NewSession]:
    parts = [read_rows(file, 3, (), range(3), dropped) for file in files]
    rows = min(part.values.shape[1] for part in parts)
    dropped["rows of one sensor alone"] += sum(part.values.shape[1] - rows for part in parts)
    values = np.concatenate([part.values[:, :rows] for part in parts])
    labels: NDArray[np.int64] = np.full(rows, -1)
    for activity, first, last in stretches:
        if 1 <= activity <= len(ACTIVITIES):
            labels[first - 1 : last] = activity - 1
        else:
            dropped["stretches of an unknown activity"] += 1
    dropped["rows without a label"] += int((labels < 0).sum())
    windows = list(cut_windows(cut, np.arange(rows) / RATE_HZ, labels, values, dropped))
    names = tuple(channel.name for channel in CHANNELS)
    subject = f"user{user}"
    yield from numbered(subject, f"{subject}_e{experiment}", ACTIVITIES, [names] * len(windows), windows)
