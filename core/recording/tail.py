"""The last seconds of a recording under way, as it grows: what a pane or a terminal shows."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.datasets.tables.channels import ColumnChannel, named_channels, sensor_word, with_units
from core.errors import DatasetError
from core.recording.joining import column_names
from core.recording.live_file import LiveReader, Rows
from core.recording.live_folder import Live, LiveState, is_alive, read_live
from tools.session import Channel, Samples, Window

STATE_SEC = 0.5
"""Between two looks at the state, which is written once a second."""
_UNIT_SEC = 1.0
"""So much of a sensor is needed to tell its unit."""


@dataclass(slots=True)
class _SensorTail:
    """The rows of one sensor."""

    stem: str
    reader: LiveReader
    batches: deque[Rows] = field(default_factory=deque[Rows])
    channels: tuple[ColumnChannel, ...] = ()

    def joined(self, seconds: float) -> Rows:
        """The last so many seconds as one batch, which is all that is held from then on."""
        if len(self.batches) > 1:
            time_ns = np.concatenate([batch.time_ns for batch in self.batches])
            samples = np.concatenate([batch.samples for batch in self.batches])
            self.batches = deque([_since(Rows(time_ns, samples), int(time_ns[-1]) - round(seconds * 1e9))])
        return self.batches[0]


class LiveTail:
    """Follows a live folder. `poll` reads what came; `window` puts the last seconds together."""

    def __init__(self, live: Live, seconds: float) -> None:
        """Args: `seconds` is how much of the end is held."""
        self.live = live
        self._seconds = seconds
        self._sensors: dict[str, _SensorTail] = {}
        self._looked = time.monotonic()
        self._came = time.monotonic()
        self.origin_ns = 0
        """The time, since 1970, that windows count from."""

    @property
    def state(self) -> LiveState:
        """As it was last written."""
        return self.live.state

    @property
    def quiet_sec(self) -> float:
        """So long nothing new has come."""
        return time.monotonic() - self._came

    def poll(self) -> bool:
        """Read what has come; whether there is any. Costs little where nothing has."""
        if time.monotonic() - self._looked > STATE_SEC or not self._sensors:
            self._look()
        new = False
        for sensor in self._sensors.values():
            batches = list(sensor.reader.rows())
            if batches:
                new = True
                sensor.batches.extend(batches)
        if new:
            self._came = time.monotonic()
        return new

    def ended(self) -> str:
        """How the recording ended, as a sentence; empty while it goes on."""
        if not self.live.folder.exists():
            return "the recording has ended, and is in the dataset"
        if self.state.ended:
            return "the recording has ended"
        if self.quiet_sec > 2 and not is_alive(self.live.folder):
            return "its recorder is gone; the next `sensorloom record` saves what came"
        return ""

    def window(self, seconds: float) -> Window | None:
        """The last so many seconds on the clock of the fastest sensor; None while there is nothing."""
        sensors = [sensor for sensor in self._sensors.values() if sensor.batches]
        if not sensors:
            return None
        joined = {sensor.stem: sensor.joined(self._seconds) for sensor in sensors}
        if not self.origin_ns:
            self.origin_ns = min(int(rows.time_ns[0]) for rows in joined.values())
        end = max(int(rows.time_ns[-1]) for rows in joined.values())
        recent = {stem: _since(rows, end - round(seconds * 1e9)) for stem, rows in joined.items()}
        fastest = max(recent.values(), key=lambda rows: len(rows.time_ns))
        channels: list[Channel] = []
        values: list[Samples] = []
        for sensor in sensors:
            for column, channel in enumerate(self._channels_of(sensor, joined[sensor.stem])):
                rows = recent[sensor.stem]
                samples = rows.samples[:, column].astype(np.float64) * channel.factor
                channels.append(channel.channel)
                values.append(samples if rows is fastest else _at(rows, samples, fastest))
        times = (fastest.time_ns - self.origin_ns) / 1e9
        return Window(tuple(channels), times, np.array(values))

    def close(self) -> None:
        """Close the files."""
        for sensor in self._sensors.values():
            sensor.reader.close()
        self._sensors.clear()

    def _look(self) -> None:
        """Look for new sensors, and at the state."""
        self._looked = time.monotonic()
        try:
            self.live = read_live(self.live.folder)
        except DatasetError:
            return
        for sensor in self.state.sensors:
            stem = Path(sensor.file).stem
            if stem not in self._sensors:
                try:
                    reader = LiveReader(self.live.folder / sensor.file, sensor.checkpoint)
                except DatasetError:
                    continue
                self._sensors[stem] = _SensorTail(stem, reader)

    def _channels_of(self, sensor: _SensorTail, rows: Rows) -> tuple[ColumnChannel, ...]:
        """The sensor's channels, with units once there are rows enough to tell them, and the same from then on."""
        if sensor.channels:
            return sensor.channels
        several = len(self._sensors) > 1
        columns = sensor.reader.columns
        named = named_channels(column_names(sensor.stem, columns, several), sensor_word(sensor.stem))
        values = {channel.column: rows.samples[:, number].astype(np.float64) for number, channel in enumerate(named)}
        with_unit = tuple(with_units(named, values, self.state.form.units))
        by_column = {channel.column: channel for channel in with_unit}
        channels = tuple(by_column[channel.column] for channel in named)
        if rows.time_ns[-1] - rows.time_ns[0] > _UNIT_SEC * 1e9:
            sensor.channels = channels
        return channels


def _since(rows: Rows, start_ns: int) -> Rows:
    first = int(np.searchsorted(rows.time_ns, start_ns))
    return Rows(rows.time_ns[first:], rows.samples[first:])


def _at(rows: Rows, samples: Samples, other: Rows) -> Samples:
    """A sensor's samples at another's times, for the eye: between its own on a straight line, none outside."""
    if not rows.time_ns.size:
        return np.full(len(other.time_ns), np.nan)
    return np.interp(other.time_ns, rows.time_ns, samples, left=np.nan, right=np.nan)
