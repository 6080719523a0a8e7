"""Feature tables, made by all machines of a cluster once: the driver keeps them, and from it each machine has them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.datasets.feature_table import FEATURES, MEASURED, table_file
from core.datasets.standard import StandardDataset, open_dataset
from core.datasets.table_rows import Block, Elsewhere, Setup, block_of
from core.errors import SensorloomError
from core.processes.items import Spread, Undone
from core.storage.atomic import digest, write_atomic
from core.workspace import Workspace
from tools.session import FeatureTable

WORTH_SEC = 10.0
"""Work left that workers are hired for, on one core: they take seconds to begin."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table that the driver has."""

    path: str
    """Where, on its machine."""
    ending: str
    """Of its name: `FEATURES` or `MEASURED`."""
    digest: str


def make_tables(workspace: Workspace, names: Iterable[str], spread_for: Callable[[str], Spread]) -> None:
    """Bring the tables of datasets up to date, on a cluster where that takes long.

    Args:
        workspace: the driver's.
        names: the datasets.
        spread_for: who does the work on one of them.

    Raises:
        SensorloomError: no worker can work, or it was stopped.
    """
    for name in sorted(names):
        dataset = open_dataset(workspace, name)
        elsewhere = Elsewhere(_rows_by(spread_for(name), name), WORTH_SEC)
        dataset.features(elsewhere=elsewhere)
        dataset.measurements(elsewhere=elsewhere)


def _rows_by(spread: Spread, name: str) -> Callable[[Setup, Sequence[Block]], Generator[FeatureTable]]:
    def rows(setup: Setup, blocks: Sequence[Block]) -> Generator[FeatureTable]:
        items = [tuple(session for session, _ in block) for block in blocks]
        done = 0
        with closing(spread(table_job, (name, setup), items, len(items))) as parts:
            for part in parts:
                for result in part:  # what workers are lost with may still be computed here
                    yield block_of(*setup)(blocks[done]) if isinstance(result, Undone) else result
                    done += 1
        if done < len(blocks):
            raise SensorloomError(f"computing the tables of {name} was stopped")

    return rows


def table_job(
    workspace: Workspace, name: str, setup: Setup
) -> Callable[[Sequence[tuple[str, ...]]], list[FeatureTable]]:
    """The job that computes the rows of some sessions, where a dataset is laid out."""
    dataset, rows = open_dataset(workspace, name), block_of(*setup)

    def job(items: Sequence[tuple[str, ...]]) -> list[FeatureTable]:
        return [rows(tuple((session, dataset.path_of(session)) for session in sessions)) for sessions in items]

    return job


def tables_of(dataset: StandardDataset) -> tuple[TableFile, ...]:
    """The tables that this machine has of a dataset."""
    paths = {ending: table_file(dataset, ending) for ending in (FEATURES, MEASURED)}
    return tuple(
        TableFile(str(path), ending, digest(path.read_bytes())) for ending, path in paths.items() if path.is_file()
    )


def put_table(dataset: StandardDataset, table: TableFile, fetch: Callable[[], bytes]) -> None:
    """Keep a table of the driver's as this machine's own, unless it is. Raises SensorloomError, OSError."""
    path = table_file(dataset, table.ending)
    if not path.is_file() or digest(path.read_bytes()) != table.digest:
        write_atomic(path, fetch(), durable=False)


def read_table_file(table: TableFile) -> bytes:
    """A table's file as the driver has it. Raises OSError."""
    return Path(table.path).read_bytes()
