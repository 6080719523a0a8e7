"""What a dataset holds: counts, lengths, people, and what each label looks like in each channel."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.screen import Screen

from core.datasets.overview import Overview, overview_lines, overview_of
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Line
from tui.widgets.plain import Plain

_BARS = re.compile(r"(.*?)([▁-█ ]*[▁-█])?")


class DatasetOverviewScreen(Guarded, Screen[None]):
    """The whole screen for one dataset."""

    DEFAULT_CSS = """
    DatasetOverviewScreen {
        #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
        #overview-keys { height: 1; color: $text-muted; padding: 0 1; }
        PagedView { height: 1fr; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("overview")]

    shown = getters.query_one(PagedView)

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._dataset_name = name
        self._overview: Overview | None = None

    def compose(self) -> ComposeResult:
        """Its name, what it holds, and the keys."""
        yield Plain(one_line(f"dataset · {self._dataset_name}", 200), id="title")
        yield PagedView(id="overview")
        yield Plain(keys_of(self).hints("overview.back"), id="overview-keys")

    def on_mount(self) -> None:
        """Look at it."""
        self.shown.can_focus = True
        self.shown.focus()
        self._say("looking …")
        self.run_worker(self._look, thread=True)

    def _look(self) -> None:
        try:
            overview = overview_of(open_dataset(self._workspace, self._dataset_name), self._progress)
        except SensorloomError as error:
            self.call_later(self._say, str(error))
            return
        self.call_later(self._looked, overview)

    def _progress(self, done: int, total: int, _: str = "") -> None:
        self.call_later(self._say, f"measuring its sessions: {done:,} of {total:,}")

    def _looked(self, overview: Overview) -> None:
        self._overview = overview
        self._lay_out()

    def on_resize(self, event: Resize) -> None:
        """Draw at the new width."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        if self._overview is not None:
            self.shown.put([_styled(line) for line in overview_lines(self._overview, max(40, self.shown.body.width))])

    def _say(self, text: str) -> None:
        if self._overview is None:
            self.shown.put([((one_line(text, 400), "dim"),)])


def _styled(line: str) -> Line:
    """A line with its bars, if it has any, in their colour."""
    match = _BARS.fullmatch(line)
    assert match is not None
    return (match[1], "text"), (match[2] or "", "lane")
