"""The rows of a table, computed from sessions' files: here, and where that takes long, on all cores.

Imported only where there is something to compute, and by what processes are forked from, so that they share it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.datasets.session_file import read_session
from core.errors import DatasetError, SensorloomError
from core.processes.pool import in_order
from tools.measured import measurements_of
from tools.session import Channel, FeatureTable, Window

BLOCK = 16
"""Sessions of a part: what is told of at once, and what a stop waits for."""
ALONE_SEC = 0.5
"""Work that is done here before it is looked at how much is left."""
WORTH_SEC = 1.5
"""Work left that processes are started for: they take half a second to begin."""

Block = tuple[tuple[str, Path], ...]
"""Sessions and their files."""
Compute = Callable[[Sequence[Channel], Iterator[tuple[str, Window]]], FeatureTable]
"""A function of a module, as processes are given it by its name: the rows of windows, each beside its session's id."""
Setup = tuple[Compute, tuple[Channel, ...], tuple[Channel, ...]]
"""What computes rows: the function, the dataset's channels, and those that its manifest describes."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where rows are computed of which there is much to do."""

    rows: Callable[[Setup, Sequence[Block]], Generator[FeatureTable]]
    """The rows of each block, in order. Raises SensorloomError where it cannot compute them."""
    worth_sec: float
    """Work left that it is begun for."""


def rows_of(
    compute: Compute,
    channels: Sequence[Channel],
    described: Sequence[Channel],
    sessions: Sequence[tuple[str, Path]],
    elsewhere: Elsewhere | None = None,
) -> Generator[tuple[int, FeatureTable]]:
    """The rows of these sessions in their order, some at a time, and how many sessions are then done. Those that
    cannot be read have no row.

    Args:
        compute: what computes them.
        channels: of the dataset.
        described: the channels that its manifest describes.
        sessions: ids and files.
        elsewhere: where it is computed if that takes long; on all cores unless told.
    """
    blocks = [tuple(sessions[start : start + BLOCK]) for start in range(0, len(sessions), BLOCK)]
    tables = _in_order(blocks, (compute, tuple(channels), tuple(described)), elsewhere or ON_ALL_CORES)
    with closing(tables):
        for number, table in enumerate(tables, 1):
            yield min(number * BLOCK, len(sessions)), table


def _in_order(blocks: Sequence[Block], setup: Setup, elsewhere: Elsewhere) -> Generator[FeatureTable]:
    """The blocks' rows: of the first ones computed here, and of the others elsewhere where it is worth it."""
    job = block_of(*setup)
    begun, done = time.monotonic(), 0
    while done < len(blocks) and not _is_worth(elsewhere, time.monotonic() - begun, done, len(blocks) - done):
        yield job(blocks[done])
        done += 1
    if done == len(blocks):
        return
    with closing(elsewhere.rows(setup, blocks[done:])) as tables:
        yield from tables


def _is_worth(elsewhere: Elsewhere, spent: float, done: int, left: int) -> bool:
    return done > 0 and spent >= ALONE_SEC and left * spent / done >= elsewhere.worth_sec


def _in_processes(setup: Setup, blocks: Sequence[Block]) -> Generator[FeatureTable]:
    done = 0
    try:  # with one core, it is done here
        with closing(in_order(block_of, setup, blocks)) as tables:
            for table in tables:
                yield table
                done += 1
    except SensorloomError:  # no process can be started here, or one was killed
        yield from map(block_of(*setup), blocks[done:])


def block_of(
    compute: Compute, channels: tuple[Channel, ...], described: tuple[Channel, ...]
) -> Callable[[Block], FeatureTable]:
    """The job that computes the rows of a block."""
    return lambda block: compute(channels, _windows(block, described))


def _windows(block: Block, described: tuple[Channel, ...]) -> Iterator[tuple[str, Window]]:
    for session, path in block:
        try:
            yield session, read_session(path, described)
        except DatasetError:
            continue


ON_ALL_CORES = Elsewhere(_in_processes, WORTH_SEC)


def measured(_: Sequence[Channel], windows: Iterator[tuple[str, Window]]) -> FeatureTable:
    """What the measuring tools print of these windows."""
    return measurements_of(windows)
