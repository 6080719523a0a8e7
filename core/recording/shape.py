"""What the columns of a source are, decided by looking at its first rows, with the rules for tables in files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from core.datasets.tables.clock import FACTORS, Clock, clock_columns, clock_of, moment_ns
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL
from core.datasets.tables.layout import MOMENT, Layout, fields, look
from core.datasets.tables.recordings import COUNTER, SUBJECT
from core.datasets.tables.words import told
from core.errors import DatasetError

_MISSING = {"", "nan", "na", "null", "none", "n/a"}
_RISING = 0.98
"""Share of the steps of a clock that rise."""
_MOST_EQUAL = 0.5
"""Where more of the first stamps than this repeat, they are too coarse for a clock."""


class NotARow(ValueError):
    """A line is no row of the source's; the message is what it is counted under."""


@dataclass(frozen=True, slots=True)
class Values:
    """One row."""

    time_ns: int | None
    """As the source counts; None where it has no clock, and the arrival counts."""
    samples: tuple[float, ...]
    label: str | None = None
    """What the row itself calls the activity; None where the source has no such column."""


@dataclass(slots=True)
class Shape:
    """How the rows of one sensor are read."""

    layout: Layout
    columns: tuple[str, ...]
    """Those that hold samples."""
    clock: Clock | None
    label: str = ""
    """The column of labels, if there is one."""
    notes: tuple[str, ...] = ()
    """What was decided, a sentence each."""
    odd_cells: dict[str, int] = field(default_factory=dict[str, int])
    """Cells that should be numbers and are none, by column."""

    def of_line(self, line: str) -> Values | None:
        """A line of cells as a row; None for the heading, which a source that begins anew sends again.

        Raises NotARow."""
        cells = fields(line, self.layout.separator, len(self.layout.names))
        if tuple(cells) == self.layout.names:
            return None
        if len(cells) != len(self.layout.names):
            raise NotARow(f"lines of other than {len(self.layout.names)} fields")
        if self.layout.decimal != ".":
            cells = [cell.replace(self.layout.decimal, ".") for cell in cells]
        return self.of_record(dict(zip(self.layout.names, cells, strict=True)))

    def of_record(self, values: Mapping[str, Any]) -> Values:
        """Named values as a row. Raises NotARow: its time is none, or it has none of the samples."""
        time_ns = None
        if self.clock is not None:
            try:
                time_ns = source_ns(values.get(self.clock.column), self.clock)
            except (ValueError, TypeError, OverflowError) as error:
                raise NotARow("rows without a time") from error
        samples = tuple(self._number(name, values.get(name)) for name in self.columns)
        if all(sample != sample for sample in samples):
            raise NotARow("rows without a number")
        label = told(values.get(self.label, "")) if self.label else None
        return Values(time_ns, samples, label if label is None else " ".join(label.split())[:80])

    def _number(self, name: str, cell: Any) -> float:
        if cell is None or cell == "":
            return float("nan")
        try:
            number = float(cell)
        except (ValueError, TypeError):
            if str(cell).strip().lower() not in _MISSING:
                self.odd_cells[name] = self.odd_cells.get(name, 0) + 1
            return float("nan")
        return number if abs(number) < 3e38 else float("nan")


def source_ns(cell: Any, clock: Clock) -> int:
    """One time as nanoseconds, as the source counts. Raises ValueError, TypeError or OverflowError for what is none."""
    if clock.unit == "moment":
        return moment_ns(str(cell))
    if isinstance(cell, bool) or cell is None:
        raise ValueError("no number")
    factor = FACTORS[clock.unit]
    if isinstance(cell, int) or (isinstance(cell, str) and re.fullmatch(r"[-+]?\d+", cell)):
        return _within(int(cell) * int(factor))
    return _within(round(float(cell) * factor))


def _within(ns: int) -> int:
    if abs(ns) >= 1 << 62:
        raise OverflowError("no time of this age")
    return ns


def shape_of_lines(lines: Sequence[str], form: TableForm) -> Shape:
    """The shape of lines of cells. Raises DatasetError: they hold no rows of numbers, or lack what the form names."""
    layout = look(("\n".join(lines) + "\n").encode(), "the source")
    rows = [row for line in lines if len(row := fields(line, layout.separator, len(layout.names))) == len(layout.names)]
    named = [dict(zip(layout.names, row, strict=True)) for row in rows if tuple(row) != layout.names]
    return _shape(layout, named, form)


def shape_of_records(records: Sequence[Mapping[str, Any]], form: TableForm) -> Shape:
    """The shape of named values. Raises DatasetError: there is nothing to be measured."""
    names = tuple(dict.fromkeys(name for values in records for name in values))
    kinds = tuple(_kind([values.get(name) for values in records]) for name in names)
    return _shape(Layout("utf-8", ",", ".", 0, names, kinds), records, form)


