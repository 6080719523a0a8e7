"""Saying in words what a result shows. Numbers are quoted as the result holds them, and no others are used."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.analyst.conversation import Finding, Number
from core.analyst.evidence import is_tiny, unit_of
from tools.sensors import sensors_of
from tools.session import Channel

Saying = Callable[[Mapping[str, Any], random.Random], str]
FASTEST_STEPS = 200
"""Steps a minute that a sprinter makes; a phone at the hip sees one cycle a step."""


def explain(finding: Finding, draw: random.Random) -> str:
    """A sentence or two on a result; empty when it shows nothing worth a word."""
    if finding.failed:
        return f"{finding.tool} could not answer: {_first_clause(finding.error)}."
    return _told(_SAYINGS.get(finding.tool, _own), finding, draw)


def recall(finding: Finding, draw: random.Random) -> str:
    """An earlier result, said again and shorter where it was long."""
    return _told(_compared_before, finding, draw) if finding.tool == "compare_to_reference" else explain(finding, draw)


def _told(say: Saying, finding: Finding, draw: random.Random) -> str:
    try:
        return say(finding.result, draw)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration):
        return ""  # a result can have any shape: people edit them, and bring tools of their own


def listed(names: list[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"


def label_words(label: str) -> str:
    """A label as it stands, in quotes only where it would not read as words."""
    return label.replace("_", " ")


def _first_clause(text: str) -> str:
    plain = re.sub(r"\s*\([^()]*\)", "", text)
    return plain.split(";")[0].split(". ")[0].strip().rstrip(".")[:120]


def _where(result: Mapping[str, Any]) -> str:
    position = result.get("position")
    return f" at the {position}" if isinstance(position, str) and position else ""


def _session_stats(result: Mapping[str, Any], draw: random.Random) -> str:
    subjects = result.get("subjects")
    people = f" by {_counted(subjects, 'person', 'people')}" if subjects else ""
    sessions = _counted(result["sessions"], "session", "sessions")
    return f"The dataset holds {sessions}{people}; its labels are {listed(_labels(result))}."


def _counted(number: Any, singular: str, plural: str) -> str:
    return f"{_number(number)} {singular if number == 1 else plural}"


def _labels(result: Mapping[str, Any]) -> list[str]:
    names = [label_words(str(label)) for label in result["labels"]]
    return [*names[:4], "others"] if len(names) > 6 else names


def _channel_stats(result: Mapping[str, Any], draw: random.Random) -> str:
    columns = result.get("columns")
    if not isinstance(columns, list):
        return _channel_list(result)
    rows = result.get("channels") or result["sensors"]
    at = columns.index("std")
    units = {name: f" {unit}" if (unit := unit_of(result, name)) else "" for name in rows}
    alike = [name for name in rows if units[name] == units[next(iter(rows))]]
    most = max(alike, key=lambda name: rows[name][at] or 0)
    mean, std = rows[most][columns.index("mean")], rows[most][at]
    unit = units[most]
    kind = f" of the channels in{unit}" if unit and len(set(units.values())) > 1 else ""
    return draw.choice(
        (
            f"{most} varies most{kind}: mean {_number(mean)}{unit}, standard deviation {_number(std)}{unit}.",
            f"The largest spread{kind} is in {most}, {_number(std)}{unit} (std) around {_number(mean)}{unit}.",
        )
    )


def _channel_list(result: Mapping[str, Any]) -> str:
    """Which sensors there are, by their units."""
    rows = result.get("channels") or result["sensors"]
    plain = [row if isinstance(row, dict) else {"name": row} for row in rows]
    described = [Channel(row.get("name") or row["sensor"], "", row.get("unit") or "") for row in plain]
    units: dict[str, list[str]] = {}
    for sensor in sensors_of(described):
        units.setdefault(sensor.unit, []).append(sensor.name)
    groups = [f"{listed(names[:4])}{f' in {unit}' if unit else ''}" for unit, names in units.items()]
    more = " among others" if len(units) > 4 or any(len(names) > 4 for names in units.values()) else ""
    return f"There are {_number(result['num_channels'])} channels{more}: {'; '.join(groups[:4])}."


def _select(result: Mapping[str, Any], draw: random.Random) -> str:
    names = result.get("channels")
    return f"From here on I look at {listed([str(name) for name in names][:6])} alone." if names else ""


def _filter(result: Mapping[str, Any], draw: random.Random) -> str:
    start, end = result["window_sec"]
    return f"The stretch from {_number(start)} s to {_number(end)} s is now a window of its own."


def _spectrum(result: Mapping[str, Any], draw: random.Random) -> str:
    name, spectrum = _first(result["sensors"], "dominant")
    peak, share = spectrum["dominant"][0], spectrum["dominant_share"][0]
    return (
        f"The strongest frequency of {name}{_where(result)} is {_number(peak)} Hz, with a share of {_number(share)} of "
        f"its power; the spectral entropy is {_number(spectrum['entropy'])}."
    )


def _rhythm(result: Mapping[str, Any], draw: random.Random) -> str:
    sensors = result["sensors"]
    rhythmic = {name: rhythm for name, rhythm in sensors.items() if "cadence" in rhythm}
    if not rhythmic:
        return f"No sensor{_where(result)} repeats at the pace of steps: there is no rhythm."
    name = max(rhythmic, key=lambda sensor: rhythmic[sensor]["strength"])
    rhythm = rhythmic[name]
    strength = rhythm["strength"]
    if is_tiny(rhythm):
        return (
            f"What {name}{_where(result)} holds of a rhythm is tiny, {_number(rhythm['rms'])} {rhythm['unit']} (RMS): "
            "noise or breath rather than steps."
        )
    steady = "a steady rhythm" if strength > 0.6 else "a loose rhythm" if strength > 0.35 else "hardly a rhythm"
    steady += ", though faster than steps" if rhythm["cadence"] > FASTEST_STEPS else ""
    return (
        f"{name}{_where(result)} repeats every {_number(rhythm['lag'])} s, {_number(rhythm['cadence'])} cycles per "
        f"minute, with an autocorrelation of {_number(strength)}: {steady}."
    )


def _orientation(result: Mapping[str, Any], draw: random.Random) -> str:
    name, posture = _first(result["sensors"], "tilt_change")
    angles = {axis: posture[f"axis_{axis}"] for axis in "xyz"}
    axis = min(angles, key=lambda axis: min(angles[axis], 180 - angles[axis]))
    change = posture["tilt_change"]
    held = "it hardly tilts" if change < 5 else "it tilts somewhat" if change < 20 else "it is turned over the window"
    return (
        f"Gravity lies closest to the {axis} axis of {name}{_where(result)}, {_number(angles[axis])} degrees from the "
        f"vertical, and {held}: {_number(change)} degrees between its first and last third."
    )


def _correlation(result: Mapping[str, Any], draw: random.Random) -> str:
    pair, value = next(
        (name, coefficient) for name, coefficient in result["r"].items() if isinstance(coefficient, float)
    )
    word = "closely" if abs(value) > 0.7 else "loosely" if abs(value) > 0.3 else "hardly"
    return f"The strongest pair{_where(result)}, {pair}, goes together {word} (r = {_number(value)})."


def _segments(result: Mapping[str, Any], draw: random.Random) -> str:
    changes = result.get("changes_sec") or []
    if changes:
        return f"The level or the activity shifts at {_number(changes[0])} s, so the window may not be of one piece."
    name, parts = _first(result["magnitude"], "std")
    start, _, end = parts["std"]
    return (
        f"Nothing shifts over the window: the spread of {name}{_where(result)} is {_number(start)} {parts['unit']} at "
        f"the start and {_number(end)} {parts['unit']} at the end."
    )


def _heart(result: Mapping[str, Any], draw: random.Random) -> str:
    name, rate = next((name, rate) for name, rate in result["channels"].items() if "mean" in rate)
    return f"By {name} the heart beats {_number(rate['mean'])} times a minute."


def _reference(result: Mapping[str, Any], draw: random.Random) -> str:
    ranked = list(result["distances"].items())
    best, least = ranked[0]
    text = f"Against other people's sessions the window is closest to {label_words(best)} (distance {_number(least)})"
    if len(ranked) > 1:
        text += f", then {label_words(ranked[1][0])} ({_number(ranked[1][1])})"
    telling = result.get("telling_features") or []
    return f"{text}. {_feature(telling[draw.randrange(min(2, len(telling)))])}" if telling else f"{text}."


def _compared_before(result: Mapping[str, Any], draw: random.Random) -> str:
    (best, least), *rest = result["distances"].items()
    before = f", ahead of {label_words(rest[0][0])} at {_number(rest[0][1])}" if rest else ""
    return draw.choice(
        (
            f"By the statistics of other people {label_words(best)} fits best, at {_number(least)}{before}.",
            f"In the comparison {label_words(best)} came first with {_number(least)}{before}.",
        )
    )


def _feature(feature: Mapping[str, Any]) -> str:
    """What tells two labels apart, in their own numbers."""
    labels = [name for name in feature if isinstance(feature[name], list)]
    unit = f" {feature['unit']}" if feature.get("unit") else ""
    told = " and ".join(f"{label_words(label)} has {_typical(*feature[label])}" for label in labels)
    return f"What tells them apart is {feature['feature']}: {_number(feature['this'])}{unit} here, where {told}."


def _typical(mean: Any, spread: Any) -> str:
    """A label's mean with its spread; a single session has none."""
    return _number(mean) if spread is None else f"{_number(mean)} ± {_number(spread)}"


