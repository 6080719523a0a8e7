"""Renewing the cached summaries while an export goes through the folder."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from core.listing.index_cache import Block, load_blocks, save_blocks
from core.workspace import Workspace


class Renewal:
    """What an export learns of the threads of a folder, written down in a thread of its own while it goes on; nothing
    when all of it was known. A context, which ends when it is written; the cache stays as it was unless `finish` was
    called."""

    def __init__(self, workspace: Workspace) -> None:
        self.scanned_ns = 0
        """When the cached summaries were made."""
        self._workspace = workspace
        self._started_ns = time.time_ns()
        self._asked: deque[Block | None] = deque()
        self._kept: list[str] = []
        """The last stems of the blocks that hold, up to the first that does not."""
        self._outdated = False
        self._whole = False
        self._blocks: SimpleQueue[Block | None] = SimpleQueue()
        self._thread: Thread | None = None

    def __enter__(self) -> Renewal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()

    def cached(self) -> Iterator[Block]:
        """The blocks as they are cached now."""
        self.scanned_ns, blocks = load_blocks(self._workspace)
        return blocks

    def asked(self, block: Block | None) -> None:
        """Some threads are being looked at; this block has what was known of them."""
        self._asked.append(block)

    def gone(self) -> None:
        """The threads of a block are no longer there."""
        self._outdated = True

    def found(self, made: Block | None) -> None:
        """The next of those that were looked at gave this block; None when the cached one holds."""
        known = self._asked.popleft()
        if self._thread is None and made is None and known is not None:
            self._kept.append(known.last)
            return
        self._begin()
        if block := made or known:
            self._blocks.put(block)

    def finish(self) -> None:
        """All of them were looked at."""
        self._whole = True
        if self._outdated:
            self._begin()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._write)
            self._thread.start()

    def _write(self) -> None:
        with suppress(_AbandonedError):
            save_blocks(self._workspace, self._renewed(), self._started_ns)

    def _renewed(self) -> Iterator[Block]:
        kept = set(self._kept)
        yield from (block for block in self._cached_still() if block.last in kept)
        yield from iter(self._blocks.get, None)
        self._cached_still()
        if not self._whole:
            raise _AbandonedError

    def _cached_still(self) -> Iterator[Block]:
        scanned_ns, blocks = load_blocks(self._workspace)
        if scanned_ns != self.scanned_ns:  # somebody renewed them meanwhile
            raise _AbandonedError
        return blocks


class _AbandonedError(Exception):
    """What was learned is not to be written down."""
