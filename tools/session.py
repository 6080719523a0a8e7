"""What a tool sees of the world: a session's samples, its channels, and the dataset around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of a session, as the dataset's manifest describes it."""

    name: str
    description: str = ""
    unit: str = ""
    rate_hz: float | None = None
    """Samples a second; None when the manifest does not say."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one session on some of its channels.

    `time_sec` has shape (n,), seconds from the session's start, rising; `values` has shape
    (channels, n), in each channel's unit, NaN where a sample is missing.
    """

    channels: tuple[Channel, ...]
    time_sec: Samples
    values: Samples

    @property
    def names(self) -> tuple[str, ...]:
        """The channels' names, in the order of `values`."""
        return tuple(channel.name for channel in self.channels)

    @property
    def start_sec(self) -> float:
        """Time of the first sample; 0 for an empty window."""
        return float(self.time_sec[0]) if self.time_sec.size else 0.0

    @property
    def end_sec(self) -> float:
        """Time of the last sample; 0 for an empty window."""
        return float(self.time_sec[-1]) if self.time_sec.size else 0.0


class FeatureTable(Protocol):
    """Numbers of every session of a dataset, computed once; see `tools.features` and `tools.measured`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names: the columns of `values`."""
        ...

    @property
    def sessions(self) -> tuple[str, ...]:
        """Session ids: the rows of `values`."""
        ...

    @property
    def values(self) -> Samples:
        """Shape (sessions, features)."""
        ...


class Dataset(Protocol):
    """A dataset in the standard form, as `core.datasets` opens it."""

    @property
    def name(self) -> str:
        """The dataset's folder name."""
        ...

    @property
    def title(self) -> str:
        """The name its manifest gives it, which a model reads first; the folder's name where it gives none."""
        ...

    @property
    def description(self) -> str:
        """What the manifest says of it."""
        ...

    @property
    def activities(self) -> Sequence[str]:
        """The label set."""
        ...

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels of its sessions."""
        ...

    @property
    def labels(self) -> Mapping[str, Sequence[str]]:
        """Session id to labels."""
        ...

    @property
    def subjects(self) -> Mapping[str, str]:
        """Session id to subject; a session whose subject is not known is missing."""
        ...

    def load(self, session: str) -> Window:
        """Read one session's samples."""
        ...

    def features(self) -> FeatureTable:
        """The feature table of all sessions, from the cache where it is fresh."""
        ...

    def measurements(self) -> FeatureTable:
        """What the measuring tools print of many sessions, see `tools.measured`; from the cache where it is fresh."""
        ...

    def cached(
        self, table: FeatureTable, about: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """What `make` gives of this feature table of the dataset and its labels and subjects; it is not asked where
        that was kept under `about`, which tells it from all else that is made of them. Raises what `make` raises."""
        ...
