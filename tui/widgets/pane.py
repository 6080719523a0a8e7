"""A framed part of the main screen."""

from __future__ import annotations

from typing import Self

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region

from core.text import one_line
from tui.terminal.textual_private import forget_drawn


class Pane(Vertical):
    """A frame and two texts in it that we may not have written. Only what changes of it is painted again.

    Where the focus is, is told by the frame's colour (the style sheet's) and by its title being bold.
    """

    _only_row: int | None = None
    """The row of the frame that changes, while only that does."""
    _title = ""
    _active = False

    def retitle(self, title: str) -> None:
        """Put a title into the frame's upper line."""
        if title != self._title:
            self._title = one_line(title)
            self._put_title()

    def footnote(self, text: str) -> None:
        """Put a text into the frame's lower line."""
        text = one_line(text)
        if self.border_subtitle == text:
            return
        self._only_row = self.outer_size.height - 2
        self.border_subtitle = Content(text)  # pyright: ignore[reportAttributeAccessIssue] - a string would be read as markup, Content is not
        self._only_row = None

    def on_descendant_focus(self) -> None:
        """Say that keys come here."""
        self._active = True
        self._put_title()

    def on_descendant_blur(self) -> None:
        """Say that keys go elsewhere."""
        self._active = False
        self._put_title()

    def _put_title(self) -> None:
        title = Content.styled(self._title, "bold $text") if self._active else Content(self._title)
        self._only_row = -1
        self.border_title = title  # pyright: ignore[reportAttributeAccessIssue] - a string would be read as markup, Content is not
        self._only_row = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paint the frame again, or the one line of it that changed. What is within it is drawn by others."""
        if self._only_row is not None:
            regions = self._row(self._only_row)
        elif not (regions or layout or recompose):
            forget_drawn(self)
            regions = self._sides()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _row(self, row: int) -> tuple[Region, ...]:
        return (Region(-1, row, self.outer_size.width, 1),)

    def _sides(self) -> tuple[Region, ...]:
        width, height = self.outer_size
        left, right = Region(-1, 0, 1, height - 2), Region(width - 2, 0, 1, height - 2)
        return (*self._row(-1), *self._row(height - 2), left, right)
