"""Summaries as columns, as the cache keeps them: what many of them share is kept once, on disk and in memory.

A million threads have a few datasets, labels, statuses and models among them. Read back one by one, each summary would
hold strings of its own for these.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from core.thread.summary import Summary

_MOST = 256
"""Values that a column may have in common: a byte says which."""
_CHECKSUM = 4
_FIELDS = Summary.__struct_fields__
_ID = _FIELDS.index("id")
_TUPLES = {_FIELDS.index(name) for name in ("reasons", "tags", "tools_used")}
_PACKER = msgspec.msgpack.Encoder()
_COLUMNS = msgspec.msgpack.Decoder(list[list[Any]])
_shared: dict[Any, Any] = {}
"""Each value that summaries have in common, once for all blocks."""


def packed(some: Sequence[Summary]) -> bytes:
    """Some summaries as bytes. Raises UnicodeEncodeError for text that is no Unicode."""
    columns = [_column([getattr(summary, name) for summary in some]) for name in _FIELDS]
    if all(summary.id == summary.stem for summary in some):
        columns[_ID] = []
    data = _PACKER.encode(columns)
    return zlib.crc32(data).to_bytes(_CHECKSUM, "little") + data


def unpacked(data: bytes) -> list[Summary]:
    """The summaries; none where the bytes are damaged."""
    if zlib.crc32(data[_CHECKSUM:]).to_bytes(_CHECKSUM, "little") != data[:_CHECKSUM]:
        return []
    columns = _COLUMNS.decode(data[_CHECKSUM:])
    values = [_values(column, number in _TUPLES) for number, column in enumerate(columns)]
    if not columns[_ID]:
        values[_ID] = values[0]
    return list(map(Summary, *values))


def _column(values: list[Any]) -> list[Any]:
    """The different values and a byte for each that says which, where they are few; else all of them."""
    different = {value: number for number, value in enumerate(dict.fromkeys(values))}
    if type(values[0]) in (int, float) or len(different) > min(_MOST, len(values) // 2):
        return [None, values]
    return [list(different), bytes(map(different.__getitem__, values))]


def _values(column: list[Any], are_tuples: bool) -> list[Any]:
    if not column:
        return []
    table, values = column
    if table is None:
        return list(map(tuple, values)) if are_tuples else values
    few = map(tuple, table) if are_tuples else table
    return list(map([_once(value) for value in few].__getitem__, values))


def _once(value: Any) -> Any:
    """The same value, of which there is one; not of numbers, of which some are equal to truth values."""
    return _shared.setdefault(value, value) if isinstance(value, str | tuple) else value
