"""WISDM smartphone and smartwatch: Weiss, Yoneda & Hayajneh, "Smartphone and Smartwatch-Based Biometrics Using
Activities of Daily Living", IEEE Access 2019.

One file a subject, device and sensor. The clocks of phone and watch are unrelated, so a session is of one device
and has its six channels; the two sensors of a device are joined on their timestamps. Windows are the readme's
10 s (200 readings at 20 Hz), without overlap. Now and then a device recorded at 50 or 100 Hz for a while; such
stretches are thinned to 20 Hz.

Where a subject has an activity with one sensor only, its sessions have that sensor's three channels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from core.datasets import wisdm_v1
from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.windows import Cut, checked_cut, cut_windows, numbered
from core.datasets.wisdm_records import MAX_GAP_SEC, Records, read_records
from core.errors import DatasetError, UsageError
from tools.session import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from core.datasets.plan import Values
    from tools.session import Samples

RATE_HZ = 20.0
_DEFAULT = Cut(length_sec=10.0, overlap=0.0, rate_hz=RATE_HZ, max_gap_sec=MAX_GAP_SEC, thinned=True)
_SAME_TIME_NS = 25_000_000
"""Rows of two sensors belong together when they are at most half a period apart; nearly all are equal."""
_LEAST_JOINED = 0.5
"""Where fewer of an activity's accelerometer rows than this find a gyroscope row, they stand alone."""

ACTIVITIES = {
    "A": "walking",
    "B": "jogging",
    "C": "stairs",
    "D": "sitting",
    "E": "standing",
    "F": "typing",
    "G": "brushing_teeth",
    "H": "eating_soup",
    "I": "eating_chips",
    "J": "eating_pasta",
    "K": "drinking",
    "L": "eating_sandwich",
    "M": "kicking",
    "O": "playing_catch",
    "P": "dribbling",
    "Q": "writing",
    "R": "clapping",
    "S": "folding_clothes",
}
"""The letters of `activity_key.txt`, its words made plain (`teeth` is brushing teeth). There is no N."""
_LABELS = tuple(ACTIVITIES.values())
_LETTERS = {letter.encode(): number for number, letter in enumerate(ACTIVITIES)}

DEVICES = {"phone": "a phone in the trousers pocket", "watch": "a watch on the dominant wrist"}
_SENSORS = {"accel": ("acceleration including gravity", "m/s²"), "gyro": ("angular velocity", "rad/s")}
_CHANNELS = {
    (device, sensor): tuple(
        Channel(f"{device}_{sensor}_{axis}", f"{about}, {axis} axis of {where}", unit, RATE_HZ) for axis in "xyz"
    )
    for device, where in DEVICES.items()
    for sensor, (about, unit) in _SENSORS.items()
}


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    devices = [options.device] if options.device else list(DEVICES)
    if options.device not in (None, *DEVICES):
        raise UsageError(f"--device {options.device}: there are {' and '.join(DEVICES)}")
    matches = raw.find(r"data_(\d+)_(accel|gyro)_(phone|watch)\.txt")
    if not matches and wisdm_v1.find(raw):
        return wisdm_v1.IMPORTER.plan(raw, options)
    files = {(match[1], match[3], match[2]): file for file, match in matches if match[3] in devices}
    if not files:
        raise DatasetError(f"{raw.path} is no WISDM dataset: it holds no raw/phone/accel/data_1600_accel_phone.txt")
    cut = checked_cut(_DEFAULT, options.length_sec, options.overlap)
    both = "Phone and watch have unrelated clocks: a session has the channels of one of them. "
    return Plan(
        title="WISDM",
        description=(
            "Activities of daily living, hand-oriented ones included, each done for three minutes, recorded by "
            f"{' and '.join(DEVICES[device] for device in devices)}, accelerometer and gyroscope at about 20 Hz. "
            f"{both if len(devices) > 1 else ''}Windows of {cut.length_sec:g} s of one activity."
        ),
        activities=_LABELS,
        channels=tuple(channel for device in devices for sensor in _SENSORS for channel in _CHANNELS[device, sensor]),
        source="WISDM Smartphone and Smartwatch Activity and Biometrics (Weiss et al. 2019), UCI repository",
        settings={**cut.settings(), "devices": devices},
        total=sum(file.size for file in files.values()),
        units=_units(files, devices, cut),
    )


