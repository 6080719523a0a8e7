"""All keys, from the table that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.keys import Action, pane_bindings, shown_keys
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_view import LineView
from tui.widgets.lines import Line, wrapped
from tui.widgets.thread_list import LEGEND

KEYS_WIDTH = 22
"""Columns of the keys, before what they do."""


class HelpView(LineView, can_focus=True):
    """The lines of the help, scrolled by the keys of a pane."""

    BINDINGS: ClassVar[list[BindingType]] = [*pane_bindings()]

    def action_move_down(self) -> None:
        """One line down."""
        self.scroll_line(self.scroll_offset.y + 1)

    def action_move_up(self) -> None:
        """One line up."""
        self.scroll_line(self.scroll_offset.y - 1)

    def action_move_page_down(self) -> None:
        """A page down."""
        self.scroll_line(self.scroll_offset.y + max(1, self.size.height - 1))

    def action_move_page_up(self) -> None:
        """A page up."""
        self.scroll_line(self.scroll_offset.y - max(1, self.size.height - 1))

    def action_move_first(self) -> None:
        """To the top."""
        self.scroll_line(0)

    def action_move_last(self) -> None:
        """To the end."""
        self.scroll_line(self.max_scroll_y)


class HelpScreen(Guarded, ModalScreen[None]):
    """Every action with its keys, in groups; then what the signs of the list mean."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f2,enter", "dismiss", "back", show=False)]

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """The lines in a box."""
        with Vertical(id="dialog"):
            yield HelpView(id="help")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one("#dialog").border_title = "keys"
        self.query_one("#dialog").border_subtitle = "j k scroll · esc back"
        view = self.query_one(HelpView)
        self.call_after_refresh(lambda: view.put(help_lines(self._actions, view.body.width)))
        view.focus()


def help_lines(actions: Sequence[Action], width: int) -> list[Line]:
    """The help's lines in `width` columns."""
    lines: list[Line] = []
    for group, members in groupby(actions, key=lambda action: action.group):
        if lines:
            lines.append(())
        lines.append(((group, "label"),))
        for action in members:
            keys = shown_keys(action).ljust(KEYS_WIDTH - 2)
            for row in wrapped(action.help, max(20, width - KEYS_WIDTH)):
                lines.append((("  ", "text"), (keys, "mark"), *row))
                keys = " " * (KEYS_WIDTH - 2)
    lines.append(())
    lines.append((("Signs of the list", "label"),))
    lines.extend((("  ", "text"), *row) for row in wrapped("\n".join(LEGEND.split("  ")), max(20, width - 2)))
    lines.append(())
    lines.extend(wrapped("Any key can be changed under [keys] in sensorloom.toml, by its action's name:", width, "dim"))
    lines.extend(wrapped(", ".join(action.id for action in actions), width, "dim"))
    return lines
