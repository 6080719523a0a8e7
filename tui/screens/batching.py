"""The batches that this program makes: begun, gone on with, stopped, while everything else goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from core.errors import SensorloomError
from core.text import counted, one_line
from tui.open_thread.runs import Runs

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.batch_run import BatchRun
    from core.runs.job import Job
    from core.thread.evidence import Wanted


class Batching:
    """Starts them, counts what comes of them, and says so. The threads come into the list as any other."""

    def __init__(self, screen: Screen[None], runs: Runs, show: Callable[[str], None], offer: str) -> None:
        """Args:
        screen: the main one, in whose workers batches are begun.
        runs: whose workspace they are in, and whom new ones ask.
        show: shows how far those under way are, beside the goal.
        offer: the key that says what to judge.
        """
        self._screen = screen
        self._workspace = runs.workspace
        self._choice = lambda: runs.choice
        self._show = show
        self._offer = offer
        self._runs: dict[str, BatchRun] = {}
        self._new: dict[str, int] = {}
        """Of those of them that were begun here, not gone on with: how many threads were wanted."""
        self._beginning = 0
        """How many threads are about to be made, while they are drawn and their batch is written down."""
        self._unwanted = False
        """Whether those are to be stopped before any is made."""
        self._begun_at = 0.0
        self._clock = screen.set_interval(1.0, self._tell, pause=True)
        self.is_watched = False
        """Whether a screen shows how far they are."""

    @property
    def busy(self) -> bool:
        """Whether threads are being made."""
        return self._beginning > 0 or bool(self._alive)

    @property
    def far(self) -> str:
        """How many of how many threads are made; empty when none are being made."""
        if not self.busy:
            return ""
        progresses = [run.so_far.progress for run in self._alive if run.so_far is not None]
        done = sum(progress.done + progress.failed for progress in progresses)
        # a batch tells of itself once its process is up; until then a new one's size is known from its beginning
        waiting = sum(self._new.get(run.name, 0) for run in self._alive if run.so_far is None)
        of = self._beginning + waiting + sum(progress.of for progress in progresses)
        return f"making {done} of {of}" if of else "going on with a batch"

    @property
    def starting(self) -> frozenset[str]:
        """The batches that are to be made here, and whose process has not told anything yet."""
        return frozenset(run.name for run in self._alive if run.so_far is None)

    @property
    def _alive(self) -> list[BatchRun]:
        return [run for run in self._runs.values() if not run.is_over]

    @property
    def makes_new(self) -> bool:
        """Whether threads are being made that were begun here, rather than those of a batch that was gone on with."""
        return self._beginning > 0 or any(run.name in self._new for run in self._alive)

    def make(self, sessions: Sequence[tuple[str, str]]) -> bool:
        """Make a thread about each of these sessions, by its dataset and id, as `make_drawn` does."""

        def jobs() -> list[Job]:
            from core.runs.job import Job

            return [Job(dataset, session) for dataset, session in sessions]

        return self.make_drawn(len(sessions), jobs)

    def make_drawn(self, count: int, jobs: Callable[[], Sequence[Job]], evidence: Wanted | None = None) -> bool:
        """Make new threads, unless some are being made, which is said; whether it begins.

        Args:
            count: how many.
            jobs: finds out about which sessions, beside the screen's loop; may raise SensorloomError.
            evidence: what their answers may rest on; as is usual unless told.
        """
        if self.busy:
            self._screen.notify(f"{self.far}: wait for them, or stop them first", severity="warning", markup=False)
            return False
        self._beginning, self._unwanted, self._begun_at = count, False, time.monotonic()
        self._clock.resume()
        self._tell()
        self._screen.run_worker(lambda: self._begin(jobs, evidence), thread=True, group="make threads")
        return True

    def _begin(self, wanted: Callable[[], Sequence[Job]], evidence: Wanted | None) -> None:
        from core.model.endpoints import configured
        from core.runs.batches import begin_batch, setup_now
        from core.runs.mode import with_evidence

        try:
            choice = self._choice()
            jobs = with_evidence(self._workspace, wanted(), choice, evidence)
            if self._unwanted:
                self._screen.app.call_from_thread(self._begun)
                return
            # an endpoint that was only seen on this machine has no name by which it could be asked later
            is_named = choice.endpoint.name in {endpoint.name for endpoint in configured(self._workspace)}
            setup = setup_now(
                choice, "" if is_named else choice.endpoint.base_url, parallel=choice.settings.concurrency
            )  # fmt: skip
            name = begin_batch(self._workspace, jobs, setup).name
        except SensorloomError as error:
            self._screen.app.call_from_thread(self._refused, str(error))
        except Exception:
            self._screen.app.call_from_thread(self._refused, "the batch could not be begun: no threads are made")
            raise
        else:
            self._screen.app.call_from_thread(self._begun, name, choice)

    def _begun(self, name: str = "", choice: ModelChoice | None = None) -> None:
        """It is drawn, and written down where it has a name: make it, unless it was stopped meanwhile, which leaves it
        to be gone on with."""
        count, self._beginning = self._beginning, 0
        if name and not self._unwanted:
            self._new[name] = count
            self._start(name, choice)
        self._tell()

    def _refused(self, problem: str) -> None:
        self._begun()
        self._screen.notify(one_line(problem, 300), severity="error", markup=False)

    def go_on(self, name: str) -> None:
        """Go on with what is left of a batch that nobody makes."""
        if name not in {run.name for run in self._alive}:
            self._begun_at = self._begun_at if self.busy else time.monotonic()
            self._new.pop(name, None)
            self._start(name, None)

    def _start(self, name: str, choice: ModelChoice | None) -> None:
        from core.runs.batch_run import BatchRun
        from core.teaching.hinted import strip_hint

        def over(run: BatchRun) -> None:
            self._screen.call_later(self._over, run)

        self._runs[name] = run = BatchRun(self._workspace, name, over=over, after=strip_hint, choice=choice)
        run.start()
        self._clock.resume()
        self._tell()

    def stop_new(self) -> None:
        """Make no more of those that were begun here; what is done is kept. A batch that was gone on with goes on."""
        self._unwanted = True
        for run in self._alive:
            if run.name in self._new:
                run.stop()

    def close(self) -> None:
        """Stop all, each saving what came. Doing it again does no harm."""
        self._unwanted = True
        for run in self._alive:
            run.stop()
        for run in self._alive:
            run.close()

    def _tell(self) -> None:
        """Threads take a while to come to their end, and one may compute what the others wait for: turns and time count
        too."""
        if not self.busy:
            self._clock.pause()
            self._show("")
            return
        turns = sum(run.so_far.progress.turns for run in self._alive if run.so_far is not None)
        self._show(f"{self.far} · {turns}t · {time.monotonic() - self._begun_at:.0f} s")

    def _over(self, run: BatchRun) -> None:
        self._tell()
        so_far = run.so_far
        why = run.problem or ("" if so_far is None else so_far.progress.problem)
        if self.is_watched and not why:
            return
        if so_far is None or (run.problem and not so_far.finished):  # it did not come to making any
            if why:
                self._screen.notify(one_line(why, 300), severity="warning", markup=False)
            return
        text = f"{counted(so_far.finished, 'thread')} made, {so_far.right} right; {self._offer} says what to judge"
        if why:
            text += f". {counted(so_far.progress.failed, 'thread')} failed: " if so_far.progress.failed else ". "
            text += one_line(why, 200)
        if so_far.not_begun:
            text += f"; {counted(so_far.not_begun, 'thread')} not begun: `sensorloom run --resume` goes on"
        self._screen.notify(text, severity="warning" if why else "information", markup=False)
