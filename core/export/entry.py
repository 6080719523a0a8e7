"""A thread on its way into a training file, and what became of some threads that were looked at together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import msgspec

from core.export.report import Skips
from core.thread.signature import Signature

Span = tuple[int, int]
"""Where bytes begin in the row buffer, and where they end."""


class Entry(msgspec.Struct, array_like=True, gc=False):
    """A thread that may leave. Who made its rows fills in the first half, who chooses among them the rest."""

    stem: str
    dataset: str
    session: str
    truth: str
    model: str
    verdict: str
    correct: bool | None
    size: int
    mtime_ns: int
    """Of its file, as it was read."""
    sha256: str
    """Of the file's bytes."""
    row_sizes: tuple[int, ...]
    """Bytes of each of its rows, line ends included."""
    richness: int
    """Keys of its fullest row."""
    sidecar: bytes = b""
    signature: Signature | None = None
    """What duplicates are found by, when they are looked for."""
    references: str | None = None
    """The names that its references were made without, one a line; None where it has none."""
    examples: tuple[str, ...] = ()
    """The threads that it was shown as examples, where they leave with it."""
    asks: str = ""
    """Hash of what its row asks, where a row is a question alone."""
    start: int = 0
    """Where its rows begin in the row buffer."""
    side: str = ""
    group: str = ""
    """What the split keeps together; empty when not split."""
    held_out: bool = False

    def spans(self) -> Iterator[Span]:
        """Its rows in the row buffer."""
        return pairwise(accumulate(self.row_sizes, initial=self.start))


@dataclass(slots=True)
class Part:
    """What became of some threads."""

    total: int
    """How many they were."""
    entries: list[Entry] = field(default_factory=list[Entry])
    """Those that may leave."""
    rows: bytes = b""
    """Their rows, one after the other."""
    skips: Skips = field(default_factory=Skips)
    """Those that stay."""
    changes: dict[str, int] = field(default_factory=dict[str, int])
    """What the profile changed in those that leave."""
