"""What is said to the model in the middle of a thread: as the user, or as a hint that nothing keeps."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen

from tui.dialogs.ask import BOX
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain
from tui.widgets.text_field import TextField


class SayScreen(Guarded, ModalScreen[tuple[str, bool] | None]):
    """Asks for the words. Its result is what is said, and whether as a hint; None for nothing."""

    DEFAULT_CSS = f"SayScreen {{ {BOX} TextArea {{ height: 8; border: none; background: $surface; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "say(False)", "say it", show=False, priority=True),
        Binding("ctrl+t", "say(True)", "say it as a hint", show=False, priority=True),
        Binding("escape", "dismiss(None)", "say nothing", show=False),
    ]

    def __init__(self, text: str, *, running: bool) -> None:
        """Args: `text` stands there already; `running` is whether a run waits for it."""
        super().__init__()
        self._text = text
        self._of_run = running

    def compose(self) -> ComposeResult:
        """The words in an area, and what becomes of them."""
        with Vertical(id="ask") as box:
            box.border_title = "say to the model"
            box.border_subtitle = "enter as the user, kept · ctrl+t as a hint, kept nowhere · esc"
            waits = "The run stops after this turn, and goes on with what you say."
            yield Plain(waits if self._of_run else "Then it runs to the end.")
            yield TextField(self._text)

    def on_mount(self) -> None:
        """Begin at the text's end."""
        area = self.query_one(TextField)
        area.move_cursor(area.document.end)
        area.focus()

    def on_key(self, event: Key) -> None:
        """A new line where enter means something else."""
        if event.key == "ctrl+j":
            event.stop()
            self.query_one(TextField).insert("\n")

    def action_say(self, hint: bool) -> None:
        """Answer with the words as they stand."""
        text = self.query_one(TextField).text.strip()
        self.dismiss((text, hint) if text else None)
