"""A question that the model is asked to propose for a new thread, as it comes in."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.screen import Screen

from core.errors import SensorloomError
from core.model.refusals import Dropped
from core.model.reply import Prefilling, TextAdded, Waiting
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.text import one_line
from tui.open_thread.runs import Runs


class QuestionRequest:
    """Asks for one question at a time; an earlier one is stopped. Lives on the screen that shows it."""

    def __init__(
        self,
        screen: Screen[Any],
        runs: Runs,
        *,
        show: Callable[[str], None],
        say: Callable[[str], None],
        ended: Callable[[str], None],
    ) -> None:
        """Asks for questions.

        Args:
            screen: the one that shows them.
            runs: where the model is asked.
            show: shows the question as it has come so far.
            say: says a word about how it goes.
            ended: called when the question is there, or with why it is not.
        """
        self._screen = screen
        self._runs = runs
        self._show = show
        self._say = say
        self._ended = ended
        self._name = ""
        """What the run is called, while there is one."""
        self._count = 0
        self._text = ""

    @property
    def waiting(self) -> bool:
        """Whether a question is on its way."""
        return bool(self._name)

    def begin(self, dataset: str) -> None:
        """Ask for a question about a session of the dataset."""
        self.stop()
        self._count += 1
        self._name = f"question {self._count} on {dataset}"
        self._text = ""
        self._show("")
        self._screen.run_worker(partial(self._ask, dataset, self._name), thread=True, group="question")

    def stop(self) -> None:
        """Ask no longer."""
        if self._name:
            self._runs.runner.cancel(self._name)
            self._name = ""

    def hear(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report."""
        for event in events:
            if not self._name or event.run.rpartition("#")[0] != self._name:
                continue
            match event:
                case TextAdded(reasoning=False):
                    self._text += event.text
                    self._show(self._text)
                case QueryProposed():
                    self._show(event.text)
                case Waiting():
                    self._say(one_line(f"waiting {event.seconds:.0f} s: {event.reason}", 100))
                case Prefilling():
                    self._say(f"reading {event.done:,} of {event.total:,} tokens …")
                case Dropped():
                    self._screen.notify(one_line(event.sentence, 300), markup=False)
                case TurnEnded():
                    self._end(self._name, event.error)
                case _:
                    pass

    def _end(self, name: str, problem: str) -> None:
        if name == self._name:  # else another question was asked for meanwhile
            self._name = ""
            self._ended(problem)

    def _ask(self, dataset: str, name: str) -> None:
        try:
            self._runs.runner.propose_question(dataset, self._runs.choice, name, seed=random.randrange(1 << 30))
        except SensorloomError as error:
            self._screen.call_later(self._end, name, str(error))
