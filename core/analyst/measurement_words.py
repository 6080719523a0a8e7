"""What a measurement is called in a sentence: the path of a number in a result, as a noun phrase."""

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

_KEY = re.compile(r"(?P<name>.*?)(?:\[(?P<at>\d+)\]|_(?P<axis>[xyz]))?")


def measurement_words(name: str) -> str:
    """A measurement as a noun phrase: `compute_spectrum/acc/dominant[1]` is the second strongest frequency of acc. A
    key that is not among `KEYS`, as of a tool of one's own, stands with its underscores as spaces."""
    _, _, rest = name.partition("/")
    part, _, key = rest.rpartition("/")
    if not part:
        return _correlation(key)
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


def _correlation(pair: str) -> str:
    """`acc x~z` are two axes of a sensor, `|acc| ~ |gyro|` two magnitudes, `a ~ b` two channels."""
    if " ~ " in pair:
        first, second = pair.split(" ~ ", 1)
        if first.startswith("|") and second.startswith("|"):
            return f"the correlation of the magnitudes of {first.strip('|')} and {second.strip('|')}"
        return f"the correlation of {first} and {second}"
    sensor, _, axes = pair.rpartition(" ")
    first, _, second = axes.partition("~")
    return f"the correlation of the {first} and {second} axes of {sensor}" if second else f"the correlation of {pair}"
