"""Another kind of question for a new thread, and what is true of the chosen session, found beside the screen's loop."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from core.errors import SensorloomError
from core.thread.scoring import ACTIVITY
from core.workspace import Workspace
from tui.local_keys import keys_of

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.kinds import Asked


class KindRequest:
    """Which kind of question is asked, and the one that was made of it for a session. Lives on the screen that shows
    it."""

    def __init__(
        self,
        screen: Screen[Any],
        workspace: Workspace,
        *,
        show: Callable[[str], None],
        say: Callable[[str], None],
        ended: Callable[[str], None],
        propose: Callable[[], None],
    ) -> None:
        """Asks for the activity at first.

        Args:
            screen: the one that shows the questions.
            workspace: where the datasets are.
            show: shows a question.
            say: says a word about it.
            ended: called when the question is there, or with why there is none.
            propose: called when the model is to propose the question: it is for the activity again.
        """
        self._screen = screen
        self._workspace = workspace
        self._show = show
        self._say = say
        self._ended = ended
        self._propose = propose
        self._count = 0
        self.kind = ACTIVITY
        self.waiting = False
        self.asked: Asked | None = None
        """What the shown question asks, and the truth; None for the activity."""

    def reset(self) -> None:
        """Ask for the activity again, and for nothing that is under way."""
        self._count += 1
        self.kind, self.asked, self.waiting = ACTIVITY, None, False

    def next_kind(self, dataset: StandardDataset, session: str) -> None:
        """Ask a question of the next kind that this session can be asked."""
        from core.thread.scoring import KINDS

        at = KINDS.index(self.kind) + 1
        self._ask(dataset, session, (*KINDS[at:], *KINDS[:at]))

    def again(self, dataset: StandardDataset, session: str) -> None:
        """Ask a question of the same kind about this session, in words of its own."""
        self._ask(dataset, session, (self.kind,))

    def _ask(self, dataset: StandardDataset, session: str, kinds: Sequence[str]) -> None:
        self._count += 1
        self.asked, self.waiting = None, True
        self._show("")
        self._say("looking what can be asked …")
        work = partial(self._find, self._count, dataset, session, kinds)
        self._screen.run_worker(work, thread=True, exclusive=True, group="kind")

    def _find(self, count: int, dataset: StandardDataset, session: str, kinds: Sequence[str]) -> None:
        from core.runs.asking import asked_of
        from core.thread.kinds import BY_NAME

        seed = random.randrange(1 << 30)
        keys = keys_of(self._screen)
        ways = f"{keys['begin.kind']} asks something else, {keys['begin.draw']} takes another one"
        problem = f"`{kinds[0]}` is asked of {BY_NAME[kinds[0]].sessions}; {ways}"
        question = None
        try:
            questions = (asked_of(self._workspace, dataset, session, BY_NAME[kind], seed) for kind in kinds)
            question = next(filter(None, questions), None)
        except SensorloomError as error:
            problem = str(error)
        self._screen.call_later(self._answered, count, question, problem)

    def _answered(self, count: int, question: Asked | None, problem: str) -> None:
        from core.thread.kinds import BY_NAME

        if count != self._count:  # something else was asked for meanwhile
            return
        self.waiting = False
        if question is None:
            self._ended(problem)
        elif question.kind == ACTIVITY:
            self.kind = ACTIVITY
            self._propose()
        else:
            self.kind, self.asked = question.kind, question
            self._show(question.question)
            self._say(f"{question.kind}: {BY_NAME[question.kind].about}")
            self._ended("")
