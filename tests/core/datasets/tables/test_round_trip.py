"""A known signal, written in every form that people have, is read back."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from core.datasets.archive import RawFile
from core.datasets.tables.form import TableForm
from core.datasets.tables.recordings import Recording, Source, read_recording
from core.errors import DatasetError

ROWS, RATE_HZ = 120, 50.0
SECONDS = np.arange(ROWS) / RATE_HZ
SIGNAL = np.array([0.3 * np.sin(9 * SECONDS), 0.2 * np.cos(7 * SECONDS), 9.8 + 0.5 * np.sin(11 * SECONDS)])
START = datetime(2023, 10, 28, 13, 52, 24, tzinfo=UTC)
START_NS = round(START.timestamp()) * 10**9


def recorded(name: str, data: bytes, form: TableForm | None = None) -> tuple[Recording, Counter[str]]:
    file = RawFile(name, len(data), "raw.zip", partial(io.BytesIO, data))
    dropped: Counter[str] = Counter()
    return read_recording(Source("recording", (file,)), form or TableForm(), (), dropped), +dropped


def times(kind: str) -> list[str]:
    if kind == "iso":
        return [(START + timedelta(seconds=float(at))).isoformat(timespec="milliseconds") for at in SECONDS]
    if kind == "iso with a zone":
        return [text.replace("T13", "T09").replace("+00:00", "-0400") for text in times("iso")]
    base = START_NS if kind.startswith("epoch") else 0
    factor = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}[kind.split()[-1]]
    counts = [base + round(float(at) * 1e9) for at in SECONDS]
    return [f"{count / factor:.3f}" if factor == 1e9 else str(round(count / factor)) for count in counts]


FORMS = st.fixed_dictionaries(
    {
        "separator": st.sampled_from([",", ";", "\t", "|", "  "]),
        "decimal": st.sampled_from([".", ","]),
        "time": st.sampled_from(["iso", "iso with a zone", *(f"{since} {unit}" for since in ("epoch", "from 0")
                                                            for unit in ("s", "ms", "us", "ns"))]),
        "order": st.permutations(["x", "y", "z"]),
        "names": st.sampled_from(["{}", "acc_{}", "Acceleration {} (m/s^2)", "accelerometerAcceleration{}(G)"]),
        "junk": st.sampled_from(["", "# exported by an app\n", "Device: phone\nStart Time 12:00:00\n\n"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        "ends": st.sampled_from(["\n", "\r\n"]),
        "quoted": st.booleans(),
    }
)  # fmt: skip


@given(FORMS)
@settings(max_examples=120, deadline=None)
def test_text_in_every_form_gives_the_same_signal(form: dict[str, str]) -> None:
    if form["decimal"] == form["separator"] or (form["separator"].isspace() and "{} (" in form["names"]):
        form = form | {"separator": ";"}
    head = ["time", *(form["names"].format(axis.upper() if "G)" in form["names"] else axis) for axis in form["order"])]
    rows = [
        [at.replace(".", form["decimal"]) if "iso" not in form["time"] else at,
         *(f"{SIGNAL['xyz'.index(axis), row]:.6f}".replace(".", form["decimal"]) for axis in form["order"])]
        for row, at in enumerate(times(form["time"]))
    ]  # fmt: skip
    if form["quoted"]:
        head = [f'"{name}"' for name in head]
    lines = [form["separator"].join(row) for row in (head, *rows)]
    junk = form["junk"] + ("Gerät: Müller\n" if form["encoding"] == "cp1252" else "")
    text = junk.replace("\n", form["ends"]) + form["ends"].join(lines) + form["ends"]
    recording, dropped = recorded("acc.csv", text.encode(form["encoding"]))
    assert [channel.name for channel in recording.channels] == ["acc_x", "acc_y", "acc_z"]
    assert {channel.unit for channel in recording.channels} == {"g" if "G)" in form["names"] else "m/s²"}
    np.testing.assert_allclose(recording.values, SIGNAL, atol=1e-6)
    start = 0 if form["time"].startswith("from 0") else START_NS
    assert np.abs(recording.time_ns - start - SECONDS * 1e9).max() <= 1e6
    assert not dropped


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_parquet_and_json_lines_give_the_same_signal(ending: str) -> None:
    columns = {"timestamp": [START_NS + round(at * 1e9) for at in SECONDS.tolist()]} | {
        f"acc_{axis}": SIGNAL[number].tolist() for number, axis in enumerate("xyz")
    }
    if ending == "parquet":
        sink = io.BytesIO()
        parquet.write_table(pa.table(columns), sink)
        data = sink.getvalue()
    else:
        rows = zip(*columns.values(), strict=True)
        data = "\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows).encode()
    recording, _ = recorded(f"run.{ending}", data)
    np.testing.assert_allclose(recording.values, SIGNAL)
    assert recording.time_ns[0] == START_NS and recording.rate_hz == pytest.approx(RATE_HZ)


def csv(rows: list[str], head: str = "time,x,y,z") -> bytes:
    return "\n".join([head, *rows]).encode()


def rows_of(scale: float = 1.0) -> list[str]:
    return [f"{at:.2f},{x * scale:.4f},{y * scale:.4f},{z * scale:.4f}"
            for at, (x, y, z) in zip(SECONDS, SIGNAL.T, strict=True)]  # fmt: skip


@pytest.mark.parametrize(
    ("scale", "unit", "read_scale"),
    [(1, "m/s²", 1), (1 / 9.80665, "g", 1), (1000 / 9.80665, "mg", 1), (64 / 9.80665, "g", 1 / 64)],
)
def test_the_size_at_rest_tells_the_unit(scale: float, unit: str, read_scale: float) -> None:
    recording, _ = recorded("ACC.csv", csv(rows_of(scale)))
    assert {channel.unit for channel in recording.channels} == {unit}
    np.testing.assert_allclose(recording.values, SIGNAL * scale * read_scale, atol=1e-3 * scale)
    assert any("says so" in note or "says 1/64 g" in note for note in recording.notes)


def test_a_unit_that_cannot_be_told_is_said_and_can_be_named() -> None:
    recording, _ = recorded("acc.csv", csv(rows_of(3)))
    assert any("no gravity in any unit" in note and "--unit" in note for note in recording.notes)
    recording, _ = recorded("acc.csv", csv(rows_of(3)), TableForm(units={"acc": "ft/s²"}))
    assert recording.channels[0].unit == "ft/s²"


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "rad/s"), (57.3, "deg/s")])
def test_how_fast_somebody_turns_tells_the_unit_of_a_gyroscope(scale: float, unit: str) -> None:
    turning = [f"{at:.2f},{3 * scale * np.sin(5 * at):.3f},0.1,0.2" for at in SECONDS]
    recording, _ = recorded("Gyroscope.csv", csv(turning))
    assert recording.channels[0].name == "gyro_x" and recording.channels[0].unit == unit


def test_an_empatica_file_has_its_start_and_rate_in_the_first_rows() -> None:
    rows = [f"{x:.0f},{y:.0f},{z:.0f}" for x, y, z in (SIGNAL.T * 64 / 9.80665)]
    recording, _ = recorded("ACC.csv", csv([", ".join(["32.000000"] * 3), *rows], ", ".join(["1544027337.000000"] * 3)))
    assert recording.time_ns[0] == 1544027337 * 10**9 and recording.rate_hz == pytest.approx(32)
    assert recording.values.shape == (3, ROWS) and recording.channels[0].unit == "g"


def test_an_actigraph_file_has_its_rate_in_the_heading() -> None:
    heading = "------------ Data File Created By ActiGraph GT3X+ ActiLife v6.13.3 date format M/d/yyyy at 30 Hz ---\n"
    heading += "Serial Number: MOS2A0\nStart Time 10:00:00\nStart Date 4/1/2023\nEpoch Period (hh:mm:ss) 00:00:00\n"
    rows = [f"{x:.3f},{y:.3f},{z:.3f}" for x, y, z in SIGNAL.T / 9.80665]
    recording, _ = recorded("raw.csv", heading.encode() + csv(rows, "Accelerometer X,Accelerometer Y,Accelerometer Z"))
    assert recording.rate_hz == pytest.approx(30) and recording.channels[0].name == "acc_x"


def test_what_is_odd_in_a_file_is_counted_not_dropped_in_silence() -> None:
    rows = rows_of()
    rows[10], rows[20] = "0.20,broken,0,9.8", "0.40,1,2"
    recording, dropped = recorded("acc.csv", csv(rows))
    assert dropped == {"cells of x that are no numbers": 1, "lines of other than 4 fields": 1}
    assert np.isnan(recording.values[0, 10]) and recording.values.shape[1] == ROWS - 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (csv([row.partition(",")[2] for row in rows_of()], "x,y,z"), "--rate"),
        (csv([f"{number}e10,1,2,9.6" for number in range(50)]), "--time-unit"),
        (b"nothing\nbut\nwords\n", "no rows of numbers"),
        (csv([*rows_of()[:5], ",1,2,3", *rows_of()[6:]]), "row 6 has no time"),
        (b"", "no rows of numbers"),
    ],
    ids=["no time", "odd steps", "words", "a time missing", "empty"],
)
def test_what_cannot_be_read_is_one_sentence_with_the_way_out(data: bytes, says: str) -> None:
    with pytest.raises(DatasetError, match=says) as refused:
        recorded("acc.csv", data)
    assert str(refused.value).startswith("acc.csv") and "\n" not in str(refused.value)