def _neighbours(result: Mapping[str, Any], draw: random.Random) -> str:
    votes = result["votes"]
    most = [f"{_number(count)} {_are(count)} {label_words(label)}" for label, count in list(votes.items())[:3]]
    distance = result["examples"][0]["distance"]
    return f"Of the most similar windows of other people, {listed(most)}; the nearest one is {_number(distance)} away."


def _are(count: float) -> str:
    return "is" if count == 1 else "are"


def _own(result: Mapping[str, Any], draw: random.Random) -> str:
    """A tool we do not know: its first plain number."""
    name, value = next((name, number) for name, number in result.items() if isinstance(number, Number))
    return f"It reports {name.replace('_', ' ')} as {_number(value)}."


def _first(sensors: Mapping[str, Any], key: str) -> tuple[str, Mapping[str, Any]]:
    return next((name, values) for name, values in sensors.items() if values.get(key) not in (None, []))


def _number(value: Any) -> str:
    """The digits as the result has them. Raises TypeError for what is no number."""
    if not isinstance(value, Number):
        raise TypeError
    return value.text


_SAYINGS: dict[str, Saying] = {
    "show_session_stats": _session_stats,
    "show_channel_stats": _channel_stats,
    "select_channels": _select,
    "filter_by_time": _filter,
    "compute_spectrum": _spectrum,
    "detect_periodicity": _rhythm,
    "estimate_orientation": _orientation,
    "correlate_channels": _correlation,
    "segment_session": _segments,
    "estimate_heart_rate": _heart,
    "compare_to_reference": _reference,
    "nearest_examples": _neighbours,
}
