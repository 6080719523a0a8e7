"""The main screen: three panes, and the one place where a key becomes an action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.command import Provider
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from core.text import one_line
from core.workspace import Workspace
from tui.bridge import REDRAW_SECONDS, EventBridge
from tui.folder import FolderFeed
from tui.judging import Judging
from tui.keys import Action, bindings
from tui.palette import Actions
from tui.reader import Reader
from tui.runs import Runs
from tui.thread_actions import ThreadActions
from tui.turn_actions import TurnActions
from tui.widgets.conversation import Conversation
from tui.widgets.key_bar import KeyBar
from tui.widgets.sensors import Sensors
from tui.widgets.thread_list import ThreadList

if TYPE_CHECKING:
    from tui.screens.new_thread import Begun, NewThreadScreen

PANES = ("threads", "conversation", "sensors")


class MainScreen(Screen[None]):
    """Threads, conversation and sensors side by side, or as many of them as fit."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Actions}

    listed = getters.query_one("#threads", ThreadList)
    conversation = getters.query_one(Conversation)
    sensors = getters.query_one(Sensors)
    filter_line = getters.query_one("#filter", Input)
    key_bar = getters.query_one(KeyBar)

    @dataclass
    class DatasetsFound(Message):
        """Which datasets there are, asked for a new thread or at the start."""

        names: tuple[str, ...]
        for_new: bool

    def __init__(self, workspace: Workspace, actions: Sequence[Action], *, polling: bool | None = None) -> None:
        super().__init__()
        self.workspace = workspace
        self.runs = Runs(workspace, self)
        self._actions = actions
        self._feed = FolderFeed(workspace, self.post_message, polling=polling)
        self._handlers: dict[str, Callable[[], None]] = {}
        self._turn_situation = "conversation"
        self._dialog: NewThreadScreen | None = None
        """The dialog for a new thread while it is open: it hears what the runs report."""

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Horizontal(id="panes"):
            with Vertical(id="threads-pane", classes="pane"):
                yield ThreadList(id="threads")
                yield Input(placeholder="/ filter", id="filter", compact=True, select_on_focus=False)
            with Vertical(id="conversation-pane", classes="pane"):
                yield Conversation(id="conversation")
            with Vertical(id="sensors-pane", classes="pane"):
                yield Sensors(self.workspace, id="sensors")
        yield KeyBar(self._actions)

    def on_mount(self) -> None:
        """Wire the panes, and read the folder once something is on the screen."""
        self.filter_line.can_focus = False
        self.filter_line.cursor_blink = False
        self.reader = Reader(self, self.workspace)
        self.threads = ThreadActions(self, self.workspace, self.listed, self.filter_line)
        self.turns = TurnActions(self, self.conversation, self.sensors, self.runs)
        self.judging = Judging(self, self.workspace, self.listed, self.threads)
        self._handlers = {
            **self.threads.handlers(),
            **self.judging.handlers(),
            **self.turns.handlers(),
            **self._own_handlers(),
        }
        self.threads.retitle()
        self.listed.focus()
        self.call_after_refresh(self._feed.start)

    def on_unmount(self) -> None:
        """Let what is under way come to its end before the process goes."""
        self.runs.close()
        self._feed.close()

    def action_do(self, name: str) -> None:
        """Carry out the action a key or the palette names."""
        handler = self._handlers.get(name)
        if handler is not None:
            handler()

    def focus_pane(self, name: str) -> None:
        """Bring a pane to the screen, and put the focus there."""
        for pane in PANES:
            self.set_class(pane == name, f"at-{pane}")
        if name != "conversation":
            self.set_class(name == "sensors", "beside-sensors")
        self.query_one(f"#{name}").focus()

    def _own_handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **{f"pane.{pane}": partial(self.focus_pane, pane) for pane in PANES},
            "pane.next": lambda: self._step_pane(1),
            "pane.previous": lambda: self._step_pane(-1),
            "thread.new": self.new_thread,
            "export.now": self.export,
            "app.help": self.show_help,
            "app.palette": self.app.action_command_palette,
            "app.quit": self.app.exit,
        }

    def show_help(self) -> None:
        """All keys."""
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._actions))

    def export(self) -> None:
        """Export the finished threads that the filter shows."""
        from tui.screens.export import ExportScreen

        self.app.push_screen(ExportScreen(self.workspace, self.threads.filter.text))

    def new_thread(self) -> None:
        """The dialog that begins a thread; without data, the offer to make some."""
        self.run_worker(partial(self._find_datasets, True), thread=True, exclusive=True, group="datasets")

    def _find_datasets(self, for_new: bool) -> None:
        from core.datasets.standard import dataset_names

        self.post_message(self.DatasetsFound(tuple(dataset_names(self.workspace)), for_new))

    @on(DatasetsFound)
    def _datasets_found(self, event: DatasetsFound) -> None:
        if not event.names:
            from tui.screens.first_run import FirstRunScreen

            self.app.push_screen(FirstRunScreen(self.workspace))
        elif event.for_new:
            from tui.screens.new_thread import NewThreadScreen

            used = frozenset((one.dataset, one.session) for one in self.threads.known.values())
            self._dialog = NewThreadScreen(self.runs, event.names, used)
            self.app.push_screen(self._dialog, self._begun)

    def _begun(self, begun: Begun | None) -> None:
        self._dialog = None
        if begun is None:
            return
        stem = begun.stored.stem
        self.threads.saved(begun.stored)
        self.threads.go_to(stem)
        self.reader.wanted = stem
        self.turns.open(begun.stored)
        if begun.run:
            self.turns.run_to_end()

    def _step_pane(self, step: int) -> None:
        at = next((place for place, pane in enumerate(PANES) if self.query_one(f"#{pane}").has_focus), 0)
        self.focus_pane(PANES[(at + step) % len(PANES)])

    # The folder and the list

    @on(FolderFeed.Loaded)
    def _loaded(self, event: FolderFeed.Loaded) -> None:
        self.threads.load(event.summaries)

    @on(FolderFeed.Changed)
    def _changed(self, event: FolderFeed.Changed) -> None:
        first = event.scanned and not self.threads.scanned
        self.threads.take(event.changes, event.scanned)
        if first and not self.threads.known:
            self.run_worker(partial(self._find_datasets, False), thread=True, exclusive=True, group="datasets")
        changed = [*(one.stem for one in event.changes.found), *event.changes.gone]
        self.turns.changed(changed)
        if self.reader.wanted in changed and self.turns.work is None:
            self.reader.read(self.reader.wanted)

    @on(FolderFeed.Failed)
    def _failed(self, event: FolderFeed.Failed) -> None:
        self.notify(one_line(event.reason), severity="error", markup=False)

    @on(Judging.Done)
    def _judged(self, event: Judging.Done) -> None:
        self.judging.finished(event)

    @on(ThreadActions.Arranged)
    def _arranged(self, event: ThreadActions.Arranged) -> None:
        self.threads.show(event)

    @on(ThreadList.Moved)
    def _moved(self, event: ThreadList.Moved) -> None:
        if event.summary is None:
            self.turns.close()
        else:
            self.reader.follow(event.summary.stem)

    # The open thread

    @on(Reader.Read)
    def _read(self, event: Reader.Read) -> None:
        if event.stem != self.reader.wanted:
            return
        if event.stored is None:
            self.turns.close(event.problem)
        else:
            self.turns.open(event.stored)

    @on(Conversation.Focused)
    def _focused(self, event: Conversation.Focused) -> None:
        self.turns.focused(event.index)

    @on(TurnActions.Saved)
    def _saved(self, event: TurnActions.Saved) -> None:
        self.threads.saved(event.stored)

    @on(TurnActions.Situation)
    def _situation(self, event: TurnActions.Situation) -> None:
        self._turn_situation = event.name
        self._show_keys()

    @on(DescendantFocus)
    def _show_keys(self) -> None:
        pane = next((pane for pane in PANES if self.query_one(f"#{pane}").has_focus), "threads")
        waits = self._turn_situation != "conversation" and pane != "sensors"
        self.key_bar.show(self._turn_situation if waits else pane)

    @on(EventBridge.Ready)
    def _schedule_redraw(self) -> None:
        self.set_timer(REDRAW_SECONDS, self._apply_events)

    def _apply_events(self) -> None:
        events = self.runs.bridge.take()
        self.turns.take(events)
        if self._dialog is not None:
            self._dialog.take(events)
        self.listed.show_running(self.runs.running)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self.threads.set_filter(event.value)

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.threads.end_filter()
