"""The cache of summaries under `.sensorloom/`, which may be deleted at any time.

One line of JSON says what it is of; then come msgpack blocks, each with its length before it, so that a large one is
decoded piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from core.errors import SensorloomError
from core.files import write_atomic
from core.summary import Summary
from core.workspace import Workspace, private_folder

_BLOCK = 500
"""Summaries in a block."""
_VERSION = 2
"""Of what a summary is counted to be, too: the same file gives another one from another version."""


def load(workspace: Workspace) -> tuple[dict[str, Summary], int]:
    """The cached summaries and the time of their scan; nothing when there is no cache that can be used."""
    try:
        data = _cache_path(workspace).read_bytes()
        head, _, rest = data.partition(b"\n")
        known: dict[str, Summary] = {}
        if (found := msgspec.json.decode(head, type=_Head)).of(workspace):
            for block in _blocks(memoryview(rest)):
                known.update((one.stem, one) for one in _PACKED.decode(block))
        return known, found.scanned_ns if known else 0
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}, 0


def save(workspace: Workspace, known: Mapping[str, Summary], scanned_ns: int) -> None:
    """Write the cache; a workspace that cannot be written goes without."""

    def parts() -> Iterator[bytes]:
        yield msgspec.json.encode(_Head(_VERSION, str(workspace.threads), scanned_ns)) + b"\n"
        every = list(known.values())
        for start in range(0, len(every), _BLOCK):
            block = _packed(every[start : start + _BLOCK])
            yield len(block).to_bytes(4, "little") + block

    try:
        private_folder(workspace)
        write_atomic(_cache_path(workspace), parts())
    except SensorloomError:
        pass


class _Head(msgspec.Struct, frozen=True):
    version: int
    folder: str
    scanned_ns: int

    def of(self, workspace: Workspace) -> bool:
        return self.version == _VERSION and self.folder == str(workspace.threads)


_PACKED = msgspec.msgpack.Decoder(list[Summary])
_PACKER = msgspec.msgpack.Encoder()


def _packed(block: list[Summary]) -> bytes:
    """A block of the cache. Summaries with text that is no Unicode are left out, and read again the next time."""
    try:
        return _PACKER.encode(block)
    except UnicodeEncodeError:
        return _PACKER.encode([one for one in block if _is_unicode(one)])


def _is_unicode(one: Summary) -> bool:
    try:
        _PACKER.encode(one)
    except UnicodeEncodeError:
        return False
    return True


def _cache_path(workspace: Workspace) -> Path:
    return workspace.private / "index.cache"


def _blocks(data: memoryview) -> Iterator[memoryview]:
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        yield data[start + 4 : end]
        start = end
