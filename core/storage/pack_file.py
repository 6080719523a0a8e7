"""One pack: many thread files in one file, a line of JSON for each, compressed with Zstandard in blocks.

`zstdcat` writes the lines. Before each block, and at the end for all of them, stands what we find a thread by, in
skippable frames (RFC 8878, 3.1.2), which every reader of Zstandard passes over. A pack is written once and never
changed. Where its end is lost, the heads of the blocks tell the same; where a block is damaged, the others are read.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ThreadError, system_reason
from core.files import open_regular_file
from core.storage.atomic import digest
from core.storage.pack_index import IndexWriter, Packed, head_of, read_columns
from core.thread.json_form import MAX_BYTES, one_line

BLOCK_BYTES = 1 << 18
"""Lines in a block, about: it is read as a whole for any one thread of it, in a fraction of a millisecond."""
_LEVEL = 3
"""Of Zstandard: level 9 makes the threads of the benchmarks 9 % smaller, at a fifth of the speed."""
_LAYOUTS = tuple((indent, end) for end in (b"\n", b"") for indent in (2, -1, 0, 1, 4, 3, 8))
"""The indents and ends with which a thread's file may be written, so that it comes back byte for byte."""


def packed(stem: str, data: bytes, mtime_ns: int) -> Packed | None:
    """A thread file's bytes as a pack keeps them; None for those that would not come back byte for byte: in a layout
    of their own, or under a name that is no text."""
    try:
        stem.encode()
        line = one_line(data)
        if b"\n" in line:
            return None
        for layout in range(len(_LAYOUTS)):
            if _laid_out(line, layout) == data:
                return Packed(stem, len(data), mtime_ns, bytes.fromhex(digest(data)), layout, len(line), line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    return None


def as_line(stem: str, line: bytes, size: int, mtime_ns: int) -> Packed:
    """What is kept as one line, without a line's end in it, that comes back as it is; `size` is told of it."""
    return Packed(stem, size, mtime_ns, bytes.fromhex(digest(line)), _LAYOUTS.index((-1, b"")), len(line), line)


def pieces(threads: Iterable[Packed], block_bytes: int | None = None) -> Iterator[bytes]:
    """The bytes of a pack, piece by piece, with so many bytes of lines in a block, `BLOCK_BYTES` unless told. Raises
    ThreadError where Zstandard is not installed."""
    zstd = _zstd()
    options = {zstd.CompressionParameter.compression_level: _LEVEL, zstd.CompressionParameter.checksum_flag: 1}
    index = IndexWriter()
    at = 0
    for block in _in_blocks(threads, block_bytes or BLOCK_BYTES):
        data = zstd.compress(b"".join(b"%b\n" % thread.line for thread in block), options=options)
        heads = [msgspec.structs.replace(thread, line=b"") for thread in block]
        head = head_of(len(data), heads)
        index.add(at + len(head), len(data), heads)
        at += len(head) + len(data)
        yield head
        yield data
    yield index.end(at)


class PackedFile(msgspec.Struct, frozen=True, gc=False):
    """A thread's file out of a pack, laid out as it was only when its bytes are asked for."""

    line: bytes
    """Its JSON on one line."""
    size: int
    mtime_ns: int
    digest: str
    """SHA-256 of the file's bytes."""
    layout: int

    @property
    def data(self) -> bytes:
        """The file's bytes, exactly."""
        return _laid_out(self.line, self.layout)


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is there to be read. Its columns are those of the index, in memory; a thread is a row of them."""

    path: Path
    stamp: tuple[int, int]
    """Size and time of the file."""
    names: bytes
    name_ends: memoryview
    blocks: memoryview
    starts: memoryview
    lengths: memoryview
    sizes: memoryview
    times: memoryview
    layouts: bytes
    digests: bytes
    block_starts: memoryview
    block_sizes: memoryview
    has_end: bool
    """Whether its index was there; without it more may have stood in the pack than what is left of it."""

    def __len__(self) -> int:
        return len(self.layouts)

    def row_of(self, stem: str) -> int | None:
        """The row of a thread; None when the pack does not hold it."""
        try:
            name = stem.encode()
        except UnicodeEncodeError:
            return None
        if not self.layouts or not self.name(0) <= name <= self.name(len(self) - 1):
            return None  # of packs that were made together one holds it, if any
        row = bisect_left(range(len(self)), name, key=self.name)
        return row if row < len(self) and self.name(row) == name else None

    def stems(self) -> list[str]:
        """The stems of all rows, in their order."""
        names = self.names.decode()
        if not names.isascii():
            return [self.name(row).decode() for row in range(len(self))]
        ends = self.name_ends.tolist()
        return [names[start:end] for start, end in pairwise([0, *ends])]

    def stem(self, row: int) -> str:
        """The stem of a row."""
        return self.name(row).decode()

    def file(self, row: int) -> PackedFile:
        """A thread's file. Raises as `data`."""
        return PackedFile(self.line(row), self.sizes[row], self.times[row], self._digest(row), self.layouts[row])

    def line(self, row: int) -> bytes:
        """A thread's JSON on one line. Raises as `data`."""
        start = self.starts[row]
        return self._block(self.blocks[row])[start : start + self.lengths[row]]

    def data(self, row: int) -> bytes:
        """A thread file's bytes, exactly.

        Raises:
            FileNotFoundError: the pack went away.
            ThreadError: its block is damaged, or cannot be read.
        """
        return _laid_out(self.line(row), self.layouts[row])

    def is_whole(self, row: int) -> bool:
        """Whether a thread is read back just as its file was."""
        try:
            return digest(self.data(row)) == self._digest(row)
        except (OSError, ThreadError):
            return False

    def name(self, row: int) -> bytes:
        """The stem of a row in UTF-8, by which the rows are sorted."""
        return self.names[self.name_ends[row - 1] if row else 0 : self.name_ends[row]]

    def _digest(self, row: int) -> str:
        return self.digests[32 * row : 32 * row + 32].hex()

    def _block(self, block: int) -> bytes:
        return _block_of(str(self.path), self.stamp, self.block_starts[block], self.block_sizes[block])


def open_pack(path: Path) -> Pack:
    """Read what a pack holds, from its index, or from the heads of its blocks where the end is lost.

    Raises:
        OSError: it cannot be read.
        ThreadError: it is no pack, or damaged from its beginning.
    """
    with open_regular_file(path) as file:
        status = os.fstat(file.fileno())
        columns, has_end = read_columns(file, status.st_size)
    if columns is None:
        raise ThreadError(f"{path.name}: a pack that cannot be read; put a whole copy of it in its place")
    return Pack(
        path,
        (status.st_size, status.st_mtime_ns),
        columns.names,
        memoryview(columns.name_ends).cast("I"),
        memoryview(columns.blocks).cast("I"),
        memoryview(columns.starts).cast("I"),
        memoryview(columns.lengths).cast("I"),
        memoryview(columns.sizes).cast("I"),
        memoryview(columns.times).cast("q"),
        columns.layouts,
        columns.digests,
        memoryview(columns.block_starts).cast("Q"),
        memoryview(columns.block_sizes).cast("I"),
        has_end,
    )


def _in_blocks(threads: Iterable[Packed], block_bytes: int) -> Iterator[list[Packed]]:
    block: list[Packed] = []
    size = 0
    for thread in threads:
        block.append(thread)
        size += thread.length
        if size >= block_bytes:
            yield block
            block, size = [], 0
    if block:
        yield block


def _laid_out(line: bytes, layout: int) -> bytes:
    indent, end = _LAYOUTS[layout]
    return (line if indent < 0 else msgspec.json.format(line, indent=indent)) + end


def _block_of(path: str, stamp: tuple[int, int], at: int, size: int) -> bytes:
    """A block's lines. The last few are kept, since their neighbours are likely to be asked for next; not that of a
    very long thread. The stamp tells a pack from another one that was put in its place under its name."""
    return _read_block(path, at, size) if size > BLOCK_BYTES else _kept_block(path, stamp, at, size)


@lru_cache(maxsize=32)
def _kept_block(path: str, _stamp: tuple[int, int], at: int, size: int) -> bytes:
    return _read_block(path, at, size)


def _read_block(path: str, at: int, size: int) -> bytes:
    zstd = _zstd()
    name = Path(path).name
    try:
        with open_regular_file(Path(path)) as file:
            file.seek(at)
            data = file.read(size)
        reader = zstd.ZstdDecompressor()
        lines = reader.decompress(data, max_length=MAX_BYTES + 8 * BLOCK_BYTES)
        if not reader.eof:
            raise EOFError
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ThreadError(f"{name}: {system_reason(error)}") from error
    except (zstd.ZstdError, EOFError) as error:
        raise ThreadError(
            f"{name}: the pack is damaged where this thread is; put a whole copy of it in its place"
        ) from error
    return lines


@cache
def _zstd() -> Any:
    """Zstandard: Python's own from 3.14 on, before that the same module as a package of its own."""
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise ThreadError("packs are read and written with Zstandard: pip install 'sensorloom[packs]'") from error
    return zstd
