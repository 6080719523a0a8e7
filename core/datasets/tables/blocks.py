"""A file of rows as blocks of columns, so that a day's recording needs no more memory than a minute's."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from core.datasets.archive import RawFile
from core.datasets.tables.layout import Unreadable, joined_lines
from core.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

BLOCK_BYTES = 1 << 22
"""So much of a file is read at once. What is read does not depend on it."""
_ROW_BYTES = 64
"""What a row of a Parquet file is taken to need in memory."""


def line_blocks(file: RawFile, encoding: str, separator: str, size: int) -> Iterator[list[str]]:
    """A text's whole lines, so many at once as `size` letters hold.

    Where its beginning was plain ASCII, the first letter that is not tells the encoding.
    """
    rest = ""
    texts = _texts(file, encoding, size)
    for text in texts:
        rest += text
        if "\n" not in text:
            continue
        *lines, rest = rest.split("\n")
        whole, open_lines = joined_lines(lines, separator, more=True)
        rest = "\n".join([*open_lines, rest])
        if whole:
            yield whole
    if rest:
        yield joined_lines(rest.removesuffix("\n").split("\n"), separator, more=False)[0]


def _texts(file: RawFile, encoding: str, size: int) -> Iterator[str]:
    unsure = encoding == "utf-8"
    decoder = codecs.getincrementaldecoder(encoding)("strict" if unsure else "replace")
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    with file.opened() as stream:
        while True:
            data = stream.read(size)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError:
                cut_off = decoder.getstate()[0]
                decoder = codecs.getincrementaldecoder("cp1252")("replace")
                text = decoder.decode(cut_off + data, final=not data)
            yield ends.decode(text, final=not data)
            if not data:
                return


def parquet_blocks(file: RawFile, size: int) -> Iterator[Any]:
    """A Parquet file's rows as Arrow tables. Raises Unreadable: it is none."""
    import pyarrow as pa
    from pyarrow import parquet

    with _seekable(file) as stream:
        try:
            whole = parquet.ParquetFile(pa.PythonFile(stream, "r"), buffer_size=1 << 20, pre_buffer=False)
            rows = max(size // _ROW_BYTES, 1)
            for batch in whole.iter_batches(rows, use_threads=False):
                yield pa.Table.from_batches([batch])
        except DatasetError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(file, error) from error


@contextmanager
def _seekable(file: RawFile) -> Generator[IO[bytes]]:
    """A file in which reading can go back; what is in an archive is unpacked for it."""
    if not file.packed:
        with file.opened() as stream:
            yield stream
        return
    with TemporaryFile() as copy, file.opened() as stream:
        while data := stream.read(1 << 20):
            copy.write(data)
        copy.seek(0)
        yield copy


def json_blocks(file: RawFile, size: int) -> Iterator[Any]:
    """A file's JSON lines as Arrow tables of one schema. Raises Unreadable: they are none."""
    import pyarrow as pa
    from pyarrow import json

    try:
        chunks = _json_chunks(file, size)
        first = next(chunks, b"")
        second = next(chunks, None)
        if second is None:
            yield json.read_json(pa.BufferReader(first))
            return
        schema = _schema_of(chain((first, second), chunks))
        options = json.ParseOptions(explicit_schema=schema)
        for chunk in _json_chunks(file, size):
            yield json.read_json(pa.BufferReader(chunk), _one_block(chunk), options).select(schema.names)
    except DatasetError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _one_block(chunk: bytes) -> Any:
    from pyarrow import json

    return json.ReadOptions(use_threads=False, block_size=len(chunk) + 1)


def _schema_of(chunks: Iterator[bytes]) -> Any:
    """The schema in which every line of a file can be read."""
    import pyarrow as pa
    from pyarrow import json

    types: dict[str, Any] = {}
    for chunk in chunks:
        for own in json.read_json(pa.BufferReader(chunk), _one_block(chunk)).schema:
            types[own.name] = _common_type(types.get(own.name, pa.null()), own.type)
    return pa.schema(list(types.items()))


def _common_type(first: Any, other: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_null(first) or first == other:
        return other
    if pa.types.is_null(other):
        return first
    pair = {first, other}
    if pair == {pa.int64(), pa.float64()}:
        return pa.float64()
    if any(pa.types.is_timestamp(kind) for kind in pair) and pa.string() in pair:
        return pa.string()
    raise pa.ArrowInvalid(f"a column changes from {first} to {other}")


def _json_chunks(file: RawFile, size: int) -> Iterator[bytes]:
    rest = b""
    with file.opened() as stream:
        while data := stream.read(size):
            head, end, tail = data.rpartition(b"\n")
            if end:
                if whole := rest + head:
                    yield whole + end
                rest = tail
            else:
                rest += data
    if rest.strip():
        yield rest


def _unreadable(file: RawFile, error: Exception) -> Unreadable:
    return Unreadable(f"{file.name}: cannot be read: {' '.join(str(error).split())[:160]}")


def counted_by_block(blocks: Iterator[Sequence[str]], above: int) -> Iterator[Sequence[str]]:
    """Blocks of lines without the first `above` lines of the file, and without blocks of blank lines."""
    for lines in blocks:
        rows = lines[above:]
        above = max(above - len(lines), 0)
        if any(line.strip() for line in rows):
            yield rows
