"""The channels of a table: clean names, and units by what the header says or the numbers show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.motion import GRAVITY
from tools.sensors import Sensor, sensors_of, split_axis
from tools.session import Channel, Samples

_BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]")
_UNITS = {
    "m/s^2": "m/s²", "m/s2": "m/s²", "m s^-2": "m/s²", "ms-2": "m/s²", "mg": "mg", "g": "g",
    "rad/s": "rad/s", "deg/s": "deg/s", "°/s": "deg/s", "dps": "deg/s", "ut": "µT", "µt": "µT", "μt": "µT",
    "hpa": "hPa", "bpm": "bpm", "mv": "mV", "°c": "°C", "deg": "deg", "rad": "rad", "us": "µS", "m/s²": "m/s²",
}  # fmt: skip
"""Units as headers write them, in the form that the tools know."""
_WORDS = {
    "accelerometer": "acc", "acceleration": "acc", "accel": "acc", "acc": "acc", "totalacceleration": "total_acc",
    "linearacceleration": "linear_acc", "useracceleration": "user_acc", "motionuseracceleration": "user_acc",
    "accelerometeracceleration": "acc", "gyroscope": "gyro", "gyro": "gyro", "gyr": "gyro", "rotationrate": "gyro",
    "motionrotationrate": "gyro", "gyrorotation": "gyro", "magnetometer": "mag", "magneticfield": "mag", "mag": "mag",
    "gravity": "gravity", "motiongravity": "gravity", "orientation": "orientation", "barometer": "barometer",
    "heartrate": "heart_rate", "hr": "heart_rate", "bvp": "bvp", "eda": "eda", "temp": "temperature",
    "temperature": "temperature", "ecg": "ecg", "linear": "linear_acc",
}  # fmt: skip
"""What sensors are called in files' names and headers, and what they are called here."""
SHORT = "a"
"""What columns `ax`, `ay`, `az` give for a sensor: mostly an accelerometer, which gravity has to show."""
UNNAMED = "sensor"
"""What axes are called whose sensor neither the header nor the file's name tells."""
_AT_REST = 0.2
"""How far from 1 g the middle size of an acceleration may be to tell its unit."""
_THIS = "SENSOR"
_SIXTY_FOURTHS = 64.0
"""Counts of 1/64 g: Empatica E4's ACC.csv, "Data export and formatting from E4 connect"."""
_TURNING = (10.0, 60.0)
"""99 % of a person's turning is slower than the second in rad/s; a size above the first is in doubt."""


@dataclass(frozen=True, slots=True)
class ColumnChannel:
    """A column that becomes a channel."""

    column: str
    channel: Channel
    factor: float = 1.0
    """What its numbers are multiplied with."""
    reason: str = ""
    """Why the unit is what it is; empty where the header says so."""


def sensor_word(text: str) -> str:
    """The sensor that a file's name or a column's head names, as it is called here; empty where it names none."""
    plain = re.sub(r"[^a-z]", "", text.lower())
    if plain in _WORDS:
        return _WORDS[plain]
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return next((_WORDS[word] for word in words if word in _WORDS), "")


def named_channels(columns: Sequence[str], sensor: str) -> list[ColumnChannel]:
    """Columns as channels, with the unit their head names.

    Args:
        columns: the columns that hold samples.
        sensor: the sensor that the file's name names, for columns that are called by an axis alone.
    """
    channels: list[ColumnChannel] = []
    names: set[str] = set()
    for column in columns:
        bracket = _BRACKETS.search(column)
        unit = _UNITS.get(bracket[1].lower(), bracket[1]) if bracket else ""
        name = _plain_name(_BRACKETS.sub(" ", column), sensor)
        twin = 2
        while name in names:
            name, twin = f"{_plain_name(_BRACKETS.sub(' ', column), sensor)}_{twin}", twin + 1
        names.add(name)
        channels.append(ColumnChannel(column, Channel(name, "", unit)))
    return channels


def with_units(
    channels: Sequence[ColumnChannel], values: Mapping[str, Samples], told: Mapping[str, str]
) -> list[ColumnChannel]:
    """Channels with their units: as a person told, as the header says, or as the numbers show.

    Args:
        channels: as the header names them.
        values: the numbers of each column, shape (n,).
        told: sensor or channel to unit, by a person.
    """
    by_name = {channel.channel.name: channel for channel in channels}
    sensors = sensors_of([channel.channel for channel in channels])
    bare = next((name for name in _bare(sensors) if "acc" not in {sensor.name for sensor in sensors}), "")
    for sensor in sensors:
        own = [by_name[name] for name in sensor.names]
        rows = [values[channel.column] for channel in own]
        base, shown = "", ("", 1.0, "")
        if sensor.name == bare and (
            (shown := _acceleration("", _usual_size(rows)))[0] or told.get(bare, "") in tuple(GRAVITY)
        ):
            base = "acc"
        wanted = next((told[name] for name in (base, sensor.name, *sensor.names) if name in told), "")
        if wanted:
            unit, factor, reason = wanted, 1.0, "as you say"
        elif base:
            unit, factor, reason = (*shown[:2], f"{shown[2]}, and that it is an acceleration")
        else:
            unit, factor, reason = _unit(sensor, rows)
        for channel in own:
            axis = split_axis(channel.channel.name)[1]
            about = _about(sensor, axis)
            named = f"{base}_{axis}" if base else channel.channel.name
            described = Channel(named, "acceleration, " + f"{axis} axis" if base else about, unit)
            by_name[channel.channel.name] = replace(channel, channel=described, factor=factor, reason=reason)
    return list(by_name.values())


