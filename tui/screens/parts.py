"""The parts of the app that act, composed in one place: who owns what, and who is told of what.

No part knows another by more than the functions it is given here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from core.listing.index import Changes
from core.storage.store import Stored
from core.text import one_line
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.keys import ActionId
from tui.local_keys import keys_of
from tui.open_thread.branches import Branches
from tui.open_thread.bridge import REDRAW_SECONDS
from tui.open_thread.comparing import Comparing
from tui.open_thread.copying import Copying
from tui.open_thread.edit_actions import EditActions
from tui.open_thread.findings import Findings
from tui.open_thread.open_thread import Listeners, OpenThread, Situation
from tui.open_thread.proposals import Proposals
from tui.open_thread.reader import Read, Reader
from tui.open_thread.running import Running
from tui.open_thread.runs import Runs
from tui.open_thread.searching import Searching
from tui.open_thread.stale_actions import StaleActions
from tui.open_thread.steering import Steering
from tui.open_thread.structuring import Structuring
from tui.open_thread.teaching import Teaching
from tui.open_thread.thread_work import ThreadWork
from tui.open_thread.turn_actions import TurnActions
from tui.open_thread.undoing import Undoing
from tui.screens.batching import Batching
from tui.screens.dialogs import Dialogs
from tui.screens.exporting import Exports
from tui.screens.frame import Frame
from tui.screens.hints import hint_lines, place_of, way_out
from tui.screens.list_screens import ListScreens
from tui.screens.live import LiveActions
from tui.screens.new_thread import Begun
from tui.thread_list.arranging import Arranging
from tui.thread_list.day import Day
from tui.thread_list.duplicates import Duplicates
from tui.thread_list.feed import FeedListeners, FolderFeed
from tui.thread_list.filter_line import Around, FilterLine
from tui.thread_list.judging import Judging
from tui.thread_list.known_folder import KnownFolder
from tui.thread_list.row_status import RowStatuses
from tui.thread_list.similar import Similar
from tui.thread_list.staying import Staying
from tui.widgets.compare_lines import Side
from tui.widgets.conversation import Conversation
from tui.widgets.line_field import LineField
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain
from tui.widgets.sensors import Sensors
from tui.widgets.thread_list import ThreadList


class Parts:
    """Everything that acts on the main screen."""

    def __init__(
        self,
        frame: Frame,
        workspace: Workspace,
        *,
        act: Callable[[ActionId], None],
        leave: Callable[[], None],
        resume: Callable[[], None],
        polling: bool | None = None,
    ) -> None:
        """Make the parts.

        Args:
            frame: the screen with its panes filled, in whose workers their blocking work runs.
            workspace: what is open.
            act: carries out an action, as its key would.
            leave: ends the program.
            resume: carries out the actions whose keys came while none could be.
            polling: whether the folder is looked at again and again rather than watched; None where that is found out.
        """
        self.frame = frame
        self.act = act
        self.leave = leave
        self.resume = resume
        self.workspace = workspace
        self.runs = Runs(workspace, lambda: frame.call_later(self._runs_report))
        self._compose_list(frame.listed)
        offer = keys_of(frame)["list.propose"]
        self.making = self.list_screens.making = Batching(frame, self.runs, self.day.show_beside, offer)
        self._compose_thread(frame.query_one(Conversation), frame.query_one(Sensors))
        self.exports = Exports(
            frame, workspace, lambda: self.filter_line.text, lambda: self.arranging.shown, lambda: self.folder.whole,
            self.exported, lambda: self.thread.conversation.look.blind, leave,
        )  # fmt: skip
        self.dialogs = Dialogs(
            frame, frame.actions, self.runs, self.folder, self.arranging, self.filter_line, self.thread, self.exports,
            self.begun, self.judging.restore, self.staying.let_go, self.undoing.step_taken, self.making,
        )  # fmt: skip
        self.live = LiveActions(frame, workspace, self.thread.sensors, self.begun)
        self.list_screens.export = self.dialogs.choose_export
        listeners = FeedListeners(self.arranging.load, self.folder_changed, self.folder_failed)
        self.feed = FolderFeed(frame, workspace, listeners, polling=polling)

    def _compose_list(self, listed: ThreadList) -> None:
        frame, workspace = self.frame, self.workspace
        pane, problem = frame.query_one("#threads-pane", Pane), frame.query_one("#filter-problem", Plain)
        self.folder = folder = KnownFolder()
        self.staying = staying = Staying(folder, listed, lambda: self.thread.staying)
        self.arranging = arranging = Arranging(frame, workspace, folder, listed, pane, staying)
        self.day = Day(frame, workspace, folder, pane)
        listed.hints = lambda width: hint_lines("threads" if listed.count else "no threads", frame.actions, width)
        self.list_screens = ListScreens(frame, workspace, folder, arranging, self.day)
        self.filter_line = FilterLine(
            workspace,
            folder,
            frame.filter_line,
            Around(problem, listed, self.list_screens.choose_field),
            arranging.show_matching,
        )
        self.list_screens.put = self.filter_line.put
        self.similar = Similar(arranging, self.filter_line, keys_of(frame))
        self.duplicates = Duplicates(
            frame, workspace, folder, urgent=lambda: arranging.looking, tell=self.duplicates_known
        )
        self.statuses = RowStatuses(frame, workspace, listed, self.duplicates.of)
        self.judging = Judging(
            frame,
            workspace,
            folder,
            listed,
            arranging,
            let_go=staying.let_go,
            done=lambda stems: self.undoing.step_taken(stems),
        )

    def _compose_thread(self, conversation: Conversation, sensors: Sensors) -> None:
        frame, folder, runs = self.frame, self.folder, self.runs

        def summaries() -> Iterable[Summary]:
            return folder.summaries.every()

        def compare(sides: Sequence[Side], left: int = 0, right: int = 1) -> None:
            self.dialogs.compare(sides, left, right)

        self.thread = thread = OpenThread(frame, self.workspace, conversation, sensors)
        self.reader = Reader(frame, self.workspace, self.read)
        self.proposals = proposals = Proposals(thread, self.act, compare)
        self.running = Running(thread, runs, proposals.adopt, proposals.keep)
        self.branches = branches = Branches(
            thread, summaries, folder.is_related, self.arranging.go_to, proposals.choose
        )
        self.comparing = Comparing(thread, summaries, self.arranging.marked, compare)
        self.undoing = Undoing(
            thread,
            running=lambda: runs.running,
            in_list=lambda: frame.listed.has_focus,
            go_to=branches.opened,
            let_go=self.staying.let_go,
            judged=self.judging.idle.wait,
            ended=self.resume,
        )
        self.turns = TurnActions(thread)
        self.structuring = Structuring(thread)
        self.steering = Steering(thread, self.running)
        self.teaching = Teaching(thread, self.running)
        self.stale = StaleActions(thread, self.act)
        self.edits = EditActions(
            thread, branches.opened, self.stale.rerun, compare, lambda: frame.focus_pane("conversation")
        )
        pane, line = frame.query_one("#conversation-pane", Pane), frame.query_one("#finding", Plain)
        self.findings = Findings(thread, pane, line, self.duplicates.of)
        self.copying = Copying(thread)
        self.searching = Searching(
            thread,
            frame.query_one("#search", LineField),
            frame.query_one("#hits", Plain),
            lambda: self.filter_line.words,
            frame.show_searched,
        )
        thread.listeners = Listeners(
            opened=self._opened,
            leaving=self.edits.leave,
            saved=self.saved,
            conflict=proposals.ask_conflict,
            situation=self._situate,
        )

        conversation.hints = lambda width: hint_lines(
            place_of(thread.work, any_thread=bool(folder.summaries)), frame.actions, width
        )

    # What concerns several parts

    def show(self, stored: Stored) -> None:
        """Show a thread that was read."""
        self.frame.title_thread(stored.stem, stored.thread)
        self.thread.open(stored)
        self.branches.mark_forks()
        self.findings.opened()
        self.arranging.tidy()

    def _opened(self, work: ThreadWork) -> None:
        self.proposals.offer(work)
        self.searching.opened()

    def enter(self) -> None:
        """Go from a row of the list into its thread."""
        self.frame.focus_pane("conversation")

    def show_none(self, why: str = "") -> None:
        """Show no thread, and say why."""
        self.thread.close(why)
        self.findings.opened()

    def read(self, read: Read) -> None:
        """Show what the cursor came to, or say why it does not open."""
        if read.stored is not None:
            self.show(read.stored)
            return
        self.frame.title_thread(read.stem)
        summary = self.folder.summaries.get(read.stem)
        way = way_out(summary)
        self.show_none(read.problem + (f"; {self.thread.keys[way]} does so here" if way else ""))

    def begun(self, begun: Begun) -> None:
        """Show a thread that was made, and run it where that was asked for."""
        stored = begun.stored
        self.arranging.saved(stored)
        self.arranging.go_to(stored.stem)
        self.reader.skip_to(stored.stem)
        self.show(stored)
        if begun.run:
            self.act("turn.run_to_end")

    def saved(self, stored: Stored) -> None:
        """A thread was saved here."""
        if self.thread.work is not None and self.thread.work.stored.stem == stored.stem:
            self.frame.title_thread(stored.stem, stored.thread)
        self.arranging.saved(stored)
        self.day.look()
        self.branches.mark_forks()
        self.findings.opened()

    def folder_changed(self, changes: Changes, scanned: bool) -> None:
        """Files of the folder appeared, changed or went."""
        first = scanned and not self.folder.scanned
        self.arranging.change(changes, scanned)
        self.duplicates.look()
        self.day.look()
        if first and all("example" in summary.tags for summary in self.folder.summaries.every()):
            self.dialogs.look_for_data()  # none yet, or only the examples that come with the program
        changed = [*(summary.stem for summary in changes.changed), *self.staying.not_let_go(changes.gone)]
        self.thread.changed(changed, changes.threads)
        if self.reader.wanted in changed and self.thread.work is None:
            self.reader.read(self.reader.wanted)

    def folder_failed(self, reason: str) -> None:
        """The folder cannot be read."""
        self.frame.notify(one_line(reason), severity="error", markup=False)

    def duplicates_known(self, stems: frozenset[str]) -> None:
        """Of these threads it is known anew what they repeat."""
        self.statuses.compare(stems)
        self.findings.compare(stems)

    def exported(self) -> None:
        """Threads have left."""
        self.statuses.forget()
        self.filter_line.again()

    def _runs_report(self) -> None:
        self.frame.set_timer(REDRAW_SECONDS, self.hear_runs)

    def hear_runs(self) -> None:
        """Take what the runs report."""
        events = self.runs.bridge.drain()
        self.running.hear(events)
        self.dialogs.hear(events)
        self._show_under_way()

    def _situate(self, situation: Situation) -> None:
        self.frame.show_situation(situation)
        self._show_under_way()

    def _show_under_way(self) -> None:
        self.frame.listed.show_under_way(self.runs.running, self.thread.waiting)

    def close(self) -> None:
        """Stop the runs, each saving what came, and the watch of the folder. Doing it again does no harm."""
        self.exports.close()
        self.list_screens.close()
        self.runs.close()
        self.feed.close()
