"""The file that the export log is kept in: a value for each export, added at the end.

An export of 100,000 threads is added in 0.1 s; as a document of TinyDB, which writes its file anew each time, in 1.7 s
(`python -m tests.bench.export_log`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.files import open_regular_file
from core.storage.atomic import write_atomic
from core.storage.records import framed, frames, read_head, starts

MOST_BYTES = 16_000_000
"""A file is not added to beyond this, but written anew with what counts of it."""
_VERSION = 2


class Left(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What left in one export, in columns: a value for each thread takes several times as long to write."""

    profile: str
    export: str
    """Its name without the ending."""
    stems: list[str]
    """As UTF-8 can carry them."""
    sha256s: bytes
    """Of the files as they left, 32 bytes each."""
    sizes: list[int]
    """Of the files; 0 when not known."""
    mtimes_ns: list[int]
    """Likewise."""


class _Which(msgspec.Struct, array_like=True, gc=False):
    """The beginning of it."""

    profile: str
    export: str
    stems: list[str]


class _Head(msgspec.Struct, frozen=True):
    version: int
    exports: str


_PACKER = msgspec.msgpack.Encoder()
_LEFT = msgspec.msgpack.Decoder(Left)
_WHICH = msgspec.msgpack.Decoder(_Which)


def read_exports(path: Path, exports: Path) -> list[Left] | None:
    """What left for this folder, the earliest first; None when the file is not there, damaged, or of another one."""
    try:
        with open_regular_file(path) as file:
            if read_head(file) != _head(exports):
                return None
            every = [_LEFT.decode(packed) for packed in frames(file)]
    except (OSError, EOFError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return every if all(map(_is_even, every)) else None


def add_export(path: Path, exports: Path, left: Left) -> bool:
    """Add what left, in the place of the last export if that was of the same profile and all of it left again. False
    when the file has to be written anew instead. Whatever stops it in the middle leaves a file that is seen to be
    damaged.

    Raises:
        OSError: it cannot be written.
    """
    data = framed(_PACKER.encode(left))
    try:
        file = path.open("r+b", buffering=0)
    except FileNotFoundError:
        return False
    with file:
        if read_head(file) != _head(exports) or not (positions := starts(file)):
            return False
        position = positions[-1]
        if len(positions) > 1:
            file.seek(positions[-2])
            if _covers(left, next(frames(file))):
                position = positions[-2]
        if position + len(data) > MOST_BYTES:
            return False
        file.seek(position)
        written = file.write(data)
        file.truncate(position + written)
        return written == len(data)


def _covers(left: Left, packed: bytes) -> bool:
    """Whether all that left in an earlier export has left again."""
    try:
        earlier = _WHICH.decode(packed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    if earlier.profile != left.profile:
        return False
    return earlier.stems == left.stems or set(left.stems).issuperset(earlier.stems)


def write_exports(path: Path, exports: Path, every: Iterable[Left]) -> None:
    """Write the file anew. It does not wait for the disk: what is damaged is made anew. Raises SensorloomError."""
    pieces = [_head(exports), *(framed(_PACKER.encode(left)) for left in every)]
    write_atomic(path, pieces, durable=False)


def _is_even(left: Left) -> bool:
    return {32 * len(left.stems)} == {len(left.sha256s), 32 * len(left.sizes), 32 * len(left.mtimes_ns)}


def _head(exports: Path) -> bytes:
    return msgspec.json.encode(_Head(_VERSION, str(exports))) + b"\n"
