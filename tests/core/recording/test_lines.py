"""What sources send, read: cells, JSON of several forms, marks, garbage; and what a first look decides."""

from __future__ import annotations

import json

import pytest

from core.datasets.tables.form import TableForm
from core.errors import DatasetError
from core.recording.finishing import too_fast
from core.recording.lines import Garbage, Mark, Record, Text, pieces_of
from core.recording.shape import NotARow, shape_of_lines, shape_of_records
from core.recording.sources import LineSplitter

EPOCH_NS = 1698501144401773000
SENSOR_LOGGER = {
    "messageId": 3,
    "sessionId": "a",
    "deviceId": "b",
    "payload": [
        {"name": "accelerometer", "time": EPOCH_NS, "values": {"z": -0.1, "y": 0.2, "x": 0.3}, "accuracy": 3},
        {"name": "gyroscope", "time": EPOCH_NS + 5, "z": 1, "y": 2, "x": 3},
        {"name": "annotation", "time": EPOCH_NS, "values": {"text": "walking", "millisecond_press_time": 1}},
        "odd",
    ],
}


def test_a_message_of_sensor_logger_is_a_row_of_each_sensor_and_its_annotations_are_marks():
    pieces = list(pieces_of(json.dumps(SENSOR_LOGGER, indent=1).encode()))
    assert pieces == [
        Record("accelerometer", {"time": EPOCH_NS, "z": -0.1, "y": 0.2, "x": 0.3}),
        Record("gyroscope", {"time": EPOCH_NS + 5, "z": 1, "y": 2, "x": 3}),
        Mark("walking"),
        Garbage("readings without a sensor's name"),
    ]


def test_lines_of_every_form_and_garbage_between_them():
    message = b"1,2,3\r\nLabel:  stairs  up \nlabel:\n"
    message += b'{"t": 1, "acc": {"x": 1}, "g": [1, 2, 3]}\n{"t": 1, \n\xff\xfe\x00\n[1, 2]'
    assert list(pieces_of(message)) == [
        Text("1,2,3"),
        Mark("stairs up"),
        Mark(""),
        Record("", {"t": 1, "acc_x": 1, "g_x": 1, "g_y": 2, "g_z": 3}),
        Garbage("lines that are no whole JSON"),
        Garbage("lines that are no text"),
        Record("", {"column_1": 1, "column_2": 2}),
    ]
    deep = b"[" * 100_000
    assert [type(piece) for piece in pieces_of(deep)] == [Garbage]


def test_lines_are_put_together_from_pieces_and_an_endless_one_is_cut_off():
    splitter = LineSplitter()
    assert list(splitter.lines(b"1,2\n3,")) == [b"1,2"]
    assert list(splitter.lines(b"4\n")) == [b"3,4"]
    cut = [line for _ in range(20) for line in splitter.lines(b"x" * 10_000)]
    assert len(cut) == 1
    assert [*splitter.lines(b"end of it\n5,6\n7"), splitter.end()] == [b"5,6", b"7"]


@pytest.mark.parametrize(
    ("lines", "told", "columns", "first_ns"),
    [
        (["time,acc_x,n_sat", "0.02,1,5", "0.04,2,5", "0.06,3,5"], "s since the start", ("acc_x", "n_sat"), 20_000_000),
        (["1698501144401;1,5", "1698501144421;2,5", "1698501144441;3,5"], "ms since 1970", ("column_2",), None),
        (["1,0.5", "2,0.4", "3,0.6", "4,0.1"], "when each row comes", ("column_2",), None),
        (["0.5,1", "0.4,2", "0.6,3", "0.1,4"], "when each row comes", ("column_1", "column_2"), None),
        (["timestamp\tx", "1698501144401\t1", "1698501144421\t2"], "ms since 1970", ("x",), 1698501144401_000_000),
        (["Zeit;x;time", "a;1,5;2026-01-02T10:00:00.5Z", "b;2,5;2026-01-02T10:00:00.6Z"], "dates", ("x",), None),
        (["boot ok", "t,x,index", "1,1,1", "2,2,2", "3,4,3"], "since the start", ("x",), None),
        ([f"{n % 100 / 50},{n % 7}" for n in range(200)], "s since the start", ("column_2",), 20_000_000),
        (["time,x", "7,1", "7,2", "7,3", "8,4", "8,5", "8,6"], "when each row comes", ("x",), None),
    ],
)
def test_a_first_look_decides_columns_and_clock(
    lines: list[str], told: str, columns: tuple[str, ...] | None, first_ns: int | None
):
    shape = shape_of_lines(lines, TableForm())
    assert told in shape.notes[0]
    assert columns is None or shape.columns == columns
    if first_ns is not None:
        values = shape.of_line(lines[1])
        assert values is not None and values.time_ns == first_ns


def test_a_rate_of_lines_that_came_at_once_is_told():
    assert too_fast(50.0) == [] and "record again, with --rate HZ or --time COLUMN" in too_fast(1e6)[0]


def test_records_keep_nanoseconds_whole_and_a_column_of_labels_marks():
    records = [{"time": EPOCH_NS + n * 10_000_000, "x": n, "activity": "walking"} for n in range(5)]
    shape = shape_of_records(records, TableForm())
    values = shape.of_record(records[3])
    assert (values.time_ns, values.samples, values.label) == (EPOCH_NS + 30_000_000, (3.0,), "walking")


def test_a_row_that_is_none_is_counted_and_a_bad_cell_is_missing():
    shape = shape_of_lines(["t,x,y", "1,2,3", "2,3,4", "3,4,5"], TableForm())
    for line in ("1,2", "soon,1,2", "4,,nan", "5,x,y"):
        with pytest.raises(NotARow):
            shape.of_line(line)
    assert shape.of_line("t,x,y") is None
    values = shape.of_line("6,oops,7")
    assert values is not None and values.samples[0] != values.samples[0] and values.samples[1] == 7
    assert shape.odd_cells["x"] == 2


def test_what_a_person_names_and_is_not_there_is_refused():
    with pytest.raises(DatasetError, match=r"no column 'clock'; the source sends t, x"):
        shape_of_lines(["t,x", "1,2", "2,3", "3,4"], TableForm(time="clock"))
    with pytest.raises(DatasetError, match="no samples, only t"):
        shape_of_records([{"t": 1.0}, {"t": 2.0}, {"t": 3.0}], TableForm())
