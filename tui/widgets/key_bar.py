"""The bottom line: the keys that matter here, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.keys import TYPING_KEYS, Action, offered, shown_key


class KeyBar(Widget):
    """Draws the keys of a situation; the last ones, help and quit, always have their place."""

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $panel; color: $text-muted; &:ansi { text-style: dim; } }
    KeyBar > .bar--key { color: $text-accent; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--key"}
    _ALWAYS = ("app.help", "app.quit")

    def __init__(self, actions: Sequence[Action], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._actions = actions
        self._situation = "threads"

    @property
    def situation(self) -> str:
        """Which keys are shown: one that actions name in `bar`, or a key of `TYPING_KEYS`."""
        return self._situation

    def show(self, situation: str) -> None:
        """Show the keys of another situation."""
        if situation != self._situation:
            self._situation = situation
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the keys."""
        width, base = self.size.width, self.rich_style
        key_style = base + self.get_component_rich_style("bar--key", partial=True)
        typing = TYPING_KEYS.get(self._situation)
        always = [] if typing else [_pair(action) for action in self._actions if action.id in self._ALWAYS]
        room = width - sum(cell_len(key) + cell_len(label) + 3 for key, label in always)
        chosen: list[tuple[str, str]] = []
        for key, label in typing or map(_pair, offered(self._actions, self._situation)):
            room -= cell_len(key) + cell_len(label) + 3
            if room < 0:
                break
            chosen.append((key, label))
        segments: list[Segment] = []
        for key, label in [*chosen, *always]:
            segments += [Segment(f" {key}", key_style), Segment(f" {label} ", base)]
        return Strip(segments).crop_extend(0, width, base)


def _pair(action: Action) -> tuple[str, str]:
    return shown_key(action), action.label
