"""Importing recordings of one's own: where they are, then how they are read, with what that makes of them beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen

from core.datasets.importing import ImportReport
from core.datasets.plan import ImportOptions
from core.datasets.tables.choices import sample_columns
from core.datasets.tables.preview import Preview
from core.errors import SensorloomError
from core.storage.memory import recall
from core.text import one_line, printable
from core.workspace import Workspace
from tui.dialogs.ask_path import AskPathScreen
from tui.dialogs.asking_option import ask_for, change
from tui.dialogs.import_options import Known, import_options, in_the_dialogs_words, options_for, typed_way
from tui.dialogs.option_rows import OptionRows
from tui.local_keys import keys_of, local_bindings
from tui.screens.recordings_work import REMEMBERED, RecordingsWork
from tui.terminal.crash_guard import Guarded
from tui.widgets.import_lines import preview_lines
from tui.widgets.lane_look import LaneLook, has_braille
from tui.widgets.line_view import PagedView
from tui.widgets.plain import Plain, plain


def import_own(screen: Screen[Any], workspace: Workspace, ended: Callable[[ImportReport], object]) -> None:
    """Ask for the path of recordings, and how they are read; `ended` is called with what was imported."""

    def left(report: ImportReport | None) -> None:
        if report is not None:
            ended(report)

    def asked(path: Path | None) -> None:
        if path is not None:
            screen.app.push_screen(OwnRecordingsScreen(workspace, path), left)

    def last_time() -> str:
        start = recall(workspace, REMEMBERED, "")
        return start if isinstance(start, str) else ""

    title = "import recordings of your own"
    own = (workspace.threads, workspace.exports, workspace.data)
    screen.app.push_screen(AskPathScreen(title, last=own, remembered=last_time), asked)


class RecordingsView(PagedView, can_focus=True):
    """The preview, scrolled by the keys of a pane."""


class OwnRecordingsScreen(Guarded, ModalScreen[ImportReport | None]):
    """What was decided by looking at the files, each changeable, and a preview. Its result tells what was imported."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("own")]

    rows = getters.query_one(OptionRows)
    view = getters.query_one(RecordingsView)

    def __init__(self, workspace: Workspace, path: Path) -> None:
        super().__init__(classes="two-parts")
        self._shown = workspace.shown(path)
        self._look_of_lanes = LaneLook(has_braille(workspace.settings.screen.dots))
        self._known: Known | None = None
        self._chosen = {"name": re.sub(r"\W+", "_", path.stem).strip("_") or "mine"}
        self._preview: Preview | None = None
        self._work = RecordingsWork(
            self, workspace, path, knows=self._knows, looked=self._looked, imported=self._imported, say=self._say
        )

    def compose(self) -> ComposeResult:
        """The options, and the preview beside or below them."""
        with Vertical(id="dialog"), Container(id="parts"):
            with Vertical(id="choices"):
                yield OptionRows(id="options")
                yield Plain(id="about")
                yield Plain(id="count")
            with Vertical(id="seen"):
                yield RecordingsView(id="preview")

    def on_mount(self) -> None:
        """Look at the files."""
        dialog = self.query_one("#dialog")
        dialog.border_title = plain(f"import {one_line(self._shown, 70)}")  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
        dialog.border_subtitle = keys_of(self).hints(
            "own.import", ("own.before", "own.after"), "own.change", "own.other_part", "own.back"
        )
        self.rows.focus()
        self._show_options()
        self._look()

    def on_unmount(self) -> None:
        """What is under way ends."""
        self._work.close()

    # What is chosen

    def action_change(self, step: int) -> None:
        """Choose the next value of the option under the cursor, or the one before."""
        if not self._work.importing:
            change(self.app, self.rows.option, self._chosen, step, _columns(self._preview), self._choose)

    def action_choose(self) -> None:
        """List what is possible, or have it typed."""
        if not self._work.importing:
            ask_for(self.app, self.rows.option, self._chosen, _columns(self._preview), self._choose)

    def _choose(self, name: str, value: str) -> None:
        value = typed_way(value) if name in ("label", "subject") else value
        if self._chosen.get(name, "") == value:
            return
        self._chosen[name] = value
        self._show_options()
        if name != "name":
            self._look()

    def _show_options(self) -> None:
        self.rows.show(options_for(self._preview, self._chosen, self._known or Known(())), self._chosen)
        self._pointed()

    @on(OptionRows.Pointed)
    def _pointed(self) -> None:
        self.query_one("#about", Plain).show(Content.styled(printable(self.rows.option.about), "dim"))

    # What comes of it

    def _options(self) -> ImportOptions | None:
        try:
            return import_options(self._chosen, self._known or Known(()))
        except SensorloomError as error:
            self._say(str(error), True)
            return None

    def _look(self) -> None:
        if (options := self._options()) is not None:
            self._work.look(options, self._known.presets_for(options, self._chosen) if self._known else None)

    def _knows(self, known: Known) -> None:
        name, number = self._chosen["name"], 2
        while self._chosen["name"] in known.datasets:
            self._chosen["name"], number = f"{name}_{number}", number + 1
        self._known = known
        self._show_options()

    def _looked(self, preview: Preview) -> None:
        before = self._preview
        if before is not None and preview.proposal is None:  # the rest stays visible meanwhile
            beginning, time = preview.beginning or before.beginning, preview.time or before.time
            preview = replace(before, survey=preview.survey, beginning=beginning, time=time)
        self._preview = preview
        self._show_options()
        self._draw()

    def action_import_it(self) -> None:
        """Import it as it is shown."""
        options = self._options()
        if options is not None and self._known is not None and not self._work.importing:
            name, presets = self._chosen["name"], self._known.presets_for(options, self._chosen)
            self._work.import_as(name, options, presets, replace=name in self._known.datasets)

    def _imported(self, report: ImportReport) -> None:
        self.dismiss(report)

    def action_leave(self) -> None:
        """Stop an import under way, or leave; nothing of it stays."""
        self._work.stop()
        if self._work.importing:
            self._say("stopping …", False)
        else:
            self.dismiss(None)

    # What is shown

    def action_other_part(self) -> None:
        """Go to the preview, or back to the options."""
        (self.rows if self.view.has_focus else self.view).focus()

    def on_resize(self) -> None:
        """Lay it out again."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self._preview is not None and self.view.body.width:
            width, height = max(20, self.view.body.width - 1), self.view.size.height
            self.view.put(preview_lines(self._preview, width, height, self._look_of_lanes))

    def _say(self, text: str, is_wrong: bool) -> None:
        style = "$text-warning" if is_wrong else "bold"
        self.query_one("#count", Plain).show(Content.styled(one_line(in_the_dialogs_words(text), 400), style))


def _columns(preview: Preview | None) -> Sequence[str]:
    """Of what some may be left out; none before the files were looked at."""
    return sample_columns(preview.survey) if preview else ()
