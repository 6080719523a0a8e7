"""What one recording is, and how several files that make one up are put on one clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile
from core.datasets.tables.samples import BLOCK_ROWS, SampleStore, usual_step
from core.datasets.tables.words import Words
from core.errors import DatasetError
from tools.sensors import split_axis
from tools.session import Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.datasets.tables.clock import Nanoseconds
    from tools.session import Samples

MAX_GAP_STEPS = 3.0
"""A pause of more than so many usual steps, and of more than `MAX_GAP_SEC`, is a gap: nothing is put into it."""
MAX_GAP_SEC = 0.25


def longest_gap_sec(rate_hz: float) -> float:
    """The longest pause that is no gap yet, at so many rows a second, which are 0 where they are not known."""
    return max(MAX_GAP_STEPS / rate_hz, MAX_GAP_SEC) if rate_hz else MAX_GAP_SEC


def usual_rate(rate_hz: float) -> float:
    """A rate as people say it: 49.98 Hz is 50. 0 for none."""
    near = rate_hz > 5 and abs(rate_hz / round(rate_hz) - 1) < 0.01
    return float(round(rate_hz)) if near else float(f"{rate_hz:.4g}")


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one recording."""

    name: str
    """Its path without the sensor's word and the ending."""
    files: tuple[RawFile, ...]
    scratch: Path | None = field(default=None, compare=False)
    """Where samples are put by that memory need not hold; the system's own folder unless told."""

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> str:
        """The folder that it stands in; empty at the top."""
        return self.files[0].name.rpartition("/")[0]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One recording on one clock. Its samples are on the disk where it is long."""

    source: Source
    time_ns: Nanoseconds
    """Shape (n,), rising, since 1970 or since the start."""
    channels: tuple[Channel, ...]
    samples: Callable[[NDArray[np.integer]], Samples]
    """Those of some rows in rising order, shape (channels, rows), NaN where a sensor has a gap."""
    texts: dict[str, Words] = field(default_factory=dict[str, Words])
    """The columns that were asked for as text, such as labels."""
    notes: tuple[str, ...] = ()
    """What was decided by looking, a sentence each."""

    @property
    def values(self) -> Samples:
        """All samples, shape (channels, n): of a long recording some gigabytes."""
        return self.samples(np.arange(len(self.time_ns)))

    @property
    def rate_hz(self) -> float:
        """Rows a second."""
        return self.rate_of(None)

    def rate_of(self, rows: NDArray[np.bool_] | None) -> float:
        """Rows a second of some of its rows, or of all."""
        step = usual_step(self.time_ns if rows is None else self.time_ns[rows])
        return 1e9 / step if step else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One file of a recording."""

    time_ns: Nanoseconds
    channels: tuple[Channel, ...]
    samples: Callable[[NDArray[np.integer]], Samples]
    texts: dict[str, Words]
    notes: tuple[str, ...]
    absolute: bool


def joined(source: Source, parts: Sequence[Part], dropped: Counter[str], with_samples: bool) -> Recording:
    """Several sensors on the clock of the fastest; the others are interpolated, but not over gaps."""
    start, end = max(int(part.time_ns[0]) for part in parts), min(int(part.time_ns[-1]) for part in parts)
    if end <= start:
        raise DatasetError(f"{source.name}: its files were recorded at different times; import them apart")

    def inside(part: Part) -> tuple[int, int]:
        return int(np.searchsorted(part.time_ns, start)), int(np.searchsorted(part.time_ns, end, side="right"))

    fastest = max(parts, key=lambda part: inside(part)[1] - inside(part)[0])
    first, last = inside(fastest)
    dropped["rows before the last sensor began or after the first ended"] += len(fastest.time_ns) - (last - first)
    time_ns = fastest.time_ns[first:last]
    told = {id(part): _about_rate(part, fastest) for part in parts}
    notes: list[str] = []
    for part in parts:
        notes += part.notes
        if told[id(part)]:
            notes.append(f"{split_axis(part.channels[0].name)[0]}{told[id(part)]}")
    names = Counter(channel.name for part in parts for channel in part.channels)
    twins = {name for name, count in names.items() if count > 1}
    channels = [
        replace(
            channel,
            name=f"{channel.name}_{number}" if channel.name in twins else channel.name,
            description=channel.description + told[id(part)],
        )
        for number, part in enumerate(parts, 1)
        for channel in part.channels
    ]
    store = SampleStore(len(channels), source.scratch)
    for at in range(first, last, BLOCK_ROWS) if with_samples else ():
        rows = np.arange(at, min(at + BLOCK_ROWS, last))
        own = [part.samples(rows) if part is fastest else _interpolated(part, fastest.time_ns[rows]) for part in parts]
        store.add(np.concatenate(own).T)
    texts = {name: words.at(np.arange(first, last)) for name, words in fastest.texts.items()}
    notes = list(dict.fromkeys(notes))
    return Recording(source, time_ns, tuple(channels), lambda rows: store.at(rows).T, texts, tuple(notes))


def _about_rate(part: Part, fastest: Part) -> str:
    """What is said of a sensor that was put on another's clock."""
    if part is fastest or np.array_equal(part.time_ns, fastest.time_ns):
        return ""
    return f" (recorded at {1e9 / usual_step(part.time_ns):.3g} Hz, interpolated)"


def _interpolated(part: Part, time_ns: Nanoseconds) -> Samples:
    """A sensor's samples at other times, linearly between its own; NaN in its gaps."""
    gap = max(MAX_GAP_STEPS * usual_step(part.time_ns), MAX_GAP_SEC * 1e9)
    after = np.clip(np.searchsorted(part.time_ns, time_ns), 1, len(part.time_ns) - 1)
    in_gap = part.time_ns[after] - part.time_ns[after - 1] > gap
    near = np.arange(max(int(after[0]) - 2, 0), min(int(after[-1]) + 2, len(part.time_ns)))
    at, own = ((times - part.time_ns[0]).astype(np.float64) for times in (time_ns, part.time_ns[near]))
    rows = np.array([np.interp(at, own, row) for row in part.samples(near)])
    rows[:, in_gap] = np.nan
    return rows
