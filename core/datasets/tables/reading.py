"""A file of rows as columns: text through Arrow's CSV reader, JSON lines, Parquet."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.datasets.archive import RawFile
from core.datasets.tables.layout import BLANKS, LOOK_BYTES, MOMENT, Layout, fields, look
from core.errors import DatasetError

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".log")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".jsonl", ".ndjson")
"""What files of rows are called."""
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"

Columns = Mapping[str, Any]
"""Arrow's columns by name."""


def layout_of(file: RawFile) -> Layout:
    """How a text file's rows are written, or what columns another file has. Raises DatasetError: it holds no rows."""
    if file.name.lower().endswith(TEXT_ENDINGS):
        with file.open() as opened:
            return look(opened.read(LOOK_BYTES), file.name)
    table = _arrow_table(file)
    kinds = tuple(_arrow_kind(table.column(name)) for name in table.column_names)
    if not table.num_rows or not {"number", "moment"} & {*kinds}:
        raise DatasetError(f"{file.name}: it holds no rows of numbers")
    return Layout("", "", ".", 0, tuple(table.column_names), kinds)


def read_columns(file: RawFile, layout: Layout, dropped: Counter[str]) -> Columns:
    """A file's columns by name: float64 or int64 where they hold numbers, else text or moments.

    Args:
        file: the raw file.
        layout: how it is written.
        dropped: lines of another width and cells that are no numbers are counted here.

    Raises:
        DatasetError: it cannot be read that way.
    """
    if not layout.separator:
        table = _arrow_table(file)
        return {name: table.column(name) for name in table.column_names}
    import pyarrow as pa

    text = file.read().decode(layout.encoding, "replace")
    body = io.BytesIO("\n".join(_body(text, layout)).encode())
    numbers = [name for name, kind in zip(layout.names, layout.kinds, strict=True) if kind in ("number", "nothing")]
    odd_lines: Counter[str] = Counter()
    try:
        table = _csv(body, layout, dict.fromkeys(numbers, pa.float64()) | _whole_numbers(text, layout), odd_lines)
        dropped.update(odd_lines)
    except pa.ArrowInvalid:  # a cell that is no number
        body.seek(0)
        table = _csv(body, layout, {}, dropped)
        return {
            name: _numbers(table.column(name), name, layout.decimal, dropped) if name in numbers else table.column(name)
            for name in table.column_names
        }
    return {name: table.column(name) for name in table.column_names}


def _body(text: str, layout: Layout) -> Sequence[str]:
    lines = text.splitlines()[layout.above :]
    if layout.separator == BLANKS:
        return [BLANKS.join(line.split()) for line in lines]
    return [line.rstrip().removesuffix(layout.separator) if _ends_empty(line, layout) else line for line in lines]


def _ends_empty(line: str, layout: Layout) -> bool:
    return line.rstrip().endswith(layout.separator) and line.count(layout.separator) == len(layout.names)


def _whole_numbers(text: str, layout: Layout) -> dict[str, Any]:
    """The columns that hold long whole numbers: nanoseconds since 1970 do not fit into a float."""
    import pyarrow as pa

    lines = text[:LOOK_BYTES].splitlines()[layout.above : layout.above + 50]
    rows = [row for line in lines if len(row := fields(line, layout.separator)) == len(layout.names)]
    whole = re.compile(r"\d{16,19}")
    return {
        name: pa.int64()
        for column, name in enumerate(layout.names)
        if rows and all(whole.fullmatch(row[column]) for row in rows)
    }


def _csv(body: io.BytesIO, layout: Layout, types: Mapping[str, Any], dropped: Counter[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    def passed_over(_: Any) -> str:
        dropped[f"lines of other than {len(layout.names)} fields"] += 1
        return "skip"

    return csv.read_csv(
        body,
        csv.ReadOptions(column_names=list(layout.names), use_threads=False),
        csv.ParseOptions(delimiter=layout.separator, invalid_row_handler=passed_over),
        csv.ConvertOptions(
            column_types=dict.fromkeys(layout.names, pa.string()) | dict(types),
            decimal_point=layout.decimal,
            strings_can_be_null=False,
        ),
    )


def _numbers(column: Any, name: str, decimal: str, dropped: Counter[str]) -> Any:
    """Text as numbers; a cell that is neither a number nor empty is missing, and counted."""
    import pyarrow as pa
    import pyarrow.compute

    compute: Any = pyarrow.compute
    text = compute.utf8_trim_whitespace(column)
    if decimal != ".":
        text = compute.replace_substring(text, decimal, ".")
    is_number = compute.match_substring_regex(text, _NUMBER)
    no_value = compute.or_(compute.equal(text, ""), compute.equal(compute.utf8_lower(text), "nan"))
    bad = compute.sum(compute.invert(compute.or_(is_number, no_value))).as_py() or 0
    dropped[f"cells of {name} that are no numbers"] += bad
    return compute.if_else(is_number, text, None).cast(pa.float64())


def _arrow_table(file: RawFile) -> Any:
    import pyarrow as pa
    from pyarrow import json, parquet

    try:
        data = pa.BufferReader(file.read())
        return parquet.read_table(data) if file.name.lower().endswith(".parquet") else json.read_json(data)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f"{file.name}: cannot be read: {' '.join(str(error).split())[:160]}") from error


def _arrow_kind(column: Any) -> str:
    import pyarrow as pa

    types = pa.types
    if column.null_count == len(column):
        return "nothing"
    if types.is_integer(column.type) or types.is_floating(column.type):
        return "number"
    if types.is_timestamp(column.type):
        return "moment"
    if types.is_string(column.type) or types.is_large_string(column.type):
        first = next((text for text in column.to_pylist() if text), "")
        return "moment" if MOMENT.fullmatch(first) else "text"
    return "text"
