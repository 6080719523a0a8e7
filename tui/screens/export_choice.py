"""The export dialog: what leaves and in which form, with what that would make of real threads beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from core.errors import SensorloomError
from core.export.preview import Candidates, Losses, Piece, Preview, candidates, losses, preview
from core.export.report import ExportRequest
from core.summary import Summary
from core.text import one_line
from core.workspace import Workspace
from tui.export_options import OPTIONS, request_of, usual
from tui.mishaps import Guarded
from tui.screens.ask import AskTextScreen
from tui.widgets.json_lines import json_lines
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Kind, Line, fit, wrapped
from tui.widgets.plain import Plain
from tui.widgets.row_list import RowList

SAMPLE = 20
"""Threads that are looked at for what the profile would lose."""
FOLDED_ROWS = 4
"""Rows that stay at each end of a long stretch that is not trained."""
LABEL_WIDTH = 17
View = Literal["row", "text", "lost"]
VIEWS: Mapping[View, str] = {"row": "the row", "text": "the text, and what is trained", "lost": "what would be lost"}


class OptionRows(RowList):
    """One row for each option: its name, and what is chosen."""

    class Pointed(Message):
        """The cursor is on another option."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.chosen: Mapping[str, str] = {}

    @property
    def count(self) -> int:
        """How many options there are."""
        return len(OPTIONS)

    def moved(self) -> None:
        """Say so."""
        self.post_message(self.Pointed())

    def line(self, place: int, at_cursor: bool, width: int) -> Line:
        """The option and its value; arrows where another can be had by a key."""
        option = OPTIONS[place]
        value = self.chosen.get(option.name, "")
        called = one_line(option.called(value), 120) or "every thread"
        changed = value != (option.values[0][0] if option.values else "")
        head: Line = (("▸ " if at_cursor else "  ", "mark"), (option.label[:LABEL_WIDTH].ljust(LABEL_WIDTH), "dim"))
        arrows = ("◂ ", " ▸") if at_cursor and option.values else ("", "")
        return fit((*head, (arrows[0], "dim"), (called, "mark" if changed else "text"), (arrows[1], "dim")), width)


class PreviewView(PagedView, can_focus=True):
    """The preview, scrolled by the keys of a pane."""


