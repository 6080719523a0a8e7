"""What recordings look like before they are imported: signals, labels, people, and what is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.datasets.tables.form import NO_PRESET
from core.datasets.tables.preview import Preview
from core.datasets.tables.proposal import Proposal
from core.text import counted, one_line, reason_counted
from tools.sensors import sensors_of
from tools.session import Window
from tui.widgets.lane_look import USUAL, LaneLook
from tui.widgets.lines import Kind, Line, fit, spread, wrapped
from tui.widgets.sensor_lines import AXIS, NUMBERS, groups_of, number

BAR = 24
"""Columns of the longest bar of a label."""
_BESIDE = 20
"""Rows for everything beside the signals."""


def preview_lines(preview: Preview, width: int, height: int, look: LaneLook = USUAL) -> list[Line]:
    """The preview as lines; `height` is how many rows are seen at once, `look` how signals are drawn."""
    survey, proposal = preview.survey, preview.proposal
    lines: list[Line] = []
    if proposal is not None:
        lines += _labels(proposal, width)
        lines += _people(proposal, width)
    if preview.beginning is not None:
        lines += _signals(survey.sources[0].name, preview.beginning, width, height, look)
    files = sum(len(source.files) for source in survey.sources)
    counts = f"{counted(files, 'file')}, {counted(len(survey.sources), 'recording')}"
    annotated = f", {counted(len(survey.annotations), 'file')} of labels" if survey.annotations else ""
    lines.append((("files  ", "label"), (counts + annotated, "text")))
    if proposal is not None:
        preset = proposal.form.preset
        decided = [f"read as the preset {preset} says: {proposal.form.source}"] if preset not in ("", NO_PRESET) else []
        decided += [note for note in proposal.notes if not note.startswith("left out: ")]
        left_out = [note.removeprefix("left out: ") for note in proposal.notes if note.startswith("left out: ")]
        left_out += [reason_counted(count, reason) for reason, count in proposal.left_out.items() if count]
        lines += _listed("decided by looking", decided, width, "text")
        lines += _listed("left out", left_out, width, "warn")
    else:
        left_out = [reason_counted(count, reason) for reason, count in survey.left_out.items() if count]
        lines += _listed("left out", left_out, width, "warn")
    return lines


def _signals(name: str, window: Window, width: int, height: int, look: LaneLook) -> Iterator[Line]:
    """How a recording begins, a lane for each channel; those of a sensor have one scale."""
    span = f"  {window.start_sec:g} to {window.end_sec:.4g} s"
    yield fit((("signals  ", "label"), (one_line(name, 60), "text"), (span, "dim")), width)
    least = 2 * len(window.channels) + len(sensors_of(window.channels))  # one row shows no swinging
    for group in groups_of(window, width, max(least, height - _BESIDE), look):
        channel = window.channels[group.lanes[0].channel]
        rate = _rate(window)
        about = f"  {one_line(group.unit, 12) or 'no unit'}, {rate:.4g} Hz"
        if "interpolated" in channel.description:
            about += f" {channel.description[channel.description.rindex('(') :]}"
        title: Line = (("  ", "text"), (one_line(group.title, 40), "label"), (about, "dim"))
        yield spread(title, (("max−min", "dim"),), width)
        for lane in group.lanes:
            reach = "no data" if lane.high < lane.low else number(lane.high - lane.low)
            for at, row in enumerate(lane.rows):
                shown = reach if at == len(lane.rows) - 1 else ""
                yield (lane.label.ljust(AXIS) if not at else " " * AXIS, "dim"), (row, "lane"), (
                    shown.rjust(NUMBERS), "dim")  # fmt: skip


def _rate(window: Window) -> float:
    steps = window.time_sec.size - 1
    length = window.end_sec - window.start_sec
    return steps / length if length > 0 else 0.0


def _labels(proposal: Proposal, width: int) -> Iterator[Line]:
    seconds: Counter[str] = Counter()
    for looked in proposal.recordings:
        seconds.update(looked.label_seconds)
    longest = max(seconds.values(), default=0.0) or 1.0
    yield (("labels", "label"),)
    room = max((len(one_line(label, 30)) for label in seconds), default=0)
    for label, lasting in sorted(seconds.items(), key=lambda pair: (not pair[0], -pair[1])):
        name = one_line(label, 30) or "no label"
        kind: Kind = "bar" if label else "dim"
        bar = "█" * max(1, round(BAR * lasting / longest)) if label else ""
        yield fit((("  ", "text"), (name.ljust(max(room, 8)), "text" if label else "warn"),
                   (f"{lasting:8,.0f} s  ", "number"), (bar, kind)), width)  # fmt: skip


def _people(proposal: Proposal, width: int) -> Iterator[Line]:
    seconds: Counter[str] = Counter()
    for looked in proposal.recordings:
        seconds[looked.subject] += looked.seconds  # pyright: ignore[reportArgumentType] - a Counter holds any number
    known = [f"{one_line(name, 40)} {seconds[name]:,.0f} s" for name in sorted(seconds) if name]
    if "" in seconds:
        known.append("some not known" if known else "not known: nothing keeps people apart in splits")
    text = ", ".join(known)
    for at, row in enumerate(wrapped(text, max(20, width - 10), "text" if "" not in seconds else "warn")):
        yield ("subjects  " if not at else " " * 10, "label"), *row


def _listed(title: str, sentences: list[str], width: int, kind: Kind) -> Iterator[Line]:
    if sentences:
        yield ((title, "label"),)
    for sentence in sentences:
        for at, row in enumerate(wrapped(one_line(sentence, 400), max(20, width - 4), kind)):
            yield ("  · " if not at else "    ", "dim"), *row
