"""Which channels belong together: the axes of one sensor, the kind of sensor, and where on the body it sits.

Everything is read from a manifest's channel names, units and descriptions, so that it works on anybody's dataset.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tools.session import Channel

Kind = Literal["acceleration", "gyroscope", "magnetometer", "ecg", "heart_rate", "temperature", "orientation", "other"]

AXES = "xyz"

_AXIS_LAST = re.compile(r"^(?P<base>.*?)[_\-. ]?(?P<axis>[xyzXYZ])$")
_AXIS_FIRST = re.compile(r"^(?P<axis>[xyzXYZ])[_\-. ](?P<base>.+)$")
_PLACES = (
    "wrist hand forearm arm elbow shoulder finger chest sternum torso trunk back neck head ear waist hip belt pelvis "
    "pocket thigh knee shin calf leg ankle foot shoe"
).split()
_DEVICES = "watch smartwatch phone smartphone glasses".split()
_PLACE = re.compile(
    r"(?<![a-z])(?:(?P<side>left|right|dominant)[ _-]+)?(?:(?P<part>lower|upper)[ _-]+)?"
    rf"(?P<place>{'|'.join(_PLACES)})(?![a-z])"
)
_DEVICE = re.compile(rf"(?<![a-z])(?P<place>{'|'.join(_DEVICES)})(?![a-z])")
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("heart_rate", re.compile(r"heart|(?<![a-z])(?:hr|bpm|pulse)(?![a-z])")),
    ("ecg", re.compile(r"ecg|ekg|electrocardio")),
    ("temperature", re.compile(r"temp|°c|celsius")),
    ("gyroscope", re.compile(r"gyr|angular (?:velocity|rate)|rad/s(?!²|\^|2)|deg/s(?!²|\^|2)|°/s(?!²|\^|2)|dps")),
    ("magnetometer", re.compile(r"magnetom|magnetic|(?<![a-z])mag(?![a-z])|[uµμ]t(?![a-z])|gauss")),
    ("orientation", re.compile(r"orientation|quaternion|(?<![a-z])(?:quat|roll|pitch|yaw)(?![a-z])")),
    ("acceleration", re.compile(r"acc|m/s²|m/s\^?2|m/s/s|(?<![a-z])m?g(?![a-z])")),
)


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor: a three-axis one, or a single channel that belongs to none."""

    name: str
    """The axes' common name, or the channel's own."""
    kind: Kind
    position: str
    """Where on the body or in which device, as the manifest says; empty when it does not."""
    channels: tuple[Channel, ...]

    @property
    def is_triad(self) -> bool:
        """Whether it has an x, a y and a z axis, in that order."""
        return len(self.channels) == 3

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its channels."""
        return tuple(channel.name for channel in self.channels)

    @property
    def unit(self) -> str:
        """The unit of its channels."""
        return self.channels[0].unit


def sensors_of(channels: Sequence[Channel]) -> tuple[Sensor, ...]:
    """The sensors that these channels make up, in the order of their first channel."""
    return _sensors_of(tuple(channels))


@lru_cache(maxsize=256)
def _sensors_of(channels: tuple[Channel, ...]) -> tuple[Sensor, ...]:
    axes: dict[str, dict[str, Channel]] = {}
    for channel in channels:
        base, axis = split_axis(channel.name)
        if axis:
            axes.setdefault(base, {})[axis] = channel
    sensors: list[Sensor] = []
    done: set[str] = set()
    for channel in channels:
        base, axis = split_axis(channel.name)
        if axis and len(axes[base]) == 3:
            if base not in done:
                done.add(base)
                sensors.append(_sensor(base, tuple(axes[base][letter] for letter in AXES)))
        else:
            sensors.append(_sensor(channel.name, (channel,)))
    return tuple(sensors)


def split_axis(name: str) -> tuple[str, str]:
    """A channel name's sensor and axis: `body_acc_x` is `body_acc` and `x`. No axis, no split."""
    match = _AXIS_LAST.match(name) or _AXIS_FIRST.match(name)
    if match is None or not match["base"]:
        return name, ""
    return match["base"].rstrip("_-. "), match["axis"].lower()


def kind_of(channel: Channel) -> Kind:
    """What a channel measures, from its name first, then its unit and description."""
    for text in (channel.name, channel.unit, channel.description):
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
        for kind, pattern in _KINDS:
            if pattern.search(plain):
                return kind
    return "other"


def position_of(channel: Channel) -> str:
    """Where a channel's sensor sits, from its name first, then its description; empty when neither says."""
    for text in (channel.name, channel.description):
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()
        match = _PLACE.search(re.sub(r"\d+", "", plain) if text is channel.name else plain)
        if match:
            return " ".join(part for part in (match["side"], match["part"], match["place"]) if part)
        device = _DEVICE.search(plain)
        if device:
            return device["place"]
    return ""


def positions_of(channels: Sequence[Channel]) -> tuple[str, ...]:
    """The different positions of these channels' motion sensors, in their order."""
    return tuple(dict.fromkeys(sensor.position for sensor in sensors_of(channels) if sensor.position))


def _sensor(name: str, channels: tuple[Channel, ...]) -> Sensor:
    return Sensor(name, kind_of(channels[0]), position_of(channels[0]), channels)
