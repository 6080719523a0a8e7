"""How a pack tells what it holds: heads before its blocks, and an index of them all at its end, in skippable frames."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterable
from typing import BinaryIO

import msgspec

_FRAME = struct.Struct("<III")
"""Before a head and the index: a skippable frame's magic number and length, and the CRC-32 of what follows."""
_BLOCK, _INDEX = 0x184D2A50, 0x184D2A51
_LAST = struct.Struct("<Q8s")
"""The last bytes of a pack: where the index is, and a mark."""
_MARK = b"slpack01"


class Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A thread's file as it is kept in a pack; without its line in the head of a block."""

    stem: str
    size: int
    mtime_ns: int
    digest: bytes
    """SHA-256 of the file's bytes."""
    layout: int
    """Place in the table of layouts."""
    length: int
    """Of its line."""
    line: bytes = b""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """What stands before a block."""

    size: int
    """Of the compressed block, in bytes."""
    threads: list[Packed]


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """The index: a column for each fact of the threads, in the order of their names' bytes, then of the blocks.

    Numbers are of 4 bytes (unsigned), times of 8 (signed), places of blocks of 8 (unsigned), all little-endian.
    """

    names: bytes
    """One after the other."""
    name_ends: bytes
    blocks: bytes
    starts: bytes
    """Where each line begins in its block."""
    lengths: bytes
    sizes: bytes
    """Of the files."""
    times: bytes
    """When the files were changed, in ns."""
    layouts: bytes
    digests: bytes
    """SHA-256 of the files, 32 bytes each."""
    block_starts: bytes
    block_sizes: bytes


_ENCODER = msgspec.msgpack.Encoder()
_HEADS = msgspec.msgpack.Decoder(_Head)
_INDEXES = msgspec.msgpack.Decoder(Columns)


class IndexWriter:
    """Collects the threads of a pack's blocks."""

    def __init__(self) -> None:
        self._blocks: list[tuple[int, int]] = []
        self._rows: list[tuple[bytes, int, int, Packed]] = []

    def add(self, at: int, size: int, threads: Iterable[Packed]) -> None:
        """A block that begins at a byte of the pack and has so many."""
        start = 0
        for thread in threads:
            self._rows.append((thread.stem.encode(), len(self._blocks), start, thread))
            start += thread.length + 1
        self._blocks.append((at, size))

    def columns(self) -> Columns:
        """The columns, sorted by name."""
        self._rows.sort(key=lambda row: row[:3])
        ends: list[int] = []
        for name, *_ in self._rows:
            ends.append(len(name) + (ends[-1] if ends else 0))
        threads = [row[3] for row in self._rows]
        return Columns(
            b"".join(row[0] for row in self._rows),
            array("I", ends).tobytes(),
            array("I", [row[1] for row in self._rows]).tobytes(),
            array("I", [row[2] for row in self._rows]).tobytes(),
            array("I", [thread.length for thread in threads]).tobytes(),
            array("I", [thread.size for thread in threads]).tobytes(),
            array("q", [thread.mtime_ns for thread in threads]).tobytes(),
            bytes(thread.layout for thread in threads),
            b"".join(thread.digest for thread in threads),
            array("Q", [at for at, _ in self._blocks]).tobytes(),
            array("I", [size for _, size in self._blocks]).tobytes(),
        )

    def end(self, at: int) -> bytes:
        """The end of a pack, which begins at its byte `at`."""
        return _framed(_INDEX, _ENCODER.encode(self.columns()) + _LAST.pack(at, _MARK))


def head_of(size: int, threads: Iterable[Packed]) -> bytes:
    """What stands before a block of so many bytes."""
    return _framed(_BLOCK, _ENCODER.encode(_Head(size, list(threads))))


def read_columns(file: BinaryIO, end: int) -> tuple[Columns | None, bool]:
    """What a pack of `end` bytes holds, by its index, or by the heads of its blocks where the end is lost; None where
    that is nothing. And whether the index was there: else there may have been more. Raises OSError."""
    file.seek(max(0, end - _LAST.size))
    last = file.read(_LAST.size)
    at, mark = _LAST.unpack(last) if len(last) == _LAST.size else (0, b"")
    if mark == _MARK and at < end:
        file.seek(at)
        if columns := _index_in(file.read(end - at)):
            return columns, True
    file.seek(0)
    return _index_of_heads(file.read()), False


def _framed(magic: int, content: bytes) -> bytes:
    return _FRAME.pack(magic, len(content) + 4, zlib.crc32(content)) + content


def _framed_in(data: bytes, at: int, magic: int) -> bytes | None:
    """What a skippable frame holds; None where there is none, or a damaged one."""
    if at + _FRAME.size > len(data):
        return None
    number, length, checksum = _FRAME.unpack_from(data, at)
    content = data[at + _FRAME.size : at + _FRAME.size + length - 4]
    return content if (number, length - 4, checksum) == (magic, len(content), zlib.crc32(content)) else None


def _index_in(data: bytes) -> Columns | None:
    content = _framed_in(data, 0, _INDEX)
    if content is None:
        return None
    try:
        return _INDEXES.decode(content[: -_LAST.size])
    except msgspec.MsgspecError:
        return None


def _index_of_heads(data: bytes) -> Columns | None:
    """The index made anew from the heads of the blocks that are whole; None when there is none."""
    writer, magic = IndexWriter(), _BLOCK.to_bytes(4, "little")
    at = data.find(magic)
    while at >= 0:
        content = _framed_in(data, at, _BLOCK)
        try:
            head = None if content is None else _HEADS.decode(content)
        except msgspec.MsgspecError:
            head = None
        if content is not None and head is not None:
            start = at + _FRAME.size + len(content)
            if start + head.size <= len(data):
                writer.add(start, head.size, head.threads)
            at = start + head.size - 1
        at = data.find(magic, at + 1)
    columns = writer.columns()
    return columns if columns.layouts else None
