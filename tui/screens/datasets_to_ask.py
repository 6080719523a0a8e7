"""The datasets that a new thread can be about, and opening one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.storage.memory import recall
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset

REMEMBERED = "new thread: dataset"
"""Under which name the dataset that was used last is remembered."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A dataset was opened, or cannot be."""

    names: Sequence[str]
    """All datasets there are."""
    name: str
    dataset: StandardDataset | None
    problem: str = ""


def opened(workspace: Workspace, name: str) -> Opened:
    """Open a dataset by its name; without one, the dataset that was used last, or the first."""
    from core.datasets.standard import dataset_names, open_dataset

    names = dataset_names(workspace)
    if not name and names:
        last = recall(workspace, REMEMBERED, "")
        name = last if last in names else names[0]
    try:
        dataset = open_dataset(workspace, name) if names else None
        if dataset is not None:
            dataset.sessions  # noqa: B018 - read here, off the screen's loop
        return Opened(names, name, dataset)
    except SensorloomError as error:
        return Opened(names, name, None, str(error))