IMPORTER = Importer("wisdm", "WISDM, phone in the pocket and watch", True, ("length_sec", "overlap", "device"), _plan)


def _units(files: Mapping[tuple[str, str, str], RawFile], devices: Sequence[str], cut: Cut) -> Iterator[Unit]:
    for subject in sorted({subject for subject, _, _ in files}):
        for device in devices:
            sensors = {
                sensor: files[subject, device, sensor] for sensor in _SENSORS if (subject, device, sensor) in files
            }
            if sensors:
                size = sum(file.size for file in sensors.values())
                yield Unit(f"{subject} {device}", size, partial(_sessions, subject, device, sensors, cut))


def _sessions(
    subject: str, device: str, files: Mapping[str, RawFile], cut: Cut, dropped: Counter[str]
) -> Iterator[NewSession]:
    records = {sensor: _of_subject(subject, sensor, file, dropped) for sensor, file in files.items()}
    windows: list[tuple[int, Samples, Values]] = []
    layouts: list[tuple[str, ...]] = []
    for label in range(len(_LABELS)):
        there = {
            sensor: records_of_sensor.chosen(records_of_sensor.label == label)
            for sensor, records_of_sensor in records.items()
        }
        sensors, time_ns, values = _joined({sensor: own for sensor, own in there.items() if len(own.label)}, dropped)
        if len(time_ns):
            times = (time_ns - time_ns[0]) / 1e9
            cut_out = list(cut_windows(cut, times, np.full(len(times), label), values, dropped))
            windows += cut_out
            names = tuple(channel.name for sensor in sensors for channel in _CHANNELS[device, sensor])
            layouts += [names] * len(cut_out)
    yield from numbered(subject, f"{subject}_{device}", _LABELS, layouts, windows)


def _of_subject(subject: str, sensor: str, file: RawFile, dropped: Counter[str]) -> Records:
    records = read_records(file, _LETTERS, gravity=sensor == "accel", dropped=dropped)
    own = records.subject == int(subject)
    dropped["records of another subject than the file's"] += int((~own).sum())
    return records.chosen(own)


def _joined(
    there: Mapping[str, Records], dropped: Counter[str]
) -> tuple[Sequence[str], NDArray[np.int64], NDArray[np.float32]]:
    """One activity's records of the sensors that have any, on common times.

    Returns:
        The sensors, the times (n,) and the values (3 per sensor, n).
    """
    if len(there) < 2:
        for sensor, records in there.items():
            return [sensor], records.time_ns, records.values
        return [], np.empty(0, np.int64), np.empty((0, 0), np.float32)
    accel, gyro = there["accel"], there["gyro"]
    times, first = np.unique(gyro.time_ns, return_index=True)
    after = np.searchsorted(times, accel.time_ns)
    left, right = np.maximum(after - 1, 0), np.minimum(after, len(times) - 1)
    nearer = np.abs(accel.time_ns - times[left]) <= np.abs(times[right] - accel.time_ns)
    nearest = np.where(nearer, left, right)
    together = np.abs(times[nearest] - accel.time_ns) <= _SAME_TIME_NS
    if together.mean() < _LEAST_JOINED:
        dropped["gyroscope records without an accelerometer record at that time"] += len(gyro.label)
        return ["accel"], accel.time_ns, accel.values
    dropped["accelerometer records without a gyroscope record at that time"] += int((~together).sum())
    dropped["gyroscope records without an accelerometer record at that time"] += max(
        len(gyro.label) - int(together.sum()), 0
    )
    values = np.concatenate((accel.values[:, together], gyro.values[:, first[nearest[together]]]))
    return ["accel", "gyro"], accel.time_ns[together], values
