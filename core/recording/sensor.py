"""One sensor of a source while it is recorded, and when rows were measured that came several at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from core.recording.lines import Record, Text
from core.recording.live_file import ENDING, LiveWriter
from core.recording.shape import Shape
from core.recording.timeline import SECOND, Timeline


@dataclass(slots=True)
class Sensor:
    """One sensor of the source: its shape once that is known, its clock, and the rows that are not written yet."""

    name: str
    timeline: Timeline
    shape: Shape | None = None
    writer: LiveWriter | None = None
    waiting: list[tuple[int, Record | Text]] = field(default_factory=list[tuple[int, Record | Text]])
    """What came before its shape was known, with the time of arrival."""
    looked: int = 0
    """So many rows waited at the last look that decided nothing."""
    time_ns: list[int] = field(default_factory=list[int])
    samples: list[tuple[float, ...]] = field(default_factory=list[tuple[float, ...]])
    rows: int = 0
    label: str = ""


def spread(arrivals: Sequence[int], last_ns: int | None) -> list[int]:
    """When rows were measured that came at these moments: those that came at once follow each other evenly since the
    moment before, as a source that sends several together measures them."""
    times: list[int] = []
    before = last_ns
    borders = [0, *(number for number, (a, b) in enumerate(pairwise(arrivals), 1) if a != b), len(arrivals)]
    for first, end in pairwise(borders):
        count, at = end - first, arrivals[first]
        step = (at - before) // count if before is not None and 0 < at - before < SECOND else 0
        step = step or 1000
        if before is not None and at - count * step < before:
            at = before + count * step
        times += [at - (count - number) * step for number in range(1, count + 1)]
        before = at
    return times


def file_name(sensor: str, folder: Path) -> str:
    """A sensor's file, without its ending: its name in small letters, with a number where another has it."""
    plain = re.sub(r"\W+", "_", sensor.lower()).strip("_")[:60] or "sensor"
    twin, name = 2, plain
    while (folder / f"{name}{ENDING}").exists():
        name, twin = f"{plain}_{twin}", twin + 1
    return name
