"""What an importer hands to the import: a manifest, and the sessions in units that are finished one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import SensorloomError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.datasets.archive import Raw
    from core.datasets.tables.form import TableForm
    from tools.session import Channel, Samples

    Values = NDArray[np.float32] | NDArray[np.float64]


Progress = Callable[[int, int, str], None]
"""Work done, work in all, and what is being done. What it raises ends the work."""


class ImportStoppedError(SensorloomError):
    """A person stopped an import: nothing of it stays."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a raw dataset is cut into sessions; None leaves a choice to the importer."""

    length_sec: float | None = None
    overlap: float | None = None
    """Share of a window that the next one repeats, from 0 to below 1."""
    seed: int | None = None
    device: str | None = None
    """One of a dataset's devices instead of all."""
    table: TableForm | None = None
    """How tables of one's own are read."""


@dataclass(frozen=True, slots=True, eq=False)
class NewSession:
    """One session as it will be written."""

    session: str
    subject: str
    label: str
    time_sec: Samples
    """Shape (n,), from 0."""
    channels: tuple[str, ...]
    values: Values
    """Shape (channels, n)."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is known of it beside the label, as `facts.json` states it."""


@dataclass(frozen=True, slots=True, eq=False)
class NewRecording:
    """A recording as it will be kept whole, beside the sessions that are cut from it."""

    recording: str
    subject: str
    time_sec: Samples
    """Shape (n,), from 0, in the order of the rows."""
    channels: tuple[str, ...]
    values: Callable[[NDArray[np.integer]], Values]
    """Those of some rows, shape (channels, rows)."""
    intervals: str
    """Its `intervals.csv`."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a dataset, such as one subject, that is imported as a whole or not at all."""

    name: str
    size: int
    """How much of the work it is; bytes to read where that is known."""
    sessions: Callable[[Counter[str]], Iterable[NewSession | NewRecording]]
    """Reads them. What had to be dropped is counted in the argument, by reason."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An import about to begin."""

    title: str
    description: str
    activities: tuple[str, ...]
    channels: tuple[Channel, ...]
    source: str
    """Where the data come from, and what they may be used for."""
    settings: Mapping[str, Any]
    """What the sessions depend on besides the raw files: lengths, overlap, seed."""
    total: int
    """The sum of the units' sizes."""
    units: Iterable[Unit]
    dropped: Counter[str] = field(default_factory=Counter[str])
    """What was left out before any unit: whole files."""
    synthetic: bool = False
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts that are written beside the manifest, by file name."""
    told: tuple[str, ...] = ()
    """What was decided by looking at the files, a line each."""
    in_bytes: bool = False
    """Whether the units' sizes are bytes that are read."""

    def manifest(self) -> dict[str, Any]:
        """`manifest.json`. It opens every thread, so it holds what a reader of the sensors needs and no more."""
        return {
            "dataset_name": self.title,
            "description": self.description,
            **({"synthetic": True} if self.synthetic else {}),
            "activities": list(self.activities),
            "channels": [
                {
                    "name": channel.name,
                    "description": channel.description,
                    "unit": channel.unit,
                    "sampling_rate_hz": channel.rate_hz,
                }
                for channel in self.channels
            ],
        }


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of raw dataset."""

    name: str
    about: str
    """One line for the help."""
    needs_path: bool
    options: Sequence[str]
    """The fields of `ImportOptions` it knows."""
    plan: Callable[[Raw | None, ImportOptions], Plan]
