"""A file of rows as columns: text through Arrow's CSV reader, JSON lines, Parquet."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.datasets.archive import RawFile
from core.datasets.tables.layout import (
    BLANKS,
    LOOK_BYTES,
    MOMENT,
    Layout,
    NoRows,
    fields,
    is_closed,
    lines_of,
    look,
    whole_lines,
)

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".log")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".jsonl", ".ndjson")
"""What files of rows are called."""
_NUMBER = r"^[-+]?(\d+{0}?\d*|{0}\d+)([eE][-+]?\d+)?$"
"""A number with the decimal mark in the place of `{0}`. With a comma, `1.234` is none: it may be a thousand."""
_BLOCK_BYTES = 1 << 20
"""What Arrow reads at once unless a line is longer."""

Columns = Mapping[str, Any]
"""Arrow's columns by name."""


def layout_of(file: RawFile) -> Layout:
    """How a text file's rows are written, or what columns another has. Raises NoRows; DatasetError: it is damaged."""
    if file.name.lower().endswith(TEXT_ENDINGS):
        return look(file.read(LOOK_BYTES), file.name)
    table = _arrow_table(file)
    kinds = tuple(_arrow_kind(table.column(name)) for name in table.column_names)
    if not table.num_rows or not {"number", "moment"} & {*kinds}:
        raise NoRows(f"{file.name}: it holds no rows of numbers")
    return Layout("", "", ".", 0, tuple(table.column_names), kinds)


def read_columns(file: RawFile, layout: Layout, dropped: Counter[str]) -> Columns:
    """A file's columns by name: float64 or int64 where they hold numbers, else text or moments.

    Args:
        file: the raw file.
        layout: how it is written.
        dropped: lines of another width and cells that are no numbers are counted here.

    Raises:
        NoRows: it cannot be read that way.
        DatasetError: its archive is damaged there.
    """
    if not layout.separator:
        table = _arrow_table(file)
        return {name: table.column(name) for name in table.column_names}
    import pyarrow as pa

    text = _text(file.read(), layout.encoding)
    body = io.BytesIO("\n".join(_body(text, layout, dropped)).encode())
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


def _text(data: bytes, encoding: str) -> str:
    """A whole file as text. Where its beginning was plain ASCII, the first letter that is not tells the encoding."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252" if encoding == "utf-8" else encoding, "replace")


def _body(text: str, layout: Layout, dropped: Counter[str]) -> Sequence[str]:
    lines = whole_lines(lines_of(text), layout.separator)[layout.above :]
    if layout.separator == BLANKS:
        return [BLANKS.join(line.split()) for line in lines]
    if (rows := [line for line in lines if is_closed(line, layout.separator)]) != lines:
        dropped["lines with a quote that is not closed"] += len(lines) - len(rows)
        lines = rows
    blank, quote = f'{layout.separator} "', f'{layout.separator}"'
    lines = [line.replace(blank, quote) if blank in line else line for line in lines]
    return [line.rstrip().removesuffix(layout.separator) if _ends_empty(line, layout) else line for line in lines]


def _ends_empty(line: str, layout: Layout) -> bool:
    return line.rstrip().endswith(layout.separator) and line.count(layout.separator) == len(layout.names)


def _whole_numbers(text: str, layout: Layout) -> dict[str, Any]:
    """The columns that hold long whole numbers: nanoseconds since 1970 do not fit into a float."""
    import pyarrow as pa

    lines = lines_of(text[:LOOK_BYTES])[layout.above : layout.above + 50]
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

    block_size = max(_BLOCK_BYTES, max(map(len, body.getvalue().split(b"\n"))) + 1)
    return csv.read_csv(
        body,
        csv.ReadOptions(column_names=list(layout.names), use_threads=False, block_size=block_size),
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
    is_number = compute.match_substring_regex(text, _NUMBER.format(re.escape(decimal)))
    if decimal != ".":
        text = compute.replace_substring(text, decimal, ".")
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
        raise NoRows(f"{file.name}: cannot be read: {' '.join(str(error).split())[:160]}") from error


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
