"""The dialog that begins an evaluation: whose sessions, how many, who answers, how often, and how all are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from core.datasets.standard import dataset_names
from core.errors import SensorloomError, UsageError
from core.evaluation.contest import Evaluation, begin
from core.evaluation.planning import planned
from core.model.endpoints import choose, configured
from core.text import one_line, printable
from core.workspace import Workspace
from tui.dialogs.asking_option import ask_for, change, names_in
from tui.dialogs.option_rows import OptionRows
from tui.local_keys import keys_of, local_bindings
from tui.screens.evaluation_options import options_for, prompts_in, wanted_of
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain


class NewEvaluationScreen(Guarded, ModalScreen[Evaluation | None]):
    """Its result is the evaluation, written down and not yet run."""

    DEFAULT_CSS = """
    NewEvaluationScreen #dialog { width: 96; }
    NewEvaluationScreen #about, NewEvaluationScreen #problem { height: auto; max-height: 3; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("evaluate")]

    rows = getters.query_one(OptionRows)

    @dataclass
    class Known(Message):
        """The datasets, the workspace's own prompts, the models that can answer, and the one that runs use."""

        datasets: Sequence[str]
        prompts: Sequence[Path]
        models: Sequence[str]
        usual: str

    @dataclass
    class Planned(Message):
        """It was written down; or a sentence that says why it cannot be."""

        evaluation: Evaluation | None
        problem: str = ""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._datasets: Sequence[str] = ()
        self.models: Sequence[str] = ()
        """What can be ticked: endpoints, and models at them."""
        self._chosen: dict[str, str] = {"tries": "1"}
        self._options = options_for(workspace, (), (), ())
        self._busy = False

    def compose(self) -> ComposeResult:
        """The options in a box."""
        with Vertical(id="dialog"):
            yield OptionRows(id="options")
            yield Plain(id="about")
            yield Plain(id="problem")

    def on_mount(self) -> None:
        """Look for datasets and models."""
        box = self.query_one("#dialog")
        box.border_title = "evaluate models"
        box.border_subtitle = keys_of(self).hints(
            "evaluate.begin", ("evaluate.before", "evaluate.after"), "evaluate.change", "evaluate.back"
        )
        self.rows.focus()
        self._show()
        self.run_worker(self._look(), group="models")

    async def _look(self) -> None:
        """Everything that can answer: endpoints by their names at once, models once they were asked."""
        import asyncio

        from core.model.listing import list_everything

        known = await asyncio.to_thread(self._configured)
        self.post_message(known)
        listings = await list_everything(self._workspace)
        models = [
            f"{listing.endpoint.name}={model}"
            for listing in listings
            if not listing.endpoint.builtin
            for model in listing.models
        ]
        self.post_message(self.Known(known.datasets, known.prompts, (*known.models, *models), known.usual))

    def _configured(self) -> Known:
        names = [endpoint.name for endpoint in configured(self._workspace)]
        try:
            usual = choose(self._workspace).endpoint.name
        except UsageError:
            usual = names[0]
        return self.Known(sorted(dataset_names(self._workspace)), prompts_in(self._workspace), names, usual)

    def on_new_evaluation_screen_known(self, event: Known) -> None:
        """Offer them."""
        self._datasets, self.models = event.datasets, event.models
        self._options = options_for(self._workspace, event.datasets, event.models, event.prompts)
        if event.datasets:
            self._chosen.setdefault("datasets", event.datasets[0])
        self._chosen.setdefault("endpoints", event.usual)
        self._show()

    def _show(self) -> None:
        several = {name: ", ".join(names_in(self._chosen.get(name, ""))) for name in ("datasets", "endpoints")}
        self.rows.show(self._options, {**self._chosen, **several})
        self._pointed()

    @on(OptionRows.Pointed)
    def _pointed(self) -> None:
        self.query_one("#about", Plain).show(Content.styled(printable(self.rows.option.about), "dim"))

    def action_change(self, step: int) -> None:
        """Choose the next value of the option under the cursor, or the one before."""
        if not self._busy:
            change(self.app, self.rows.option, self._chosen, step, self._several, self._choose)

    def action_choose(self) -> None:
        """List what is possible, or have it typed."""
        if not self._busy:
            ask_for(self.app, self.rows.option, self._chosen, self._several, self._choose)

    @property
    def _several(self) -> Sequence[str]:
        """What can be ticked at the option under the cursor."""
        return self._datasets if self.rows.option.name == "datasets" else self.models

    def _choose(self, name: str, value: str) -> None:
        self._chosen[name] = value
        self._say("")
        self._show()

    def action_begin(self) -> None:
        """Draw the sessions, write down what is asked of whom, and begin."""
        if self._busy:
            return
        self._busy = True
        self._say("drawing the sessions …")
        self.run_worker(self._plan, thread=True, group="plan")

    def _plan(self) -> None:
        try:
            evaluation = planned(self._workspace, wanted_of(self._workspace, self._chosen))
            begin(self._workspace, evaluation)
        except SensorloomError as error:
            self.post_message(self.Planned(None, str(error)))
        else:
            self.post_message(self.Planned(evaluation))

    def on_new_evaluation_screen_planned(self, event: Planned) -> None:
        """Go on to its run, or say why there is none."""
        self._busy = False
        if event.evaluation is not None:
            self.dismiss(event.evaluation)
        else:
            self._say(event.problem)

    def _say(self, text: str) -> None:
        self.query_one("#problem", Plain).show(Content.styled(one_line(text, 400), "$text-warning"))
