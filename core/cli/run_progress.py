"""Runs as a person watches them from a command: a line for each thread, what is waited for, ctrl-C."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.cli.commands import say
from core.cli.output import in_terminal
from core.cli.table_line import is_drawn
from core.datasets.table_news import stop_tables
from core.text import counted, one_line
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job, Ran
    from core.runs.crew_needed import Watching
    from core.runs.events import TurnEvent
    from core.runs.progress import Meter

STOPPED = 130
"""The exit code after ctrl-C, as shells have it."""
LINE_SEC, PIPE_SEC = 0.5, 30.0
"""Between two looks at how far it is: in a terminal, where a line shows it, and in a pipe, where each is a line."""
AGAIN_SEC = 5.0
"""Several threads wait for the same reason: it is said again only after so long."""
Result = TypeVar("Result")


class Shown:
    """A run of several threads as a person watches it."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        """Counts and paces the threads."""
        self._line = in_terminal(sys.stderr) and meter.progress.of > 1
        """Whether a line is kept at the end that says how far it is."""
        self._reasons: dict[str, float] = {}
        self._lacking = False
        """Whether it was said that a thread is shown fewer examples than were asked for."""
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Shown:
        """Show from now on how far it is."""
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Show it no more."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    @property
    def watching(self) -> Watching:
        """This, as a run is given it."""
        from core.runs.crew_needed import Watching

        return Watching(self.meter, self.watch, self.note)

    def ended(self, ran: Ran) -> None:
        """Say what became of a thread."""
        from core.curate.prompts import examples_lacking

        progress = self.meter.progress
        number = progress.done + progress.failed
        self._say(f"[{number:>{len(str(progress.of))}}/{progress.of}] {_line(ran)}")
        if not (self._lacking or ran.job.stem) and ran.thread and (told := examples_lacking(ran.thread)):
            self._lacking = True
            self._say(f"note: {told}")

    def watch(self, job: Job, event: TurnEvent) -> None:
        """Say what a thread waits for, and what it is asked without."""
        from core.model.reply import Waiting

        text = _meanwhile(job.stem or job.session, event)
        if isinstance(event, Waiting) and self.meter.progress.of > 1:
            now = time.monotonic()
            if now - self._reasons.get(event.reason, -AGAIN_SEC) < AGAIN_SEC:
                return
            self._reasons[event.reason] = now
        if text:
            self._say(text)

    def note(self, sentence: str) -> None:
        """Say what a person may want to know beside."""
        self._say(f"note: {sentence}")

    async def _keep(self) -> None:
        """Show again and again how far it is, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LINE_SEC if self._line else PIPE_SEC)
                if self._line:
                    self._draw()
                elif self.meter.progress.of > 1:
                    say(" · ".join(self._told()), err=True)
        finally:
            self._clear()

    def _told(self) -> list[str]:
        from core.runs.progress import told

        return told(self.meter.progress)

    def _say(self, text: str) -> None:
        self._clear()
        say(text, err=True)
        self._draw()

    def _clear(self) -> None:
        if self._line:
            click.echo(f"\r{' ' * _columns()}\r", err=True, nl=False)

    def _draw(self) -> None:
        if self._line and not is_drawn():
            text = ""
            for part in self._told():
                longer = f"{text} · {part}" if text else part
                text = longer if len(longer) <= _columns() else text
            click.echo(f"\r{text:<{_columns()}}", err=True, nl=False)


def _columns() -> int:
    return shutil.get_terminal_size().columns - 1


def run_shown(
    workspace: Workspace,
    choice: ModelChoice,
    count: int,
    work: Callable[[Model, Shown], Awaitable[Result]],
    parallel: int | None = None,
    done: int = 0,
) -> Result:
    """Let `work` run threads with a model, and say on stderr how each went and how far it is.

    Args:
        workspace: where the threads are.
        choice: whom to ask.
        count: how many threads it is, in all.
        work: runs them; it is given the model, and who watches.
        parallel: how many at once; see `core.runs.pace.pace_for`.
        done: how many of them were over before.
    """
    from core.runs.pace import pace_for
    from core.runs.progress import Meter

    async def shown(model: Model) -> Result:
        name = await model.name()
        say(f"{counted(count - done, 'thread')} with {name} ({choice.endpoint.name})", err=True)
        async with Shown(Meter(pace_for(choice, parallel), count, done)) as watching:
            return await work(model, watching)

    return with_model(workspace, choice, shown)


def say_meanwhile(name: str, event: TurnEvent) -> None:
    """Say what a person should know while a model is asked about something of this name: a wait, and what its server
    would not be asked."""
    if text := _meanwhile(name, event):
        say(text, err=True)


def _meanwhile(name: str, event: TurnEvent) -> str:
    from core.model.refusals import Dropped
    from core.model.reply import Waiting

    match event:
        case Waiting():
            return f"{name}: waiting {event.seconds:.1f} s: {one_line(event.reason, 200)}"
        case Dropped():
            return f"note: {event.sentence}"
        case _:
            return ""


def with_model(workspace: Workspace, choice: ModelChoice, work: Callable[[Model], Awaitable[Result]]) -> Result:
    """Let `work` ask a model; ctrl-C and a polite kill stop it, and the connections are closed."""
    from core.runs.remembered import open_model

    async def opened() -> Result:
        model = open_model(workspace, choice)
        try:
            return await work(model)
        finally:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                stop_tables()
            await model.aclose()

    return stoppable(opened())


def stoppable(work: Coroutine[Any, Any, Result]) -> Result:
    """Run this in a loop of its own, where a hang-up or a polite kill ends it as ctrl-C does; where they are ignored
    (nohup) they stay so. Raises KeyboardInterrupt where it was stopped before it could say what had come."""

    async def ends_on_signals() -> Result:
        task = asyncio.current_task()
        for name in (signal.SIGTERM, signal.SIGHUP):
            if task is not None and signal.getsignal(name) == signal.SIG_DFL:
                asyncio.get_running_loop().add_signal_handler(name, task.cancel)
        return await work

    try:
        return asyncio.run(ends_on_signals())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _line(ran: Ran) -> str:
    """One thread as a person reads it while a run goes on."""
    thread = ran.thread
    if thread is None:
        return f"✗ {ran.job.session or ran.job.stem}: {'stopped' if ran.cancelled else ran.error}"
    turns = counted(thread.metadata.get("num_turns"), "turn")
    counts = f"{turns}, {counted(thread.metadata.get('num_tool_calls'), 'call')}, {ran.seconds:.1f} s"
    if ran.cancelled:
        return f"· {thread.id}: stopped after {counts}"
    if ran.error:
        return f"✗ {thread.id}: {ran.error}"
    if not ran.finished:
        return (
            f"· {thread.id}: no final answer within {counted(thread.max_turns, 'turn')}; --max-turns raises the limit"
        )
    mark = {True: "✓", False: "✗"}.get(thread.metadata.get("is_correct"), "·")  # type: ignore[call-overload]  # any JSON
    answer = one_line(str(thread.metadata.get("final_answer")), 40)
    truth = f" ({thread.truth})" if mark == "✗" else ""
    return f"{mark} {thread.id}: {answer}{truth}, {thread.metadata.get('confidence') or 'no'} confidence, {counts}"
