"""Keeping many states of one thread file in little space.

A pack is an append-only file of compressed pieces, each stored once under its hash. A state is a list of pieces:
the file's bytes cut where its JSON layout ends a message, so two states of a long thread share every message
that did not change. Bytes in another layout are kept just as exactly; they only share less.

An entry is a mark, a kind, a key of 16 bytes (a state's from its SHA-256, a piece's BLAKE2b), the length, and the zlib
stream.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from core.errors import SensorloomError, system_reason
from core.files import open_regular_file
from core.storage.atomic import Content, digest, sync

_HEADER = struct.Struct("<2s17sI")
_MARK = b"SL"
_PIECE, _STATE = b"p", b"s"
_KEY = 16
_END_OF_MEMBER = re.compile(rb"\n {2,4}[}\]],?(?=\n)")
_SMALL = 4096
_LEVEL = 3
"""zlib's level: number text shrinks to about 45 % at 3 as at 6, at twice the speed."""


def pieces_of(data: bytes) -> Iterator[bytes]:
    """Cut a thread file's bytes after messages; joined again they are the same bytes.

    A large message is a piece of its own, neighbouring small ones make one together. Where such a piece ends depends
    on what it holds, not on where it stands, so that a change early in the file does not cut the rest anew.
    """
    start = begun = 0
    for member in _END_OF_MEMBER.finditer(data):
        end = member.end()
        large = end - begun >= _SMALL
        if large and start < begun:
            yield data[start:begun]
            start = begun
        closes_section = member[0].startswith((b"\n  }", b"\n  ]"))
        if large or closes_section or zlib.crc32(data[begun:end]) % 8 == 0:
            yield data[start:end]
            start = end
        begun = end
    if start < len(data):
        yield data[start:]


def keep(pack: Path, states: Iterable[Content]) -> None:
    """Add states to a pack, on disk when this returns. What is there already costs nothing.

    Raises:
        SensorloomError: the pack cannot be written.
    """
    try:
        known, size = _entries_in(pack)
        added: list[bytes] = []
        for state in states:
            key = _state_key(state.digest)
            if key in known:
                continue
            pieces = [(hashlib.blake2b(piece, digest_size=_KEY).digest(), piece) for piece in pieces_of(state.data)]
            for piece_key, piece in pieces:
                _add(added, known, _PIECE + piece_key, piece)
            _add(added, known, key, b"".join(piece_key for piece_key, _ in pieces))
        if added:
            _append(pack, size, b"".join(added))
    except OSError as error:
        raise SensorloomError(f"cannot write {pack}: {system_reason(error)}") from error


def load(pack: BinaryIO, stem: str, wanted: str) -> bytes:
    """The state with this SHA-256 (hex), exactly, from a thread's pack that is open for reading.

    Raises:
        SensorloomError: the pack does not hold it, or is damaged there.
    """
    try:
        known, _ = _entries(pack)

        def content(key: bytes) -> bytes:
            start, length = known[key]
            pack.seek(start)
            return zlib.decompress(pack.read(length))

        keys = content(_state_key(wanted))
        data = b"".join(content(_PIECE + keys[at : at + _KEY]) for at in range(0, len(keys), _KEY))
    except (OSError, KeyError, zlib.error) as error:
        raise SensorloomError(f"{stem}: this earlier state is no longer in the history") from error
    if digest(data) != wanted:
        raise SensorloomError(f"{stem}: the history is damaged; this earlier state cannot be brought back")
    return data


def _state_key(digest: str) -> bytes:
    return _STATE + bytes.fromhex(digest)[:_KEY]


def _add(added: list[bytes], known: dict[bytes, tuple[int, int]], key: bytes, content: bytes) -> None:
    if key not in known:
        packed = zlib.compress(content, _LEVEL)
        added.append(_HEADER.pack(_MARK, key, len(packed)) + packed)
        known[key] = (0, len(packed))


def _entries_in(pack: Path) -> tuple[dict[bytes, tuple[int, int]], int]:
    try:
        with open_regular_file(pack) as file:
            return _entries(file)
    except FileNotFoundError:
        return {}, 0


def _entries(file: BinaryIO) -> tuple[dict[bytes, tuple[int, int]], int]:
    """Where each entry's content is (start, length) by kind and key, and where the whole ones end: what a kill left
    half-written after that does not count."""
    known: dict[bytes, tuple[int, int]] = {}
    total = file.seek(0, os.SEEK_END)
    at = file.seek(0)
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        mark, key, length = _HEADER.unpack(header)
        start = at + _HEADER.size
        if mark != _MARK or start + length > total:
            break
        known[key] = (start, length)
        at = start + length
        file.seek(at)
    return known, at


def _append(pack: Path, size: int, data: bytes) -> None:
    """Write after the last whole entry. What cannot be an entry is set aside first, never cut away unseen."""
    with pack.open("r+b" if pack.exists() else "w+b") as file:
        file.seek(size)
        rest = file.read()
        if rest.strip(b"\0"):
            _free(pack).write_bytes(rest)
        file.seek(size)
        file.truncate()
        file.write(data)
        file.flush()
        sync(file.fileno())


def _free(pack: Path) -> Path:
    """A name beside a pack for what cannot be an entry of it; what was set aside before stays."""
    path, number = pack.with_suffix(".torn"), 1
    while path.exists():
        number += 1
        path = pack.with_suffix(f".torn{number}")
    return path
