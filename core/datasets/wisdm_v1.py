"""WISDM v1.1: Kwapisz, Weiss & Moore, "Activity Recognition using Cell Phone Accelerometers", SensorKDD 2010.

One file for all users, an accelerometer in the front trousers pocket, nominally 20 Hz; the times of some users
say half of that, and stand as they are. Windows are the paper's 10 s, without overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np

from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Importer, ImportOptions, NewSession, Plan, Unit
from core.datasets.windows import Cut, checked_cut, cut_windows, numbered
from core.datasets.wisdm_records import MAX_GAP_SEC, Records, read_records
from core.errors import DatasetError, UsageError
from tools.session import Channel

RATE_HZ = 20.0
_DEFAULT = Cut(length_sec=10.0, overlap=0.0, rate_hz=RATE_HZ, max_gap_sec=MAX_GAP_SEC, least_rows=0.25)

ACTIVITIES = ("walking", "jogging", "upstairs", "downstairs", "sitting", "standing")
_WORDS = {word.capitalize().encode(): number for number, word in enumerate(ACTIVITIES)}

CHANNELS = tuple(
    Channel(
        f"phone_accel_{axis}",
        f"acceleration including gravity, {axis} axis of a phone in the front trousers pocket",
        "m/s²",
        RATE_HZ,
    )
    for axis in "xyz"
)


def find(raw: Raw) -> list[RawFile]:
    """The release's file of raw records, if it is there."""
    return [file for file, _ in raw.find(r"WISDM_ar_v[\d.]+_raw(?!_about)[^/]*\.txt")]


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    if options.device not in (None, "phone"):
        raise UsageError(f"--device {options.device}: the older WISDM release was recorded by phones only")
    files = find(raw)
    if not files:
        raise DatasetError(f"{raw.path} is no older WISDM release: it holds no WISDM_ar_v1.1_raw.txt")
    cut = checked_cut(_DEFAULT, options.length_sec, options.overlap)
    dropped: Counter[str] = Counter()
    return Plan(
        title="WISDM v1.1",
        description=(
            "Six activities recorded by the accelerometer of a phone in the front trousers pocket, nominally at "
            f"20 Hz, in windows of {cut.length_sec:g} s of one activity. The times are the phone's own and uneven."
        ),
        activities=ACTIVITIES,
        channels=CHANNELS,
        source="WISDM activity prediction v1.1 (Kwapisz, Weiss & Moore, SensorKDD 2010); to be cited",
        settings=cut.settings(),
        total=files[0].size,
        units=_units(files[0], cut, dropped),
        dropped=dropped,
    )


IMPORTER = Importer("wisdm_v1", "the older WISDM release, phone only", True, ("length_sec", "overlap"), _plan)


def _units(file: RawFile, cut: Cut, dropped: Counter[str]) -> Iterator[Unit]:
    records = read_records(file, _WORDS, gravity=True, dropped=dropped)
    subjects, counts = np.unique(records.subject, return_counts=True)
    for subject, count in zip(subjects.tolist(), counts.tolist(), strict=True):
        size = int(file.size * count / len(records.subject))
        own = records.chosen(records.subject == subject)
        yield Unit(f"user {subject}", size, partial(_sessions, str(subject), own, cut))


def _sessions(subject: str, records: Records, cut: Cut, dropped: Counter[str]) -> Iterator[NewSession]:
    times = (records.time_ns - records.time_ns[0]) / 1e9
    windows = list(cut_windows(cut, times, records.label, records.values, dropped))
    names = tuple(channel.name for channel in CHANNELS)
    yield from numbered(subject, f"user{subject}", ACTIVITIES, [names] * len(windows), windows)
