"""What is said to the model in the middle of a thread: as the user, or as a hint that nothing keeps."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.dialogs.ask import BOX
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain
from tui.widgets.text_field import AnswerField


class SayScreen(Guarded, ModalScreen[tuple[str, bool] | None]):
    """Asks for the words. Its result is what is said, and whether as a hint; None for nothing."""

    DEFAULT_CSS = f"SayScreen {{ {BOX} TextArea {{ height: 8; border: none; background: $surface; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("say")]

    def __init__(self, text: str, *, running: bool) -> None:
        """Args: `text` stands there already; `running` is whether a run waits for it."""
        super().__init__()
        self._text = text
        self._of_run = running

    def compose(self) -> ComposeResult:
        """The words in an area, and what becomes of them."""
        with Vertical(id="ask") as box:
            box.border_title = "say to the model"
            box.border_subtitle = keys_of(self).hints("say.user", "say.hint", "say.leave", in_words=True)
            waits = "The run stops after this turn, and goes on with what you say."
            yield Plain(waits if self._of_run else "Then it runs to the end.")
            yield AnswerField(self._text, takes="say.user", entered=partial(self.action_say, False))

    def action_new_line(self) -> None:
        """A new line, where the key for one says it."""
        self.query_one(AnswerField).insert("\n")

    def action_say(self, hint: bool) -> None:
        """Answer with the words as they stand."""
        text = self.query_one(AnswerField).text.strip()
        self.dismiss((text, hint) if text else None)
