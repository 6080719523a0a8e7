"""A question that the model is asked to propose for a new thread, as it comes in."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.message import Message
from textual.screen import Screen

from core.errors import SensorloomError
from core.model.reply import TextAdded, Waiting
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.text import one_line
from tui.open_thread.runs import Runs


class Asking:
    """Asks for one question at a time; an earlier one is stopped. Lives on the screen that shows it."""

    class Failed(Message):
        """The question could not be asked for, or did not come."""

        def __init__(self, name: str, reason: str) -> None:
            super().__init__()
            self.name = name
            self.reason = reason

    class Ended(Message):
        """The question is there."""

    def __init__(
        self, screen: Screen[Any], runs: Runs, *, show: Callable[[str], None], say: Callable[[str], None]
    ) -> None:
        """Args: `show` shows the question as it has come so far, `say` a word about how it goes."""
        self._screen = screen
        self._runs = runs
        self._show = show
        self._say = say
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

    def take(self, events: Sequence[TurnEvent]) -> None:
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
                case TurnEnded():
                    name = self._name
                    if event.error:
                        self._screen.post_message(self.Failed(name, event.error))
                    else:
                        self._name = ""
                        self._screen.post_message(self.Ended())
                case _:
                    pass

    def failed(self, event: Failed) -> bool:
        """Whether it is the present question that failed; it is asked for no longer."""
        if event.name != self._name:
            return False
        self._name = ""
        return True

    def _ask(self, dataset: str, name: str) -> None:
        try:
            self._runs.runner.propose_query(dataset, self._runs.choice, name, seed=random.randrange(1 << 30))
        except SensorloomError as error:
            self._screen.post_message(self.Failed(name, str(error)))
