"""What is measured, as a noun phrase: the path of a number in a result, and a feature's name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.sensors import AXES

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

KEYS: Mapping[str, str] = {
    "mean": "the mean of {part}",
    "std": "the standard deviation of {part}",
    "iqr": "the interquartile range of {part}",
    "rms": "the RMS of {part}",
    "min": "the minimum of {part}",
    "max": "the maximum of {part}",
    "jerk": "the jerk of {part}",
    "dominant": "the {ordinal} strongest frequency of {part}",
    "band_share": "the share of power in the {ordinal} frequency band of {part}",
    "entropy": "the spectral entropy of {part}",
    "cadence": "the cadence of {part}",
    "strength": "the strength of the rhythm of {part}",
    "gravity": "gravity along the {axis} axis of {part}",
    "axis": "the angle between the vertical and the {axis} axis of {part}",
    "tilt_change": "the change of tilt of {part}",
    "body_rms": "the RMS of the body movement of {part}",
    "body_p95": "the ninety-fifth percentile of the body movement of {part}",
    "vertical_rms": "the RMS of the vertical movement of {part}",
    "horizontal_rms": "the RMS of the horizontal movement of {part}",
    "vertical_slow_rms": "the RMS of the slow vertical movement of {part}",
    "asymmetry": "the asymmetry of up against down of {part}",
    "step_peak": "the height of the step peaks of {part}",
    "share": "the share of turning about the {axis} axis of {part}",
    "share_vertical": "the share of turning about the vertical of {part}",
}
"""By the key of a result, without its index in a list and its axis, how it is said. No digits: a number in a sentence
is one that a tool gave."""

FEATURES: Mapping[str, str] = {
    **{stat: KEYS[stat] for stat in ("mean", "std", "iqr", "min", "max", "jerk", "entropy")},
    "skew": "the skewness of {part}",
    "change": "the drift of {part} from its first third to its last",
    "crossings": "the rate of mean crossings of {part}",
    "peak_hz": "the strongest frequency of {part}",
    "peak_share": "the share of power at the strongest frequency of {part}",
    "rhythm": "the strength of the rhythm of {part}",
    "corr_xy": "the correlation of the x and y axes of {part}",
    "corr_xz": "the correlation of the x and z axes of {part}",
    "corr_yz": "the correlation of the y and z axes of {part}",
    "tilt_x": "the tilt of the x axis of {part}",
    "tilt_y": "the tilt of the y axis of {part}",
    "tilt_z": "the tilt of the z axis of {part}",
    "duration_sec": "the duration of {part}",
}
"""By what is computed of a signal or of a sensor's axes, in `tools.features`, how it is said."""

_BAND = re.compile(r"band_([\d.]+)-([\d.]+)_Hz")
_KEY = re.compile(r"(?P<name>.*?)(?:\[(?P<at>\d+)\]|_(?P<axis>[xyz]))?")


def measurement_words(name: str) -> str:
    """A measurement as a noun phrase: `compute_spectrum/acc/dominant[1]` is the second strongest frequency of acc. A
    key that is not among `KEYS`, as of a tool of one's own, stands with its underscores as spaces."""
    _, _, rest = name.partition("/")
    part, _, key = rest.rpartition("/")
    if not part:
        return pair_words(key)
    matched = _KEY.fullmatch(key)
    stem, at, axis = matched.group("name", "at", "axis") if matched else (key, None, None)
    index = int(at) if at else 0
    ordinal = ORDINALS[index] if index < len(ORDINALS) else "last"
    if at and not axis and index < len(AXES):
        axis = AXES[index]
    known = KEYS.get(stem)
    if known is None:
        plain = (key if at is None else f"{ordinal} {stem}").replace("_", " ")
        return f"the {plain} of {part}"
    # the strongest frequency is the first one, and nobody says so
    words = known.replace("{ordinal} strongest", "strongest") if not index else known
    return words.format(part=part, ordinal=ordinal, axis=axis)


def feature_words(name: str) -> str:
    """A feature as a noun phrase: `acc_z:min` is the minimum of acc_z, `gyro.magnitude:band_1.6-2.6_Hz` the movement of
    the magnitude of gyro between 1.6 and 2.6 Hz. A name of another form stands as it is."""
    signal, _, stat = name.rpartition(":")
    if not signal:
        return name
    triad = signal.removesuffix(".magnitude")
    part = signal if triad == signal else f"the magnitude of {triad}"
    if band := _BAND.fullmatch(stat):
        return f"the movement of {part} between {band[1]} and {band[2]} Hz"
    known = FEATURES.get(stat)
    return known.format(part=part) if known else f"the {stat.replace('_', ' ')} of {part}"


def pair_words(pair: str) -> str:
    """The correlation of a pair: `acc x~z` are two axes of a sensor, `|acc| ~ |gyro|` two magnitudes, `a ~ b` two
    channels."""
    return f"the correlation of {members_words(pair)}"


def members_words(pair: str) -> str:
    """The two of a pair, as they are said."""
    if " ~ " in pair:
        first, second = pair.split(" ~ ", 1)
        if first.startswith("|") and second.startswith("|"):
            return f"the magnitudes of {first.strip('|')} and {second.strip('|')}"
        return f"{first} and {second}"
    sensor, _, axes = pair.rpartition(" ")
    first, _, second = axes.partition("~")
    return f"the {first} and {second} axes of {sensor}" if second else pair
