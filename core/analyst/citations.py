"""What a conclusion rests on, as noun phrases with the numbers that results hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.analyst.conversation import Finding, Number
from core.analyst.evidence import is_tiny, unit_of
from core.analyst.measurement_words import members_words
from core.analyst.phrases import listed, number, phrase

ABOUT_OTHERS = ("show_session_stats", "compare_to_reference", "nearest_examples", "look_up_ranges")
"""Tools whose numbers are not this session's."""


def grounds(findings: Sequence[Finding], draw: random.Random) -> str:
    """One sentence with one to three measurements of this session; empty where none was made."""
    cited = [text for finding in findings if (text := cite(finding, draw))]
    if not cited:
        return ""
    most = draw.choice((1, 2, 2, 3))
    chosen = draw.sample(cited, min(most, len(cited)))
    return phrase(
        "[I rest this on|This rests on|What I go by is|I base this on|What carries it is|My grounds are] {cited}.|"
        "[What was measured|The measurements|The signals themselves]: {cited}.|"
        "[Of what I measured, what counts most is|The numbers to remember are|Measured here:] {cited}.",
        draw, cited=listed(chosen),
    )  # fmt: skip


def cite(finding: Finding, draw: random.Random) -> str:
    """A measurement of a finding, as a noun phrase; empty where it holds none."""
    if finding.failed or finding.tool in ABOUT_OTHERS:
        return ""
    for citing in (_CITING.get(finding.tool, _first_number), _first_number):
        try:
            return citing(finding.result, draw)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration):
            continue  # a result can have any shape: people edit them, and bring tools of their own
    return ""


def _stats(result: Mapping[str, Any], draw: random.Random) -> str:
    rows = result.get("channels") or result["sensors"]
    at = result["columns"].index("std")
    name = draw.choice([name for name in rows if isinstance(rows[name][at], Number)])
    unit = unit_of(result, name)
    return phrase(
        "[a spread of {value} in {name}|{name} with a standard deviation of {value}|the {value} by which {name} "
        "varies]",
        draw, name=name, value=f"{number(rows[name][at])}{f' {unit}' if unit else ''}",
    )  # fmt: skip


def _rhythm(result: Mapping[str, Any], draw: random.Random) -> str:
    name = draw.choice([name for name, rhythm in result["sensors"].items() if "cadence" in rhythm])
    rhythm = result["sensors"][name]
    if is_tiny(rhythm):
        return phrase(
            "[a movement of only {rms} {unit} (RMS) in {name}|{name} with no more than {rms} {unit} (RMS)]",
            draw, name=name, rms=number(rhythm["rms"]), unit=rhythm["unit"],
        )  # fmt: skip
    if "lag" not in rhythm:  # a short result
        return phrase("{cadence} cycles per minute of {name}", draw, cadence=number(rhythm["cadence"]), name=name)
    return phrase(
        "[the {cadence} cycles per minute of {name}|{cadence} cycles per minute in {name}|a repetition of {name} every "
        "{lag} s|an autocorrelation of {strength} in {name}]",
        draw, name=name, cadence=number(rhythm["cadence"]), lag=number(rhythm["lag"]),
        strength=number(rhythm["strength"]),
    )  # fmt: skip


def _spectrum(result: Mapping[str, Any], draw: random.Random) -> str:
    name = draw.choice([name for name, spectrum in result["sensors"].items() if spectrum.get("dominant")])
    spectrum = result["sensors"][name]
    return phrase(
        "[the {peak} Hz at which {name} is strongest|a peak of {name} at {peak} Hz|{peak} Hz as the main frequency of "
        "{name}]",
        draw, name=name, peak=number(spectrum["dominant"][0]),
    )  # fmt: skip


def _orientation(result: Mapping[str, Any], draw: random.Random) -> str:
    name, posture = next((name, each) for name, each in result["sensors"].items() if "tilt_change" in each)
    axis = draw.choice("xyz")
    return phrase(
        "[the {axis} axis of {name} at {angle} degrees from the vertical|{angle} degrees between the vertical and the "
        "{axis} axis of {name}|a tilt of {name} that changes by {change} degrees]",
        draw, axis=axis, name=name, angle=number(posture[f"axis_{axis}"]), change=number(posture["tilt_change"]),
    )  # fmt: skip


def _correlation(result: Mapping[str, Any], draw: random.Random) -> str:
    pair, value = next((pair, value) for pair, value in result["r"].items() if isinstance(value, Number))
    return phrase("[the correlation of {pair}, {value}|r = {value} between {pair}]", draw,
                  pair=members_words(pair), value=value.text)  # fmt: skip


def _segments(result: Mapping[str, Any], draw: random.Random) -> str:
    if result.get("changes_sec"):
        return phrase("[a|the] [shift|change] at {at} s", draw, at=number(result["changes_sec"][0]))
    name, parts = next((name, each) for name, each in result["magnitude"].items() if each.get("std"))
    start, _, end = parts["std"]
    return phrase(
        "[a spread of {name} that goes from {start} to {end} {unit}|{name} at a spread of {start} {unit} early and "
        "{end} {unit} late]",
        draw, name=name, start=number(start), end=number(end), unit=parts["unit"],
    )  # fmt: skip


def _heart(result: Mapping[str, Any], draw: random.Random) -> str:
    rate = next(rate for rate in result["channels"].values() if "mean" in rate)
    return phrase("[a pulse of {rate} beats|{rate} beats] per minute", draw, rate=number(rate["mean"]))


def _first_number(result: Mapping[str, Any], draw: random.Random) -> str:
    """Of a tool we do not know, or a result that says little: its first number that is no description of the window."""
    name, value = next(_numbers({key: part for key, part in result.items() if key not in _OF_THE_WINDOW}))
    return f"{name.replace('_', ' ')} of {value.text}"


_OF_THE_WINDOW = ("artifact_id", "window_sec", "samples", "rate_hz", "num_channels", "from_artifact", "lag_resolution")


def _numbers(value: Mapping[str, Any], named: str = "") -> Iterator[tuple[str, Number]]:
    for key, part in value.items():
        name = f"{named} {key}".strip()
        if isinstance(part, Number):
            yield name, part
        elif isinstance(part, dict):
            yield from _numbers(part, name)


_CITING: dict[str, Callable[[Mapping[str, Any], random.Random], str]] = {
    "show_channel_stats": _stats,
    "detect_periodicity": _rhythm,
    "compute_spectrum": _spectrum,
    "estimate_orientation": _orientation,
    "correlate_channels": _correlation,
    "segment_session": _segments,
    "estimate_heart_rate": _heart,
}