def _kind(cells: Sequence[Any]) -> str:
    there = [cell for cell in cells if str(cell).strip().lower() not in _MISSING]
    if not there:
        return "nothing"
    if all(isinstance(cell, str) and MOMENT.fullmatch(cell.strip()) for cell in there):
        return "moment"
    return "number" if sum(_is_number(cell) for cell in there) >= 0.9 * len(there) else "text"


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (ValueError, TypeError):
        return False
    return not isinstance(cell, bool)


def _shape(layout: Layout, rows: Sequence[Mapping[str, Any]], form: TableForm) -> Shape:
    clock, note = _clock(layout, rows, form)
    clocks = {*clock_columns(layout), clock.column if clock else ""}
    counters = {name for name in _rising_first(layout, rows) if _counts(name, rows)}
    columns: list[str] = []
    left_out: list[str] = []
    label = ""
    for name, kind in zip(layout.names, layout.kinds, strict=True):
        if clock is not None and name == clock.column:
            continue
        if LABEL.fullmatch(name) and not label:
            label = name
        elif name in form.drop or name in clocks or kind in ("text", "moment") or name in counters:
            left_out.append(name)
        elif COUNTER.fullmatch(name) or LABEL.fullmatch(name) or SUBJECT.fullmatch(name):
            left_out.append(name)
        else:
            columns.append(name)
    if not columns:
        raise DatasetError(f"the source sends no samples, only {', '.join(layout.names)[:120]}")
    notes = [note, *([f"labels: column {label}"] if label else [])]
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    return Shape(layout, tuple(columns), clock, label, tuple(notes))


def _clock(layout: Layout, rows: Sequence[Mapping[str, Any]], form: TableForm) -> tuple[Clock | None, str]:
    """The source's clock, and what is said of it; none where a rate or the arrival counts."""
    if form.rate_hz and not form.time:
        return None, f"time: {form.rate_hz:g} rows a second"
    if form.time and form.time not in layout.names:
        raise DatasetError(f"there is no column {form.time!r}; the source sends {', '.join(layout.names)[:200]}")
    for name in [form.time] if form.time else clock_columns(layout) or _rising_first(layout, rows):
        try:
            clock = clock_of({name: _arrow(layout, rows, name)}, _only(layout, name), name, form.time_unit or None)
        except DatasetError:
            if form.time:
                raise
            continue
        if clock is not None and not _is_coarse(clock, rows) and not (name == "column_1" and _counts(name, rows)):
            return clock, f"time: {clock.told}"
    return None, "time: when each row comes"


def _rising_first(layout: Layout, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first column of a source that sends no names, where it rises from row to row as nothing but a time or a
    counter does; where much came at once, it may have begun anew."""
    name = layout.names[0]
    if name != "column_1" or layout.kinds[0] != "number":
        return []
    cells = [str(values.get(name, "")).replace(layout.decimal, ".") for values in rows]
    numbers = [float(cell) for cell in cells if _is_number(cell)]
    rising = sum(b > a for a, b in pairwise(numbers))
    return [name] if len(numbers) > 2 and rising >= _RISING * (len(numbers) - 1) else []


def _only(layout: Layout, name: str) -> Layout:
    kind = layout.kinds[layout.names.index(name)]
    return Layout(layout.encoding, layout.separator, layout.decimal, 0, (name,), (kind,))


def _arrow(layout: Layout, rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    """A column of the first rows, as the rules for clocks take it: those without a time are left out."""
    import pyarrow as pa

    cells = [str(cell).strip() for values in rows if (cell := values.get(name)) is not None and str(cell).strip()]
    if layout.kinds[layout.names.index(name)] == "moment":
        return pa.array(cells)
    numbers = [cell.replace(layout.decimal, ".") for cell in cells]
    if numbers and all(re.fullmatch(r"[-+]?\d{1,18}|[1-8]\d{18}", cell) for cell in numbers):
        return pa.array([int(cell) for cell in numbers], pa.int64())
    return pa.array([float(cell) for cell in numbers if _is_number(cell)], pa.float64())


def _counts(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column goes up by one from row to row."""
    cells = [str(values.get(name)) for values in rows]
    return all(cell.isdigit() for cell in cells) and all(int(b) - int(a) == 1 for a, b in pairwise(cells))


def _is_coarse(clock: Clock, rows: Sequence[Mapping[str, Any]]) -> bool:
    cells = [str(values.get(clock.column)) for values in rows]
    equal = sum(a == b for a, b in pairwise(cells))
    return equal > _MOST_EQUAL * max(len(cells) - 1, 1)
