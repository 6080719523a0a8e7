"""The dialog that begins an evaluation: whose sessions, how many, who answers, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from core.evaluation import MAX_TRIES
from core.evaluation.contest import QUESTION, Evaluation, begin
from core.evaluation.planning import COUNT, Wanted, planned
from core.model.endpoints import choose, configured
from core.text import one_line, printable
from core.thread.evidence import EVIDENCE
from core.workspace import Workspace
from tui.dialogs.asking_option import ask_for, change, names_in
from tui.dialogs.option_rows import Option, OptionRows
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain

YES = "yes"
_COUNTS = ("20", "50", "100", "200", "500")


def options_for(datasets: Sequence[str], endpoints: Sequence[str]) -> tuple[Option, ...]:
    """Everything there is to decide, in the order of the dialog."""
    counts = (("", f"{COUNT}, or all there are"), *((count, count) for count in _COUNTS))
    evidence = (("", "as the settings have it"), *((name, name) for name in EVIDENCE))
    return (
        Option("dataset", "dataset", "whose sessions", tuple((name, name) for name in datasets)),
        Option("count", "sessions", "drawn at random, spread over the labels", counts, asks="how many sessions"),
        Option("held_out", "people", "people in training threads make figures too high",
               (("", "all of them"), (YES, "only those that are held out from training"))),
        Option("endpoints", "who answers", "models, the same questions for all", asks="models", screen=True,
               empty="the one that runs use" if endpoints else "…"),
        Option("control", "control", "each of them once more without tools shows what is guessed",
               (("", "none"), (YES, "each once more without tools"))),
        Option("tries", "tries", "at each session", tuple((n, n) for n in ("1", "2", "4", "8")),
               asks=f"tries at each session, up to {MAX_TRIES}"),
        Option("question", "question", "is asked of all", (("", QUESTION),), asks="what is asked of all"),
        Option("evidence", "evidence", "what answers may rest on, the same for all", evidence),
        Option("seed", "seed", "decides which sessions are drawn", (("", "another one each time"),), asks="the seed"),
        Option("name", "name", "its folder in evaluations/", (("", "the dataset and a number"),), asks="its name"),
    )  # fmt: skip


class NewEvaluationScreen(Guarded, ModalScreen[Evaluation | None]):
    """Its result is the evaluation, written down and not yet run."""

    DEFAULT_CSS = """
    NewEvaluationScreen #dialog { width: 96; }
    NewEvaluationScreen #options { height: 10; }
    NewEvaluationScreen #about, NewEvaluationScreen #problem { height: auto; max-height: 3; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("evaluate")]

    rows = getters.query_one(OptionRows)

    @dataclass
    class Known(Message):
        """The datasets, the models that can answer, and the one that runs use."""

        datasets: Sequence[str]
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

        usual, names, datasets = await asyncio.to_thread(self._configured)
        self.post_message(self.Known(datasets, names, usual))
        listings = await list_everything(self._workspace)
        models = [
            f"{listing.endpoint.name}={model}"
            for listing in listings
            if not listing.endpoint.builtin
            for model in listing.models
        ]
        self.post_message(self.Known(datasets, (*names, *models), usual))

    def _configured(self) -> tuple[str, list[str], list[str]]:
        names = [endpoint.name for endpoint in configured(self._workspace)]
        try:
            usual = choose(self._workspace).endpoint.name
        except UsageError:
            usual = names[0]
        return usual, names, sorted(dataset_names(self._workspace))

    def on_new_evaluation_screen_known(self, event: Known) -> None:
        """Offer them."""
        self._datasets, self.models = event.datasets, event.models
        if event.datasets:
            self._chosen.setdefault("dataset", event.datasets[0])
        self._chosen.setdefault("endpoints", event.usual)
        self._show()

    def _show(self) -> None:
        shown = {**self._chosen, "endpoints": ", ".join(names_in(self._chosen.get("endpoints", "")))}
        self.rows.show(options_for(self._datasets, self.models), shown)
        self._pointed()

    @on(OptionRows.Pointed)
    def _pointed(self) -> None:
        self.query_one("#about", Plain).show(Content.styled(printable(self.rows.option.about), "dim"))

    def action_change(self, step: int) -> None:
        """Choose the next value of the option under the cursor, or the one before."""
        if not self._busy:
            change(self.app, self.rows.option, self._chosen, step, self.models, self._choose)

    def action_choose(self) -> None:
        """List what is possible, or have it typed."""
        if not self._busy:
            ask_for(self.app, self.rows.option, self._chosen, self.models, self._choose)

    def _choose(self, name: str, value: str) -> None:
        self._chosen[name] = value
        self._say("")
        self._show()

    def action_begin(self) -> None:
        """Draw the sessions, write down what is asked of whom, and begin."""
        if self._busy:
            return
        try:
            wanted = self._wanted()
        except UsageError as error:
            self._say(str(error))
            return
        self._busy = True
        self._say("drawing the sessions …")
        self.run_worker(lambda: self._plan(wanted), thread=True, group="plan")

    def _wanted(self) -> Wanted:
        """What is chosen. Raises UsageError for a number that is none."""
        chosen = self._chosen
        if not chosen.get("dataset"):
            raise UsageError("there is no dataset here yet; import one first")
        seed = _number("seed", chosen, 0, 2**31 - 1)
        return Wanted(
            chosen["dataset"],
            chosen.get("name", "").strip(),
            _number("sessions", chosen, 1, 1_000_000, "count") or 0,
            seed,
            bool(chosen.get("held_out")),
            names_in(chosen.get("endpoints", "")),
            bool(chosen.get("control")),
            _number("tries", chosen, 1, MAX_TRIES) or 1,
            chosen.get("question", "").strip() or QUESTION,
            next((name for name in EVIDENCE if name == chosen.get("evidence")), None),
        )

    def _plan(self, wanted: Wanted) -> None:
        try:
            evaluation = planned(self._workspace, wanted)
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


def _number(label: str, chosen: dict[str, str], least: int, most: int, name: str = "") -> int | None:
    text = chosen.get(name or label, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise UsageError(f"{label}: `{one_line(text, 30)}` is no number from {least} to {most}")
    return int(text)
