"""A framed part of the main screen."""

from __future__ import annotations

from typing import Self

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region


class Pane(Vertical):
    """Its title is text we may not have written, and changes without the rest being painted again."""

    _only_row: int | None = None
    """The row of the frame that changes, while only that does."""

    def retitle(self, title: str) -> None:
        """Put a title into the frame's upper line."""
        if self.border_title == title:
            return
        self._only_row = -1
        self.border_title = Content(title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be read as markup, Content is not
        self._only_row = None

    def footnote(self, text: str) -> None:
        """Put a text into the frame's lower line."""
        if self.border_subtitle == text:
            return
        self._only_row = self.outer_size.height - 2
        self.border_subtitle = Content(text)  # pyright: ignore[reportAttributeAccessIssue] - a string would be read as markup, Content is not
        self._only_row = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paint again; no more than one line of the frame for a title."""
        if self._only_row is not None:
            regions = (Region(-1, self._only_row, self.outer_size.width, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
