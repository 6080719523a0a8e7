"""Cache files: one line of JSON that says what the file is of, then packed values, each with its length before it.

So a large one is gone through piece by piece, and a piece can be added, or handed on as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

_HEAD_BYTES = 20_000
"""The first line at most: a path may be 4096 characters long, of six bytes each as JSON has them."""
_LENGTH_BYTES = 4


def read_head(file: BinaryIO) -> bytes:
    """The first line."""
    return file.readline(_HEAD_BYTES)


def framed(packed: bytes) -> bytes:
    """A value with its length before it."""
    return len(packed).to_bytes(_LENGTH_BYTES, "little") + packed


def frames(file: BinaryIO) -> Iterator[bytes]:
    """The packed values from here on. Raises EOFError where the file ends in the middle of one."""
    while size := _next_size(file):
        packed = file.read(size)
        if len(packed) < size:
            raise EOFError("cut short")
        yield packed


def starts(file: BinaryIO) -> list[int]:
    """Where each value from here on begins, and last where the file ends, as far as their lengths tell; empty when it
    ends in the middle of one."""
    end = os.fstat(file.fileno()).st_size
    positions = [file.tell()]
    try:
        while size := _next_size(file):
            positions.append(file.seek(size, os.SEEK_CUR))
    except EOFError:
        return []
    return positions if positions[-1] == end else []


def _next_size(file: BinaryIO) -> int:
    """The length of the next value; 0 at the end."""
    length = file.read(_LENGTH_BYTES)
    if 0 < len(length) < _LENGTH_BYTES:
        raise EOFError("cut short")
    return int.from_bytes(length, "little")
