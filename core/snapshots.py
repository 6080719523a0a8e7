"""Keeping many states of one thread file in little space.

A pack is an append-only file of compressed pieces, each stored once under its hash. A state is a list of pieces:
the file's bytes cut where its JSON layout ends a message, so two states of a long thread share every message
that did not change. Bytes in another layout are kept just as exactly; they only share less.

An entry is a mark, a kind, the first 16 bytes of the content's SHA-256, the length, and the zlib stream.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import SensorloomError
from core.files import digest

_HEADER = struct.Struct("<2sc16sI")
_MARK = b"SL"
_PIECE, _STATE = b"p", b"s"
_KEY = 16
_END_OF_MEMBER = re.compile(rb"\n {2,4}[}\]],?\n")
_SMALL = 4096
_LEVEL = 3
"""zlib's level: number text shrinks to about 45 % at 3 as at 6, at twice the speed."""


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: bytes
    start: int
    length: int


def pieces_of(data: bytes) -> Iterator[bytes]:
    """Cut a thread file's bytes after messages; joined again they are the same bytes.

    Neighbouring small messages make one piece. Where a piece ends depends on what it holds, not on where it
    stands, so that a change early in the file does not cut the rest anew.
    """
    start = begun = 0
    for found in _END_OF_MEMBER.finditer(data):
        end = found.end()
        part = data[begun:end]
        begun = end
        closes_section = found[0].startswith((b"\n  }", b"\n  ]"))
        if closes_section or len(part) >= _SMALL or zlib.crc32(part) % 8 == 0:
            yield data[start:end]
            start = end
    if start < len(data):
        yield data[start:]


def keep(pack: Path, states: Sequence[bytes]) -> None:
    """Add states to a pack, on disk when this returns. What is there already costs nothing.

    Raises:
        SensorloomError: the pack cannot be written.
    """
    try:
        known, size = _entries(pack)
        added: list[bytes] = []
        for data in states:
            key = hashlib.sha256(data).digest()[:_KEY]
            if key in known and known[key].kind == _STATE:
                continue
            keys = b""
            for piece in pieces_of(data):
                keys += _add(added, known, _PIECE, hashlib.sha256(b"p" + piece).digest()[:_KEY], piece)
            _add(added, known, _STATE, key, keys)
        if added:
            _append(pack, size, b"".join(added))
    except OSError as error:
        raise SensorloomError(f"cannot write {pack}: {(error.strerror or str(error)).lower()}") from error


def load(pack: Path, wanted: str) -> bytes:
    """The state with this SHA-256 (hex), exactly.

    Raises:
        SensorloomError: the pack does not hold it, or is damaged there.
    """
    try:
        known, _ = _entries(pack)
        with pack.open("rb") as file:

            def content(key: bytes, kind: bytes) -> bytes:
                entry = known[key]
                if entry.kind != kind:
                    raise KeyError(key)
                file.seek(entry.start)
                return zlib.decompress(file.read(entry.length))

            keys = content(bytes.fromhex(wanted)[:_KEY], _STATE)
            data = b"".join(content(keys[at : at + _KEY], _PIECE) for at in range(0, len(keys), _KEY))
    except (OSError, KeyError, zlib.error) as error:
        raise SensorloomError(f"{pack.name}: this earlier state is no longer in the history") from error
    if digest(data) != wanted:
        raise SensorloomError(f"{pack.name}: the history is damaged; this earlier state cannot be brought back")
    return data


def _add(added: list[bytes], known: dict[bytes, _Entry], kind: bytes, key: bytes, content: bytes) -> bytes:
    if key not in known:
        packed = zlib.compress(content, _LEVEL)
        added.append(_HEADER.pack(_MARK, kind, key, len(packed)) + packed)
        known[key] = _Entry(kind, 0, len(packed))
    return key


def _entries(pack: Path) -> tuple[dict[bytes, _Entry], int]:
    """Where each entry is, and where the whole ones end: what a kill left half-written after that does not count."""
    known: dict[bytes, _Entry] = {}
    try:
        with pack.open("rb") as file:
            total = os.fstat(file.fileno()).st_size
            at = 0
            while len(header := file.read(_HEADER.size)) == _HEADER.size:
                mark, kind, key, length = _HEADER.unpack(header)
                start = at + _HEADER.size
                if mark != _MARK or start + length > total:
                    break
                known[key] = _Entry(kind, start, length)
                at = start + length
                file.seek(at)
    except FileNotFoundError:
        return {}, 0
    return known, at


def _append(pack: Path, size: int, data: bytes) -> None:
    """Write after the last whole entry. What cannot be an entry is set aside first, never cut away unseen."""
    with pack.open("r+b" if pack.exists() else "w+b") as file:
        file.seek(size)
        rest = file.read()
        if rest.strip(b"\0"):
            pack.with_suffix(".torn").write_bytes(rest)
        file.seek(size)
        file.truncate()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
