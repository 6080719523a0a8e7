"""Labelled stretches of a recording in the forms that people and their programs write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import msgspec
import numpy as np

from core.datasets.archive import RawFile
from core.datasets.standard import LABELS
from core.datasets.tables.clock import FACTORS, clock_of, moment_ns, nanoseconds
from core.datasets.tables.layout import Layout
from core.datasets.tables.reading import layout_of, read_columns
from core.errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_START = re.compile(r"(start|begin|from|onset)[\w .]*", re.IGNORECASE)
_END = re.compile(r"(end|stop|until|to|offset)[\w .]*", re.IGNORECASE)
LABEL = re.compile(
    r"(label|activity|class|annotation|behaviou?r|target|text|action|state)s?([_ ]?(name|id))?", re.IGNORECASE
)
"""What columns with a label are called."""
_ANNOTATION_FILE = re.compile(
    r"(.*[_\- ])?(annotations?|labels?|intervals?|events?|activities)([_\- ].*)?", re.IGNORECASE
)
_WRONG_SHAPE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
"""What reading a file raises whose JSON or XML is not what it should be: a number where fields should be."""
_OWN_CLOCK = 3e8 * 1e9
"""Nanoseconds below which a time counts from the recording's start and not since 1970."""


_HAPT = ("experiment", "user", "activity", "first", "last")


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one label."""

    start_ns: int
    end_ns: int | None
    """None where it lasts until the next one begins, or the recording ends."""
    label: str
    recording: str = ""
    """The file it is about, where it says so."""
    rows: bool = False
    """Whether start and end are rows, counted from 0, and no times."""


def is_annotation(file: RawFile) -> bool:
    """Whether a file is about labels: by its name, or as JSON by being a list, as Label Studio's is and an app's
    `Metadata.json` is not. Raises DatasetError: the archive is damaged there."""
    stem, _, ending = file.name.lower().rpartition("/")[2].rpartition(".")
    named = _ANNOTATION_FILE.fullmatch(stem) is not None
    if ending == "json" and not named:
        return file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return ending == "eaf" or (named and ending in ("csv", "tsv", "txt", "json"))


def read_intervals(file: RawFile) -> list[Interval]:
    """The intervals of a file: rows of start, end and label; of time and label; an Audacity label track; ELAN's
    `.eaf`; Label Studio's JSON of time series.

    Raises:
        DatasetError: it holds none.
    """
    ending = file.name.rpartition(".")[2].lower()
    try:
        if ending == "eaf":
            intervals = list(_of_elan(file.read()))
        elif ending == "json":
            intervals = list(_of_label_studio(file.read()))
        elif told := _of_audacity(file.read()) or _of_hapt(file.read()):
            intervals = told
        else:
            intervals = _of_table(file)
    except (ElementTree.ParseError, msgspec.DecodeError, *_WRONG_SHAPE) as error:
        told = f"{file.name}: its labels cannot be read: {' '.join(str(error).split())[:120]}"
        if file.name.rpartition("/")[2] == LABELS and file.read(1) == b"{":
            told += "; what is in the standard form already is brought in by `sensorloom datasets get`"
        raise DatasetError(told) from error
    if not intervals:
        raise DatasetError(f"{file.name}: it holds no labelled stretches")
    return [replace(each, label=" ".join(each.label.split())) for each in intervals]


def _of_hapt(data: bytes) -> list[Interval]:
    """`labels.txt` of HAPT: experiment, user, activity, first and last row, counted from 1. None where it is none."""
    lines = [line.split() for line in data.decode(errors="replace").splitlines() if line.strip()]
    if not all(len(line) == len(_HAPT) and all(map(str.isdigit, line)) for line in lines):
        return []
    return [
        Interval(int(first) - 1, int(last), label, f"exp{int(experiment):02d}_user{int(user):02d}", rows=True)
        for experiment, user, label, first, last in lines
    ]


def labels_at(intervals: Sequence[Interval], time_ns: NDArray[np.int64], names: Mapping[str, int]) -> NDArray[np.int32]:
    """The number of the label of each row, -1 where none is. Where intervals overlap, the later one counts.

    Args:
        intervals: of one recording.
        time_ns: the rows' times.
        names: each label's number.
    """
    start = int(time_ns[0])
    shift = 0 if any(interval.start_ns >= _OWN_CLOCK for interval in intervals) or start < _OWN_CLOCK else start
    ordered = sorted(intervals, key=lambda interval: interval.start_ns)
    labels = np.full(len(time_ns), -1, dtype=np.int32)
    for number, interval in enumerate(ordered):
        until = ordered[number + 1].start_ns if number + 1 < len(ordered) else None
        end = interval.end_ns if interval.end_ns is not None else until
        if interval.rows:
            labels[interval.start_ns : interval.end_ns] = names[interval.label] if interval.label else -1
            continue
        rows = time_ns >= interval.start_ns + shift
        if end is not None:
            rows &= time_ns < end + shift
        labels[rows] = names[interval.label] if interval.label else -1
    return labels


def _of_table(file: RawFile) -> list[Interval]:
    layout = layout_of(file)
    columns = read_columns(file, layout, Counter())
    start = _column(layout, _START)
    end = _column(layout, _END)
    label = _column(layout, LABEL) or next(
        (name for name, kind in zip(layout.names, layout.kinds, strict=True) if kind == "text"), None
    )
    if label is None:
        raise DatasetError(f"{file.name}: none of its columns is a label: {', '.join(layout.names)}")
    texts = [str(text).strip() for text in columns[label].to_pylist()]
    about = next((name for name in layout.names if name.lower() in ("file", "recording", "session", "filename")), None)
    recordings = [str(text) for text in columns[about].to_pylist()] if about else [""] * len(texts)
    if start is None or end is None:
        clock = clock_of(columns, layout, None, None, steady=False)
        if clock is None:
            raise DatasetError(f"{file.name}: it has neither start and end nor a time of each label")
        times = nanoseconds(columns, clock).tolist()
        return [Interval(at, None, text, of) for at, text, of in zip(times, texts, recordings, strict=True)]
    starts, ends = (_times(columns[name].to_pylist(), name) for name in (start, end))
    if None in starts:
        raise DatasetError(f"{file.name}: row {starts.index(None) + 1} has no {start}; write it, or take the row out")
    for row, (at, until) in enumerate(zip(starts, ends, strict=True), 1):
        if at is not None and until is not None and until < at:
            raise DatasetError(f"{file.name}: row {row} ends before it begins; exchange its {start} and {end}")
    rows = zip(starts, ends, texts, recordings, strict=True)
    return [Interval(at, until, text, of) for at, until, text, of in rows if at is not None]


def _times(values: Iterable[Any], name: str) -> list[int | None]:
    """Times of intervals as nanoseconds, None for an empty cell."""
    times: list[int | None] = []
    for row, value in enumerate(values, 1):
        try:
            times.append(None if value is None or not str(value).strip() else _time(value, name))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"row {row} has no time in {name} but {value!r}; write it, or take the row out") from error
    return times


def _time(value: Any, name: str) -> int:
    """Nanoseconds of a date and time, a count since 1970, or one of seconds from the start."""
    if isinstance(value, str) and not re.fullmatch(r"[-+.\deE]+", value.strip()):
        return moment_ns(value)
    number = float(value)
    if number >= 1e17:
        return int(value)
    factor = next((FACTORS[unit] for unit, least in (("us", 1e14), ("ms", 1e11)) if number >= least), None)
    if factor is None:
        factor = FACTORS["ms"] if re.search(r"(?<![a-z])(ms|millis\w*)(?![a-z])", name, re.IGNORECASE) else FACTORS["s"]
    return round(number * factor)


def _column(layout: Layout, pattern: re.Pattern[str]) -> str | None:
    return next((name for name in layout.names if pattern.fullmatch(name)), None)


def _of_audacity(data: bytes) -> list[Interval]:
    """An Audacity label track: start, end and label, parted by tabs, seconds from the start (Audacity's manual)."""
    lines = [line.split("\t") for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in lines if line[0] != "\\"]  # the frequencies that a label may have on a line of its own
    if not lines or any(len(line) != 3 or not re.fullmatch(r"\d+[.,]\d+", line[0]) for line in lines):
        return []
    seconds = [(float(line[0].replace(",", ".")), float(line[1].replace(",", "."))) for line in lines]
    return [
        Interval(round(start * 1e9), round(end * 1e9), line[2].strip())
        for (start, end), line in zip(seconds, lines, strict=True)
    ]


def _of_elan(data: bytes) -> Iterable[Interval]:
    """ELAN's annotations of the first tier that has any, milliseconds from the start (EAF 3.0)."""
    root = ElementTree.fromstring(data)
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        annotations = list(tier.iter("ALIGNABLE_ANNOTATION"))
        for annotation in annotations:
            start, end = (slots[annotation.get(f"TIME_SLOT_REF{number}")] for number in (1, 2))
            if start is not None and end is not None:
                text = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
                yield Interval(int(start) * 10**6, int(end) * 10**6, text)
        if annotations:
            return


def _of_label_studio(data: bytes) -> Iterable[Interval]:
    """Label Studio's export of time series: tasks with the stretches that the first annotation labels."""
    for task in msgspec.json.decode(data, type=list[dict[str, Any]]):
        annotations = task.get("annotations") or [{"result": task.get("label", [])}]
        told = [value for value in task.get("data", {}).values() if isinstance(value, str)]
        about = next((value.rpartition("/")[2] for value in told if "." in value), "")
        for result in annotations[0]["result"]:
            value = result.get("value", result)
            labels = value.get("timeserieslabels") or [""]
            yield Interval(_time(value["start"], "start"), _time(value["end"], "end"), str(labels[0]), about)
