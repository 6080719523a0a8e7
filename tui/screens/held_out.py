"""The dialog of what is never trained on: sessions and subjects to name, and names to take back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input

from core.datasets.held_out import Roster, roster
from core.errors import SensorloomError
from core.storage.splits_file import fits, hold_out, read_book, release
from core.text import counted, one_line, printable
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.lines import Line, cells, fit, spread
from tui.widgets.plain import Plain
from tui.widgets.row_list import RowList


class NameRows(RowList, can_focus=False):
    """Names with what they stand for; a filled box before those that are held out. Keys come from the line above."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.names: Sequence[str] = ()
        self.held: Mapping[str, None] = {}
        self.roster: Roster | None = None
        self.by: Mapping[str, str] = {}
        """The sessions that another name than their own holds out, and that name."""

    @property
    def count(self) -> int:
        """How many names there are."""
        return len(self.names)

    @property
    def current(self) -> str:
        """The name under the cursor."""
        return self.names[self.cursor] if self.names else ""

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """The box, the name, and how much it stands for."""
        name = self.names[index]
        held, by = name in self.held, self.by.get(name, "")
        head: Line = (("▸ " if at_cursor else "  ", "mark"), ("■ " if held else "▪ " if by else "□ ", "mark"))
        left: Line = (*head, (one_line(name, 200), "text"))
        about = self._about(name)
        right: Line = ((one_line(f"by {by} · {about}" if by and not held else about), "dim"),)
        return spread(left, right, width) if cells(right) < width // 2 else fit((*left, ("  ", "dim"), *right), width)

    def _about(self, name: str) -> str:
        if self.roster is None:
            return ""
        extent = self.roster.extent([name])
        return counted(extent.threads, "thread") if extent.sessions == 1 else extent.text


