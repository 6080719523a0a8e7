"""The cache of summaries under `.sensorloom/`, which may be deleted at any time: blocks in the order of the stems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from core.errors import SensorloomError
from core.files import open_regular_file
from core.storage.atomic import clear_half_written, write_atomic
from core.storage.records import framed, frames, read_head
from core.thread.summary import Summary
from core.workspace import Workspace, private_folder

BLOCK = 250
"""Summaries in a block."""
_ABANDONED_SEC = 3600.0
"""A half-written cache this old was left by a program that was killed."""
_VERSION = " ".join(("6", *Summary.__struct_fields__))
"""Of what a summary is counted to be, too: the same file gives another one from another version. The number is raised
when a field comes to mean something else; a new field makes another version by itself."""


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Some summaries, packed."""

    last: str
    """The greatest of their stems."""
    packed: bytes


def load(workspace: Workspace) -> tuple[dict[str, Summary], int]:
    """The cached summaries and the time of their scan; nothing when there is no cache that can be used."""
    scanned_ns, blocks = load_blocks(workspace)
    known = {summary.stem: summary for block in blocks for summary in unpack(block)}
    return known, scanned_ns if known else 0


def load_blocks(workspace: Workspace) -> tuple[int, Iterator[Block]]:
    """The time of the cached scan, and its blocks in the order of their stems, read as they are taken. From where the
    cache is damaged there are none."""
    blocks = _read(workspace)
    try:
        return next(blocks), blocks  # type: ignore[return-value]  # the time comes first
    except StopIteration:
        return 0, iter(())


def save(workspace: Workspace, known: Mapping[str, Summary], scanned_ns: int) -> None:
    """Write the cache; a workspace that cannot be written goes without."""
    every = sorted(known.values(), key=lambda summary: summary.stem)
    save_blocks(workspace, (pack(every[start : start + BLOCK]) for start in range(0, len(every), BLOCK)), scanned_ns)


def save_blocks(workspace: Workspace, blocks: Iterable[Block], scanned_ns: int) -> None:
    """The same with what is packed already, in the order of the stems."""
    head = msgspec.json.encode(_Head(_VERSION, str(workspace.threads), scanned_ns)) + b"\n"
    try:
        private_folder(workspace)
        values = (framed(_PACKER.encode(block)) for block in blocks if block.last)
        write_atomic(_cache_path(workspace), chain([head], values), durable=False)
        clear_half_written(workspace.private, _ABANDONED_SEC)
    except SensorloomError:
        pass


def pack(some: Sequence[Summary]) -> Block:
    """Summaries in the order of their stems as a block. Those with text that is no Unicode are left out, and read again
    the next time."""
    try:
        return Block(some[-1].stem if some else "", _PACKER.encode(some))
    except UnicodeEncodeError:
        return pack([summary for summary in some if _is_unicode(summary)])


def unpack(block: Block) -> list[Summary]:
    """The summaries of a block; none when it is damaged."""
    try:
        return _SUMMARIES.decode(block.packed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []


class _Head(msgspec.Struct, frozen=True):
    version: str
    folder: str
    scanned_ns: int

    def of(self, workspace: Workspace) -> bool:
        return self.version == _VERSION and self.folder == str(workspace.threads)


_SUMMARIES = msgspec.msgpack.Decoder(list[Summary])
_BLOCK = msgspec.msgpack.Decoder(Block)
_PACKER = msgspec.msgpack.Encoder()


def _is_unicode(summary: Summary) -> bool:
    try:
        _PACKER.encode(summary)
    except UnicodeEncodeError:
        return False
    return True


def _cache_path(workspace: Workspace) -> Path:
    return workspace.private / "index.cache"


def _read(workspace: Workspace) -> Iterator[int | Block]:
    """The time of the scan, then the blocks; nothing when there is no cache that can be used."""
    try:
        with open_regular_file(_cache_path(workspace)) as file:
            head = msgspec.json.decode(read_head(file), type=_Head)
            if not head.of(workspace):
                return
            yield head.scanned_ns
            yield from map(_BLOCK.decode, frames(file))
    except (OSError, EOFError, msgspec.MsgspecError, UnicodeDecodeError):
        return
