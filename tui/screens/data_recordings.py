"""What the screen of the datasets does with recordings kept whole: marking one, cutting windows of them anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.screen import Screen

from core.datasets.standard import open_dataset
from core.datasets.whole.cutting import Progress, cut_dataset, windows_in
from core.datasets.whole.recording import recordings_of
from core.errors import SensorloomError
from core.listing.index import sessions_used
from core.text import counted
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.pick import PickScreen


def mark_recording(
    screen: Screen[Any], workspace: Workspace, dataset: str, say: Callable[[str], None], *, hides_labels: bool
) -> None:
    """Open a recording of a dataset to be marked; which one is asked where there are several.

    Args:
        screen: where it is asked.
        workspace: whose dataset.
        dataset: its name.
        say: called with a sentence where there is none to mark.
        hides_labels: whether the marks there are do not tell their labels.
    """
    from tui.screens.marking import MarkScreen

    def chosen(recording: str | None) -> None:
        if recording is not None:
            screen.app.push_screen(MarkScreen(workspace, dataset, recording, hides_labels=hides_labels))

    def listed(names: list[str]) -> None:
        if len(names) > 1:
            screen.app.push_screen(PickScreen(f"a recording of {dataset}", names), chosen)
        elif names:
            chosen(names[0])
        else:
            say(
                f"{dataset} keeps no recordings whole, and windows with a label of their own are not marked; import "
                "what they were cut from with --keep-whole"
            )

    def look() -> None:
        try:
            screen.call_later(listed, recordings_of(open_dataset(workspace, dataset)))
        except SensorloomError as error:
            screen.call_later(say, str(error))

    screen.run_worker(look, thread=True)


def cut_anew(
    screen: Screen[Any],
    workspace: Workspace,
    dataset: str,
    do: Callable[[str, Callable[[], str]], None],
    progress: Progress,
) -> None:
    """Ask how windows of a dataset's recordings are cut anew, and have it done.

    Args:
        screen: where it is asked.
        workspace: whose dataset.
        dataset: its name.
        do: called with what is done in a few words, and the work, which gives a sentence or raises SensorloomError.
        progress: told how far it is.
    """

    def typed(text: str | None) -> None:
        if text:
            do(f"cutting {dataset}", partial(_cut, workspace, dataset, text, progress))

    asks = f"cut {dataset} anew: --length SECONDS, --overlap SHARE, --min-purity SHARE"
    screen.app.push_screen(AskTextScreen(asks, "--length 5 --overlap 0 --min-purity 1"), typed)


def _cut(workspace: Workspace, dataset: str, text: str, progress: Progress) -> str:
    """Cut as the options say that were typed, and tell what became of it. Raises SensorloomError."""
    used = sessions_used(workspace, dataset)
    report = cut_dataset(workspace, dataset, windows_in(text), progress, used)
    return "\n".join((f"{dataset}: {counted(report.sessions, 'session')}", *report.lines()))
