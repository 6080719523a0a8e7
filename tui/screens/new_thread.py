"""The dialog that begins a thread: a dataset, one of its sessions, and a question about it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import TextArea

from core.errors import SensorloomError
from core.runs.events import TurnEvent
from core.storage.memory import recall, remember
from core.storage.store import Stored
from core.text import one_line
from tui.dialogs.question_request import Asking
from tui.open_thread.runs import Runs
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset

_REMEMBERED = "new thread: dataset"


@dataclass(frozen=True, slots=True)
class Begun:
    """The thread that was made, and whether it is to run at once."""

    stored: Stored
    run: bool


class QuestionArea(TextArea):
    """The question, which enter does not break: it ends the dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.start(False)", "start", show=False, priority=True),
        Binding("escape", "screen.leave_question", "to the sessions", show=False, priority=True),
    ]


class NewThreadScreen(Guarded, ModalScreen[Begun | None]):
    """Chooses a session, lets the model propose the question, and makes the thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start(False)", "start", show=False),
        Binding("R", "start(True)", "start and run", show=False),
        Binding("x", "draw", "another session at random", show=False),
        Binding("t", "propose", "another question", show=False),
        Binding("e", "write", "write the question", show=False),
        Binding("left,h", "dataset(-1)", "previous dataset", show=False),
        Binding("right,l", "dataset(1)", "next dataset", show=False),
        Binding("escape,q", "leave", "back", show=False),
    ]

    sessions = getters.query_one(Picker)
    question = getters.query_one(QuestionArea)

    @dataclass
    class Opened(Message):
        """A dataset was opened, or cannot be."""

        names: Sequence[str]
        """All datasets there are."""
        name: str
        opened: StandardDataset | None
        problem: str = ""

    @dataclass
    class Made(Message):
        """The thread was saved, or could not be."""

        begun: Begun | None
        problem: str = ""

    def __init__(self, runs: Runs, used: frozenset[tuple[str, str]]) -> None:
        super().__init__()
        self._runs = runs
        self._names: list[str] = []
        self._used = used
        """Dataset and session of every thread there is, so that a drawn session is a fresh one."""
        self._dataset: StandardDataset | None = None
        self._asking = Asking(self, runs, show=self._show_question, say=self._say)
        self._start: bool | None = None
        """Set while the person has asked to start before the question was there: whether to run, too."""

    def compose(self) -> ComposeResult:
        """The dataset, the sessions, the question, and the keys."""
        with Vertical(id="dialog"):
            yield Plain(id="dataset")
            yield Picker(id="sessions")
            yield Plain(Content.styled("question", "bold"), id="question-title")
            yield QuestionArea(id="question", show_line_numbers=False, soft_wrap=True, compact=True)
            yield Plain(id="keys")

    def on_mount(self) -> None:
        """Open the dataset that was used last."""
        self.query_one("#dialog").border_title = "new thread"
        self.question.cursor_blink = False
        self.query_one("#keys", Plain).show(
            _keys(
                ("⏎", "start"), ("R", "start and run"), ("j k", "session"), ("x", "draw one"), ("t", "other question"),
                ("e", "write it"), ("◂ ▸", "dataset"), ("esc", "back"),
            )
        )  # fmt: skip
        self.sessions.empty = "opening …"
        self.sessions.focus()
        self._open("")

    def _open(self, name: str) -> None:
        self.run_worker(partial(self._opening, name), thread=True, exclusive=True, group="dataset")

    def _opening(self, name: str) -> None:
        """Open a dataset; without a name, the one that was used last, or the first."""
        from core.datasets.standard import dataset_names, open_dataset

        names = dataset_names(self._runs.workspace)
        if not name and names:
            last = recall(self._runs.workspace, _REMEMBERED, "")
            name = last if last in names else names[0]
        try:
            opened = open_dataset(self._runs.workspace, name) if names else None
            if opened is not None:
                opened.sessions  # noqa: B018 - read here, off the screen's loop
            self.post_message(self.Opened(names, name, opened))
        except SensorloomError as error:
            self.post_message(self.Opened(names, name, None, str(error)))

    @on(Opened)
    def _opened(self, event: Opened) -> None:
        if not event.names:
            self._offer_data()
            return
        self._names = list(event.names)
        self._dataset = event.opened
        name = event.name
        place = f"  {self._names.index(name) + 1}/{len(self._names)} ◂ ▸" if len(self._names) > 1 else ""
        if event.opened is None:
            self.query_one("#dataset", Plain).show(f"{name}{place}")
            self._start = None
            self.sessions.empty = one_line(event.problem)
            self.sessions.show(())
            return
        one = event.opened
        subjects = len(set(one.subjects.values()))
        facts = f"{len(one.sessions):,} sessions · {subjects:,} subjects · {len(one.activities)} activities"
        made = " · synthetic" if one.synthetic else ""
        self.query_one("#dataset", Plain).show(
            Content.assemble((one_line(name, 40), "bold"), f"{place}   ", (facts + made, "dim"))
        )
        self.sessions.empty = "this dataset has no sessions"
        self.sessions.show([self._choice(session) for session in one.sessions])
        self.action_draw()
        self.action_propose()

    def _offer_data(self) -> None:
        from tui.screens.first_run import FirstRunScreen

        self.dismiss(None)
        self.app.push_screen(FirstRunScreen(self._runs.workspace))

    def _choice(self, session: str) -> Choice:
        assert self._dataset is not None
        labels = ", ".join(self._dataset.labels.get(session, ()))
        there = "· " if (self._dataset.name, session) in self._used else ""
        return Choice(session, f"{there}{labels}")

    def action_draw(self) -> None:
        """Draw a session at random, one that no thread is about where there is any."""
        if self._dataset is None or not self.sessions.count:
            return
        name, every = self._dataset.name, self._dataset.sessions
        fresh = [place for place, session in enumerate(every) if (name, session) not in self._used]
        self.sessions.move_to(random.choice(fresh or range(len(every))))

    def action_dataset(self, step: int) -> None:
        """Open another dataset."""
        if self._dataset is not None and len(self._names) > 1:
            place = self._names.index(self._dataset.name)
            self._open(self._names[(place + step) % len(self._names)])

    def action_write(self) -> None:
        """Write the question by hand."""
        self._asking.stop()
        self.question.focus()

    def action_leave_question(self) -> None:
        """Back to the sessions, keeping what was written."""
        self.sessions.focus()

    def action_propose(self) -> None:
        """Let the model propose a question, or another one."""
        if self._dataset is not None:
            self._say("the model proposes …" if self._start is None else "starting as soon as the question is there …")
            self._asking.begin(self._dataset.name)

    def take(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report: the question as it comes."""
        self._asking.take(events)

    def _show_question(self, text: str) -> None:
        self.question.text = text

    @on(Asking.Ended)
    def _asked(self) -> None:
        self._say("")
        if self._start is not None:
            self.action_start(self._start)

    @on(Asking.Failed)
    def _not_asked(self, event: Asking.Failed) -> None:
        if self._asking.failed(event):
            self._start = None
            self._say(f"{one_line(event.reason, 160)} — t tries again, e writes it by hand")

    def _say(self, text: str) -> None:
        self.query_one("#question-title", Plain).show(Content.assemble(("question  ", "bold"), (one_line(text), "dim")))

    def action_start(self, run: bool) -> None:
        """Make the thread; as soon as the question is there, if it is still on its way."""
        if self._asking.waiting or self._dataset is None:
            self._start = run
            self._say("starting as soon as the question is there …")
            return
        if (chosen := self.sessions.chosen) is None:
            return
        if not self.question.text.strip():
            self._say("the thread needs a question: t proposes one, e writes it")
            return
        self._start = None
        work = partial(self._make, self._dataset.name, chosen.text, self.question.text.strip(), run)
        self.run_worker(work, thread=True, exclusive=True, group="make")

    def _make(self, dataset: str, session: str, question: str, run: bool) -> None:
        from core.curate import create_thread

        try:
            stored = create_thread(self._runs.workspace, dataset, session, question)
            remember(self._runs.workspace, _REMEMBERED, dataset)
            self.post_message(self.Made(Begun(stored, run)))
        except SensorloomError as error:
            self.post_message(self.Made(None, str(error)))

    @on(Made)
    def _made(self, event: Made) -> None:
        if event.begun is None:
            self._say(event.problem)
        else:
            self.dismiss(event.begun)

    def action_leave(self) -> None:
        """Back, making nothing."""
        self._asking.stop()
        self.dismiss(None)


def _keys(*pairs: tuple[str, str]) -> Content:
    """Keys and their words on one line."""
    return Content("  ").join(Content.assemble((key, "bold $text-accent"), f" {label}") for key, label in pairs)
