"""Text that is never markup and never control bytes."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from core.text import printable


def plain(text: str) -> Content:
    """Outside text as content that Textual draws exactly as written."""
    return Content(printable(text))


class Plain(Static):
    """A `Static` for outside text."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(plain(text) if isinstance(text, str) else text, id=id, classes=classes, markup=False)

    def show(self, text: str | Content) -> None:
        """Replace the text. Content is drawn as it is, a string as outside text."""
        self.update(plain(text) if isinstance(text, str) else text)
