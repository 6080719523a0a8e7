"""Tables are read in blocks: what comes of them depends on no block's size."""

from __future__ import annotations

import json
from collections import Counter
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.datasets.archive import RawFile
from core.datasets.tables import naming
from core.datasets.tables.form import TableForm
from core.datasets.tables.recordings import Recording, Source, read_recording
from core.datasets.tables.samples import SampleStore, Spread, usual_step
from tests.core.datasets.tables.test_table_import import EPOCH_NS

ROWS = 600
AT = np.arange(ROWS) / 50
NS = EPOCH_NS + (AT * 1e9).astype(np.int64)
UP = 9.8 + np.sin(AT)
LABEL = np.where(np.arange(ROWS) % 200 < 120, "walking", "")


def raw(name: str, data: bytes) -> RawFile:
    return RawFile(name, len(data), name, lambda: BytesIO(data))


def lines(*odd: tuple[int, str], head: str = "time,x,y,z,activity", separator: str = ",", end: str = "\n") -> bytes:
    """A table, with other lines in the place of some."""
    rows = [separator.join((str(NS[k]), "0.25", f"{-AT[k]:.4f}", f"{UP[k]:.4f}", LABEL[k])) for k in range(ROWS)]
    for at, line in odd:
        rows[at] = line
    return (end.join([head, *rows]) + end).encode()


def parquet_file() -> bytes:
    table: Any = pa.table({"time": NS, "x": UP, "y": -UP, "z": np.where(AT == 3, np.nan, UP), "activity": LABEL})
    file = BytesIO()
    parquet.write_table(table, file, row_group_size=250)
    return file.getvalue()


def json_lines() -> bytes:
    """The last third has halves where whole numbers were, and labels where none was; some moments have fractions."""
    late = 400

    def row(k: int) -> bytes:
        whole, part = divmod(k, 50)
        moment = f"2024-03-01T10:00:{whole:02d}" + (f".{part * 20:03d}" if part else "")
        cells = {"time": moment, "x": k if k < late else k + 0.5, "y": 2, "z": UP[k]}
        return json.dumps(cells | {"activity": None if k < late else "a"}).encode()

    return b"\n".join(map(row, range(ROWS)))


FILES = {
    "plain.csv": lines(),
    "mac.csv": lines(end="\r\n"),
    "odd.csv": lines((70, "what,is,this"), (130, f"{NS[130]},much,1,NA,walking"), (300, f"{NS[300]},inf,1e39,2,a")),
    "quoted.csv": lines((40, f'{NS[40]},1,2,3,"wal'), (41, 'king"'), (90, f'{NS[90]},1,2,3,"open'), (91, "a,b")),
    "late_letter.csv": lines().replace(b"walking\n", "gähnen\n".encode("cp1252")),
    "blanks.txt": lines(head="time x y z activity", separator="  ").replace(b"  \n", b" none\n"),
    "whole.parquet": parquet_file(),
    "changing.jsonl": json_lines(),
}  # fmt: skip


def read(file: RawFile, size: int) -> tuple[Recording, Counter[str]]:
    dropped: Counter[str] = Counter()
    source = Source("recording", (file,))
    return read_recording(source, TableForm(label="column:activity"), ["activity"], dropped, block_bytes=size), +dropped


@pytest.mark.parametrize("name", FILES)
def test_blocks_of_any_size_read_the_same(name: str) -> None:
    whole, left_out = read(raw(name, FILES[name]), 1 << 22)
    form = TableForm(label="column:activity")
    for size in (4001, 16_000):
        parts, dropped = read(raw(name, FILES[name]), size)
        assert dropped == left_out
        np.testing.assert_array_equal(parts.time_ns, whole.time_ns)
        np.testing.assert_array_equal(parts.values, whole.values)
        assert (parts.channels, parts.notes) == (whole.channels, whole.notes)
        (numbers, names), (numbers_of_whole, names_of_whole) = (naming.labels_of(r, form, ()) for r in (parts, whole))
        assert names == names_of_whole
        np.testing.assert_array_equal(numbers, numbers_of_whole)
    assert len(whole.time_ns) > ROWS - 5


def test_several_sensors_are_joined_the_same_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def joined(size: int) -> Recording:
        slow = b"time,x,y,z\n" + b"".join(
            b"%d,%f,%f,%f\n" % (EPOCH_NS + round(k * 1e9 / 32), k % 7, k % 5, np.sin(k))
            for k in range(380)
            if not 100 < k < 150
        )
        files = (raw("Accelerometer.csv", lines()), raw("Gyroscope.csv", slow))
        return read_recording(Source("", files), TableForm(), (), Counter(), block_bytes=size)

    whole = joined(1 << 22)
    monkeypatch.setattr("core.datasets.tables.samples.IN_MEMORY_BYTES", 4000)
    monkeypatch.setattr("core.datasets.tables.joining.BLOCK_ROWS", 64)
    np.testing.assert_array_equal(joined(3000).values, whole.values)
    assert whole.values.shape == (6, len(whole.time_ns))
    in_gap = np.isnan(whole.values[3:]).all(axis=0)
    assert in_gap.sum() == pytest.approx(50 * 50 / 32, abs=3) and not np.isnan(whole.values[:3]).any()


def test_samples_that_were_put_by_are_read_again_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.datasets.tables.samples.IN_MEMORY_BYTES", 200)
    store, rows = SampleStore(3, None), np.arange(300, dtype=np.float64).reshape(100, 3)
    for at in range(0, 100, 7):
        store.add(rows[at : at + 7])
    assert store._file is not None  # pyright: ignore[reportPrivateUsage]
    wanted = np.array([99, 3, 4, 0])
    np.testing.assert_array_equal(store.at(wanted), rows[wanted])
    assert store.at(np.array([], dtype=np.int64)).shape == (0, 3)


def test_numbers_are_looked_at_all_over_a_long_recording() -> None:
    def spread(block: int) -> Any:
        some = Spread()
        for at in range(0, 1_000_000, block):
            some.add(np.arange(at, min(at + block, 1_000_000), dtype=np.float64))
        return some.rows()

    once = spread(1_000_000)
    np.testing.assert_array_equal(spread(70_001), once)
    assert len(once) < 300_000 and once[-1] > 900_000
    assert usual_step(np.arange(0, 10_000_000, 10)) == 10
