"""The dialog that chooses the model turns are made with, and how it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from core.errors import SensorloomError
from core.model.endpoints import Endpoint, ModelChoice, chosen_with, settings_for
from core.model.headers import refuse_spelled_out
from core.model.options import OPTIONS, read_option, shown_option
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_field import LineField
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.model.listing import Listing

USUAL = {
    "system_role": "system",
    "concurrency": "by its answers",
    "connect_timeout_sec": "10",
    "first_token_timeout_sec": "10 × timeout",
    "timeout_sec": "60",
    "headers": "none",
    "extra_body": "none",
    "price_in": "not known",
    "price_out": "not known",
}
"""What holds where a field is empty; of any other option it is what the server does."""


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
        self._problems: list[str] = []
        self._shown = {name: shown_option(getattr(choice.settings, name)) for name in OPTIONS}
        """What was put into each field; what differs from it is a person's."""
        base = settings_for(workspace, choice.endpoint)
        self._own = {name for name in OPTIONS if getattr(base, name) != getattr(choice.settings, name)}
        """Options that a person chose here before: they hold for another endpoint too, but for headers, which may hold
        the key of one."""
        self._pointed = choice.endpoint.name
        """The endpoint that the fields are of."""

    def compose(self) -> ComposeResult:
        """The models, the settings, and what did not answer."""
        with Vertical(id="dialog"):
            yield Picker(id="models")
            with VerticalScroll(id="settings", can_focus=False):
                for pair in (OPTIONS[at : at + 2] for at in range(0, len(OPTIONS), 2)):
                    with Horizontal():
                        for name in pair:
                            yield Plain(name.removesuffix("_sec").replace("_", " "))
                            yield LineField(self._shown[name], id=name, placeholder=USUAL.get(name, "server's"))
            yield Plain(id="problems")

    def on_mount(self) -> None:
        """Ask the endpoints."""
        self.query_one("#dialog").border_title = "model"
        self.query_one("#dialog").border_subtitle = keys_of(self).hints(
            "model.take", "model.settings", "model.forget", "model.back"
        )
        for line in self.query(Input):
            line.cursor_blink = False
        self.picker.empty = "asking the endpoints …"
        self.picker.focus()
        self.run_worker(self._ask(), exclusive=True, group="models")

    async def _ask(self) -> None:
        from core.model.listing import list_everything

        self.post_message(self.Listed(await list_everything(self._workspace)))

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        rows = [(listing.endpoint, model) for listing in event.listings for model in listing.models]
        self._models = rows
        now = (self._choice.endpoint.name, self._choice.model or self._choice.endpoint.model)
        at = next((i for i, (endpoint, model) in enumerate(rows) if (endpoint.name, model) == now), 0)
        self.picker.show([Choice(model, f"{endpoint.name}  {endpoint.base_url}") for endpoint, model in rows], at)
        self._problems = [one_line(listing.problem, 200) for listing in event.listings if listing.problem]
        if rows:
            self._picked()
        else:
            self._tell_refused()

    @on(Picker.Picked)
    def _picked(self) -> None:
        """Show how the endpoint under the cursor is asked; what a person typed or chose stays."""
        if not self._models:
            return
        endpoint, _ = self._models[self.picker.cursor]
        same = endpoint.name == self._choice.endpoint.name
        settings = self._choice.settings if same else settings_for(self._workspace, endpoint)
        moved, self._pointed = endpoint.name != self._pointed, endpoint.name
        for name in OPTIONS:
            line, text = self.query_one(f"#{name}", Input), shown_option(getattr(settings, name))
            is_own = name in self._own or line.value != self._shown[name]
            if (moved and name == "headers") or not is_own:
                line.value = self._shown[name] = text
        self._tell_refused()

    def _tell_refused(self) -> None:
        self.run_worker(self._refused(), exclusive=True, group="refused")

    async def _refused(self) -> None:
        """Say what is left out at the endpoint under the cursor, and what did not answer."""
        from core.runs.remembered import refusals_of

        if not self._models:
            self.query_one("#problems", Plain).show("\n".join(self._problems))
            return
        endpoint, model = self._models[self.picker.cursor]
        refuses = (await asyncio.to_thread(refusals_of, self._workspace, endpoint)).get(model, ())
        key = keys_of(self)["model.forget"]
        told = [one_line(f"asked without what it refuses: {', '.join(refuses)} ({key} forgets)")] if refuses else []
        self.query_one("#problems", Plain).show("\n".join((*told, *self._problems)))

    async def action_forget(self) -> None:
        """Forget what the endpoint under the cursor refuses."""
        from core.runs.remembered import forget_refusals

        if not self._models:
            return
        endpoint, _ = self._models[self.picker.cursor]
        try:
            await asyncio.to_thread(forget_refusals, self._workspace, endpoint.name)
        except SensorloomError as error:
            self._say(one_line(str(error)))
            return
        self._tell_refused()

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Use what is chosen."""
        if not self._models:
            return
        endpoint, model = self._models[self.picker.cursor]
        values: dict[str, Any] = {}
        for name in OPTIONS:
            line = self.query_one(f"#{name}", Input)
            try:
                values[name] = read_option(name, line.value)
                if name == "extra_body" and line.value != self._shown[name]:
                    refuse_spelled_out(values[name])
            except SensorloomError as error:
                self._say(one_line(str(error)))
                line.focus()
                return
        settings = msgspec.structs.replace(self._choice.settings, **values)
        self.dismiss(chosen_with(endpoint, model, settings))

    def _say(self, text: str) -> None:
        self.query_one("#problems", Plain).show(Content.styled(text, "$text-warning"))
