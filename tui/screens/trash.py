"""The dialog of deleted threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from core.curate import trash_by_age
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker


class TrashScreen(Guarded, ModalScreen[str | None]):
    """Chooses a deleted thread to bring back. Its result is the thread's stem, or None."""

    DEFAULT_CSS = "TrashScreen #deleted { height: 18; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("trash")]

    picker = getters.query_one(Picker)

    @dataclass
    class Found(Message):
        """What is in the trash."""

        deleted: Sequence[tuple[str, float]]

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def compose(self) -> ComposeResult:
        """The deleted threads in a box."""
        with Vertical(id="dialog"):
            yield Picker(id="deleted")

    def on_mount(self) -> None:
        """Look into the trash."""
        box = self.query_one("#dialog")
        box.border_title, box.border_subtitle = "trash", keys_of(self).hints("trash.take", "trash.back")
        self.picker.empty = "reading …"
        self.picker.focus()
        self.run_worker(lambda: self.post_message(self.Found(trash_by_age(self._workspace))), thread=True)

    def on_trash_screen_found(self, event: Found) -> None:
        """Show it, the newest first."""
        self.picker.empty = "the trash is empty"
        self.query_one("#dialog").border_title = f"trash · {len(event.deleted):,} deleted, newest first"
        self.picker.show([Choice(stem, f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}") for stem, at in event.deleted])

    def action_take(self) -> None:
        """Bring back the thread under the cursor."""
        chosen = self.picker.chosen
        if chosen is not None:
            self.dismiss(chosen.text)
