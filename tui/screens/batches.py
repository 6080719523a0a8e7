"""The batches of the workspace, whoever makes them: how far each is, paused, gone on with, stopped, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from core.errors import SensorloomError
from core.runs.batch_live import Look, ask, look, remove
from core.runs.batches import batches, restore_batch
from core.text import one_line, printable
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.screens.batching import Batching
from tui.terminal.crash_guard import Guarded, survive
from tui.widgets.batch_lines import batch_rows
from tui.widgets.board import Board
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.runs.batch_live import Wish

LOOK_SECONDS = 0.5
"""Between two looks at the batches: as often as who makes one says how far it is."""


class BatchesScreen(Guarded, Screen[str | None]):
    """The whole screen for them. Its result is the batch whose threads are listed."""

    DEFAULT_CSS = """
    BatchesScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #row { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        #batches-keys { height: 1; color: $text-muted; padding: 0 1; }
        Board { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("batches")]

    board = getters.query_one(Board)

    @dataclass
    class Looked(Message):
        """How they all are, the latest first."""

        looks: dict[str, Look]

    def __init__(self, workspace: Workspace, batching: Batching) -> None:
        """Args: `batching` makes those that this program goes on with."""
        super().__init__()
        self._workspace = workspace
        self._batching = batching
        self._looks: dict[str, Look] = {}
        self._starting: frozenset[str] = frozenset()
        self._has_looked = False
        self._is_looking = False
        self._has_failed = False
        """Whether the last look failed, which is said once."""

    def compose(self) -> ComposeResult:
        """The batches, what the row is about, and the keys."""
        yield Plain("batches", id="title")
        yield Board(id="board")
        yield Plain(id="row")
        keys = keys_of(self).hints(
            "batches.open", "batches.pause", "batches.go_on", "batches.stop", "batches.remove", "batches.restore",
            "batches.back",
        )  # fmt: skip
        yield Plain(keys, id="batches-keys")

    def on_mount(self) -> None:
        """Look, and again and again."""
        self._batching.is_watched = True
        self.board.empty = "reading …"
        self.board.focus()
        self.set_interval(LOOK_SECONDS, self._look)
        self._look()

    def on_unmount(self) -> None:
        """They are told of elsewhere again."""
        self._batching.is_watched = False

    def _look(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self.run_worker(self._read, thread=True, group="batches")

    def _read(self) -> None:
        worker, looks = get_current_worker(), dict[str, Look]()
        try:
            for name in batches(self._workspace):
                if worker.is_cancelled:
                    return
                looks[name] = look(self._workspace, name, self._looks.get(name))
        except Exception as error:
            self.call_later(self._not_looked, error)
        else:
            self.post_message(self.Looked(looks))

    def _not_looked(self, error: Exception) -> None:
        """Say so, and look again: what is shown may be out of date meanwhile."""
        self._is_looking = False
        if not self._has_failed:
            self._has_failed, self._has_looked = True, False  # so that the next look that succeeds is shown
            self.board.empty = "the batches cannot be read now; they are looked at again and again"
            self.query_one("#title", Plain).show("batches · not read just now: what is shown may be out of date")
            survive(self, error)

    def on_batches_screen_looked(self, event: Looked) -> None:
        """Show how they are."""
        self._is_looking = self._has_failed = False
        if event.looks != self._looks or self._starting != self._batching.starting or not self._has_looked:
            self._looks, self._has_looked = event.looks, True
            keys = keys_of(self)
            ways = (
                f"{keys['thread.new']}, then {keys['begin.several']} makes one; so do the goal ({keys['list.propose']})"
            )
            self.board.empty = f"no batch yet: {ways} and `sensorloom run`"
            self._draw()

    def on_resize(self, event: Resize) -> None:
        """Lay out at the new width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self._starting = self._batching.starting
        under_way = [each for each in self._looks.values() if each.alive or each.name in self._starting]
        title = f"batches · {len(under_way)} of {len(self._looks)} under way" if self._looks else "batches"
        self.query_one("#title", Plain).show(title)
        left = f"{keys_of(self)['batches.go_on']} goes on"
        looks = list(self._looks.values())
        self.board.show(tuple(batch_rows(looks, max(40, self.board.body.width), left, self._starting)))

    def on_board_pointed(self) -> None:
        """Say what is known besides."""
        self.query_one("#row", Plain).show(Content(printable(one_line(self.board.current.about, 300))))

    # What is done

    @property
    def _pointed(self) -> Look | None:
        terms = self.board.current.terms
        return self._looks.get(terms[0]) if terms else None

    def action_open(self) -> None:
        """List its threads."""
        pointed = self._pointed
        if pointed is None:
            return
        if pointed.threads != self._workspace.shown(self._workspace.threads):
            self.notify(f"its threads are in {one_line(pointed.threads, 120)}, which is not open", markup=False)
        else:
            self.dismiss(pointed.name)

    def action_pause(self) -> None:
        """Pause it."""
        self._wish("pause")

    def action_stop(self) -> None:
        """Stop it."""
        self._wish("stop")

    def action_go_on(self) -> None:
        """Go on with it, after a pause, a stop or a kill."""
        pointed = self._pointed
        if pointed is None:
            return
        if pointed.alive:
            self._wish("resume")
        elif pointed.state == "whole":
            self.notify(f"batch {pointed.name} is whole: nothing of it is left", markup=False)
        else:
            self._batching.go_on(pointed.name)
            self._draw()

    def action_remove(self) -> None:
        """Forget it."""
        if (pointed := self._pointed) is not None:
            self._do(lambda: remove(self._workspace, pointed.name))

    def action_restore(self) -> None:
        """Bring back the last one that was forgotten."""
        self._do(lambda: restore_batch(self._workspace))

    def _wish(self, wish: Wish) -> None:
        if (pointed := self._pointed) is not None:
            self._do(lambda: ask(self._workspace, pointed.name, wish))

    def _do(self, work: Callable[[], object]) -> None:
        """Do what is done to files, and show what came of it."""

        def done() -> None:
            try:
                work()
            except SensorloomError as error:
                self.app.call_from_thread(self.notify, one_line(str(error), 300), severity="warning", markup=False)
            self.app.call_from_thread(self._look)

        self.run_worker(done, thread=True, group="batch acts")
