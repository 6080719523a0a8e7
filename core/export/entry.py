"""A thread on its way into a training file, and what became of some threads that were asked about together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

from core.export.report import Skips
from core.listing.index_cache import Block
from core.thread.similar import Signature

Span = tuple[int, int]
"""Where bytes begin in the spool, and where they end."""


class Entry(msgspec.Struct, array_like=True, gc=False):
    """A thread that may leave. Who made its rows fills in the first half, who chooses among them the rest."""

    stem: str
    dataset: str
    session: str
    truth: str
    model: str
    size: int
    mtime_ns: int
    """Of its file, as it was read."""
    sha256: str
    """Of the file's bytes."""
    sizes: tuple[int, ...]
    """Bytes of each of its rows, line ends included."""
    richness: int
    """Keys of its fullest row."""
    sidecar: bytes = b""
    signature: Signature | None = None
    """What duplicates are found by, when they are looked for."""
    start: int = 0
    """Where its rows begin in the spool."""
    side: str = ""
    group: str = ""
    """What the split kept together; empty when not split."""
    held_out: bool = False

    def spans(self) -> Iterator[Span]:
        """Its rows in the spool."""
        return pairwise(accumulate(self.sizes, initial=self.start))


class Asked(NamedTuple):
    """Threads that something is to become of."""

    stems: list[str]
    block: Block | None
    """Where their summaries are looked for; it may hold those of others, too."""
    settled_ns: int
    """The summary of a file that changed since is not trusted."""
    reasons: list[str] | None
    """Why each of them stays, so far; None when nothing was decided."""


class Part(msgspec.Struct, array_like=True):
    """What became of them."""

    entries: list[Entry]
    skips: Skips
    """Those that stay."""
    changes: dict[str, int]
    """What the profile changed in those that leave."""
    total: int = 0
    block: Block | None = None
    """The summaries of all of them, if they are not those of the block that came with them."""
