"""The cache of summaries under `.sensorloom/`, which may be deleted at any time.

One line of JSON says what it is of; then come msgpack blocks in the order of the stems, each with its length before it,
so that a large one is decoded piece by piece.
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
_HEAD_BYTES = 20_000
"""Among which the first line ends: a path may be 4096 characters long, of six bytes each as JSON has them."""
_VERSION = 3
"""Of what a summary is counted to be, too: the same file gives another one from another version."""


def load(workspace: Workspace) -> tuple[dict[str, Summary], int]:
    """The cached summaries and the time of their scan; nothing when there is no cache that can be used."""
    scanned_ns, blocks = load_in_blocks(workspace)
    known = {one.stem: one for block in blocks for one in block}
    return known, scanned_ns if known else 0


def load_in_blocks(workspace: Workspace) -> tuple[int, Iterator[list[Summary]]]:
    """The time of the cached scan, and its summaries in the order of their stems, decoded as they are taken. From where
    the cache is damaged there are none."""
    try:
        data = memoryview(_cache_path(workspace).read_bytes())
        end = bytes(data[:_HEAD_BYTES]).find(b"\n")
        found = msgspec.json.decode(data[: max(end, 0)], type=_Head)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return 0, iter(())
    return found.scanned_ns, _blocks(data[end + 1 :]) if found.of(workspace) else iter(())


def save(workspace: Workspace, known: Mapping[str, Summary], scanned_ns: int) -> None:
    """Write the cache; a workspace that cannot be written goes without."""

    def parts() -> Iterator[bytes]:
        yield msgspec.json.encode(_Head(_VERSION, str(workspace.threads), scanned_ns)) + b"\n"
        every = sorted(known.values(), key=lambda one: one.stem)
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


def _blocks(data: memoryview) -> Iterator[list[Summary]]:
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        try:
            yield _PACKED.decode(data[start + 4 : end])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        start = end
