"""How far a run on a cluster is: its threads are counted when they come back."""

from __future__ import annotations

import msgspec

from core.runs.events import TurnEvent
from core.runs.job import Ran
from core.runs.pace import Pace
from core.runs.progress import Meter, Progress, turn_made
from core.settings import BUILTIN_MODEL
from core.thread.cost import tokens_in
from core.thread.value import Thread, is_assistant


class ClusterMeter(Meter):
    """Keeps the progress of a run whose threads other machines have in flight: their workers pace them."""

    def __init__(self, of: int, done: int = 0) -> None:
        """Args: `of` threads in all, `done` of them before this run."""
        super().__init__(Pace(1), of, done)
        self._out = self._limit = 0
        self._before: dict[str, int] = {}
        """How many turns of each thread were there before this run."""

    def load(self, out: int, limit: int) -> None:
        """So many threads are with the workers now, and so many may be."""
        self._out, self._limit = out, limit

    def begun(self, thread: Thread) -> None:
        """This run goes on with a thread, as it is: what is in it already is not counted."""
        self._before[thread.id] = sum(map(is_assistant, thread.messages))

    @property
    def progress(self) -> Progress:
        """How far it is now."""
        usual = super().progress
        asking = 0 if usual.paused else self._out  # nobody counts how many still finish their turn over there
        return msgspec.structs.replace(usual, running=self._out, asking=asking, limit=self._limit)

    def hear(self, event: TurnEvent | Ran) -> None:
        """Take a thread that is over, and with it the turns that were made of it."""
        if isinstance(event, Ran) and event.thread is not None:
            by_analyst = event.thread.metadata.get("model") == BUILTIN_MODEL  # which counts words
            spoken = [message for message in event.thread.messages if is_assistant(message)]
            for message in spoken[self._before.pop(event.thread.id, 0) :]:
                tokens = 0 if by_analyst else tokens_in([message])[1]
                self._progress = turn_made(self._progress, tokens, self._clock())
        super().hear(event)
