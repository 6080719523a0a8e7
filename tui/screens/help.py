"""All keys, from the table that makes them, the signs of the list, and what words on the screen mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from core.text import one_line
from tui.keys import Action, shown_keys
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.hits import pattern_of
from tui.widgets.line_field import LineField
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Line, wrapped
from tui.widgets.thread_list import LEGEND

KEYS_WIDTH = 22
"""Columns of the keys, before what they do."""


class HelpView(PagedView, can_focus=True):
    """The lines of the help, scrolled by the keys of a pane."""


WORDS: Mapping[str, str] = {
    "turn": "one message of the model, with its tool calls and their results",
    "proposal": "a turn that the model made and that is not part of the thread yet: you accept, retry or discard it",
    "alternatives": "turns that were turned down; the thread keeps them, and preference pairs are made of them",
    "verdict": "what a person says of a thread: accepted, rejected or skipped; an export leaves rejected ones out",
    "blind": "the truth, and whether an answer is right, are hidden until a thread has its verdict",
    "stale": "a turn that rests on what was edited before it; no export takes the thread until you decide on it",
    "branch": "a thread of its own that has the beginning in common with another one",
    "loss": "what training learns to say; a turn that is out of the loss is only read",
    "held out": "sessions and people that no training file ever has; only a test file has them",
    "goal": "how many accepted threads there are to be, of each label, dataset and person",
    "finding": "something that the checks see in a thread: a leak, a number that no tool gave, a repetition …",
    "artifact": "a stretch or a choice of a session's channels that a tool works on",
}
"""What words on the screen mean."""


class HelpScreen(Guarded, ModalScreen[None]):
    """Every action with its keys, in groups; what the signs of the list and some words mean. `/` searches it."""

    DEFAULT_CSS = "HelpScreen #wanted { display: none; height: 1; border: none; background: $panel; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("help")]

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """The lines in a box, and a line to search them with."""
        with Vertical(id="dialog"):
            yield LineField(placeholder="a word of what is looked for", id="wanted")
            yield HelpView(id="help")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#dialog").border_title = "help"
        keys = keys_of(self)
        moves = f"{keys['move.down']} {keys['move.up']} scroll"
        self.query_one("#dialog").border_subtitle = f"{keys.hints('help.search')} · {moves} · {keys.hints('help.back')}"
        self.call_after_refresh(self._fill)
        self.query_one(HelpView).focus()

    def on_resize(self) -> None:
        """Wrap at the new width."""
        self.call_after_refresh(self._fill)

    @on(Input.Changed)
    def _fill(self) -> None:
        view, field = self.query_one(HelpView), self.query_one(LineField)
        wanted = field.value.strip()
        view.mark(pattern_of([wanted]))
        view.put(help_lines(self._actions, view.body.width, wanted))
        view.scroll_line(0)

    def action_search(self) -> None:
        """Go to the line that is searched with."""
        field = self.query_one(LineField)
        field.display = True
        field.focus()

    @on(Input.Submitted)
    def action_enter(self) -> None:
        """From the line to what it finds; from there, back."""
        if self.query_one(LineField).has_focus:
            self.query_one(HelpView).focus()
        else:
            self.dismiss()

    def action_back(self) -> None:
        """End the search, or leave."""
        field = self.query_one(LineField)
        if not field.display:
            self.dismiss()
            return
        self.query_one(HelpView).focus()
        field.display = False
        field.value = ""


def help_lines(actions: Sequence[Action], width: int, wanted: str = "") -> list[Line]:
    """The help's lines in `width` columns; with `wanted`, only the entries that have it in them."""
    lines: list[Line] = []
    for heading, entries in _sections(actions):
        chosen = [entry for entry in entries if wanted.casefold() in " ".join(entry).casefold()]
        if not chosen:
            continue
        if lines:
            lines.append(())
        lines.append(((heading, "label"),))
        for name, about, _ in chosen:
            named = name.ljust(KEYS_WIDTH - 2)
            for row in wrapped(about, max(20, width - KEYS_WIDTH)):
                lines.append((("  ", "text"), (named, "mark"), *row))
                named = " " * (KEYS_WIDTH - 2)
    if not wanted:
        lines.append(())
        about = "Any key can be changed under [keys] in sensorloom.toml, by its action's name:"
        lines.extend(wrapped(f"{about} {', '.join(action.id for action in actions)}", width, "dim"))
    return lines or [((f"nothing here has `{one_line(wanted, 40)}` in it", "dim"),)]


def _sections(actions: Sequence[Action]) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """The headings, each with its entries: a name, what it is about, and further words that find it."""
    for group, members in groupby(actions, key=lambda action: action.group):
        yield group, [(shown_keys(action), action.help, f"{action.label} {action.words}") for action in members]
    signs = [entry.partition(" ") for entry in LEGEND.split("  ")]
    yield "Signs of the list", [(sign, about, "") for sign, _, about in signs]
    yield "Words", [(word, about, "") for word, about in WORDS.items()]
