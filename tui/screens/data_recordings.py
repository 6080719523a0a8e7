"""What the screen of the datasets does with recordings kept whole: marking one, cutting windows of them anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from textual.screen import ModalScreen, Screen

from core.datasets.standard import open_dataset
from core.datasets.whole.cutting import Progress, cut_dataset, windows_in
from core.datasets.whole.recording import recordings_of
from core.errors import SensorloomError
from core.listing.index import sessions_used
from core.text import counted
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.pick import PickScreen
from tui.terminal.crash_guard import Guarded


class RecordingsKept(Guarded, ModalScreen[bool]):
    """The screen of the datasets, as far as recordings are concerned."""

    workspace: Workspace

    @property
    def pointed(self) -> str | None:
        """The dataset under the cursor."""
        raise NotImplementedError

    def do(self, what: str, work: Callable[[], str]) -> None:
        """Carry out what takes time, and say what came of it."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Say it below the datasets."""
        raise NotImplementedError

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Say how far it is."""
        raise NotImplementedError

    def action_recordings(self, cut: bool) -> None:
        """Mark a recording that the dataset under the cursor keeps whole, or cut windows of them anew."""
        name = self.pointed
        if name is not None and cut:
            self.app.push_screen(ask_how_to_cut(name), partial(self._cut_so, name))
        elif name is not None:
            self.run_worker(partial(choose_recording, self, self.workspace, name, self.say), thread=True)

    def _cut_so(self, name: str, text: str | None) -> None:
        if text:
            self.do(f"cutting {name}", partial(cut_as_typed, self.workspace, name, text, self.progress))


def choose_recording(screen: Screen[Any], workspace: Workspace, dataset: str, say: Callable[[str], None]) -> None:
    """Open a recording of a dataset to be marked, which one is asked where there are several; on a worker's thread."""
    from tui.screens.marking import MarkScreen

    def chosen(recording: str | None) -> None:
        if recording is not None:
            screen.app.push_screen(MarkScreen(workspace, dataset, recording))

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

    try:
        screen.call_later(listed, recordings_of(open_dataset(workspace, dataset)))
    except SensorloomError as error:
        screen.call_later(say, str(error))


def ask_how_to_cut(dataset: str) -> AskTextScreen:
    """Ask for the options of a cut."""
    asks = f"cut {dataset} anew: --length SECONDS, --overlap SHARE, --min-purity SHARE"
    return AskTextScreen(asks, "--length 5 --overlap 0 --min-purity 1")


def cut_as_typed(workspace: Workspace, dataset: str, text: str, progress: Progress) -> str:
    """Cut windows anew as the options say that were typed, and tell what became of it. Raises SensorloomError."""
    used = sessions_used(workspace, dataset)
    report = cut_dataset(workspace, dataset, windows_in(text), progress, used)
    return "\n".join((f"{dataset}: {counted(report.sessions, 'session')}", *report.lines()))
