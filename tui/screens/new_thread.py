"""The dialog that begins a thread: a dataset, one of its sessions, and a question about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from core.curate.task import form_named, form_names
from core.errors import SensorloomError
from core.runs.events import TurnEvent
from core.storage.memory import remember
from core.storage.store import Stored
from core.text import one_line
from core.thread.evidence import WANTED, Wanted, settled
from core.thread.scoring import ACTIVITY, states_its_form
from tui.local_keys import keys_of, local_bindings
from tui.open_thread.runs import Runs
from tui.screens.datasets_to_ask import REMEMBERED, Opened, opened
from tui.screens.kind_request import KindRequest
from tui.screens.new_thread_lines import dataset_line, evidence_line, form_line, key_lines
from tui.screens.question_request import QuestionRequest
from tui.screens.session_choice import SessionChoice, SessionList
from tui.screens.several_threads import Several, ask_how_many
from tui.terminal.crash_guard import Guarded
from tui.widgets.plain import Plain
from tui.widgets.text_field import AnswerField

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.kinds import Asked
    from tui.screens.batching import Batching


@dataclass(frozen=True, slots=True)
class Begun:
    """The thread that was made, and whether it is to run at once."""

    stored: Stored
    run: bool


class QuestionArea(AnswerField):
    """The question, which enter does not break: it ends the dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("question")]

    def write(self, text: str) -> None:
        """Show a question in the place of what is there."""
        self.text = text


