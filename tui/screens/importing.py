"""Choosing what is imported: recordings of one's own, the demo, or a published dataset from its raw files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textual.screen import Screen

from core.datasets.importing import IMPORTERS, ImportReport, import_dataset, importer_named
from core.datasets.plan import Importer, Progress
from core.datasets.standard import open_dataset
from core.workspace import Workspace
from tui.dialogs.ask_path import AskPathScreen
from tui.dialogs.listed import ListedScreen
from tui.screens.own_recordings import import_own
from tui.widgets.picker import Choice

OWN = "table"
"""The importer of one's own recordings."""


def importers() -> dict[str, Importer]:
    """Everything that can be imported, one's own recordings first. Imports a module for each."""
    return {name: importer_named(name) for name in sorted(IMPORTERS, key=lambda name: name != OWN)}


def import_published(workspace: Workspace, kind: str, raw: Path | None, progress: Progress) -> ImportReport:
    """Import a published dataset, or the demo, and compute its features. Raises SensorloomError."""
    report = import_dataset(workspace, kind, raw, progress=progress)
    open_dataset(workspace, report.dataset).features(progress)
    return report


def choose_import(
    screen: Screen[Any],
    workspace: Workspace,
    every: Mapping[str, Importer],
    *,
    own: Callable[[ImportReport], object],
    published: Callable[[str, Path | None], object],
) -> None:
    """Ask what is imported, and from where.

    Args:
        screen: where it is asked.
        workspace: where the dataset goes.
        every: what can be imported, by name.
        own: called with what was imported of one's own recordings.
        published: called with the importer's name and the path of the raw files, None where it needs none.
    """
    names = list(every)

    def picked(at: int | None) -> None:
        if at is None:
            return
        name = names[at]

        def asked(path: Path | None) -> None:
            if path is not None:
                published(name, path)

        if name == OWN:
            import_own(screen, workspace, own)
        elif every[name].needs_path:
            screen.app.push_screen(AskPathScreen(f"{name}: its raw folder or archive, as it was published"), asked)
        else:
            published(name, None)

    screen.app.push_screen(ListedScreen("import", [Choice(name, every[name].about) for name in names]), picked)
