"""The screens that open over the main one, and what becomes of their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.message import Message
from textual.screen import Screen

from core.errors import SensorloomError
from core.events import TurnEvent
from core.text import one_line
from tui.keys import Action
from tui.reader import Reader
from tui.runs import Runs
from tui.thread_actions import ThreadActions
from tui.turn_actions import TurnActions

if TYPE_CHECKING:
    from core.endpoints import ModelChoice
    from tui.screens.new_thread import Begun, NewThreadScreen


class Dialogs:
    """Opens dialogs. Each is imported when it is asked for."""

    class NoData(Message):
        """The workspace holds no dataset."""

    def __init__(
        self, screen: Screen[None], actions: Sequence[Action], runs: Runs, threads: ThreadActions, turns: TurnActions,
        reader: Reader,
    ) -> None:  # fmt: skip
        self._screen = screen
        self._actions = actions
        self._runs = runs
        self._threads = threads
        self._turns = turns
        self._reader = reader
        self._new_thread: NewThreadScreen | None = None
        """The dialog for a new thread while it is open: it hears what the runs report."""

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions opens."""
        return {
            "thread.new": self.new_thread,
            "export.now": self.export,
            "list.saved": self.saved_filters,
            "app.model": self.model,
            "app.help": self.help,
            "app.palette": self._screen.app.action_command_palette,
        }

    def help(self) -> None:
        """All keys."""
        from tui.screens.help import HelpScreen

        self._screen.app.push_screen(HelpScreen(self._actions))

    def export(self) -> None:
        """Export the finished threads that the filter shows."""
        from tui.screens.export import ExportScreen

        self._screen.app.push_screen(ExportScreen(self._runs.workspace, self._threads.filter.text))

    def saved_filters(self) -> None:
        """Use a filter that is kept."""
        from tui.screens.saved_filters import SavedFiltersScreen

        def chosen(text: str | None) -> None:
            if text is not None:
                self._threads.use_filter(text)

        self._screen.app.push_screen(SavedFiltersScreen(self._runs.workspace, self._threads.filter.text), chosen)

    def model(self) -> None:
        """Choose the model that new turns are made with."""
        from tui.screens.model import ModelScreen

        def chosen(choice: ModelChoice | None) -> None:
            if choice is not None:
                self._runs.choice = choice
                name = one_line(f"{choice.model} at {choice.endpoint.name}", 120)
                self._screen.notify(f"new turns are made by {name}", markup=False)

        try:
            self._screen.app.push_screen(ModelScreen(self._runs.workspace, self._runs.choice), chosen)
        except SensorloomError as error:
            self._screen.notify(one_line(str(error), 300), severity="error", markup=False)

    def new_thread(self) -> None:
        """The dialog that begins a thread. It opens at once, so that keys which follow are meant for it."""
        from tui.screens.new_thread import NewThreadScreen

        used = frozenset((one.dataset, one.session) for one in self._threads.known.values())
        self._new_thread = NewThreadScreen(self._runs, used)
        self._screen.app.push_screen(self._new_thread, self._begun)

    def look_for_data(self) -> None:
        """Find out whether there is any data; where there is none, the offer to make some follows."""

        def work() -> None:
            from core.datasets.standard import dataset_names

            if not dataset_names(self._runs.workspace):
                self._screen.post_message(self.NoData())

        self._screen.run_worker(work, thread=True, exclusive=True, group="datasets")

    def offer_data(self) -> None:
        """Open the first-run screen, unless something is open already."""
        from tui.screens.first_run import FirstRunScreen

        if self._screen.is_current:
            self._screen.app.push_screen(FirstRunScreen(self._runs.workspace))

    def take(self, events: Sequence[TurnEvent]) -> None:
        """Hand on what the runs report."""
        if self._new_thread is not None:
            self._new_thread.take(events)

    def _begun(self, begun: Begun | None) -> None:
        self._new_thread = None
        if begun is None:
            return
        self._threads.saved(begun.stored)
        self._threads.go_to(begun.stored.stem)
        self._reader.skip_to(begun.stored.stem)
        self._turns.open(begun.stored)
        if begun.run:
            self._turns.run_to_end()
