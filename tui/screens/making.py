"""Making the threads that a goal lacks, while everything else goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from textual.screen import Screen

from core.errors import SensorloomError
from core.runs.events import SEVERAL, ThreadMade, TurnEnded, TurnEvent, TurnMade
from core.text import counted, one_line
from tui.open_thread.runs import Runs


class Making:
    """Starts it, counts what comes of it, and says so. The threads come into the list as any other."""

    def __init__(self, screen: Screen[None], runs: Runs, show: Callable[[str], None], offer: str) -> None:
        """Args: `show` shows how far it is, beside the goal; `offer` is the key that says what to judge."""
        self._screen = screen
        self._runs = runs
        self._show = show
        self._offer = offer
        self._run = ""
        self._total = 0
        self._turns = 0
        self._begun = 0.0
        self._threads: list[ThreadMade] = []
        self._clock = screen.set_interval(1.0, self._tell, pause=True)
        self.busy = False
        """Whether threads are being made."""

    @property
    def far(self) -> str:
        """How many of how many threads are made; empty when none are being made."""
        return f"making {len(self._threads)} of {self._total}" if self.busy else ""

    def start(self, sessions: Sequence[tuple[str, str]]) -> None:
        """Make a thread about each of these sessions, by its dataset and id."""
        if self.busy or not sessions:
            return
        self.busy, self._total, self._threads, self._run = True, len(sessions), [], ""
        self._turns, self._begun = 0, time.monotonic()
        self._clock.resume()
        self._tell()

        async def begin() -> None:
            try:  # the client is imported here, which takes a second
                self._run = await asyncio.to_thread(lambda: self._runs.runner.make_threads(sessions, self._runs.choice))
            except SensorloomError as error:
                self._end(str(error))

        self._screen.run_worker(begin(), group="make threads")

    def stop(self) -> None:
        """Make no more; what is done is kept."""
        if self.busy:
            self._runs.runner.cancel(SEVERAL)

    def hear(self, events: Sequence[TurnEvent]) -> None:
        """Take what the runs report."""
        for event in events if self.busy else ():
            if event.run.rpartition("#")[0] != SEVERAL:
                continue
            if isinstance(event, TurnMade):
                self._turns += 1
                self._tell()
            elif isinstance(event, ThreadMade):
                self._threads.append(event)
                self._tell()
            elif isinstance(event, TurnEnded):
                self._end(event.error)

    def _tell(self) -> None:
        """Threads take a while to come to their end, and one may compute what the others wait for: turns and time count
        too."""
        self._show(f"{self.far} · {self._turns}t · {time.monotonic() - self._begun:.0f} s" if self.busy else "")

    def _end(self, problem: str) -> None:
        self.busy = False
        self._clock.pause()
        self._tell()
        finished = [thread for thread in self._threads if thread.finished]
        right = sum(thread.correct for thread in finished)
        errors = [thread.error for thread in self._threads if thread.error]
        text = f"{counted(len(finished), 'thread')} made, {right} right; {self._offer} says what to judge"
        if why := problem or next(iter(errors), ""):
            text += f". {counted(len(errors) or self._total - len(finished), 'thread')} failed: {one_line(why, 200)}"
        if not problem and errors and (left := self._total - len(self._threads)):
            text += f"; {counted(left, 'thread')} not begun: `sensorloom run --resume` goes on"
        self._screen.notify(text, severity="warning" if why else "information", markup=False)
