"""Runs as a person watches them from a command: a line for each thread, what is waited for, ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from core.cli.commands import say
from core.text import counted, one_line
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job, Ran
    from core.runs.events import TurnEvent

STOPPED = 130
"""The exit code after ctrl-C, as shells have it."""
Result = TypeVar("Result")
Ended = Callable[["Ran"], None]
Watch = Callable[["Job", "TurnEvent"], None]


def run_shown(
    workspace: Workspace, choice: ModelChoice, count: int, work: Callable[[Model, Ended, Watch], Awaitable[Result]]
) -> Result:
    """Let `work` run so many threads with a model, and say on stderr how each went."""
    done = 0

    def ended(ran: Ran) -> None:
        nonlocal done
        done += 1
        say(f"[{done:>{len(str(count))}}/{count}] {_line(ran)}", err=True)

    def watch(job: Job, event: TurnEvent) -> None:
        say_meanwhile(job.stem or job.session, event)

    async def shown(model: Model) -> Result:
        name = await model.name()
        say(f"{count} thread{'s' * (count > 1)} with {name} ({choice.endpoint.name})", err=True)
        return await work(model, ended, watch)

    return with_model(workspace, choice, shown)


def say_meanwhile(name: str, event: TurnEvent) -> None:
    """Say what a person should know while a model is asked about something of this name: a wait, and what its server
    would not be asked."""
    from core.model.refusals import Dropped
    from core.model.reply import Waiting

    if isinstance(event, Waiting):
        say(f"{name}: waiting {event.seconds:.1f} s: {one_line(event.reason, 200)}", err=True)
    elif isinstance(event, Dropped):
        say(f"note: {event.sentence}", err=True)


def with_model(workspace: Workspace, choice: ModelChoice, work: Callable[[Model], Awaitable[Result]]) -> Result:
    """Let `work` ask a model; ctrl-C and a polite kill stop it, and the connections are closed."""
    from core.runs.remembered import open_model

    async def opened() -> Result:
        end_on_signals()
        model = open_model(workspace, choice)
        try:
            return await work(model)
        finally:
            await model.aclose()

    return asyncio.run(opened())


def end_on_signals() -> None:
    """Let a hang-up or a polite kill end a run as ctrl-C does; where they are ignored (nohup) they stay so."""
    task = asyncio.current_task()
    for name in (signal.SIGTERM, signal.SIGHUP):
        if task is not None and signal.getsignal(name) == signal.SIG_DFL:
            asyncio.get_running_loop().add_signal_handler(name, task.cancel)


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
