"""The cache of summaries under `.sensorloom/`, which may be deleted at any time: blocks in the order of the stems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path

import msgspec

from core.errors import SensorloomError
from core.files import open_regular_file
from core.listing.order import Row
from core.listing.summaries import Summaries
from core.listing.summary_columns import packed, unpacked
from core.storage.atomic import clear_half_written, write_atomic
from core.storage.records import framed, frames, read_head
from core.thread.summary import Summary
from core.workspace import Workspace, private_folder

BLOCK = 1000
"""Summaries in a block."""
PAGE = 100
"""Rows that are kept of a long list: as many as a tall terminal shows."""
LONG = 5_000
"""Rows from which a list is long."""
_PAGE = "page.cache"
_ABANDONED_SEC = 3600.0
"""A half-written cache this old was left by a program that was killed."""
_VERSION = " ".join(("7", *Summary.__struct_fields__))
"""Of what a summary is counted to be, too: the same file gives another one from another version. The number is raised
when a field comes to mean something else; a new field makes another version by itself."""


def load(workspace: Workspace) -> tuple[Summaries, int]:
    """The cached summaries and the time of their scan; nothing when there is no cache that can be used. From where it
    is damaged there are none."""
    known = Summaries()
    scanned_ns = 0
    try:
        with open_regular_file(_cache_path(workspace)) as file:
            head = msgspec.json.decode(read_head(file), type=_Head)
            if head.of(workspace):
                scanned_ns = head.scanned_ns
                for block in frames(file):
                    known.extend(unpacked(block))
    except (OSError, EOFError, msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return known, scanned_ns if known else 0


def save(workspace: Workspace, known: Summaries, scanned_ns: int, is_over: Callable[[], bool] = lambda: False) -> None:
    """Write the cache; a workspace that cannot be written goes without.

    Args:
        workspace: whose threads.
        known: the summaries.
        scanned_ns: the time of the scan that they come from.
        is_over: says when there is no time left. The cache that was there stays then; where there was none, the next
            start has the summaries that were written, and reads the other files.
    """
    path = _cache_path(workspace)
    head = msgspec.json.encode(_Head(_VERSION, str(workspace.threads), scanned_ns)) + b"\n"
    try:
        private_folder(workspace)
        write_atomic(path, chain([head], _blocks(known, is_over, path)), durable=False)
        clear_half_written(workspace.private, _ABANDONED_SEC)
    except (SensorloomError, _OverError):
        pass


class _OverError(Exception):
    """There is no time left to write the cache, and an earlier one is there."""


def _blocks(known: Summaries, is_over: Callable[[], bool], path: Path) -> Iterator[bytes]:
    every = sorted(known.every(), key=attrgetter("stem"))
    for start in range(0, len(every), BLOCK):
        if is_over():
            if path.exists():
                raise _OverError
            return
        yield _framed(every[start : start + BLOCK])


def _framed(some: Sequence[Summary]) -> bytes:
    """Summaries as a block. Those with text that is no Unicode are left out, and read again the next time."""
    try:
        return framed(packed(some)) if some else b""
    except UnicodeEncodeError:
        return _framed([summary for summary in some if _is_unicode(summary)])


def save_page(workspace: Workspace, rows: Sequence[Row], count: int) -> None:
    """Keep the first rows of a list of so many, so that the next start draws them before it has looked at anything;
    those of a short list are there as quickly."""
    path = workspace.private / _PAGE
    try:
        if count < LONG:
            path.unlink(missing_ok=True)
            return
        private_folder(workspace)
        head = msgspec.json.encode(_Head(_VERSION, str(workspace.threads), 0)) + b"\n"
        write_atomic(path, head + _PACKER.encode(rows), durable=False)
    except (OSError, SensorloomError, UnicodeEncodeError):
        pass


def load_page(workspace: Workspace) -> list[Row]:
    """The rows that were kept; none where the list was short, or where they cannot be used."""
    try:
        with open_regular_file(workspace.private / _PAGE) as file:
            head = msgspec.json.decode(read_head(file), type=_Head)
            return _ROWS.decode(file.read()) if head.of(workspace) else []
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return []


class _Head(msgspec.Struct, frozen=True):
    version: str
    folder: str
    scanned_ns: int

    def of(self, workspace: Workspace) -> bool:
        return self.version == _VERSION and self.folder == str(workspace.threads)


_ROWS = msgspec.msgpack.Decoder(list[Row])
_PACKER = msgspec.msgpack.Encoder()


def _is_unicode(summary: Summary) -> bool:
    try:
        _PACKER.encode(summary)
    except UnicodeEncodeError:
        return False
    return True


def _cache_path(workspace: Workspace) -> Path:
    return workspace.private / "index.cache"
