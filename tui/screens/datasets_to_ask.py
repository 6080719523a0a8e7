"""The datasets that a new thread can be about, and their sessions as a list to choose from."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.storage.memory import recall
from core.workspace import Workspace
from tui.widgets.picker import Choice

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


def choices(dataset: StandardDataset, used: Container[tuple[str, str]], *, blind: bool = False) -> list[Choice]:
    """The sessions with their labels, unless these are hidden; a dot where a thread is about one already."""
    return [
        Choice(
            session,
            ("· " if (dataset.name, session) in used else "")
            + ("" if blind else ", ".join(dataset.labels.get(session, ()))),
        )
        for session in dataset.sessions
    ]