class ExportChoiceScreen(Guarded, ModalScreen[ExportRequest | None]):
    """Its result is the request, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "export", "export", show=False),
        Binding("left,h", "change(-1)", "the value before", show=False),
        Binding("right,l,space", "change(1)", "the next value", show=False),
        Binding("e", "type", "type a value", show=False),
        Binding("v", "view", "another preview", show=False),
        Binding("t", "thread(1)", "preview the next thread", show=False),
        Binding("T", "thread(-1)", "preview the thread before", show=False),
        Binding("tab", "other_part", "to the preview, or back", show=False),
        Binding("escape,q", "dismiss(None)", "back", show=False),
    ]

    rows = getters.query_one(OptionRows)
    view = getters.query_one(PreviewView)

    @dataclass
    class Looked(Message):
        """What the request would make of the threads; `version` tells whether it is still wanted."""

        version: int
        found: Candidates | None
        thread: Summary | None
        seen: Preview | None
        lost: Losses | None
        problem: str = ""

    def __init__(self, workspace: Workspace, listing: Sequence[Summary], current: Summary | None, filter_text: str):
        """Args: `listing` is what is known of the folder, `current` the thread to preview if it would leave."""
        super().__init__()
        self._workspace = workspace
        self._listing = listing
        self._current = current
        self._chosen = usual(filter_text)
        self._shown: View = "row"
        self._offset = 0
        """How many threads the preview is from the one it began with."""
        self._version = 0
        self._looked: ExportChoiceScreen.Looked | None = None

    def compose(self) -> ComposeResult:
        """The options, and the preview beside or below them."""
        with Vertical(id="dialog"):
            with Container(id="parts"):
                with Vertical(id="choices"):
                    yield OptionRows(id="options")
                    yield Plain(id="about")
                    yield Plain(id="count")
                with Vertical(id="seen"):
                    yield Plain(id="views")
                    yield PreviewView(id="preview")

    def on_mount(self) -> None:
        """Show what `x` would do."""
        dialog = self.query_one("#dialog")
        dialog.border_title = "export"
        dialog.border_subtitle = "⏎ export · h l change · e type · v view · t thread · tab scroll · esc back"
        self.rows.chosen = self._chosen
        self.rows.rows_changed()
        self.rows.focus()
        self._pointed()
        self.call_after_refresh(self._look)

    # What is chosen

    def action_change(self, step: int) -> None:
        """Choose the next value of the option under the cursor, or the one before."""
        option = OPTIONS[self.rows.cursor]
        self._choose(option.name, option.after(self._chosen[option.name], step))
        if not option.values:
            self.action_type()

    def action_type(self) -> None:
        """Type the value of the option under the cursor."""
        option = OPTIONS[self.rows.cursor]
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

    def action_export(self) -> None:
        """Export what is chosen."""
        try:
            self.dismiss(request_of(self._chosen))
        except SensorloomError as error:
            self._say(str(error), "warning")

    # The preview

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
        try:
            found = candidates(self._workspace, request, self._listing)
            if version != self._version:
                return
            thread = self._thread_of(found.chosen)
            seen = preview(self._workspace, thread, request, self._listing) if thread is not None else None
            if version != self._version:
                return
            lost = losses(self._workspace, found.chosen[:SAMPLE], request, self._listing)
            self.post_message(self.Looked(version, found, thread, seen, lost))
        except SensorloomError as error:
            self.post_message(self.Looked(version, None, None, None, None, str(error)))

    def _thread_of(self, chosen: Sequence[Summary]) -> Summary | None:
        if not chosen:
            return None
        stem = self._current.stem if self._current is not None else ""
        start = next((place for place, one in enumerate(chosen) if one.stem == stem), 0)
        return chosen[(start + self._offset) % len(chosen)]

    @on(Looked)
    def _take(self, event: Looked) -> None:
        if event.version != self._version:
            return
        self._looked = event
        if event.found is None:
            self._say(event.problem, "warning")
        else:
            count, certain = len(event.found.chosen), event.found.certain
            text = f"{count:,} of {len(self._listing):,} threads" if certain else f"at most {count:,} threads"
            others = [f"{number:,} {reason}" for reason, number in event.found.skipped.items()]
            self._say(" · ".join([text, *others]), "text" if count else "warning")
        self._draw()

    def _say(self, text: str, kind: str) -> None:
        style = "$text-warning" if kind == "warning" else "bold"
        self.query_one("#count", Plain).show(Content.styled(one_line(text, 400), style))

    def _draw(self) -> None:
        names = [Content.styled(about, "bold" if name == self._shown else "dim") for name, about in VIEWS.items()]
        looked = self._looked
        stem = one_line(looked.thread.stem, 60) if looked is not None and looked.thread is not None else ""
        self.query_one("#views", Plain).show(
            Content.assemble(Content(" · ").join(names), ("   " + stem if self._shown != "lost" else "", "dim"))
        )
        if looked is not None:
            self.view.put(self._lines(looked, max(20, self.view.body.width - 1)))

    def _lines(self, looked: Looked, width: int) -> list[Line]:
        if self._shown == "lost":
            return lost_lines(looked.lost, width) if looked.lost is not None else []
        if looked.seen is None:
            return list(wrapped("no thread would leave; widen the filter, or take all threads", width, "warn"))
        head = list(wrapped(looked.seen.refusal, width, "warn"))[: 6 if looked.seen.refusal else 0]
        if self._shown == "text":
            return [*head, *text_lines(looked.seen.rendered, width)]
        rows: list[Line] = []
        for row in looked.seen.rows:
            rows += [*json_lines(json.dumps(row, ensure_ascii=False), width), ()]
        return [*head, *rows]

    @on(OptionRows.Pointed)
    def _pointed(self) -> None:
        self.query_one("#about", Plain).show(Content.styled(OPTIONS[self.rows.cursor].about, "dim"))


def text_lines(pieces: Sequence[Piece], width: int) -> list[Line]:
    """The rendered text; a bar beside what is trained. Long stretches that are not are folded in their middle."""
    lines: list[Line] = list(wrapped("▌ a bar stands beside the tokens that are trained", width, "dim"))
    for piece in pieces:
        if not piece.text.strip("\n"):
            continue
        bar: Line = (("▌ ", "good"),) if piece.trained else (("  ", "dim"),)
        kind: Kind = "text" if piece.trained else "dim"
        rows = list(wrapped(piece.text.removesuffix("\n"), width - 2, kind))
        if not piece.trained and len(rows) > 3 * FOLDED_ROWS:
            fold: Line = ((f"… {len(rows) - 2 * FOLDED_ROWS} more lines …", "label"),)
            rows = [*rows[:FOLDED_ROWS], fold, *rows[-FOLDED_ROWS:]]
        lines.extend((*bar, *row) for row in rows)
    return lines


def lost_lines(lost: Losses, width: int) -> list[Line]:
    """What the profile changes or leaves out of the threads that were looked at, and which it refuses."""
    count = f"the first {lost.looked_at} threads" if lost.looked_at > 1 else f"{lost.looked_at} thread"
    if not lost.changes and not lost.refused:
        return list(wrapped(f"nothing, in {count}", width))
    lines: list[Line] = list(wrapped(f"in {count}:", width, "dim"))
    for what, places in lost.changes.items():
        lines.extend((("  ", "text"), *row) for row in wrapped(f"{places:,} × {what}", width - 2))
    for sentence, stems in lost.refused.items():
        named = ", ".join(stems[:3]) + (f" and {len(stems) - 3} more" if len(stems) > 3 else "")
        lines.extend((("  ", "text"), *row) for row in wrapped(f"refused: {sentence} ({named})", width - 2, "warn"))
    return lines
