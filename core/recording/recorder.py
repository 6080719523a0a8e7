"""A recording under way: what comes in goes onto the clock, into the files, and into the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.datasets.tables.form import TableForm
from core.errors import DatasetError
from core.recording.lines import Garbage, Mark, Record, Text, pieces_of
from core.recording.live_file import ENDING, LiveWriter
from core.recording.live_folder import MARKS, LiveState, SensorState, lock_of, write_state
from core.recording.sensor import Sensor, file_name, spread
from core.recording.shape import NotARow, Values, shape_of_lines, shape_of_records
from core.recording.timeline import SECOND, Timeline

LOOK_ROWS, LOOK_SECONDS, LEAST_ROWS = 20, 0.8, 3
"""A sensor's columns are decided by so many rows, or by what came in so long, but never by fewer than the last."""
STALL_SECONDS, STALL_STEPS = 1.0, 5.0
"""A source stalls when nothing came for so long, and for so many of its usual steps."""
MAX_SENSORS = 64
_MOST_GARBAGE = 500
"""So many lines that are no rows are kept before there is a first row, in case they are the heading."""


class Recorder:
    """Takes messages of a source and writes them into a live folder. One thread at a time may use it."""

    def __init__(self, folder: Path, state: LiveState) -> None:
        """Begin a recording in a new folder. Raises SensorloomError or OSError: nothing can be written there."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._lock = lock_of(folder)
        self._lock.acquire()
        self._state = state
        self._sensors: dict[str, Sensor] = {}
        self._marks = (folder / MARKS).open("xb", buffering=0)
        self._marks.write(b"time_ns,label\n")
        self.counts: Counter[str] = Counter()
        self.sentences: list[str] = []
        """What a person should hear of, since it was last looked at."""
        self._last_arrival: int | None = None
        self._behind_ns = 0
        self._stalled = False
        write_state(folder, self.state)

    # What comes in

    def feed(self, message: bytes, arrival_ns: int) -> None:
        """Take one message. Raises OSError: the disk is full. Nothing that a source sends raises anything else."""
        rows: dict[str, list[Record | Text]] = {}
        for piece in pieces_of(message):
            match piece:
                case Mark(label):
                    self._take_rows(rows, arrival_ns)
                    rows = {}
                    self.mark(label, None)
                case Garbage(reason):
                    self.counts[reason] += 1
                case Record(stream, _):
                    rows.setdefault(stream, []).append(piece)
                case Text():
                    rows.setdefault("", []).append(piece)
        self._take_rows(rows, arrival_ns)

    def mark(self, label: str, at_ns: int | None) -> None:
        """From now on `label` is done; an empty one ends the one before.

        Args:
            label: one of any words.
            at_ns: the moment, since 1970, when somebody pressed a key; None for a line between the rows themselves.
        """
        if label == self._state.label:
            return
        if at_ns is None:
            self._look_now()
        clocks = [sensor.timeline for sensor in self._sensors.values() if sensor.timeline.last_ns is not None]
        latest = max(clocks, key=lambda clock: clock.last_ns or 0, default=None)
        if latest is None:
            time = 0
        else:
            time = latest.after_last if at_ns is None else latest.now(at_ns)
        self._marks.write(f"{time},{label}\n".encode())
        self._state = replace_state(
            self._state,
            label=label,
            known_labels=tuple(dict.fromkeys((*self._state.known_labels, *filter(None, [label])))),
        )

    def tick(self, now_ns: int, *, behind: bool = False) -> None:
        """Write what has come, and see whether the source stalls: not where more has come already than was taken, and
        the recorder is `behind`. Raises OSError: the disk is full."""
        for sensor in self._sensors.values():
            if sensor.shape is None and self._looked_long_enough(sensor, now_ns):
                self._decide(sensor)
            self._write(sensor)
        if behind:
            self._behind_ns = now_ns
        if self._last_arrival is None:
            return
        quiet = (now_ns - max(self._last_arrival, self._behind_ns)) / SECOND
        if not self._stalled and quiet > self.longest_pause_sec:
            self._stalled = True
            self.counts["stalls"] += 1
            self.sentences.append(f"nothing has come for {quiet:.1f} s")

    def save(self) -> None:
        """Write the state, and wait until all of it is on the disk. Raises OSError or SensorloomError: it is full."""
        for sensor in self._sensors.values():
            if sensor.writer is not None:
                sensor.writer.sync()
        write_state(self.folder, self.state)

    def close(self) -> None:
        """Write what is not written yet, and close the files. Doing it again does no harm.

        Raises: OSError or SensorloomError: it cannot be written; the files are closed all the same.
        """
        if self._marks.closed:
            return
        try:
            self._look_now()
            for sensor in self._sensors.values():
                self._write(sensor)
            self._state = replace_state(self._state, ended=True)
            write_state(self.folder, self.state)
        finally:
            for sensor in self._sensors.values():
                if sensor.writer is not None:
                    sensor.writer.close()
            self._marks.close()

    def let_go(self) -> None:
        """Let others have the folder, which until then is nobody else's to finish."""
        self._lock.release()

    # What there is

    @property
    def sensors(self) -> Sequence[Sensor]:
        """The sensors whose columns are known."""
        return [sensor for sensor in self._sensors.values() if sensor.shape is not None]

    @property
    def stalled(self) -> bool:
        """Whether nothing comes at the moment."""
        return self._stalled

    @property
    def longest_pause_sec(self) -> float:
        """A source from which nothing comes for longer stalls."""
        rates = [sensor.timeline.rate_hz for sensor in self.sensors if sensor.timeline.rate_hz]
        return max(STALL_SECONDS, STALL_STEPS / max(rates, default=STALL_STEPS))

    @property
    def state(self) -> LiveState:
        """As `state.json` has it."""
        sensors = tuple(
            SensorState(
                sensor.name,
                sensor.writer.path.name,
                sensor.writer.columns,
                sensor.rows,
                sensor.timeline.rate_hz,
                sensor.writer.checkpoint,
            )
            for sensor in self.sensors
            if sensor.writer is not None
        )
        odd = Counter({f"cells of {name} that are no numbers": count
                       for sensor in self.sensors if sensor.shape
                       for name, count in sensor.shape.odd_cells.items()})  # fmt: skip
        return replace_state(self._state, sensors=sensors, counts={k: n for k, n in (self.counts + odd).items() if n})

    # Rows

    def _take_rows(self, rows: Mapping[str, Sequence[Record | Text]], arrival_ns: int) -> None:
        for name, pieces in rows.items():
            sensor = self._sensors.get(name)
            if sensor is None:
                if len(self._sensors) >= MAX_SENSORS:
                    self.counts["rows of more sensors than can be recorded"] += len(pieces)
                    continue
                sensor = self._sensors[name] = Sensor(name, Timeline(False, self.counts))
            if sensor.shape is None:
                sensor.waiting += [(arrival_ns, piece) for piece in pieces]
                if len(sensor.waiting) >= max(LOOK_ROWS, 2 * sensor.looked):
                    self._decide(sensor)
            else:
                self._add(sensor, [(arrival_ns, piece) for piece in pieces])

    def _looked_long_enough(self, sensor: Sensor, now_ns: int) -> bool:
        first = sensor.waiting[0][0] if sensor.waiting else now_ns
        return len(sensor.waiting) >= max(LEAST_ROWS, sensor.looked + 1) and now_ns - first > LOOK_SECONDS * SECOND

    def _look_now(self) -> None:
        for sensor in self._sensors.values():
            if sensor.shape is None and sensor.waiting:
                self._decide(sensor)

    def _decide(self, sensor: Sensor) -> None:
        """Decide a sensor's columns by what waits, or wait for more; then take what waits as rows."""
        texts = [piece.line for _, piece in sensor.waiting if isinstance(piece, Text)]
        records = [piece.values for _, piece in sensor.waiting if isinstance(piece, Record)]
        form = self._state.form
        try:
            as_text = len(texts) >= len(records)
            sensor.shape = shape_of_lines(texts, form) if as_text else shape_of_records(records, form)
        except DatasetError as error:
            if not sensor.looked:
                self.sentences.append(f"{error}; it goes on, in case rows come")
            sensor.looked = len(sensor.waiting)
            if sensor.looked >= _MOST_GARBAGE:
                self.counts["lines before the first row"] += sensor.looked
                sensor.waiting.clear()
                sensor.looked = 1
            return
        clock = sensor.shape.clock
        sensor.timeline.absolute = clock is None or clock.absolute
        own = f"{sensor.name}: " if sensor.name else ""
        self.sentences += [f"{own}{note}" for note in sensor.shape.notes]
        if sensor.shape.layout.above and as_text:
            self.counts["lines above the rows"] += max(0, sensor.shape.layout.above - 1)
        waiting, sensor.waiting = sensor.waiting, []
        self._add(sensor, waiting[sensor.shape.layout.above if as_text and not records else 0 :])

    def _add(self, sensor: Sensor, pieces: Sequence[tuple[int, Record | Text]]) -> None:
        """Take rows of a sensor whose columns are known."""
        shape = sensor.shape
        assert shape is not None
        rows: list[tuple[int, Values]] = []
        for arrival_ns, piece in pieces:
            try:
                values = shape.of_line(piece.line) if isinstance(piece, Text) else shape.of_record(piece.values)
            except NotARow as error:
                self.counts[str(error)] += 1
                continue
            if values is not None:
                rows.append((arrival_ns, values))
        if not rows:
            return
        for time_ns, (_, values) in zip(self._times(sensor, rows), rows, strict=True):
            if time_ns is None:
                continue
            if values.label is not None and values.label != sensor.label:
                sensor.label = values.label
                self._marks.write(f"{time_ns},{values.label}\n".encode())
                self._state = replace_state(self._state, label=values.label)
            sensor.time_ns.append(time_ns)
            sensor.samples.append(values.samples)
        self._came(rows[-1][0])

    def _times(self, sensor: Sensor, rows: Sequence[tuple[int, Values]]) -> list[int | None]:
        """The rows' times on the recording's clock; None for those that are left out."""
        timeline, rate = sensor.timeline, self._state.form.rate_hz
        if sensor.shape is not None and sensor.shape.clock is not None:
            return [timeline.time_of(values.time_ns or 0, arrival) for arrival, values in rows]
        if rate:
            return [timeline.counted(rate, arrival) for arrival, _ in rows]
        return [timeline.time_of(time, time) for time in spread([arrival for arrival, _ in rows], timeline.last_ns)]

    def _came(self, arrival_ns: int) -> None:
        if self._stalled and self._last_arrival is not None:
            self._stalled = False
            self.sentences.append(f"rows come again, after {(arrival_ns - self._last_arrival) / SECOND:.1f} s")
        self._last_arrival = arrival_ns

    def _write(self, sensor: Sensor) -> None:
        self.sentences += sensor.timeline.told
        sensor.timeline.told.clear()
        if not sensor.time_ns or sensor.shape is None:
            return
        if sensor.writer is None:
            sensor.writer = LiveWriter(
                self.folder / f"{file_name(sensor.name, self.folder)}{ENDING}", sensor.shape.columns
            )
            write_state(self.folder, self.state)
        sensor.writer.append(sensor.time_ns, sensor.samples)
        sensor.rows += len(sensor.time_ns)
        sensor.time_ns, sensor.samples = [], []


def replace_state(state: LiveState, **changes: Any) -> LiveState:
    """The state with some of it changed."""
    import msgspec

    return msgspec.structs.replace(state, **changes)


def new_state(
    dataset: str, recording: str, source: str, form: TableForm, length_sec: float, overlap: float
) -> LiveState:
    """The state of a recording that begins now."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return LiveState(dataset, recording, source, started, form, length_sec, overlap)
