"""Saying in words what a result shows. Numbers are quoted as the result holds them, and no others are used."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.analyst.comparison_words import compared_before, neighbours, reference
from core.analyst.conversation import Finding, Number
from core.analyst.evidence import is_tiny, unit_of
from core.analyst.measurement_words import members_words
from core.analyst.phrases import label_words, listed, number, phrase
from tools.sensors import sensors_of
from tools.session import Channel

Saying = Callable[[Mapping[str, Any], random.Random], str]
FASTEST_STEPS = 200
"""Steps a minute that a sprinter makes; a phone at the hip sees one cycle a step."""


def explain(finding: Finding, draw: random.Random) -> str:
    """A sentence or two on a result; empty when it shows nothing worth a word."""
    if finding.failed:
        return phrase(
            "{tool} [could not answer|gave no result|refused]: {reason}.",
            draw, tool=finding.tool, reason=_first_clause(finding.error),
        )  # fmt: skip
    return _told(_SAYINGS.get(finding.tool, _own), finding, draw)


def recall(finding: Finding, draw: random.Random) -> str:
    """An earlier result, said again and shorter where it was long."""
    return _told(compared_before, finding, draw) if finding.tool == "compare_to_reference" else explain(finding, draw)


def _told(say: Saying, finding: Finding, draw: random.Random) -> str:
    try:
        return say(finding.result, draw)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration):
        return ""  # a result can have any shape: people edit them, and bring tools of their own


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
    return phrase(
        "[The dataset|This dataset] [holds|has|consists of] {sessions}{people}; [its labels are|to choose from are|the "
        "labels are] {labels}.",
        draw, sessions=sessions, people=people, labels=listed(_labels(result)),
    )  # fmt: skip


def _counted(count: Any, singular: str, plural: str) -> str:
    return f"{number(count)} {singular if count == 1 else plural}"


def _labels(result: Mapping[str, Any]) -> list[str]:
    names = [label_words(str(label)) for label in result["labels"]]
    return [*names[:4], "others"] if len(names) > 6 else names


def _channel_stats(result: Mapping[str, Any], draw: random.Random) -> str:
    columns = result.get("columns")
    if not isinstance(columns, list):
        return _channel_list(result, draw)
    rows = result.get("channels") or result["sensors"]
    at = columns.index("std")
    units = {name: f" {unit}" if (unit := unit_of(result, name)) else "" for name in rows}
    alike = [name for name in rows if units[name] == units[next(iter(rows))]]
    most = max(alike, key=lambda name: rows[name][at] or 0)
    mean, std = rows[most][columns.index("mean")], rows[most][at]
    unit = units[most]
    kind = f" of the channels in{unit}" if unit and len(set(units.values())) > 1 else ""
    return phrase(
        "{most} varies most{kind}[: mean|, with a mean of] {mean}{unit}[, standard deviation| and a standard "
        "deviation of] {std}{unit}[, which is where I look first|, the others less|].|"
        "[The largest|The widest] spread{kind} is in {most}, {std}{unit} [(std) around|(standard deviation) about a "
        "mean of] {mean}{unit}.|"
        "[Most happens in|The liveliest{kind} is] {most}[: a standard deviation of|, which spreads by] {std}{unit} "
        "around {mean}{unit}.",
        draw, most=most, kind=kind, mean=number(mean), std=number(std), unit=unit,
    )  # fmt: skip


def _channel_list(result: Mapping[str, Any], draw: random.Random) -> str:
    """Which sensors there are, by their units."""
    rows = result.get("channels") or result["sensors"]
    plain = [row if isinstance(row, dict) else {"name": row} for row in rows]
    described = [Channel(row.get("name") or row["sensor"], "", row.get("unit") or "") for row in plain]
    units: dict[str, list[str]] = {}
    for sensor in sensors_of(described):
        units.setdefault(sensor.unit, []).append(sensor.name)
    groups = [f"{listed(names[:4])}{f' in {unit}' if unit else ''}" for unit, names in units.items()]
    more = " among others" if len(units) > 4 or any(len(names) > 4 for names in units.values()) else ""
    return phrase(
        "[There are|I have|The sensors give] {count} channels{more}: {groups}.",
        draw, count=number(result["num_channels"]), more=more, groups="; ".join(groups[:4]),
    )  # fmt: skip


def _select(result: Mapping[str, Any], draw: random.Random) -> str:
    names = result.get("channels")
    if not names:
        return ""
    return phrase(
        "[From here on|From now on|In what follows] I [look at|use|go by] {names} [alone|only|and nothing else].",
        draw, names=listed([str(name) for name in names][:6]),
    )  # fmt: skip


def _filter(result: Mapping[str, Any], draw: random.Random) -> str:
    start, end = result["window_sec"]
    return phrase(
        "The [stretch|part] from {start} s to {end} s is now a window of its own[.|, to be looked at apart.]",
        draw, start=number(start), end=number(end),
    )  # fmt: skip


def _spectrum(result: Mapping[str, Any], draw: random.Random) -> str:
    name, spectrum = _first(result["sensors"], "dominant")
    peak, share = spectrum["dominant"][0], spectrum["dominant_share"][0]
    return phrase(
        "[The strongest frequency of {name}{where} [is|lies at] {peak} Hz|"
        "{name}{where} has its [strongest frequency|peak|largest peak] at {peak} Hz|"
        "[Most of the power|The main peak] of {name}{where} [lies|sits|is] at {peak} Hz]"
        "[, with a share of {share} of its power|, which holds {share} of its power| (share of the power: {share})]"
        "[; the spectral entropy is {entropy}|, at a spectral entropy of {entropy}|].",
        draw, name=name, where=_where(result), peak=number(peak), share=number(share),
        entropy=number(spectrum["entropy"]),
    )  # fmt: skip


def _rhythm(result: Mapping[str, Any], draw: random.Random) -> str:
    sensors = result["sensors"]
    rhythmic = {name: rhythm for name, rhythm in sensors.items() if "cadence" in rhythm}
    if not rhythmic:
        return phrase(
            "No sensor{where} repeats at the pace of steps: there is no rhythm[ here|].|"
            "[I see|There is] no rhythm at the pace of steps[ in any sensor|]{where}.",
            draw, where=_where(result),
        )  # fmt: skip
    name = max(rhythmic, key=lambda sensor: rhythmic[sensor]["strength"])
    rhythm = rhythmic[name]
    strength = rhythm["strength"]
    if is_tiny(rhythm):
        return phrase(
            "What {name}{where} holds of a rhythm is [tiny|very small], {rms} {unit} (RMS): [noise or breath rather "
            "than steps|too little for steps|no step is that soft].",
            draw, name=name, where=_where(result), rms=number(rhythm["rms"]), unit=rhythm["unit"],
        )  # fmt: skip
    if "lag" not in rhythm:  # a short result
        return phrase(
            "{name} goes round [at {cadence} cycles per minute|{cadence} times a minute], autocorrelation {strength}.",
            draw, name=name, cadence=number(rhythm["cadence"]), strength=number(strength),
        )  # fmt: skip
    steady = "a steady rhythm" if strength > 0.6 else "a loose rhythm" if strength > 0.35 else "hardly a rhythm"
    steady += ", though faster than steps" if rhythm["cadence"] > FASTEST_STEPS else ""
    return phrase(
        "{name}{where} repeats every {lag} s[, {cadence} cycles per minute|, which makes {cadence} cycles per minute| "
        "({cadence} cycles per minute)][, with an autocorrelation of {strength}: {steady}|; an autocorrelation of "
        "{strength} [means|makes it] {steady}].|"
        "{name}{where} [comes back|goes round] every {lag} s: {steady}[ of {cadence} cycles per "
        "minute|, {cadence} cycles per minute] (autocorrelation {strength}).|"
        "[At|With] {cadence} cycles per minute and an autocorrelation of {strength}, {name}{where} [shows|has] "
        "{steady}.",
        draw, name=name, where=_where(result), lag=number(rhythm["lag"]), cadence=number(rhythm["cadence"]),
        strength=number(strength), steady=steady,
    )  # fmt: skip


def _orientation(result: Mapping[str, Any], draw: random.Random) -> str:
    name, posture = _first(result["sensors"], "tilt_change")
    angles = {axis: posture[f"axis_{axis}"] for axis in "xyz"}
    axis = min(angles, key=lambda axis: min(angles[axis], 180 - angles[axis]))
    change = posture["tilt_change"]
    held = (
        "[it hardly tilts|it keeps its tilt|it is held still]" if change < 5
        else "[it tilts somewhat|its tilt wanders a little]" if change < 20
        else "it is turned over the window"
    )  # fmt: skip
    return phrase(
        "[Gravity lies closest to|Nearest to the vertical is|Down is closest to] the {axis} axis of {name}{where}, "
        "{angle} degrees from the vertical"
        f"[, and {held}: {{change}} degrees between its first and last third|; {held}, by {{change}} degrees from its "
        "first to its last third].",
        draw, axis=axis, name=name, where=_where(result), angle=number(angles[axis]), change=number(change),
    )  # fmt: skip


def _correlation(result: Mapping[str, Any], draw: random.Random) -> str:
    pair, value = next(
        (name, coefficient) for name, coefficient in result["r"].items() if isinstance(coefficient, float)
    )
    word = "closely" if abs(value) > 0.7 else "loosely" if abs(value) > 0.3 else "hardly"
    return phrase(
        "[Of all pairs{where}, {pair} go together most: {word}|"
        "[Closest{where} are|The strongest pair{where} is] {pair}, which [move|go] together {word}] (r = {value}).",
        draw, where=_where(result), pair=members_words(pair), word=word, value=number(value),
    )  # fmt: skip


def _segments(result: Mapping[str, Any], draw: random.Random) -> str:
    changes = result.get("changes_sec") or []
    if changes:
        return phrase(
            "[The level or the activity shifts|Something changes|There is a shift] at {at} s, so the window may "
            "[not be of one piece|hold more than one thing].",
            draw, at=number(changes[0]),
        )  # fmt: skip
    name, parts = _first(result["magnitude"], "std")
    start, _, end = parts["std"]
    return phrase(
        "[Nothing shifts over the window|The window is of one piece|I see no change on the way]: the spread of "
        "{name}{where} is {start} {unit} at the start and {end} {unit} at the end.",
        draw, name=name, where=_where(result), start=number(start), end=number(end), unit=parts["unit"],
    )  # fmt: skip


def _heart(result: Mapping[str, Any], draw: random.Random) -> str:
    name, rate = next((name, rate) for name, rate in result["channels"].items() if "mean" in rate)
    return phrase(
        "[By {name} the heart beats {rate} times a minute|{name} puts the pulse at {rate} beats per minute].",
        draw, name=name, rate=number(rate["mean"]),
    )  # fmt: skip


def _own(result: Mapping[str, Any], draw: random.Random) -> str:
    """A tool we do not know: its first plain number."""
    name, value = next((name, number) for name, number in result.items() if isinstance(number, Number))
    return phrase(
        "[It reports|It gives|It states] {name} as {value}.",
        draw, name=name.replace("_", " "), value=number(value),
    )  # fmt: skip


def _first(sensors: Mapping[str, Any], key: str) -> tuple[str, Mapping[str, Any]]:
    return next((name, values) for name, values in sensors.items() if values.get(key) not in (None, []))


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
    "compare_to_reference": reference,
    "nearest_examples": neighbours,
}
