"""The export dialog: what leaves and in which form, with what that would make of real threads beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen

from core.datasets.held_out import Roster, roster
from core.errors import SensorloomError
from core.export.preview import Candidates, Losses, Preview, candidates, losses, preview, thread_to_show
from core.export.report import ExportCancelledError, ExportReport, ExportRequest, Progress
from core.export.run import Known, count
from core.storage.splits_file import read_book
from core.text import counted, one_line
from core.thread.review import truth_hidden
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.export_options import OPTIONS, request_of, usual
from tui.dialogs.option_rows import OptionRows
from tui.keys import Hint
from tui.local_keys import keys_of, local_bindings
from tui.screens.held_out import HeldOutScreen
from tui.terminal.crash_guard import Guarded
from tui.widgets.export_lines import VIEWS, View, count_words, preview_lines
from tui.widgets.line_view import PagedView
from tui.widgets.lines import wrapped
from tui.widgets.plain import Plain

SAMPLE = 20
"""Threads that are looked at for what the profile would lose."""
HINTS: tuple[Hint, ...] = (
    "options.export", ("options.before", "options.after"), "options.type", "options.wrong", "options.view",
    "options.next_thread", "options.other_part", "options.back",
)  # fmt: skip
WIDTH_OF_ALL = 90
SEEN_ROWS = 4
"""Rows that the preview has at least, where it stands below."""


class PreviewView(PagedView, can_focus=True):
    """The preview, scrolled by the keys of a pane."""


class ExportChoiceScreen(Guarded, ModalScreen[ExportRequest | None]):
    """Its result is the request, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("options")]

    rows = getters.query_one(OptionRows)
    view = getters.query_one(PreviewView)

    @dataclass
    class Looked(Message):
        """What the request would make of the threads; `version` tells whether it is still wanted."""

        version: int
        selected: Candidates | None
        thread: Summary | None
        seen: Preview | None
        lost: Losses | None
        problem: str = ""
        held_out: str | None = None
        """What is never trained on, in a few words; None when that cannot be read."""

    @dataclass
    class Counted(Message):
        """What the request would write."""

        version: int
        report: ExportReport

    def __init__(
        self,
        workspace: Workspace,
        listing: Sequence[Summary],
        current: Summary | None,
        filter_text: str,
        *,
        blind: bool = False,
    ) -> None:
        """Args: `listing` is what is known of the folder, `current` the thread to preview if it would leave; `blind`
        hides the row of a thread that has no verdict yet, since it holds the truth."""
        super().__init__(classes="two-parts")
        self._blind = blind
        self._workspace = workspace
        self._listing = listing
        self._current = current
        self._chosen = usual(filter_text, correct_only=workspace.settings.export.correct_only)
        self._shown: View = "row"
        self._offset = 0
        """How many threads the preview is from the one it began with."""
        self._version = 0
        self._looked: ExportChoiceScreen.Looked | None = None
        self._known: Known = {}
        """What was found out of threads, so that a change of an option reads none again."""
        self._roster: Roster | None = None
        """Every session there is, once something is held out."""

    def compose(self) -> ComposeResult:
        """The options, and the preview beside or below them."""
        with Vertical(id="dialog"):
            with Container(id="parts"):
                with Vertical(id="choices"):
                    yield OptionRows(OPTIONS, id="options")
                    yield Plain(id="about")
                    yield Plain(id="count")
                with Vertical(id="seen"):
                    yield Plain(id="views")
                    yield PreviewView(id="preview")

    def on_mount(self) -> None:
        """Show what `x` would do."""
        dialog = self.query_one("#dialog")
        dialog.border_title = "export"
        names: list[Hint] = [
            name for name in HINTS if name != "options.next_thread" or self.app.size.width >= WIDTH_OF_ALL
        ]
        dialog.border_subtitle = keys_of(self).hints(*names)
        self.rows.chosen = self._chosen
        self.rows.rows_changed()
        self.rows.focus()
        self.screen_layout_refresh_signal.subscribe(self, _make_room)  # a count has its height only once it is laid out
        self._pointed()
        self.call_after_refresh(self._look)

    def action_change(self, step: int) -> None:
        """Choose the next value of the option under the cursor, or the one before."""
        option = self.rows.option
        if option.steps:
            self._choose(option.name, option.after(self._chosen[option.name], step))
        else:
            self.action_type()

    def action_type(self) -> None:
        """Type the value of the option under the cursor, or choose it on its own screen."""
        option = self.rows.option
        if option.screen:
            self.app.push_screen(HeldOutScreen(self._workspace, self._listing), lambda _: self._look())
        if not option.asks:
            return

        def typed(text: str | None) -> None:
            if text is not None:
                self._choose(option.name, text.strip())

        self.app.push_screen(AskTextScreen(option.asks, self._chosen[option.name]), typed)

    def _choose(self, name: str, value: str) -> None:
        if self._chosen[name] != value:
            self._chosen = {**self._chosen, name: value}
            self.rows.chosen = self._chosen
            self.rows.refresh()
            self._look()

    def action_wrong(self) -> None:
        """Leave out threads with a wrong answer, or take them too."""
        self._choose("wrong", "" if self._chosen["wrong"] else "leave")

    def action_export(self) -> None:
        """Export what is chosen."""
        try:
            self.dismiss(request_of(self._chosen))
        except SensorloomError as error:
            self._say(str(error), "warning")

    def action_view(self) -> None:
        """Show the next of the previews."""
        names = list(VIEWS)
        self._shown = names[(names.index(self._shown) + 1) % len(names)]
        self._draw()
        self.view.scroll_line(0)

    def action_thread(self, step: int) -> None:
        """Preview another thread."""
        self._offset += step
        self._look()

    def action_other_part(self) -> None:
        """Go to the preview, or back to the options."""
        (self.rows if self.view.has_focus else self.view).focus()

    def on_resize(self) -> None:
        """Wrap again."""
        self.call_after_refresh(self._draw)

    def _look(self) -> None:
        self._version += 1
        try:
            request = request_of(self._chosen)
        except SensorloomError as error:
            self._say(str(error), "warning")
            return
        self.run_worker(partial(self._work, request, self._version), thread=True, exclusive=True, group="preview")

    def _work(self, request: ExportRequest, version: int) -> None:
        def is_outdated() -> bool:
            return version != self._version or not self.is_running

        held_out: str | None = None
        try:
            held_out = self._held_out()
            selected = candidates(self._workspace, request, self._listing)
            if version != self._version:
                return
            thread = thread_to_show(selected.chosen, self._current, self._offset)
            seen = preview(self._workspace, thread, request, self._listing) if thread is not None else None
            if version != self._version:
                return
            lost = losses(self._workspace, selected.chosen[:SAMPLE], request, self._listing)
            self.post_message(self.Looked(version, selected, thread, seen, lost, held_out=held_out))
            report = count(self._workspace, request, Progress(cancelled=is_outdated), self._known)
            self.post_message(self.Counted(version, report))
        except ExportCancelledError:
            return
        except SensorloomError as error:
            self.post_message(self.Looked(version, None, None, None, None, str(error), held_out))

    def _held_out(self) -> str:
        names = read_book(self._workspace.root).held_out
        if names and self._roster is None:
            self._roster = roster(self._workspace, self._listing)
        return self._roster.described(names) if self._roster else ""

    @on(Looked)
    def _show_preview(self, event: Looked) -> None:
        if event.version != self._version:
            return
        self._looked = event
        if event.held_out is not None:
            self._chosen = {**self._chosen, "held_out": event.held_out}
            self.rows.chosen = self._chosen
            self.rows.refresh()
        if event.selected is None:
            self._say(event.problem, "warning")
        else:
            at_most = len(event.selected.chosen)
            self._say(f"at most {at_most:,} of {counted(len(self._listing), 'thread')} · counting", "text")
        self._draw()

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        report, looked = event.report, self._looked
        if event.version != self._version:
            return
        held_out = looked.selected.held_out if looked is not None and looked.selected is not None else 0
        parts = count_words(report, held_out, keys_of(self)["options.wrong"])
        is_fine = report.exported and not report.wrong and not report.warnings
        self._say(" · ".join(parts), "text" if is_fine else "warning")

    def _say(self, text: str, kind: str) -> None:
        style = "$text-warning" if kind == "warning" else "bold"
        self.query_one("#count", Plain).show(Content.styled(one_line(text, 2000), style))

    def _draw(self) -> None:
        names = [Content.styled(about, "bold" if name == self._shown else "dim") for name, about in VIEWS.items()]
        looked = self._looked
        stem = one_line(looked.thread.stem, 60) if looked is not None and looked.thread is not None else ""
        self.query_one("#views", Plain).show(
            Content.assemble(Content(" · ").join(names), ("   " + stem if self._shown != "lost" else "", "dim"))
        )
        if looked is not None:
            width = max(20, self.view.body.width - 1)
            verdict = looked.thread.verdict if looked.thread is not None else ""
            if self._shown == "row" and looked.seen is not None and truth_hidden(verdict, blind=self._blind):
                self.view.put(
                    list(wrapped("the row holds the truth, which is hidden until your verdict", width, "dim"))
                )
            else:
                self.view.put(preview_lines(self._shown, looked.seen, looked.lost, width))

    @on(OptionRows.Pointed)
    def _pointed(self) -> None:
        self.query_one("#about", Plain).show(Content.styled(self.rows.option.about, "dim"))


def _make_room(screen: Screen[object]) -> None:
    """Show fewer options at once where the count needs their rows: none of it is cut."""
    wide = screen.has_class("-wide")
    told = sum(screen.query_one(f"#{name}").outer_size.height for name in ("about", "count"))
    room = screen.query_one("#parts").size.height - told - (0 if wide else SEEN_ROWS)
    screen.query_one(OptionRows).leave(room)
