"""The bottom line: the keys that matter here, as many as fit, and what goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from core.text import one_line
from tui.keys import TYPING_KEYS, Action, ActionId, Hint, Keys, offered


class KeyBar(Widget):
    """Draws the keys of a situation; the last ones, help and quit, always have their place."""

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $panel; color: $text-muted; &:ansi { text-style: dim; } }
    KeyBar > .bar--key { color: $text-accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--key"}
    _ALWAYS: ClassVar[tuple[ActionId, ...]] = ("app.help", "app.quit")

    def __init__(self, actions: Sequence[Action], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._actions = actions
        self._keys = Keys(actions)
        self._situation = "threads"
        self.note = ""
        """What goes on, in words; empty most of the time."""

    @property
    def situation(self) -> str:
        """Which keys are shown: one that actions name in `bar`, or a key of `TYPING_KEYS`."""
        return self._situation

    def show(self, situation: str) -> None:
        """Show the keys of another situation."""
        if situation != self._situation:
            self._situation = situation
            self.refresh()

    def show_note(self, note: str) -> None:
        """Say what goes on, before the keys that always have their place; fewer others fit meanwhile."""
        if note != self.note:
            self.note = note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the keys."""
        width, base = self.size.width, self.rich_style
        key_style = base + self.get_component_rich_style("bar--key", partial=True)
        typing = TYPING_KEYS.get(self._situation)
        always = [] if typing else [self._keys.pair(name) for name in self._ALWAYS]
        note = f" {one_line(self.note, width // 2)} " if self.note else ""
        room = width - cell_len(note) - sum(cell_len(key) + cell_len(label) + 3 for key, label in always)
        chosen: list[tuple[str, str]] = []
        wanted: Sequence[Hint] = typing or [action.id for action in offered(self._actions, self._situation)]
        for key, label in map(self._keys.pair, wanted):
            room -= cell_len(key) + cell_len(label) + 3
            if room < 0:
                break
            chosen.append((key, label))
        segments: list[Segment] = []
        for key, label in chosen:
            segments += [Segment(f" {key}", key_style), Segment(f" {label} ", base)]
        if note:
            segments.append(Segment(note, base))
        for key, label in always:
            segments += [Segment(f" {key}", key_style), Segment(f" {label} ", base)]
        return Strip(segments).crop_extend(0, width, base)