class NewThreadScreen(Guarded, ModalScreen[Begun | None]):
    """Chooses a session, lets the model propose the question, and makes the thread."""

    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("begin")]
    AUTO_FOCUS = "SessionList"  # keys typed ahead are no filter

    choice = getters.query_one(SessionChoice)
    sessions = getters.query_one(SessionList)
    question = getters.query_one(QuestionArea)

    def __init__(
        self, runs: Runs, used: Mapping[tuple[str, str], int], offer_data: Callable[[], None], batching: Batching, *,
        blind: bool = False,
    ) -> None:  # fmt: skip
        """Args: `offer_data` is called where there is no dataset; `batching` makes several at once; `blind` hides the
        labels."""
        super().__init__()
        self._offer_data = offer_data
        self._batching = batching
        self._blind = blind
        self._runs = runs
        self._names: list[str] = []
        self._used = used
        """How many threads there are about each session of each dataset, so that a drawn session is a fresh one."""
        self._dataset: StandardDataset | None = None

        self._proposed = ""
        """The question as it was put there, to tell one that was written by hand."""

        def write(text: str) -> None:
            self._proposed = text
            self.question.write(text)

        self._request = QuestionRequest(self, runs, show=write, say=self._say, ended=self._question_ended)
        self._kinds = KindRequest(
            self,
            runs.workspace,
            show=write,
            say=self._say,
            ended=self._question_ended,
            propose=self.action_propose,
        )
        self._evidence: Wanted = runs.wanted_evidence
        self._form = runs.wanted_form
        self._start: bool | None = None
        """Set while the person has asked to start before the question was there: whether to run, too."""

    def compose(self) -> ComposeResult:
        """The dataset, the sessions, the question, and the keys."""
        with Vertical(id="dialog"):
            yield Plain(id="dataset")
            yield SessionChoice()
            yield Plain(Content.styled("question", "bold"), id="question-title")
            yield QuestionArea(takes="question.start", entered=partial(self.action_start, False), id="question")
            yield Plain(id="evidence")
            yield Plain(id="form")
            yield Plain(id="keys")

    def on_mount(self) -> None:
        """Open the dataset that was used last."""
        self.query_one("#dialog").border_title = "new thread"
        self.query_one("#keys", Plain).show(key_lines(keys_of(self)))
        self.query_one("#evidence", Plain).show(evidence_line(self._evidence))
        self.query_one("#form", Plain).show(form_line(self._form))
        self.sessions.empty = "opening …"
        self.sessions.focus()
        self._open("")

    def _open(self, name: str) -> None:
        """Open a dataset; without a name, the one that was used last, or the first."""

        def work() -> None:
            self.call_later(self._opened, opened(self._runs.workspace, name))

        self.run_worker(work, thread=True, exclusive=True, group="dataset")

    def _opened(self, event: Opened) -> None:
        if not event.names:
            self.dismiss(None)
            self._offer_data()
            return
        self._names = list(event.names)
        self._dataset = dataset = event.dataset
        self.query_one("#dataset", Plain).show(dataset_line(event, keys_of(self)))
        if dataset is None:
            self._start = None
            self.sessions.empty = one_line(event.problem)
            self.choice.show(None, {}, blind=self._blind)
            return
        self.sessions.empty = "this dataset has no sessions"
        self._kinds.reset()
        self.choice.show(dataset, self._used, blind=self._blind)
        self.action_draw()
        self.action_propose()

    def action_draw(self) -> None:
        """Draw a session at random, one that no thread is about where there is any."""
        self.sessions.draw_one()

    def action_dataset(self, step: int) -> None:
        """Open another dataset."""
        if self._dataset is not None and len(self._names) > 1:
            at = self._names.index(self._dataset.name)
            self._open(self._names[(at + step) % len(self._names)])

    def action_write(self) -> None:
        """Write the question by hand."""
        self._request.stop()
        self.question.focus()

    def action_leave_question(self) -> None:
        """Back to the sessions, keeping what was written."""
        self.sessions.focus()

    def action_propose(self) -> None:
        """Let the model propose a question, or another one; one of another kind comes in its own words."""
        if self._dataset is not None and self._kinds.kind != ACTIVITY:
            self.on_session_list_picked()
        elif self._dataset is not None:
            self._say("the model proposes …" if self._start is None else "starting as soon as the question is there …")
            self._request.begin(self._dataset.name)

    def action_other(self, what: str) -> None:
        """Let the answer rest on the next kind of evidence, or show the model the next form of the task."""
        if what == "evidence":
            self._evidence = WANTED[(WANTED.index(self._evidence) + 1) % len(WANTED)]
            self.query_one("#evidence", Plain).show(evidence_line(self._evidence))
            return
        names = form_names(self._runs.workspace)
        at = names.index(self._form.name) if self._form.name in names else -1
        self._form = form_named(self._runs.workspace, names[(at + 1) % len(names)])
        self.query_one("#form", Plain).show(form_line(self._form))

    def action_kind(self) -> None:
        """Ask a question of the next kind that the session can be asked."""
        if self._dataset is not None and (chosen := self.sessions.chosen) is not None:
            self._request.stop()
            self._kinds.next_kind(self._dataset, chosen)

    def on_session_list_picked(self) -> None:
        """A question of another kind than that for the activity is about its session: ask it of this one."""
        if self._dataset is not None and self._kinds.kind != ACTIVITY and (chosen := self.sessions.chosen) is not None:
            self._kinds.again(self._dataset, chosen)

    def hear(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report: the question as it comes."""
        self._request.hear(events)

    def _question_ended(self, problem: str) -> None:
        if problem:
            self._start = None
            keys = keys_of(self)
            ways = f"{keys['begin.propose']} tries again, {keys['begin.write']} writes it by hand"
            self._say(f"{one_line(problem, 160)} — {ways}")
            return
        if self._kinds.asked is None:
            self._say("")
        if self._start is not None:
            self.action_start(self._start)

    def _say(self, text: str) -> None:
        self.query_one("#question-title", Plain).show(Content.assemble(("question  ", "bold"), (one_line(text), "dim")))

    def action_start(self, run: bool) -> None:
        """Make the thread; as soon as the question is there, if it is still on its way."""
        if self._request.waiting or self._kinds.waiting or self._dataset is None:
            self._start = run
            self._say("starting as soon as the question is there …")
            return
        if (chosen := self.sessions.chosen) is None:
            return
        if not self.question.text.strip():
            keys = keys_of(self)
            ways = f"{keys['begin.propose']} proposes one, {keys['begin.write']} writes it"
            self._say(f"the thread needs a question: {ways}")
            return
        self._start = None
        question = self.question.text.strip()
        asked = self._kinds.asked if states_its_form(question) else None
        work = partial(self._make, self._dataset.name, chosen, question, asked, run)
        self.run_worker(work, thread=True, exclusive=True, group="make")

    def _make(self, dataset: str, session: str, question: str, asked: Asked | None, run: bool) -> None:
        from core.curate import create_thread
        from core.curate.prompts import examples_lacking
        from core.datasets.check import look_at_session

        try:
            look_at_session(self._runs.workspace, dataset, session)
            stored = create_thread(
                self._runs.workspace,
                dataset,
                session,
                question,
                evidence=settled(self._evidence, session),
                asked=asked,
                form=self._form,
            )
        except SensorloomError as error:
            self.call_later(self._say, str(error))
            return
        if lacking := examples_lacking(stored.thread):
            self.call_later(partial(self.app.notify, one_line(lacking, 300), markup=False))
        with suppress(SensorloomError):  # the thread is there, whether or not the choice can be remembered
            remember(self._runs.workspace, REMEMBERED, dataset)

        def close() -> None:
            if self.is_current:  # else it was left meanwhile, and the thread is in the list
                self.dismiss(Begun(stored, run))

        self.call_later(close)

    def action_several(self) -> None:
        """Make threads about several of the sessions shown, as a batch."""
        if self._dataset is None or not self.sessions.rows:
            return
        written = self.question.text.strip()
        question = written if self._kinds.kind == ACTIVITY and written != self._proposed.strip() else ""
        several = Several(self._dataset, tuple(self.sessions.rows), self._kinds.kind, question, self._form)

        def make(count: int) -> None:
            if self._batching.make_drawn(count, lambda: several.jobs(self._runs.workspace, count), self._evidence):
                self.action_leave()

        ask_how_many(self.app, several, make)

    def action_leave(self) -> None:
        """Back, making nothing."""
        self._request.stop()
        self.dismiss(None)
