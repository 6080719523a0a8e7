"""The screens that open over the list and say what it shows, and in which order."""

from __future__ import annotations

from collections.abc import Callable

from core.filters.language import narrowed
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.screens.batching import Batching
from tui.screens.evaluating import Evaluating, OpenThreads
from tui.screens.frame import Frame
from tui.thread_list.arranging import Arranging
from tui.thread_list.day import Day
from tui.thread_list.known_folder import KnownFolder


class ListScreens:
    """Opens them. Each is imported when it is asked for."""

    def __init__(
        self, screen: Frame, workspace: Workspace, folder: KnownFolder, arranging: Arranging, day: Day
    ) -> None:
        """Args: `folder` is what is known of the threads, `day` tells how far they are."""
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._arranging = arranging
        self._day = day
        self.making: Batching | None = None
        """Makes what a goal lacks, and other batches."""
        self.put: Callable[[str], None] = lambda _text: None
        """Puts a filter into force."""
        self.open_threads: OpenThreads = lambda _workspace, _title, _text: None
        """Shows the threads of another folder, to be read."""
        self.under_way = Evaluating(screen, workspace)
        """The evaluations that are being made."""
        self.export: Callable[[], None] = lambda: None
        """Opens the dialog of an export."""

    def close(self) -> None:
        """Stop what is under way, each saving what came."""
        self.under_way.close()
        if self.making is not None:
            self.making.close()

    def choose_field(self, then: Callable[[str | None], None]) -> None:
        """Ask for one of the fields of a filter."""
        from tui.screens.filter_fields import FilterFieldsScreen

        self._screen.app.push_screen(FilterFieldsScreen(), then)

    def choose_sort(self) -> None:
        """Sort by another column."""
        from tui.screens.sorting import SortScreen

        def chosen(order: tuple[str, bool] | None) -> None:
            if order is not None:
                self._arranging.sort_by(order[0], turned=order[1])

        self._screen.app.push_screen(SortScreen(self._arranging.sort, self._arranging.turned), chosen)

    def statistics(self, *, blind: bool) -> None:
        """What the threads that the list shows amount to; a row of it becomes a filter."""
        from tui.screens.statistics import StatisticsScreen

        arranging = self._arranging
        board = StatisticsScreen(
            self._workspace, lambda: arranging.shown, arranging.filter, len(self._folder.summaries), blind=blind
        )
        self._screen.app.push_screen(board, self._narrow)

    def failures(self, *, blind: bool) -> None:
        """The failures among the threads that the list shows, grouped by how; a group becomes a filter."""
        from tui.screens.failures import FailuresScreen

        board = FailuresScreen(self._workspace, self._arranging.shown, blind=blind)
        self._screen.app.push_screen(board, self._narrow)

    def evaluations(self) -> None:
        """How good models are."""
        from tui.screens.evaluations import EvaluationsScreen

        board = EvaluationsScreen(self._workspace, self.under_way, self.open_threads)
        self._screen.app.push_screen(board)

    def batches(self) -> None:
        """How far the batches are; the threads of one become the list."""
        from tui.screens.batches import BatchesScreen

        def chosen(name: str | None) -> None:
            if name is not None:
                self.put(f"batch:{name}")
                self._screen.focus_pane("threads")

        if self.making is not None:
            self._screen.app.push_screen(BatchesScreen(self._workspace, self.making), chosen)

    def _narrow(self, terms: tuple[str, ...] | None) -> None:
        """List only those of the shown threads that the terms select."""
        if terms is not None:
            text = self._arranging.filter.text
            fresh = [term for term in terms if f" {term} " not in f" {text} "]
            self.put(narrowed(text, *fresh))
            self._screen.focus_pane("threads")

    def tree(self, *, blind: bool) -> None:
        """Show all threads about the session of the one under the cursor, as a tree."""
        from tui.screens.tree import TreeScreen

        current = self._arranging.current
        every = self._folder.summaries.every()
        if current is None or current.stem not in self._folder.summaries:
            return

        def chosen(stem: str | None) -> None:
            if stem is not None:
                self._arranging.go_to(stem)

        self._screen.app.push_screen(TreeScreen(every, current.stem, blind=blind), chosen)

    def propose(self, *, blind: bool) -> None:
        """Say how far the goal is, and list what to judge for it."""
        from tui.screens.proposing import GoOn, ProposeScreen

        def chosen(go_on: GoOn | None) -> None:
            self._day.look()
            if go_on is None:
                return
            if go_on.then == "make":
                if self._arranging.filter.text.strip():  # it might hide what is made
                    self.put(go_on.filter)
                return
            if go_on.first:
                self._arranging.go_to(go_on.first)
                self.put("")  # the saved filter may have been in force as it was before
            self.put(go_on.filter)
            if go_on.then == "export":
                self.export()

        def every() -> list[Summary]:
            return self._folder.summaries.every()

        if self.making is not None:
            self._screen.app.push_screen(ProposeScreen(self._workspace, every, self.making, blind=blind), chosen)