def _bare(sensors: Sequence[Sensor]) -> list[str]:
    """The sensors that gravity may show to be an accelerometer: columns `ax`, `ay`, `az` before `x`, `y`, `z`."""
    short = [sensor.name for sensor in sensors if sensor.name == SHORT and sensor.is_triad and not sensor.unit]
    return short + [sensor.name for sensor in sensors if sensor.name == UNNAMED]


def _unit(sensor: Sensor, rows: Sequence[Samples]) -> tuple[str, float, str]:
    """Unit, factor and reason for one sensor, where no person told its unit."""
    sizes = _sizes(rows)
    if not sizes.size or not sensor.is_triad:
        return sensor.unit, 1.0, "" if sensor.unit else "its unit is not known"
    if sensor.kind == "acceleration":
        unit, factor, reason = _acceleration(sensor.unit, float(np.median(sizes)))
        return unit, factor, reason.replace(_THIS, sensor.name)
    if sensor.kind == "gyroscope" and not sensor.unit:
        fast = float(np.percentile(sizes, 99))
        doubt = "; in doubt" if _TURNING[0] < fast <= _TURNING[1] else ""
        unit = "deg/s" if fast > _TURNING[1] else "rad/s"
        return unit, 1.0, f"turns at up to {fast:.3g} say so{doubt}"
    return sensor.unit, 1.0, "" if sensor.unit else "its unit is not known"


def _sizes(rows: Sequence[Samples]) -> Samples:
    """The size of the vector in each row that has every axis."""
    sizes = np.sqrt(np.sum([np.square(row) for row in rows], axis=0))
    return sizes[np.isfinite(sizes)]


def _usual_size(rows: Sequence[Samples]) -> float:
    """The middle size; 0 where three axes are not there."""
    sizes = _sizes(rows)
    return float(np.median(sizes)) if len(rows) == len("xyz") and sizes.size else 0.0


def _acceleration(declared: str, size: float) -> tuple[str, float, str]:
    shown = next((unit for unit, gravity in GRAVITY.items() if abs(size / gravity - 1) <= _AT_REST), "")
    if declared:
        doubt = (
            f"its head says so; a usual size of {size:.3g} would be {shown}, and if it is, say --unit {_THIS}={shown}"
            if shown not in ("", declared)
            else ""
        )
        return declared, 1.0, doubt
    if shown:
        return shown, 1.0, f"a usual size of {size:.3g} says so"
    if abs(size / _SIXTY_FOURTHS - 1) <= _AT_REST:
        return "g", 1 / _SIXTY_FOURTHS, f"a usual size of {size:.3g} says 1/64 g, and is converted"
    return "", 1.0, f"a usual size of {size:.3g} is no gravity in any unit; say it with --unit"


def _about(sensor: Sensor, axis: str) -> str:
    what = {
        "acceleration": "acceleration", "gyroscope": "angular velocity", "magnetometer": "magnetic field",
        "heart_rate": "heart rate", "ecg": "electrocardiogram", "temperature": "temperature",
        "orientation": "orientation",
    }.get(sensor.kind, sensor.name.replace("_", " "))  # fmt: skip
    return f"{what}, {axis} axis" if axis else what


def _plain_name(column: str, sensor: str) -> str:
    """A column's name in small letters and underscores, the sensor in front of a lone axis."""
    base, axis = split_axis(re.sub(r"[^\w.\- ]+", " ", column).strip())
    if column.strip().lower() in ("x", "y", "z"):
        base, axis = "", column.strip().lower()
    elif re.fullmatch(r"column_\d", column):
        base, axis = "", "xyz"[int(column[-1]) - 1] if column[-1] in "123" else column[-1]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", base)
    word = _WORDS.get(re.sub(r"[^a-z]", "", base.lower()), "")
    plain = word or re.sub(r"\W+", "_", spaced.lower()).strip("_")
    whole = "_".join(part for part in (plain or sensor or UNNAMED, axis) if part)
    return re.sub(r"_+", "_", whole)
