"""Rows of JSON lines as Parquet, for trainers and libraries that read columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.export.profiles.profile import Row

_AT_ONCE = 1000
"""Rows of a row group: a few tens of megabytes."""


def write_parquet(rows: Path, path: Path) -> None:
    """Write a file of JSON lines as Parquet, a column of text for each key.

    Args:
        rows: JSON lines; what is no text in them is written as JSON text, what a row lacks as an empty one.
        path: the file to be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = list(dict.fromkeys(key for batch in _batches(rows) for row in batch for key in row))
    schema = pa.schema([(key, pa.string()) for key in keys])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows):
            columns = [[_text(row.get(key)) for row in batch] for key in keys]
            writer.write_table(pa.table(columns, schema=schema))


def _batches(rows: Path) -> Iterator[Sequence[Row]]:
    batch: list[Row] = []
    with rows.open("rb") as lines:
        for line in lines:
            batch.append(json.loads(line))
            if len(batch) == _AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