class Names(Suggester):
    """Completes the name that is being typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.names: Sequence[tuple[str, str]] = ()

    async def get_suggestion(self, value: str) -> str | None:
        """The first name that begins so."""
        return next((name for name, _ in self.names if name.startswith(value) and printable(name) == name), None)


class HeldOutScreen(Guarded, ModalScreen[None]):
    """Names are looked for by typing; `enter` holds one out, or takes it back. Each is remembered at once."""

    DEFAULT_CSS = """
    HeldOutScreen {
        #dialog { height: 80%; }
        #about, #said { height: auto; max-height: 3; }
        #about { color: $text-muted; margin-bottom: 1; }
        #said { margin-top: 1; text-style: bold; }
        #name { height: 1; border: none; padding: 0; background: $panel; }
        #names { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("held")]

    rows = getters.query_one(NameRows)
    typed = getters.query_one(Input)

    @dataclass
    class Known(Message):
        """What there is, and what of it is held out by now; or why that cannot be told."""

        known: Roster | None
        names: Sequence[tuple[str, str]]
        """All of them, each as it is looked for too: casefolded."""
        held: Sequence[str]
        by: Mapping[str, str]
        sentence: str = ""
        problem: str = ""

    def __init__(self, workspace: Workspace, listing: Sequence[Summary]) -> None:
        """Args: `listing` is what is known of the folder."""
        super().__init__()
        self._workspace = workspace
        self._listing = listing
        self._first: dict[str, None] = {}
        """Names that are or were held out while this was open: they stand at the top."""
        self._pointed = False
        """Whether the cursor was moved since the text changed: `enter` then means its row."""
        self._turn = asyncio.Lock()
        self._suggester = Names()
        self._names: Sequence[tuple[str, str]] = ()
        self._narrowed = ""
        """The text that the names shown have in them."""

    def compose(self) -> ComposeResult:
        """A line to type in, the names below it, and what was done."""
        with Vertical(id="dialog"):
            yield Plain("", id="about")
            hint = "dataset/session or dataset/subject:name; * for any letters"
            yield LineField(placeholder=hint, id="name", suggester=self._suggester)
            yield NameRows(id="names")
            yield Plain(id="said")

    def on_mount(self) -> None:
        """Look what there is."""
        box = self.query_one("#dialog")
        box.border_title = "held out: never trained on"
        keys = keys_of(self)
        moves, others = self._moves, keys.hints("held.toggle", "held.back")
        box.border_subtitle = f"type to find · {keys.hints('held.complete')} · {moves} · {others}"
        self.typed.cursor_blink = False
        self.typed.focus()
        self.rows.empty = "reading …"
        self._about()
        self.run_worker(self._change(""), group="hold out")

    # Keys

    def action_step(self, step: int) -> None:
        """To another name."""
        self._pointed = True
        self.rows.move_to(self.rows.cursor + step)

    def action_page(self, step: int) -> None:
        """To a name a page away."""
        self.action_step(step * max(1, self.rows.size.height - 1))

    def action_complete(self) -> None:
        """Take the completion that is shown."""
        self.typed.cursor_position = len(self.typed.value)
        self.typed.action_cursor_right()

    @property
    def _moves(self) -> str:
        return keys_of(self).pair(("held.previous", "held.next"))[0]

    @on(Input.Submitted)
    def action_hold(self) -> None:
        """Hold out the name that is meant, or take it back."""
        text, rows = self.typed.value.strip(), self.rows
        if rows.roster is None:
            return
        exact = text in rows.held or text in rows.roster.names or "*" in text
        if rows.current and (self._pointed or (text and not exact and rows.count == 1)):
            self._toggle(rows.current)
        elif exact or (text and not rows.count):
            self._toggle(text)
        elif text:
            self._say(f"{rows.count:,} names have `{text}` in them; {self._moves} chooses one, or type on")
        else:
            self._say(f"choose a name by {self._moves}, or type one")

    def _toggle(self, name: str) -> None:
        if by := self.rows.by.get(name) if name not in self.rows.held else None:
            self._say(f"{name} is held out by {by}; take that back instead")
            return
        self.run_worker(self._change(name), group="hold out")

    # What is held out

    async def _change(self, name: str) -> None:
        """Hold a name out or take it back, one change after the other; with no name, only look."""
        async with self._turn:
            known = await asyncio.to_thread(self._changed, name, self.rows.roster, name in self.rows.held)
        self._show_known(known)

    def _changed(self, name: str, known: Roster | None, held: bool) -> Known:
        try:
            known = known or roster(self._workspace, self._listing)
            sentence = ""
            if name and held:
                release(self._workspace.root, [name])
                sentence = f"{name} is trained on again: {known.extent([name]).text}"
            elif name:
                known.check(name)
                hold_out(self._workspace.root, [name])
                sentence = f"{name} is held out: {known.extent([name]).text}"
            names = read_book(self._workspace.root).held_out
            parts = ((name, "/".join(session)) for name in names for session in known.sessions(name))
            by = {session: name for name, session in parts if session != name}
            every = self._names or [(name, name.casefold()) for name in known.names]
            return self.Known(known, every, names, by, sentence)
        except SensorloomError as error:
            return self.Known(known, (), (), {}, problem=str(error))

    def _show_known(self, event: Known) -> None:
        rows = self.rows
        if event.problem:
            self._say(event.problem, "$text-warning")
            rows.empty = "" if rows.roster else one_line(event.problem)
            rows.refresh()
            return
        assert event.known is not None
        rows.roster, rows.held, rows.by = event.known, dict.fromkeys(event.held), event.by
        self._names = self._suggester.names = event.names
        rows.empty = "no dataset and no thread names a session yet"
        self._say(event.sentence)
        self._about()
        self._first |= rows.held
        if self._pointed:  # the names stay where they are: another one may be meant next
            rows.refresh()
            return
        if event.sentence:
            with self.prevent(Input.Changed):
                self.typed.value = ""
        self._show(self.typed.value, 0)

    def _about(self) -> None:
        rows = self.rows
        named = rows.roster.described(rows.held) if rows.roster else "…"
        self.query_one("#about", Plain).show(
            f"Never trained on; only a test side has them.\nNow: {one_line(named, 300) or 'no session'}"
        )

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._pointed = False
        self._say("")
        self._show(event.value, 0)

    def _show(self, text: str, cursor: int) -> None:
        """The names that have the text in them, the ones that are held out first."""
        rows = self.rows
        if rows.roster is None:
            return
        plain = text.strip().casefold()
        first = [(name, name.casefold()) for name in self._first]
        if "*" in plain:
            wanted = f"*{plain}*"
            names = [name for name, folded in (*first, *self._names) if fits(wanted, folded)]
        elif plain and self._narrowed and plain.startswith(self._narrowed):  # typed on: what is shown is all there is
            names = [name for name in rows.names if plain in name.casefold()]
        else:
            names = [name for name, folded in (*first, *self._names) if plain in folded]
        self._narrowed = "" if "*" in plain else plain
        rows.names = list(dict.fromkeys(names))
        if plain and not rows.names:
            rows.empty = f"no session or subject has `{text.strip()}` in its name"
        rows.cursor = cursor
        rows.rows_changed()

    def _say(self, text: str, style: str = "") -> None:
        self.query_one("#said", Plain).show(Content.styled(one_line(text, 300), style))
