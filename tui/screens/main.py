"""The main screen: the one place where a key becomes an action.

The first paint needs the frame alone. What the panes hold, and everything that acts, is imported once
that is on the screen; so handlers are found by their names here, not by classes that would be imported first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from core.text import one_line
from core.workspace import Workspace
from tui.keys import Action
from tui.screens.frame import PANES, Frame
from tui.terminal.gc_pauses import start_searching
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.storage.store import Stored
    from tui.dialogs.dialogs import Dialogs
    from tui.dialogs.exports import Exports
    from tui.open_thread.findings import Findings
    from tui.open_thread.reader import Reader
    from tui.open_thread.turn_actions import TurnActions
    from tui.thread_list.duplicates import Repeats
    from tui.thread_list.folder import FolderFeed
    from tui.thread_list.judging import Judging
    from tui.thread_list.row_status import Standings
    from tui.thread_list.thread_actions import ThreadActions
    from tui.widgets.conversation import Conversation
    from tui.widgets.editor import MessageEditor
    from tui.widgets.thread_list import ThreadList


class MainScreen(Frame):
    """The frame, and everything that acts in it."""

    def __init__(self, workspace: Workspace, actions: Sequence[Action], *, polling: bool | None = None) -> None:
        super().__init__(actions)
        self.workspace = workspace
        self._polling = polling
        self._handlers: dict[str, Callable[[], None]] = {}
        self._early: list[str] = []
        """Actions whose keys came before there was anything to carry them out."""

    def on_mount(self) -> None:
        """Fill the frame once it is on the screen."""
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        """Bring in the panes and what acts on them, then read the folder."""
        from tui.dialogs.dialogs import Dialogs
        from tui.dialogs.exports import Exports
        from tui.open_thread.branch_actions import BranchActions
        from tui.open_thread.edit_actions import EditActions
        from tui.open_thread.findings import Findings
        from tui.open_thread.reader import Reader
        from tui.open_thread.runs import Runs
        from tui.open_thread.turn_actions import TurnActions
        from tui.thread_list.duplicates import Repeats
        from tui.thread_list.folder import FolderFeed
        from tui.thread_list.judging import Judging
        from tui.thread_list.row_status import Standings
        from tui.thread_list.thread_actions import ThreadActions
        from tui.widgets.conversation import Conversation
        from tui.widgets.sensors import Sensors

        conversation, sensors = Conversation(id="conversation"), Sensors(self.workspace, id="sensors")
        await self.query_one("#conversation-pane").mount(conversation, before=0)
        await self.query_one("#sensors-pane").mount(sensors)
        self.runs = Runs(self.workspace, self)
        self.reader: Reader = Reader(self, self.workspace)
        self.threads: ThreadActions = ThreadActions(self, self.workspace, self.listed, self.filter_line)
        self.judging: Judging = Judging(self, self.workspace, self.listed, self.threads)
        self.turns: TurnActions = TurnActions(self, conversation, sensors, self.runs)
        threads = self.threads
        self.branches = BranchActions(
            self.turns, lambda: threads.known.values(), threads.is_related, threads.go_to, self._marked
        )
        self.edits = EditActions(self.turns, self.branches)
        pane, line = self.query_one("#conversation-pane", Pane), self.query_one("#finding", Plain)
        self.repeats: Repeats = Repeats(self, self.workspace, self.threads)
        self.findings: Findings = Findings(self, self.workspace, self.turns, pane, line, self.repeats)
        self.standings: Standings = Standings(self, self.workspace, self.listed, self.repeats)
        self.exports: Exports = Exports(self, self.workspace, lambda: self.threads.filter.text)
        self.dialogs: Dialogs = Dialogs(self, self._actions, self.runs, self.threads, self.turns, self.exports)
        self.feed: FolderFeed = FolderFeed(self.workspace, self.post_message, polling=self._polling)
        self._handlers = {
            **self.threads.handlers(),
            **self.judging.handlers(),
            **self.turns.handlers(),
            **self.branches.handlers(),
            **self.edits.handlers(),
            **self.dialogs.handlers(),
            **self.exports.handlers(),
            **self.findings.handlers(),
            "list.blind": conversation.action_blind,
            **{f"pane.{pane}": partial(self.focus_pane, pane) for pane in PANES},
            "pane.next": lambda: self.step_pane(1),
            "pane.previous": lambda: self.step_pane(-1),
            "app.suspend": self.app.action_suspend_process,
            "app.quit": self.leave,
        }
        start_searching()
        self.feed.start()
        while self._early:
            self.action_do(self._early.pop(0))

    @property
    def ready(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self._handlers)

    def used(self) -> None:
        """Somebody is at the keys: what takes long and nobody asked for can wait."""
        if self._handlers:
            self.repeats.give_way()

    def on_unmount(self) -> None:
        """Let what is under way come to its end before the process goes."""
        self.close()

    def close(self) -> None:
        """Stop the runs, each saving what came, and the watch of the folder. Doing it again does no harm."""
        if self._handlers:
            self.exports.stop()
            self.runs.close()
            self.feed.close()

    def leave(self) -> None:
        """Stop what runs, keep what came of it, and end the program."""
        if self._handlers:
            self.run_worker(self._leave(), group="leave", exclusive=True)
        else:
            self.app.exit()

    async def _leave(self) -> None:
        if running := len(self.runs.running):
            self.notify(f"stopping {running} run{'s' if running > 1 else ''} …", markup=False)
        self.edits.keep_draft()
        await asyncio.to_thread(self.runs.close)
        self._take_events()
        if saving := [one for one in self.workers if one.group == "turns"]:
            await self.workers.wait_for_complete(saving)
        self.app.exit()

    def can_do(self, name: str) -> bool:
        """Whether there is something that carries out the action."""
        return name in self._handlers

    def action_do(self, name: str) -> None:
        """Carry out the action that a key or the palette names."""
        if not self._handlers:
            self._early.append(name)
        elif self.edits.opening:
            return
        elif (handler := self._handlers.get(name)) is not None:
            handler()

    # The folder and the list

    def _on_folder_feed_loaded(self, event: FolderFeed.Loaded) -> None:
        self.threads.load(event.summaries)

    def _on_folder_feed_changed(self, event: FolderFeed.Changed) -> None:
        first = event.scanned and not self.threads.scanned
        self.threads.take(event.changes, event.scanned)
        self.repeats.look()
        if first and all("example" in one.tags for one in self.threads.known.values()):
            self.dialogs.look_for_data()  # none yet, or only the examples that come with the program
        changed = [*(one.stem for one in event.changes.found), *event.changes.gone]
        self.turns.changed(changed)
        if self.reader.wanted in changed and self.turns.work is None:
            self.reader.read(self.reader.wanted)

    def _on_folder_feed_failed(self, event: FolderFeed.Failed) -> None:
        self.notify(one_line(event.reason), severity="error", markup=False)

    def _on_thread_actions_arranged(self, event: ThreadActions.Arranged) -> None:
        self.threads.show(event)

    def _on_judging_done(self, event: Judging.Done) -> None:
        self.judging.finished(event)
        self.branches.judged(event.done.changed)

    def _on_thread_list_turned(self) -> None:
        if self._handlers:
            self.standings.look()

    def _on_standings_found(self, event: Standings.Found) -> None:
        self.standings.take(event)

    def _on_repeats_found(self, event: Repeats.Found) -> None:
        self.repeats.take(event)
        self.standings.compare(event.changed)
        self.findings.compare(event.changed)

    def _on_findings_found(self, event: Findings.Found) -> None:
        self.findings.take(event)

    def _on_exports_ended(self, event: Exports.Ended) -> None:
        self.exports.ended(event)
        self.standings.forget()
        self.threads.filter_again()

    def _on_exports_copied(self, event: Exports.Copied) -> None:
        self.exports.copied(event)

    def _on_dialogs_converted(self, event: Dialogs.Converted) -> None:
        self.dialogs.migrated(event)

    def _on_dialogs_no_data(self) -> None:
        self.dialogs.offer_data()

    def _on_thread_list_moved(self, event: ThreadList.Moved) -> None:
        if event.summary is None:
            self.turns.close()
            self.title_thread("")
            self.findings.opened()
        else:
            self.reader.follow(event.summary.stem)

    def _on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self.filter_line and self._handlers:
            self.threads.set_filter(event.value)

    def _on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self.filter_line:
            self.threads.end_filter()

    # The open thread

    def _on_reader_read(self, event: Reader.Read) -> None:
        if event.stem != self.reader.wanted:
            return
        if event.stored is not None:
            self._show(event.stored)
            return
        self.title_thread(event.stem)
        one = self.threads.known.get(event.stem)
        self.turns.close(f"{event.problem}; V does so here" if one and one.shape == "v3" else event.problem)
        self.findings.opened()

    def _on_dialogs_made(self, event: Dialogs.Made) -> None:
        stored = event.begun.stored
        self.threads.saved(stored)
        self.threads.go_to(stored.stem)
        self.reader.skip_to(stored.stem)
        self._show(stored)
        if event.begun.run:
            self.turns.running.run_to_end()

    def _show(self, stored: Stored) -> None:
        self.title_thread(stored.stem)
        self.turns.open(stored)
        self.branches.mark_forks()
        self.findings.opened()

    def _on_message_editor_changed(self, event: MessageEditor.Changed) -> None:
        self.edits.typed(event)

    def _on_message_editor_saved(self, event: MessageEditor.Saved) -> None:
        self.edits.saved(event)

    def _on_message_editor_left(self) -> None:
        self.edits.left()

    def _on_conversation_focused(self, event: Conversation.Focused) -> None:
        self.turns.focused(event.index)
        self.listed.show_blind(self.turns.conversation.look.blind)

    def _on_conversation_taken(self, event: Conversation.Taken) -> None:
        self.turns.proposals.take_sample(event.number)

    def _on_turn_actions_saved(self, event: TurnActions.Saved) -> None:
        self.threads.saved(event.stored)
        self.branches.mark_forks()
        self.findings.opened()

    def _on_turn_actions_situation(self, event: TurnActions.Situation) -> None:
        self.show_situation(event.name)

    def _on_event_bridge_ready(self) -> None:
        from tui.open_thread.bridge import REDRAW_SECONDS

        self.set_timer(REDRAW_SECONDS, self._take_events)

    def _take_events(self) -> None:
        events = self.runs.bridge.take()
        self.turns.running.take(events)
        self.dialogs.take(events)
        self.listed.show_running(self.runs.running)

    def _marked(self) -> set[str]:
        return self.listed.marked
