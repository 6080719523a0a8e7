"""Text that is never markup and never control bytes."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from core.text import UNSAFE, printable


def plain(text: str | Content) -> Content:
    """Outside text as content that Textual draws exactly as written, styled already or not."""
    if isinstance(text, str):
        return Content(printable(text))
    if not UNSAFE.search(text.plain):
        return text
    return Content(UNSAFE.sub(lambda match: printable(match[0]), text.plain), list(text.spans))


class Plain(Static):
    """A `Static` for outside text."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(plain(text), id=id, classes=classes, markup=False)

    def show(self, text: str | Content) -> None:
        """Replace the text."""
        self.update(plain(text))
