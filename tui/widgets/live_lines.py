"""A recording under way as lanes: the last seconds drawn over and over from left to right, as a ward's monitor does.

What moves through the whole picture changes each cell of it many times a second, which a slow link cannot carry. Here
a gap sweeps over lanes that stand still: only the columns at the gap are new.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.text import counted, one_line
from tools.sensors import Sensor, sensors_of, split_axis
from tools.session import Window
from tui.widgets.lane_rows import lane_rows
from tui.widgets.lines import Line, fit, spread
from tui.widgets.sensor_lines import AXIS, MAX_LANE_HEIGHT, NUMBERS, Group, Lane, lane_lines

if TYPE_CHECKING:
    from core.recording.live_folder import LiveState
    from tools.session import Samples

HEAD_ROWS = 4
SWEEP_GAP = 0.04
"""Share of the picture that stays empty between what is new and what is old."""
_ROOM, _LEAST_USED = 1.25, 0.3
"""A scale has so much room around what it is made for, and stays until a value leaves it or so little of it is used."""


@dataclass(slots=True)
class Scales:
    """The scales that lanes are drawn with, which stay as long as they can: a new one draws all of a lane anew."""

    middles: dict[str, float] = field(default_factory=dict[str, float])
    reaches: dict[str, float] = field(default_factory=dict[str, float])

    def of(self, sensor: Sensor, ranges: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Bottom and top of each channel's lane, all of one reach.

        Args:
            sensor: whose channels.
            ranges: least and greatest value of each, the first larger where there is none.
        """
        there = {name: pair for name, pair in ranges.items() if pair[1] >= pair[0]}
        widest = max((high - low for low, high in there.values()), default=0.0)
        reach = self.reaches.get(sensor.name, 0.0)
        outside = any(
            name not in self.middles or max(high - self.middles[name], self.middles[name] - low) > reach / 2
            for name, (low, high) in there.items()
        )
        if outside or widest < _LEAST_USED * reach / _ROOM:
            reach = self.reaches[sensor.name] = _ROOM * widest
            self.middles |= {name: (low + high) / 2 for name, (low, high) in there.items()}
        return {
            name: (self.middles.get(name, 0.0) - reach / 2, self.middles.get(name, 0.0) + reach / 2) for name in ranges
        }


def swept(window: Window, period: float) -> Window:
    """The last `period` seconds laid over each other: new ones from the left up to now, old ones right of the gap."""
    times, values = window.time_sec, window.values
    now = float(times[-1])
    base = math.floor(now / period) * period
    new, old = times >= base, (times < base) & (times > now - period * (1 - SWEEP_GAP))
    edge = np.full((len(values), 1), np.nan)
    between = min(now - base + 1e-6, period)
    time_sec = np.concatenate([times[new] - base, [between], times[old] - base + period])
    return Window(window.channels, time_sec, np.concatenate([values[:, new], edge, values[:, old]], axis=1))


def live_groups(
    window: Window, period: float, scales: Scales, width: int, height: int, *, braille: bool = False
) -> tuple[Group, ...]:
    """The lanes of a window of the last seconds."""
    sensors = sensors_of(window.channels)
    rows = max(1, min(MAX_LANE_HEIGHT, (height - len(sensors)) // max(1, len(window.channels))))
    shown = swept(window, period)
    groups: list[Group] = []
    for sensor in sensors:
        numbers = {name: window.names.index(name) for name in sensor.names}
        ranges = {name: _range(window.values[number]) for name, number in numbers.items()}
        limits = scales.of(sensor, ranges)
        lanes = tuple(
            Lane(
                split_axis(name)[1] if len(numbers) > 1 else "",
                lane_rows(shown.time_sec, shown.values[number], (0.0, period), limits[name],
                          max(4, width - NUMBERS - AXIS), rows, braille=braille),
                *ranges[name],
                number,
            )
            for name, number in numbers.items()
        )  # fmt: skip
        groups.append(Group(sensor.name, sensor.unit, lanes))
    return tuple(groups)


def _range(values: Samples) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (math.inf, -math.inf)


def with_numbers(groups: Sequence[Group], numbers: Sequence[Group]) -> tuple[Group, ...]:
    """The lanes of some groups with the numbers of others, drawn earlier, so that they do not change all the time."""
    earlier = {lane.channel: lane for group in numbers for lane in group.lanes}
    return tuple(
        Group(group.title, group.unit, tuple(
            Lane(lane.label, lane.rows, own.low, own.high, lane.channel) if (own := earlier.get(lane.channel)) else lane
            for lane in group.lanes
        ))
        for group in groups
    )  # fmt: skip


def live_head(name: str, state: LiveState, quiet_sec: float, ended: str, seconds: float, width: int) -> list[Line]:
    """What is recorded, whether anything comes, and what is marked.

    Args:
        name: the recording's.
        state: as it was last written.
        quiet_sec: so long nothing has come; 0 where all is well.
        ended: how it ended, empty while it goes on.
        seconds: how much is shown.
        width: columns.
    """
    from core.recording.live_folder import troubles

    rows = sum(sensor.rows for sensor in state.sensors)
    rates = [sensor.rate_hz for sensor in state.sensors if sensor.rate_hz]
    facts = [counted(rows, "row"), *([f"{max(rates):.4g} Hz"] if rates else [])]
    facts += troubles(state.counts)
    how: Line = (("● live", "good"),)
    if ended:
        how = (("■ ended", "dim"),)
    elif quiet_sec:
        how = ((f"▲ stalled {quiet_sec:.0f} s", "warn"),)
    label: Line = (("label ", "dim"), (one_line(state.label, 40), "label")) if state.label else (("no label", "dim"),)
    last = ended or f"the last {seconds:g} s, from left to right"
    return [
        spread(((one_line(name, 80), "label"),), how, width),
        fit([(" · ".join(facts), "dim")], width),
        fit(label, width),
        fit([(one_line(last, 200), "dim")], width),
    ]


def live_lines(head: Sequence[Line], groups: Sequence[Group], window: Window, width: int) -> list[Line]:
    """All rows."""
    return [*head, *lane_lines(groups, window, width, None)]
