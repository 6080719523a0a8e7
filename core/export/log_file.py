"""The file that the export log is kept in: a value for each export, added at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from core.files import write_atomic
from core.frames import framed, frames, is_whole, read_head

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


class _Head(msgspec.Struct, frozen=True):
    version: int
    exports: str


_PACKER = msgspec.msgpack.Encoder()
_LEFT = msgspec.msgpack.Decoder(Left)


def read_exports(path: Path, exports: Path) -> list[Left] | None:
    """What left for this folder, the earliest first; None when the file is not there, damaged, or of another one."""
    try:
        with path.open("rb") as file:
            if read_head(file) != _head(exports):
                return None
            every = [_LEFT.decode(packed) for packed in frames(file)]
    except (OSError, EOFError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return every if all(map(_is_even, every)) else None


def add_export(path: Path, exports: Path, left: Left) -> bool:
    """Add what left; False, and nothing is done, when the file has to be written anew.

    Raises:
        OSError: it cannot be written.
    """
    data = framed(_PACKER.encode(left))
    try:
        with path.open("r+b") as file:
            if read_head(file) != _head(exports) or not is_whole(file) or file.tell() + len(data) > MOST_BYTES:
                return False
    except FileNotFoundError:
        return False
    with path.open("ab", buffering=0) as file:  # at the end, also when another export was added meanwhile
        return file.write(data) == len(data)


def write_exports(path: Path, exports: Path, every: Iterable[Left]) -> None:
    """Write the file anew. It does not wait for the disk: what is damaged is made anew. Raises SensorloomError."""
    pieces = [_head(exports), *(framed(_PACKER.encode(left)) for left in every)]
    write_atomic(path, pieces, durable=False)


def _is_even(left: Left) -> bool:
    return {32 * len(left.stems)} == {len(left.sha256s), 32 * len(left.sizes), 32 * len(left.mtimes_ns)}


def _head(exports: Path) -> bytes:
    return msgspec.json.encode(_Head(_VERSION, str(exports))) + b"\n"
