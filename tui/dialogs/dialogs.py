"""The screens that open over the main one, and what becomes of their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from core.errors import SensorloomError
from core.runs.events import TurnEvent
from core.text import one_line
from tui.dialogs.exports import Exports
from tui.keys import Action
from tui.open_thread.runs import Runs
from tui.open_thread.turn_actions import TurnActions
from tui.thread_list.thread_actions import ThreadActions

if TYPE_CHECKING:
    from core.curate.migrate import Migrated
    from core.export.report import ExportRequest
    from core.model.endpoints import ModelChoice
    from core.thread.summary import Summary
    from tui.screens.frame import Frame
    from tui.screens.new_thread import Begun, NewThreadScreen


class Dialogs:
    """Opens dialogs. Each is imported when it is asked for."""

    class NoData(Message):
        """The workspace holds no dataset."""

    @dataclass
    class Made(Message):
        """A thread was made, and is to be shown."""

        begun: Begun

    @dataclass
    class Converted(Message):
        """v3 threads were converted, or could not be."""

        done: Sequence[Migrated]

    def __init__(
        self, screen: Frame, actions: Sequence[Action], runs: Runs, threads: ThreadActions, turns: TurnActions,
        exports: Exports,
    ) -> None:  # fmt: skip
        self._screen = screen
        self._actions = actions
        self._runs = runs
        self._threads = threads
        self._turns = turns
        self._exports = exports
        self._new_thread: NewThreadScreen | None = None
        """The dialog for a new thread while it is open: it hears what the runs report."""

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions opens."""
        return {
            "thread.new": self.new_thread,
            "export.choose": self.choose_export,
            "threads.migrate": self.ask_migration,
            "list.saved": self.saved_filters,
            "list.statistics": self.statistics,
            "app.model": self.model,
            "app.help": self.help,
            "app.palette": self._screen.app.action_command_palette,
        }

    def help(self) -> None:
        """All keys."""
        from tui.screens.help import HelpScreen

        self._screen.app.push_screen(HelpScreen(self._actions))

    def choose_export(self) -> None:
        """Choose what is exported, then export it."""
        from tui.screens.export_choice import ExportChoiceScreen

        if self._exports.running:
            self._exports.now()
            return

        def chosen(request: ExportRequest | None) -> None:
            if "heldout" in self._threads.filter.text:
                self._threads.filter_again()  # other sessions may be held out by now
            if request is not None:
                self._exports.start(request)

        listing = sorted(self._threads.known.values(), key=lambda one: one.stem)
        self._screen.app.push_screen(
            ExportChoiceScreen(self._runs.workspace, listing, self._threads.current, self._threads.filter.text), chosen
        )

    def ask_migration(self) -> None:
        """Offer to convert the v3 threads."""
        from core.curate.migrate import backup_folder
        from tui.dialogs.ask import ChooseScreen, Way

        old = [one for one in self._threads.known.values() if one.shape == "v3"]
        if not old:
            self._screen.notify("there are no v3 threads here", markup=False)
            return

        def answered(key: str | None) -> None:
            if key is not None:
                self._screen.run_worker(partial(self._migrate, old), thread=True, group="migrate")

        what = f"{len(old):,} thread{'s' if len(old) > 1 else ''} of the older v3 form"
        kept = f"the originals move to {self._runs.workspace.shown(backup_folder(self._runs.workspace))}/"
        self._screen.app.push_screen(ChooseScreen("convert", f"{what}; {kept}", [Way("y", "convert", kept)]), answered)

    def _migrate(self, old: Sequence[Summary]) -> None:
        from core.curate.migrate import migrate

        self._screen.post_message(self.Converted(migrate(self._runs.workspace, [summary.stem for summary in old])))

    def migrated(self, event: Converted) -> None:
        """Say what became of the v3 threads."""
        failed = [one for one in event.done if one.problem]
        text = f"{len(event.done) - len(failed):,} converted"
        if failed:
            text += f"; {len(failed):,} not: {failed[0].problem}"
        self._screen.notify(one_line(text, 400), severity="warning" if failed else "information", markup=False)

    def saved_filters(self) -> None:
        """Use a filter that is kept."""
        from tui.screens.saved_filters import SavedFiltersScreen

        def chosen(text: str | None) -> None:
            if text is not None:
                self._threads.use_filter(text)

        self._screen.app.push_screen(SavedFiltersScreen(self._runs.workspace, self._threads.filter.text), chosen)

    def statistics(self) -> None:
        """What the threads that the list shows amount to; a row of it becomes a filter."""
        from tui.screens.statistics import StatisticsScreen

        threads, blind = self._threads, self._turns.conversation.look.blind

        def chosen(terms: tuple[str, ...] | None) -> None:
            if terms is not None:
                text = threads.filter.text
                threads.use_filter(" ".join([text, *(one for one in terms if f" {one} " not in f" {text} ")]).strip())
                self._screen.focus_pane("threads")

        board = StatisticsScreen(
            self._runs.workspace, lambda: threads.shown, threads.filter, len(threads.known), blind=blind
        )
        self._screen.app.push_screen(board, chosen)

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
        if begun is not None:
            self._screen.post_message(self.Made(begun))
