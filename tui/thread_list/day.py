"""How far the accepted threads are on the way to the workspace's goal, under the list."""

from __future__ import annotations

from textual.screen import Screen

from core.workspace import Workspace
from tui.thread_list.known_folder import KnownFolder
from tui.widgets.pane import Pane

MARGIN = 6
"""Columns of the frame that a text in it leaves free."""
QUIET_SECONDS = 0.2
"""How long nothing may have changed before it is counted anew."""


class Day:
    """Counts it in a worker whenever threads changed, and shows it in the frame of the list."""

    def __init__(self, screen: Screen[None], workspace: Workspace, folder: KnownFolder, pane: Pane) -> None:
        self._screen = screen
        self._workspace = workspace
        self._folder = folder
        self._pane = pane
        self._text = ""
        self._beside = ""
        self._timer = screen.set_interval(QUIET_SECONDS, self._count, pause=True)

    def look(self) -> None:
        """Count anew once nothing changes any more."""
        self._timer.reset()
        self._timer.resume()

    def show_beside(self, text: str) -> None:
        """Show something that is under way before it; nothing where that is empty."""
        self._beside = text
        self._show(self._text)

    def _count(self) -> None:
        self._timer.pause()
        every = self._folder.summaries.every()

        def work() -> None:
            from core.listing.goal import Kinds, goal_of, progress

            goal = goal_of(self._workspace)
            text = progress(goal, every, Kinds(self._workspace)).text if goal else ""
            self._screen.call_later(self._show, text)

        self._screen.run_worker(work, thread=True, exclusive=True, group="goal")

    def _show(self, text: str) -> None:
        """Show it, with the sign of an accepted thread in the place of the word where there is little room."""
        self._text = text
        whole = " · ".join(filter(None, (self._beside, text)))
        narrow = len(whole) + MARGIN > self._pane.outer_size.width
        self._pane.footnote(whole.replace("accepted", "▲", 1) if narrow else whole)
