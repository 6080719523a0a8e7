"""What a person can decide about tables: the ways, columns and units that are possible in somebody's files."""

from __future__ import annotations

import re

from core.datasets.tables import naming
from core.datasets.tables.clock import clock_columns
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL
from core.datasets.tables.recordings import SUBJECT
from core.datasets.tables.survey import Survey
from tools.motion import GRAVITY
from tools.sensors import Sensor

_UNITS = {
    "acceleration": tuple(GRAVITY), "gyroscope": ("rad/s", "deg/s"), "magnetometer": ("µT",),
    "heart_rate": ("bpm",), "ecg": ("mV",), "temperature": ("°C",), "orientation": ("rad", "deg"),
}  # fmt: skip


def label_ways(survey: Survey, *, keep_whole: bool) -> list[str]:
    """Where labels can come from: a file of stretches, columns, the likely ones first, folders, file names.

    Args:
        survey: the files.
        keep_whole: whether recordings are kept whole, which may then lack labels.
    """
    ways = [f"column:{name}" for name in _columns(survey, LABEL)]
    if survey.annotations:
        ways.insert(0, "intervals")
    for way, label in (("folder", naming.folder_label), ("file", naming.file_label)):
        if all(label(source) for source in survey.sources):
            ways.append(way)
    return [*ways, *(("none",) if keep_whole else ())]


def subject_ways(survey: Survey, label: str) -> list[str]:
    """Where subjects can come from. Args: `label` is where labels come from: a folder cannot be both."""
    ways = [f"column:{name}" for name in _columns(survey, SUBJECT)]
    for way in ("folder", "file"):
        form = TableForm(label=label, subject=way)
        if all(naming.person_named(source, form) for source in survey.sources):
            ways.append(way)
    return [*(way for way in ways if way != label), "none"]


def time_columns(survey: Survey) -> list[str]:
    """The columns that can be times, those that look like it first; none where no row has one."""
    likely = [name for layout in survey.layouts for name in clock_columns(layout)]
    others = [name for name, kind in survey.columns.items() if kind == "number"]
    return list(dict.fromkeys([*likely, *others]))


def units_of(sensor: Sensor) -> list[str]:
    """The units that a sensor of this kind can have; its own where the kind is not known."""
    return list(dict.fromkeys([*_UNITS.get(sensor.kind, ()), *filter(None, (sensor.unit,))]))


def sample_columns(survey: Survey) -> list[str]:
    """The columns that can be left out: those of numbers that are no times."""
    times = {name for layout in survey.layouts for name in clock_columns(layout)}
    return [name for name, kind in survey.columns.items() if kind == "number" and name not in times]


def _columns(survey: Survey, likely: re.Pattern[str]) -> list[str]:
    """Columns of text, and those that are called so, these first."""
    names = survey.columns
    named = [name for name in names if likely.fullmatch(name)]
    return list(dict.fromkeys([*named, *(name for name, kind in names.items() if kind == "text")]))
