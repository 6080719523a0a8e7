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
_REPEATED = {_FIELDS.index(name) for name in ("size", "session", "question", "tokens", "tokens_read")}
"""Columns with more values than a byte tells apart, which the threads of other blocks have too."""
_MOST_SHARED = 1 << 18
"""Values from which on further ones are not looked for: what the threads do not share costs its place twice."""
_PACKER = msgspec.msgpack.Encoder()
_COLUMNS = msgspec.msgpack.Decoder(list[list[Any]])
_shared: dict[Any, Any] = {}
"""Each value that summaries have in common, once for all blocks. No truth values, which are equal to numbers."""


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
    values = [_values(column, number in _TUPLES, number in _REPEATED) for number, column in enumerate(columns)]
    if not columns[_ID]:
        values[_ID] = values[0]
    return list(map(Summary, *values))


def _column(values: list[Any]) -> list[Any]:
    """The different values and a byte for each that says which, where they are few; else all of them."""
    different = {value: number for number, value in enumerate(dict.fromkeys(values))}
    if type(values[0]) in (int, float) or len(different) > min(_MOST, len(values) // 2):
        return [None, values]
    return [list(different), bytes(map(different.__getitem__, values))]


def _values(column: list[Any], are_tuples: bool, are_repeated: bool) -> list[Any]:
    if not column:
        return []
    table, values = column
    if table is None:
        values = list(map(tuple, values)) if are_tuples else values
        share = _shared.setdefault if len(_shared) < _MOST_SHARED else _shared.get
        return list(map(share, values, values)) if are_repeated else values
    few = map(tuple, table) if are_tuples else table
    return list(map([_once(value) for value in few].__getitem__, values))


def _once(value: Any) -> Any:
    """The same value, of which there is one."""
    return _shared.setdefault(value, value) if isinstance(value, str | tuple) else value
