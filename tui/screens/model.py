"""The dialog that chooses the model turns are made with, and how it samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from core.model.endpoints import Endpoint, ModelChoice
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.model.endpoints import Listing

NUMBERS = (("temperature", float), ("seed", int), ("max_tokens", int))
"""The settings that can be changed here, with what they are; empty leaves one to the server."""


class ModelScreen(Guarded, ModalScreen[ModelChoice | None]):
    """Lists the models of every endpoint that answers, those on the usual local ports included."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("model")]

    picker = getters.query_one(Picker)

    @dataclass
    class Listed(Message):
        """The endpoints have answered, or have not."""

        listings: Sequence[Listing]

    def __init__(self, workspace: Workspace, choice: ModelChoice) -> None:
        super().__init__()
        self._workspace = workspace
        self._choice = choice
        self._models: list[tuple[Endpoint, str]] = []

    def compose(self) -> ComposeResult:
        """The models, the settings, and what did not answer."""
        with Vertical(id="dialog"):
            yield Picker(id="models")
            with Horizontal(id="settings"):
                for name, _ in NUMBERS:
                    value = getattr(self._choice.settings, name)
                    yield Plain(name.replace("_", " "))
                    yield LineField("" if value is None else f"{value:g}", id=name, placeholder="server's")
            yield Plain(id="problems")

    def on_mount(self) -> None:
        """Ask the endpoints."""
        self.query_one("#dialog").border_title = "model"
        self.query_one("#dialog").border_subtitle = keys_of(self).hints("model.take", "model.settings", "model.back")
        for line in self.query(Input):
            line.cursor_blink = False
        self.picker.empty = "asking the endpoints …"
        self.picker.focus()
        self.run_worker(self._ask(), exclusive=True, group="models")

    async def _ask(self) -> None:
        from core.model.endpoints import list_everything

        self.post_message(self.Listed(await list_everything(self._workspace)))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        rows = [(listing.endpoint, model) for listing in event.listings for model in listing.models]
        self._models = rows
        now = (self._choice.endpoint.name, self._choice.model or self._choice.endpoint.model)
        at = next((i for i, (endpoint, model) in enumerate(rows) if (endpoint.name, model) == now), 0)
        self.picker.show([Choice(model, f"{endpoint.name}  {endpoint.base_url}") for endpoint, model in rows], at)
        problems = [one_line(listing.problem, 200) for listing in event.listings if listing.problem]
        self.query_one("#problems", Plain).show("\n".join(problems))

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Use what is chosen."""
        if not self._models:
            return
        endpoint, model = self._models[self.picker.cursor]
        settings: dict[str, Any] = {}
        for name, kind in NUMBERS:
            text = self.query_one(f"#{name}", Input).value.strip()
            try:
                settings[name] = kind(text) if text else None
            except ValueError:
                self._say(f"{name.replace('_', ' ')}: `{one_line(text, 20)}` is no number")
                return
        changed = msgspec.structs.replace(self._choice.settings, **settings)
        self.dismiss(ModelChoice(endpoint, model, changed))

    def _say(self, text: str) -> None:
        self.query_one("#problems", Plain).show(Content.styled(text, "$text-warning"))
