"""The screens that open over the main one, and what becomes of their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.filters.queue import ACCEPTED, leaves_out_judged
from core.runs.events import TurnEvent
from core.text import one_line
from tui.keys import Action
from tui.local_keys import keys_of
from tui.open_thread.open_thread import OpenThread, label_hidden
from tui.open_thread.runs import Runs
from tui.screens.exporting import Exports
from tui.thread_list.arranging import Arranging
from tui.thread_list.filter_line import FilterLine
from tui.thread_list.known_folder import KnownFolder

if TYPE_CHECKING:
    from core.curate.migrate import Migrated
    from core.export.report import ExportRequest
    from core.model.endpoints import ModelChoice
    from core.thread.summary import Summary
    from tui.screens.batching import Batching
    from tui.screens.frame import Frame
    from tui.screens.new_thread import Begun, NewThreadScreen
    from tui.widgets.compare_lines import Side


class Dialogs:
    """Opens dialogs. Each is imported when it is asked for."""

    def __init__(
        self, screen: Frame, actions: Sequence[Action], runs: Runs, folder: KnownFolder, arranging: Arranging,
        filter_line: FilterLine, thread: OpenThread, exports: Exports, begun: Callable[[Begun], None],
        restore: Callable[[str], None], let_go: Callable[[Sequence[str]], None],
        step_taken: Callable[[Sequence[str]], None], batching: Batching,
    ) -> None:  # fmt: skip
        """Args: `begun` is told of a thread that was made and is to be shown, `restore` brings a deleted one back,
        `let_go` is told of threads that are about to leave the folder, `step_taken` of those of a step of the list;
        `batching` makes several new ones."""
        self._screen = screen
        self._actions = actions
        self._runs = runs
        self._folder = folder
        self._arranging = arranging
        self._filter_line = filter_line
        self._thread = thread
        self._exports = exports
        self._begun = begun
        self._restore = restore
        self._let_go = let_go
        self._step_taken = step_taken
        self._batching = batching
        self._new_thread: NewThreadScreen | None = None
        """The dialog for a new thread while it is open: it hears what the runs report."""

    def help(self) -> None:
        """All keys."""
        from tui.screens.help import HelpScreen

        self._screen.app.push_screen(HelpScreen(self._actions))

    def palette(self) -> None:
        """Every action by its words."""
        self._screen.app.action_command_palette()

    def choose_export(self) -> None:
        """Choose what is exported, then export it."""
        from tui.screens.export_choice import ExportChoiceScreen

        if self._exports.running:
            self._exports.now()
            return

        def chosen(request: ExportRequest | None) -> None:
            if "heldout" in self._filter_line.text:
                self._filter_line.again()  # other sessions may be held out by now
            if request is not None:
                self._exports.start(request)

        listing = sorted(self._folder.summaries.every(), key=lambda summary: summary.stem)
        shown = self._filter_line.text
        if leaves_out_judged(shown) and any(summary.verdict == "accept" for summary in listing):
            shown = ACCEPTED  # which the dialog shows, and changes
        dialog = ExportChoiceScreen(
            self._runs.workspace, listing, self._arranging.current, shown,
            blind=self._thread.conversation.look.blind,
        )  # fmt: skip
        self._screen.app.push_screen(dialog, chosen)

    def ask_migration(self) -> None:
        """Offer to convert the v3 threads."""
        from core.curate.migrate import backup_folder
        from tui.dialogs.ask import ChooseScreen, Way

        old = [summary for summary in self._folder.summaries.every() if summary.shape == "v3"]
        if not old:
            self._screen.notify("there are no v3 threads here", markup=False)
            return

        def answered(key: str | None) -> None:
            if key is not None:
                self._let_go([summary.stem for summary in old])
                self._screen.run_worker(partial(self._migrate, old), thread=True, group="migrate")

        what = f"{len(old):,} thread{'s' if len(old) > 1 else ''} of the older v3 form"
        folder = self._runs.workspace.shown(backup_folder(self._runs.workspace))
        undo = keys_of(self._screen)["turn.undo"]
        ways = [Way("y", "convert", f"the originals are kept in {folder}/; {undo} takes it back")]
        self._screen.app.push_screen(ChooseScreen("convert", f"{what} to be converted.", ways), answered)

    def _migrate(self, old: Sequence[Summary]) -> None:
        from core.curate.migrate import migrate

        self._screen.call_later(self._migrated, migrate(self._runs.workspace, [summary.stem for summary in old]))

    def _migrated(self, done: Sequence[Migrated]) -> None:
        """Say what became of the v3 threads."""
        failed = [thread for thread in done if thread.problem]
        converted = [thread.id for thread in done if thread.id]
        text = f"{len(converted):,} converted" + ("; u in the list takes it back" if converted else "")
        self._step_taken(converted)
        if failed:
            text += f"; {len(failed):,} not: {failed[0].problem}"
        self._screen.notify(one_line(text, 400), severity="warning" if failed else "information", markup=False)

    def ask_rows(self) -> None:
        """Ask for a file of rows, and make threads of them."""
        from tui.screens.bringing_in import ask_rows

        ask_rows(self._screen, self._runs.workspace, self._arranging.current, self._folder, self._step_taken)

    def trash(self) -> None:
        """Choose a deleted thread and bring it back."""
        from tui.screens.trash import TrashScreen

        def chosen(stem: str | None) -> None:
            if stem is not None:
                self._restore(stem)

        self._screen.app.push_screen(TrashScreen(self._runs.workspace), chosen)

    def saved_filters(self) -> None:
        """Use a filter that is kept."""
        from tui.screens.saved_filters import SavedFiltersScreen

        def chosen(text: str | None) -> None:
            if text is not None:
                self._filter_line.put(text)

        self._screen.app.push_screen(SavedFiltersScreen(self._runs.workspace, self._filter_line.text), chosen)

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

    def compare(self, sides: Sequence[Side], left: int = 0, right: int = 1) -> None:
        """Several conversations, two of them side by side."""
        from tui.screens.compare import CompareScreen

        self._screen.app.push_screen(CompareScreen(sides, left, right))

    def plot(self) -> None:
        """The channels on the full screen."""
        from core.runs.plot_findings import source_of
        from tui.screens.marking import open_for_session
        from tui.screens.plot import PlotScreen

        view = self._thread.sensors.view
        if view is not None:
            mark = partial(open_for_session, hides_labels=label_hidden(self._thread))
            plot = PlotScreen(self._runs.workspace, lambda: source_of(view), mark)
            self._screen.app.push_screen(plot)

    def new_thread(self) -> None:
        """The dialog that begins a thread. It opens at once, so that keys which follow are meant for it."""
        from tui.screens.new_thread import NewThreadScreen

        used = Counter((summary.dataset, summary.session) for summary in self._folder.summaries.every())
        blind = self._thread.conversation.look.blind
        self._new_thread = NewThreadScreen(self._runs, used, self._offer_data, self._batching, blind=blind)
        self._screen.app.push_screen(self._new_thread, self._new_thread_left)

    def look_for_data(self) -> None:
        """Find out whether there is any data; where there is none, offer to make some."""

        def work() -> None:
            from core.datasets.standard import dataset_names

            if not dataset_names(self._runs.workspace):
                self._screen.call_later(self._offer_data_alone)

        self._screen.run_worker(work, thread=True, exclusive=True, group="datasets")

    def _offer_data_alone(self) -> None:
        """Open the first-run screen, unless something is open already."""
        if self._screen.is_current:
            self._offer_data()

    def data(self) -> None:
        """The datasets: import, check, mend."""
        from tui.screens.data import DataScreen

        def left(changed: bool | None) -> None:
            if changed:
                self._thread.sensors.reload()

        blind = self._thread.conversation.look.blind
        self._screen.app.push_screen(DataScreen(self._runs.workspace, blind=blind), left)

    def _offer_data(self) -> None:
        from tui.screens.first_run import FirstRunScreen

        def left(imported: bool | None) -> None:
            if imported:
                self._thread.sensors.reload()

        self._screen.app.push_screen(FirstRunScreen(self._runs.workspace), left)

    def hear(self, events: Sequence[TurnEvent]) -> None:
        """Hand on what the runs report."""
        if self._new_thread is not None:
            self._new_thread.hear(events)

    def _new_thread_left(self, begun: Begun | None) -> None:
        self._new_thread = None
        if begun is not None:
            self._begun(begun)
