"""A file of rows as columns: text through Arrow's CSV reader, JSON lines, Parquet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.datasets.archive import RawFile
from core.datasets.tables.blocks import BLOCK_BYTES, counted_by_block, json_blocks, line_blocks, parquet_blocks
from core.datasets.tables.layout import (
    BLANKS,
    LOOK_BYTES,
    MOMENT,
    Layout,
    NoRows,
    decoded,
    fields,
    is_closed,
    lines_of,
    look,
    without_row_end,
)

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".log")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".jsonl", ".ndjson")
"""What files of rows are called."""
_NUMBER = r"^([-+]?(\d+{0}?\d*|{0}\d+)([eE][-+]?\d+)?|[-+]?[iI][nN][fF]([iI][nN][iI][tT][yY])?)$"
"""A number with the decimal mark in the place of `{0}`. With a comma, `1.234` is none: it may be a thousand."""

_DIGITS = re.compile(r"\d{16,19}")
"""A count of nanoseconds, or of microseconds, since 1970: a float has not all its digits."""

Columns = Mapping[str, Any]
"""Arrow's columns by name."""


def layout_of(file: RawFile) -> Layout:
    """How a text file's rows are written, or what columns another has. Raises NoRows; DatasetError: it is damaged."""
    if file.name.lower().endswith(TEXT_ENDINGS):
        return look(file.read(LOOK_BYTES), file.name)
    kinds: dict[str, str] = {}
    rows = 0
    for table in _arrow_blocks(file, BLOCK_BYTES):
        rows += table.num_rows
        open_yet = {name: _arrow_kind(table.column(name)) for name in table.column_names}
        kinds = {
            name: kind if kinds.get(name, "nothing") == "nothing" else kinds[name] for name, kind in open_yet.items()
        }
        if rows and "nothing" not in kinds.values():
            break
    if not rows or not {"number", "moment"} & {*kinds.values()}:
        raise NoRows(f"{file.name}: it holds no rows of numbers")
    return Layout("", "", ".", 0, tuple(kinds), tuple(kinds.values()))


def read_columns(file: RawFile, layout: Layout, dropped: Counter[str]) -> Columns:
    """A whole file's columns by name: for small ones, such as files of labels. Else as `read_blocks`."""
    import pyarrow as pa

    blocks = [pa.table(dict(block)) for block in read_blocks(file, layout, dropped)]
    table: Any = pa.concat_tables(blocks, promote_options="permissive")
    return {name: table.column(name) for name in table.column_names}


def read_blocks(file: RawFile, layout: Layout, dropped: Counter[str], size: int = BLOCK_BYTES) -> Iterator[Columns]:
    """A file's columns by name, block by block: float64 or int64 where they hold numbers, else text or moments.

    Args:
        file: the raw file.
        layout: how it is written.
        dropped: lines of another width and cells that are no numbers are counted here.
        size: about how many bytes are read at once.

    Raises:
        NoRows: it cannot be read that way.
        DatasetError: its archive is damaged there.
    """
    tables = _text_tables(file, layout, dropped, size) if layout.separator else _arrow_blocks(file, size)
    for table in tables:
        if table.num_rows:
            yield {name: table.column(name) for name in table.column_names}


def _text_tables(file: RawFile, layout: Layout, dropped: Counter[str], size: int) -> Iterator[Any]:
    numbers = [name for name, kind in zip(layout.names, layout.kinds, strict=True) if kind in ("number", "nothing")]
    whole = _whole_numbers(decoded(file.read(LOOK_BYTES))[0], layout)
    for lines in counted_by_block(line_blocks(file, layout.encoding, layout.separator, size), layout.above):
        yield _text_table(_body(lines, layout, dropped), layout, numbers, whole, dropped)


def _text_table(
    lines: Sequence[str], layout: Layout, numbers: Sequence[str], whole: Mapping[str, Any], dropped: Counter[str]
) -> Any:
    """Lines as an Arrow table. Cells that are no numbers are rare, so that the fast way is tried first."""
    import pyarrow as pa

    body = "\n".join(lines).encode()
    odd_lines: Counter[str] = Counter()
    try:
        table = _csv(body, layout, dict.fromkeys(numbers, pa.float64()) | dict(whole), odd_lines)
        dropped.update(odd_lines)
        return table
    except pa.ArrowInvalid:  # a cell that is no number
        table = _csv(body, layout, {}, dropped)
    for at, name in enumerate(table.column_names):
        if name in whole and all(map(_DIGITS.fullmatch, table.column(name).to_pylist())):
            table = table.set_column(at, name, table.column(name).cast(pa.int64()))
        elif name in numbers:
            table = table.set_column(at, name, _numbers(table.column(name), name, layout.decimal, dropped))
    return table


def _arrow_blocks(file: RawFile, size: int) -> Iterator[Any]:
    return parquet_blocks(file, size) if file.name.lower().endswith(".parquet") else json_blocks(file, size)


def _body(lines: Sequence[str], layout: Layout, dropped: Counter[str]) -> Sequence[str]:
    if layout.separator == BLANKS:
        return [BLANKS.join(line.split()) for line in lines]
    if (rows := [line for line in lines if is_closed(line, layout.separator)]) != lines:
        dropped["lines with a quote that is not closed"] += len(lines) - len(rows)
        lines = rows
    blank, quote = f'{layout.separator} "', f'{layout.separator}"'
    lines = [line.replace(blank, quote) if blank in line else line for line in lines]
    if lines and lines[0].rstrip().endswith(";"):
        lines = [without_row_end(line, layout.separator) for line in lines]
    return [line.rstrip().removesuffix(layout.separator) if _ends_empty(line, layout) else line for line in lines]


def _ends_empty(line: str, layout: Layout) -> bool:
    return line.rstrip().endswith(layout.separator) and line.count(layout.separator) == len(layout.names)


def _whole_numbers(text: str, layout: Layout) -> dict[str, Any]:
    """The columns that hold long whole numbers: nanoseconds since 1970 do not fit into a float."""
    import pyarrow as pa

    lines = lines_of(text[:LOOK_BYTES])[layout.above : layout.above + 50]
    rows = [row for line in lines if len(row := fields(line, layout.separator, len(layout.names))) == len(layout.names)]
    return {
        name: pa.int64()
        for column, name in enumerate(layout.names)
        if rows and all(_DIGITS.fullmatch(row[column]) for row in rows)
    }


def _csv(body: bytes, layout: Layout, types: Mapping[str, Any], dropped: Counter[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    def passed_over(_: Any) -> str:
        dropped[f"lines of other than {len(layout.names)} fields"] += 1
        return "skip"

    return csv.read_csv(
        pa.BufferReader(body),
        csv.ReadOptions(column_names=list(layout.names), use_threads=False, block_size=len(body) + 1),
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
    from pyarrow import csv

    compute: Any = pyarrow.compute
    text = compute.utf8_trim_whitespace(column)
    is_number = compute.match_substring_regex(text, _NUMBER.format(re.escape(decimal)))
    if decimal != ".":
        text = compute.replace_substring(text, decimal, ".")
    no_value = compute.is_in(text, pa.array([*csv.ConvertOptions().null_values, "NAN"]))
    bad = compute.sum(compute.invert(compute.or_(is_number, no_value))).as_py() or 0
    dropped[f"cells of {name} that are no numbers"] += bad
    return compute.if_else(is_number, text, None).cast(pa.float64())


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
