"""Two small questions: which of a few ways, and which text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen

from core.text import printable
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain, plain
from tui.widgets.text_field import AnswerField

BOX = """
    align: center middle;
    #ask { width: 76; max-width: 95%; height: auto; max-height: 90%; border: round $primary; padding: 0 1;
           background: $surface; }
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One of the answers."""

    key: str
    """The character that chooses it."""
    label: str
    about: str


class ChooseScreen(Guarded, ModalScreen[str | None]):
    """Asks for one of a few ways, by a key each; one more is always none of them."""

    DEFAULT_CSS = f"""
        ChooseScreen {{ {BOX} #ask Horizontal {{ height: auto; Plain {{ width: 1fr; }} .way {{ width: auto; }} }} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("choice")]

    def __init__(self, title: str, text: str, ways: Sequence[Way]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._ways = ways

    def compose(self) -> ComposeResult:
        """The question, and a line for each way."""
        longest = max((len(printable(way.label)) for way in self._ways), default=0)
        with Vertical(id="ask") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            yield Plain(self._text)
            yield Plain()
            for way in self._ways:
                with Horizontal():
                    yield Plain(
                        Content.assemble(
                            Content.styled(f" {way.key} ", "bold $text-accent"),
                            Content.styled(f" {printable(way.label).ljust(longest)}  ", "bold"),
                        ),
                        classes="way",
                    )
                    yield Plain(Content.styled(printable(way.about), "dim"))
            key, label = keys_of(self).pair("choice.leave")
            yield Plain(Content.styled(f" {key}  {label}", "dim"))

    def on_key(self, event: Key) -> None:
        """Take a way by its key."""
        if event.character in [way.key for way in self._ways]:
            event.stop()
            self.dismiss(event.character)


class AskTextScreen(Guarded, ModalScreen[str | None]):
    """Asks for a text, beginning with one. Its result is the text, or None."""

    DEFAULT_CSS = f"AskTextScreen {{ {BOX} TextArea {{ height: 8; border: none; background: $surface; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("text")]

    def __init__(self, title: str, text: str, about: str = "") -> None:
        """Args: `about` says below the text what may be written."""
        super().__init__()
        self._title = title
        self._text = text
        self._about = about

    def compose(self) -> ComposeResult:
        """The text in an area."""
        with Vertical(id="ask") as box:
            box.border_title = plain(self._title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            box.border_subtitle = keys_of(self).hints("text.take", "text.new_line", "text.leave", in_words=True)
            field = AnswerField(self._text, takes="text.take", entered=self.action_take)
            yield field
            if self._about:
                field.styles.height = 3
                yield Plain(Content.styled(printable(self._about), "dim"))

    def action_new_line(self) -> None:
        """A new line, where the key for one takes the text."""
        self.query_one(AnswerField).insert("\n")

    def action_take(self) -> None:
        """Answer with the text as it stands."""
        self.dismiss(self.query_one(AnswerField).text.strip())
