"""Several new threads at once: how many, and about which of the sessions that the dialog for a new one shows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.app import App

from core.datasets.drawing import draw_sessions
from core.datasets.facts import holds_several
from core.datasets.session_filter import SessionFacts
from core.errors import UsageError
from core.thread.scoring import ACTIVITY
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.runs.job import Job
    from core.thread.form import TaskForm


@dataclass(frozen=True, slots=True)
class Several:
    """What all the threads have in common."""

    dataset: StandardDataset
    shown: Sequence[SessionFacts]
    """The sessions to draw from."""
    kind: str
    question: str
    """Of each of them; empty where each gets one of its own."""
    form: TaskForm

    def jobs(self, workspace: Workspace, count: int) -> list[Job]:
        """A thread about each of `count` sessions, drawn as evenly from the labels as may be, from those that no thread
        is about where there are enough.

        Raises:
            UsageError: there are fewer.
            DatasetError: the dataset cannot be read.
        """
        from core.runs.asking import draw_questions
        from core.runs.job import Job
        from core.thread.kinds import BY_NAME

        labelled = [facts for facts in self.shown if self.dataset.labels.get(facts.session)]
        fresh = [facts for facts in labelled if not facts.threads]
        among = [facts.session for facts in (fresh if len(fresh) >= count else labelled)]
        seed, name = random.randrange(1 << 30), self.dataset.name
        if self.kind != ACTIVITY:
            asked = draw_questions(workspace, self.dataset, [BY_NAME[self.kind]], count, seed, among)
            return [Job(name, each.session, asked=each, form=self.form) for each in asked]
        among = [session for session in among if not holds_several(self.dataset, session)]
        if len(among) < count:
            raise UsageError(f"{len(among)} of the sessions shown have one label, fewer than the {count} asked for")
        drawn = draw_sessions(self.dataset, count, seed, among)
        return [Job(name, session, self.question, form=self.form) for session in drawn]


def ask_how_many(app: App[Any], several: Several, make: Callable[[int], None]) -> None:
    """Ask how many threads, and have them made."""
    there = len(several.shown)
    words = "the question that was written" if several.question else "a question of its own"
    about = (
        f"A number. Each is about another of the {there:,} sessions shown, their answers evenly spread, with {words}. "
        "They are made as a batch, while everything else goes on."
    )

    def typed(text: str | None) -> None:
        if text is None:
            return
        if text.isascii() and text.isdecimal() and 0 < int(text) <= there:
            make(int(text))
        else:
            app.notify(f"how many is a number from 1 to {there:,}", severity="warning", markup=False)
            ask(text)

    def ask(begin: str) -> None:
        app.push_screen(AskTextScreen("how many threads", begin, about), typed)

    ask("")
