"""Asks for a folder or file to import, listing what a path may mean while it is typed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from core.datasets.raw_paths import RawPath, raw_paths
from core.errors import DatasetError
from core.text import one_line
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.lines import size_text
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import plain


class PathRows(Picker, can_focus=False):
    """What the path may mean. Keys come from the line above."""


class AskPathScreen(Guarded, ModalScreen[Path | None]):
    """Its result is the folder or file, or None."""

    DEFAULT_CSS = """
    AskPathScreen {
        #dialog { height: 80%; }
        #path { height: 1; border: none; padding: 0; background: $panel; margin-bottom: 1; }
        #paths { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("path")]

    rows = getters.query_one(PathRows)
    typed = getters.query_one(LineField)

    def __init__(
        self,
        title: str,
        start: str = "",
        last: Collection[Path] = (),
        remembered: Callable[[], str] | None = None,
    ) -> None:
        """Ask for a path.

        Args:
            title: what it is for.
            start: what stands in the line at first.
            last: folders that are hardly meant.
            remembered: read by a worker, and put in the line in which nobody has typed by then.
        """
        super().__init__()
        self._title = title
        self._start = start
        self._last = last
        self._remembered = remembered
        self._base = Path.cwd()
        self._paths: Sequence[RawPath] = ()
        self._listed: str | None = None
        """The text that the rows are about."""
        self._wanted = ""
        """What is to be done as soon as the rows are about what is typed: take, or complete."""

    def compose(self) -> ComposeResult:
        """A line to type in, and what it may mean."""
        with Vertical(id="dialog"):
            yield LineField(self._start, placeholder="a folder, archive or file", id="path")
            yield PathRows(id="paths")

    def on_mount(self) -> None:
        """List what the start may mean."""
        box, keys = self.query_one("#dialog"), keys_of(self)
        box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
        moves = keys.pair(("path.previous", "path.next"))[0]
        box.border_subtitle = f"type or {moves} · {keys.hints('path.complete', 'path.take', 'path.back')}"
        self.typed.focus()
        self.rows.empty = "reading …"
        if self._remembered is None:
            self._begin(self._start)
        else:
            self.run_worker(partial(self._remember, self._remembered), thread=True)

    def _remember(self, remembered: Callable[[], str]) -> None:
        self.call_later(self._begin, remembered())

    def _begin(self, start: str) -> None:
        """Put in what it starts with, and list what that may mean."""
        if self.typed.value != self._start:  # typed meanwhile
            return
        with self.prevent(Input.Changed):
            self.typed.value = start
        self.typed.cursor_position = len(start)
        self._list(start)

    def action_step(self, step: int) -> None:
        """To another row."""
        self.rows.move_to(self.rows.cursor + step)

    def action_page(self, step: int) -> None:
        """To a row a page away."""
        self.action_step(step * max(1, self.rows.size.height - 1))

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Take what is under the cursor."""
        self._do("take")

    def action_complete(self) -> None:
        """Type what is under the cursor; a folder is then listed."""
        self._do("complete")

    def _do(self, what: str) -> None:
        if self._listed != self.typed.value:  # the rows are about what stood there before
            self._wanted = what
            return
        self._wanted = ""
        if not self._paths:
            return
        path = self._paths[self.rows.cursor]
        if what == "take":
            self.dismiss(path.path)
        else:
            self.typed.value = path.text
            self.typed.cursor_position = len(path.text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._wanted = ""
        self._list(event.value)

    def _list(self, text: str) -> None:
        self.run_worker(partial(self._look, text), thread=True, group="list")

    def _look(self, text: str) -> None:
        try:
            self.call_later(self._show, text, raw_paths(text, self._base, self._last), "")
        except DatasetError as error:
            self.call_later(self._show, text, (), str(error))

    def _show(self, text: str, paths: Sequence[RawPath], problem: str) -> None:
        if text != self.typed.value:  # typed on meanwhile
            return
        self._paths, self._listed = paths, text
        self.rows.empty = one_line(problem, 300) or "nothing here is called so that could be imported"
        self.rows.show([Choice(each.text, "folder" if each.size is None else size_text(each.size)) for each in paths])
        if self._wanted:
            self._do(self._wanted)
