"""The main screen: fills its frame, gives each key to the action's function and each widget's message to a part.

The first paint needs the frame alone. What the panes hold, and everything that acts, is imported once that is on the
screen; so handlers are found by their names here, not by classes that would be imported first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.command import Provider
from textual.timer import Timer
from textual.widgets import Input

from core.listing.index_cache import load_page, save_page
from core.listing.order import as_rows
from core.listing.summaries import Summaries
from core.workspace import Workspace
from tui.keys import Action, ActionId, Keys, bindings
from tui.local_keys import keys_of
from tui.palette import Actions
from tui.screens.actions import ACTIONS, refusal
from tui.screens.frame import Frame
from tui.screens.imported_ahead import REST_SECONDS, import_slow_screens
from tui.screens.reading_alone import READ_ONLY, changes
from tui.terminal.gc_pauses import start_searching

if TYPE_CHECKING:
    from tui.screens.parts import Parts
    from tui.screens.tables_under_way import TablesUnderWay
    from tui.widgets.conversation import Conversation
    from tui.widgets.editor import MessageEditor
    from tui.widgets.thread_list import ThreadList

_FUNCTIONS = {action.id: action for action in ACTIONS}


@dataclass(frozen=True, slots=True)
class Over:
    """What a main screen shows that opens over another one."""

    title: str
    filter: str
    """In force from the start; empty for all."""


class MainScreen(Frame):
    """The frame, and everything that acts in it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ACTIONS)]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Actions}

    parts: Parts
    _tables: TablesUnderWay

    def __init__(
        self,
        workspace: Workspace,
        actions: Sequence[Action],
        *,
        polling: bool | None = None,
        link: tuple[str, int] | None = None,
        over: Over | None = None,
    ) -> None:
        """Args: `link` is a thread, by its stem, and the message, counted from 0, that are gone to at the start; `over`
        says what it shows where it opens over the screen of another folder."""
        super().__init__(actions, over.title if over else "")
        self._over = over
        self.workspace = workspace
        self._polling = polling
        self._link = link
        self.rest: Timer | None = None
        """Until what can wait is done: it begins anew with each key."""
        self.ready = False
        """Whether everything is there that acts."""
        self._waiting: list[ActionId] = []
        """Actions whose keys came before there was anything to carry them out, or while a step is undone."""

    def on_mount(self) -> None:
        """Draw the list as it was seen last, where it was long, and fill the frame once it is on the screen."""
        rows = load_page(self.workspace) if self._over is None and self._link is None else []
        if rows:
            self.listed.show(as_rows(Summaries([row.summary for row in rows]), rows))
        self.call_after_refresh(self._fill)

    async def _fill(self) -> None:
        """Bring in the panes and what acts on them, then read the folder."""
        from tui.screens.parts import Parts
        from tui.screens.tables_under_way import TablesUnderWay
        from tui.widgets.conversation import Conversation
        from tui.widgets.line_field import SearchField
        from tui.widgets.plain import Plain
        from tui.widgets.sensors import Sensors

        pane = self.query_one("#conversation-pane")
        await pane.mount(Conversation(id="conversation"), before=0)
        await pane.mount(Plain(id="hits"), SearchField(id="search"))
        sensors = Sensors(self.workspace, id="sensors")
        await self.query_one("#sensors-pane").mount(sensors)
        if not sensors.is_attached:
            return  # the program was left before it was filled
        self.parts = Parts(
            self, self.workspace, act=self.action_do, leave=self.leave, resume=self._resume, polling=self._polling
        )
        self._tables = TablesUnderWay(self, self.key_bar)
        self.parts.list_screens.open_threads = partial(_open_over, self, self._polling)
        self.ready = True
        start_searching()
        if self.listed.rows:
            self.listed.post_message(self.listed.Moved(self.listed.current))
        self.parts.feed.start()
        if self._over is None:
            self.run_worker(partial(_tidy, self), thread=True, group="tidy")
            self.rest = self.set_interval(REST_SECONDS, partial(_rested, self))
        if self._link is not None:
            self.parts.thread.expected = self._link
            self.parts.arranging.go_to(self._link[0])
            self.focus_pane("conversation")
        if self._over is not None and self._over.filter:
            self.parts.filter_line.put(self._over.filter)
        self._resume()

    def _resume(self) -> None:
        waiting, self._waiting = self._waiting, []
        for name in waiting:
            self.action_do(name)

    def action_do(self, name: ActionId) -> None:
        """Carry out the action that a key or the palette names, or say why it does not apply."""
        if not self.ready or self.parts.undoing.busy:
            self._waiting.append(name)
        elif self.parts.edits.opening:
            return
        elif self._over is not None and name == "turn.stop":
            self.leave()
        elif why := refusal(_FUNCTIONS[name], self.parts, keys_of(self)):
            self.parts.thread.say(why)
        else:
            _FUNCTIONS[name].function(self.parts)()

    def used(self) -> None:
        """Somebody is at the keys: what takes long and nobody asked for can wait."""
        if self.ready:
            self.parts.duplicates.give_way()
        if self.rest is not None:
            self.rest.reset()

    def on_resize(self) -> None:
        """Keep the editor within its pane, once that has its new size."""
        if self.ready:
            self.call_after_refresh(self.parts.edits.fit)

    # The end

    def on_unmount(self) -> None:
        """Let what is under way come to its end before the process goes."""
        self.close()

    def close(self) -> None:
        """Stop the runs, each saving what came, and the watch of the folder. Doing it again does no harm."""
        if self.ready:
            self._tables.close()
            if page := self.parts.arranging.page:
                save_page(self.workspace, *page)
            self.parts.close()

    def leave(self) -> None:
        """Stop what runs, keep what came of it, and end the program."""
        if self._over is not None:
            self.dismiss(None)
        elif self.ready:
            self.run_worker(self._leave(), group="leave", exclusive=True)
        else:
            self.app.exit()

    async def _leave(self) -> None:
        runs = self.parts.runs
        if running := len(runs.running):
            self.notify(f"stopping {running} run{'s' if running > 1 else ''} …", markup=False)
        await self.parts.edits.keep_last_keys()
        if self.parts.making.busy:
            self.notify("stopping what is being made …", markup=False)
        await asyncio.to_thread(runs.close)
        await asyncio.to_thread(self.parts.making.close)
        self.parts.hear_runs()
        if saving := [worker for worker in self.workers if worker.group == "turns"]:
            await self.workers.wait_for_complete(saving)
        self.app.exit()

    # What widgets say

    def _on_thread_list_turned(self) -> None:
        if self.ready:
            self.parts.statuses.look()

    def _on_thread_list_moved(self, event: ThreadList.Moved) -> None:
        if not self.ready:
            return  # it is told again when it is
        self.parts.similar.tell()
        if event.summary is None:
            self.title_thread("")
            self.parts.show_none()
        else:
            self.parts.reader.follow(event.summary.stem)

    def _on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self.filter_line and self.ready:
            self.parts.filter_line.typed(event.value)
        elif event.input.id == "search":
            self.parts.searching.typed(event.value)

    def _on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self.filter_line:
            self.parts.filter_line.end()
        elif event.input.id == "search":
            self.parts.searching.entered()

    def _on_message_editor_changed(self) -> None:
        self.parts.edits.typed()

    def _on_message_editor_saved(self, event: MessageEditor.Saved) -> None:
        self.parts.edits.saved(event)

    def _on_message_editor_left(self) -> None:
        self.parts.edits.left()

    def _on_conversation_focused(self, event: Conversation.Focused) -> None:
        self.parts.thread.focused(event.index)
        self.listed.show_blind(self.parts.thread.conversation.look.blind)

    def _on_conversation_taken(self, event: Conversation.Taken) -> None:
        self.parts.proposals.take_sample(event.number)


def _open_over(main: MainScreen, polling: bool | None, workspace: Workspace, title: str, text: str) -> None:
    """Show the threads of another folder, to be read, over the main screen; `text` is the filter in force."""
    heading = f"{title} · {READ_ONLY} · {Keys(main.actions)['app.quit']} goes back"
    actions = [action for action in main.actions if not (action.id in _FUNCTIONS and changes(action.id))]
    main.app.push_screen(MainScreen(workspace, actions, polling=polling, over=Over(heading, text)))


def _rested(screen: MainScreen) -> None:
    """Nobody is at the keys: import what keys would wait for, where the folder is read."""
    if screen.parts.folder.scanned and screen.rest is not None:
        screen.rest.stop()
        screen.rest = None
        screen.run_worker(import_slow_screens, thread=True, group="imports")


def _tidy(screen: MainScreen) -> None:
    """Take away what killed batches left, and say so."""
    if not any(screen.workspace.private.glob("*/*.live")):
        return
    from core.runs.after_kill import tidy_after_kills

    if told := tidy_after_kills(screen.workspace):
        screen.app.call_from_thread(screen.notify, told, markup=False)
