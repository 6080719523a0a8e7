"""The main screen: three panes, and the one place where a key becomes an action.

The first paint needs the frame alone. What the panes hold, and everything that acts, is imported once
that is on the screen; so handlers are found by their names here, not by classes that would be imported first.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input

from core.text import one_line
from core.workspace import Workspace
from tui.keys import Action, bindings
from tui.mishaps import Guarded
from tui.palette import Actions
from tui.widgets.key_bar import KeyBar
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from tui.dialogs import Dialogs
    from tui.exports import Exports
    from tui.findings import Findings
    from tui.folder import FolderFeed
    from tui.judging import Judging
    from tui.reader import Reader
    from tui.standings import Standings
    from tui.thread_actions import ThreadActions
    from tui.turn_actions import TurnActions
    from tui.widgets.conversation import Conversation
    from tui.widgets.editor import MessageEditor

PANES = ("threads", "conversation", "sensors")


class MainScreen(Guarded, Screen[None]):
    """Threads, conversation and sensors side by side, or as many of them as fit."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Actions}

    listed = getters.query_one("#threads", ThreadList)
    filter_line = getters.query_one("#filter", Input)
    key_bar = getters.query_one(KeyBar)

    def __init__(self, workspace: Workspace, actions: Sequence[Action], *, polling: bool | None = None) -> None:
        super().__init__(classes="at-threads")
        self.workspace = workspace
        self._actions = actions
        self._polling = polling
        self._handlers: dict[str, Callable[[], None]] = {}
        self._early: list[str] = []
        """Actions whose keys came before there was anything to carry them out."""
        self._turn_situation = "conversation"
        self._at = self._beside = "threads"
        """The pane that has the focus, and the one beside the conversation where there is room for two."""

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        with Horizontal(id="panes"):
            with Pane(id="threads-pane", classes="pane"):
                yield ThreadList(id="threads")
                yield Plain(id="filter-problem")
                yield Input(placeholder="/ filter", id="filter", compact=True, select_on_focus=False)
            with Pane(id="conversation-pane", classes="pane"):
                yield Plain(id="finding")
            yield Pane(id="sensors-pane", classes="pane")
        yield KeyBar(self._actions)

    def on_mount(self) -> None:
        """Show the frame first."""
        self.filter_line.can_focus = False
        self.filter_line.cursor_blink = False
        self.query_one("#threads-pane", Pane).retitle("threads")
        self.listed.focus()
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        """Bring in the panes and what acts on them, then read the folder."""
        from tui.branch_actions import BranchActions
        from tui.dialogs import Dialogs
        from tui.edit_actions import EditActions
        from tui.exports import Exports
        from tui.findings import Findings
        from tui.folder import FolderFeed
        from tui.judging import Judging
        from tui.reader import Reader
        from tui.runs import Runs
        from tui.standings import Standings
        from tui.thread_actions import ThreadActions
        from tui.turn_actions import TurnActions
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
        self.branches = BranchActions(self.turns, lambda: self.threads.known.values(), self.threads.go_to, self._marked)
        self.edits = EditActions(self.turns, self.branches)
        pane, line = self.query_one("#conversation-pane", Pane), self.query_one("#finding", Plain)
        self.findings: Findings = Findings(self, self.workspace, self.turns, pane, line)
        self.standings: Standings = Standings(self, self.workspace, self.listed)
        self.exports: Exports = Exports(self, self.workspace, lambda: self.threads.filter.text)
        self.dialogs: Dialogs = Dialogs(
            self, self._actions, self.runs, self.threads, self.turns, self.reader, self.exports
        )
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
            "pane.next": lambda: self._step_pane(1),
            "pane.previous": lambda: self._step_pane(-1),
            "app.quit": self.leave,
        }
        gc.freeze()  # what lives as long as the app need never be looked through again
        gc.enable()
        self.feed.start()
        while self._early:
            self.action_do(self._early.pop(0))

    @property
    def ready(self) -> bool:
        """Whether there is something to go on with."""
        return bool(self._handlers)

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

    def focus_pane(self, name: str) -> None:
        """Bring a pane to the screen, and put the focus there."""
        self._at = name
        if name != "conversation":
            self._beside = name
        if not self.has_class("-wide"):
            self._choose_panes()
        self.query_one(f"#{name}").focus()

    def on_resize(self) -> None:
        """Choose the panes that a narrower screen shows."""
        self._choose_panes()

    def _choose_panes(self) -> None:
        """Say which panes there is room for. Every change of a class styles the whole screen anew, so it is one change,
        and none where all panes are shown anyway."""
        kept = {one for one in self.classes if not one.startswith("at-")} - {"beside-sensors"}
        chosen = kept | {f"at-{self._at}"} | ({"beside-sensors"} if self._beside == "sensors" else set[str]())
        if chosen != self.classes:
            self.set_classes(chosen)

    def _step_pane(self, step: int) -> None:
        at = next((place for place, pane in enumerate(PANES) if self.query_one(f"#{pane}").has_focus), 0)
        self.focus_pane(PANES[(at + step) % len(PANES)])

    # The folder and the list

    def _on_folder_feed_loaded(self, event: FolderFeed.Loaded) -> None:
        self.threads.load(event.summaries)

    def _on_folder_feed_changed(self, event: FolderFeed.Changed) -> None:
        first = event.scanned and not self.threads.scanned
        self.threads.take(event.changes, event.scanned)
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

    def _on_findings_found(self, event: Findings.Found) -> None:
        self.findings.take(event)

    def _on_exports_progressed(self, event: Exports.Progressed) -> None:
        self.exports.progressed(event)

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
            self._title("")
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
        self._title(event.stem)
        if event.stored is None:
            one = self.threads.known.get(event.stem)
            self.turns.close(f"{event.problem}; V does so here" if one and one.shape == "v3" else event.problem)
        else:
            self.turns.open(event.stored)
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
        self._turn_situation = event.name
        self._show_keys()

    def _on_event_bridge_ready(self) -> None:
        from tui.bridge import REDRAW_SECONDS

        self.set_timer(REDRAW_SECONDS, self._take_events)

    def _take_events(self) -> None:
        events = self.runs.bridge.take()
        self.turns.running.take(events)
        self.dialogs.take(events)
        self.listed.show_running(self.runs.running)

    def _on_descendant_focus(self) -> None:
        self._show_keys()

    def _show_keys(self) -> None:
        if self.query("#editor:focus-within"):
            self.key_bar.show("editor")
            return
        if self.filter_line.has_focus:
            self.key_bar.show("filter")
            return
        pane = next((pane for pane in PANES[1:] if self.query(f"#{pane}:focus")), "threads")
        waits = self._turn_situation != "conversation" and pane != "sensors"
        self.key_bar.show(self._turn_situation if waits else pane)

    def _marked(self) -> set[str]:
        return self.listed.marked

    def _title(self, stem: str) -> None:
        self.query_one("#conversation-pane", Pane).retitle(one_line(stem, 120))
