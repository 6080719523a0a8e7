"""Making turns: ask the model, carry out its calls, propose the turn; and again until the thread is finished.

Async generators of `core.runs.events`. Each ends with `TurnEnded`, also when it is cancelled or fails, and then
with what had come as an incomplete proposal. A response without a final answer may be proposed by `propose`,
where a person decides; `run_to_end` asks again instead, within the same turn, because trainers refuse threads
with two assistant messages in a row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.curate.prompts import ahead_of
from core.errors import ConflictError, SensorloomError, UsageError
from core.model.client import Model
from core.model.reply import CallWritten
from core.model.request import sent_messages
from core.runs.cancelling import aside, in_full, stay_alive
from core.runs.events import CallAnswered, TurnAccepted, TurnEnded, TurnEvent, TurnProposed, TurnStarted
from core.runs.turn_draft import Draft, begin, seed_for
from core.storage.store import Stored, read
from core.thread.conclusion import final_answer
from core.thread.form import USUAL, Ahead, form_of
from core.thread.opening import system_prompt
from core.thread.proposal import Proposal, context_hash
from core.thread.turns import calls_with_results
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of, is_assistant, text_of
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Outcome, Tool, ToolContext

NUDGE = (
    "Go on: call a tool if you need more evidence. Otherwise answer the question now, and end with the two lines "
    "`Confidence: high|medium|low` and `Final Answer: <one of the activities>`."
)
"""Said to the model, never stored, when its answer lacked a final answer."""

MAX_NUDGES = 2
"""How often one turn is asked for again before the run gives up."""


async def propose(
    thread: Thread,
    stem: str,
    model: Model,
    tools: Sequence[Tool],
    context: ToolContext,
    *,
    run: str,
    seed: int | None = None,
    nudge: str = "",
    ahead: Ahead | None = None,
) -> AsyncIterator[TurnEvent]:
    """Make one turn: stream the message, carry out its calls as they complete, propose it.

    Calls that stand unanswered at the thread's end are carried out first and lead the proposal's messages.

    Args:
        thread: what the turn follows.
        stem: the thread's file, named in the events.
        model: who is asked.
        tools: what can be called. The thread's own `tools` are what the model is offered, where it has any.
        context: the session the calls work on.
        run: the id that the events carry.
        seed: instead of the settings' own. It is raised by one for every turn that was set aside at this
            place, so that a retry is another sample.
        nudge: said to the model as the user, never stored.
        ahead: what is sent before the thread; the usual system prompt unless told, where its form has one.
    """
    draft = begin(thread, model, run, seed)
    try:
        async for event in _model_and_tool_events(draft, stem, model, tools, context, nudge, ahead):
            yield event
    except asyncio.CancelledError:
        stay_alive()
        yield TurnEnded(run, stem, cancelled=True, partial=draft.proposal(complete=False))
    except SensorloomError as error:
        partial = draft.proposal(complete=False)
        yield TurnEnded(run, stem, error=str(error), partial=partial, for_all=getattr(error, "for_all", False))
    else:
        proposal = draft.proposal(complete=True)
        assert proposal is not None  # an empty reply is a ModelError
        yield TurnProposed(run, stem, proposal)
        yield TurnEnded(run, stem)


async def _model_and_tool_events(
    draft: Draft,
    stem: str,
    model: Model,
    tools: Sequence[Tool],
    context: ToolContext,
    nudge: str,
    ahead: Ahead | None,
) -> AsyncIterator[TurnEvent]:
    thread, run = draft.thread, draft.run
    if thread.status == "finished":
        raise UsageError(f"{stem} is finished; branch from one of its turns to go on differently")
    draft.model = await model.name()
    yield TurnStarted(run, stem, draft.model)
    for index, call in enumerate(_unanswered(thread.messages)):
        event = await _answered(
            run, -1 - index, str(call.get("id", "")), call_name(call), call_arguments(call), tools, context
        )
        draft.answers.append(_tool_message(event))
        yield event
    known = [*thread.messages, *draft.answers]
    if not nudge and known and is_assistant(known[-1]):
        nudge = NUDGE
    offered = [tool.schema for tool in tools] if thread.tools is None else thread.tools
    if ahead is None:
        ahead = Ahead(system_prompt() if form_of(thread).system == USUAL else "")
    sent = sent_messages([*ahead.shown(tools=bool(offered)), *known], ahead.system, nudge)
    async for event in model.stream(draft.reply, sent, offered, draft.seed):
        if not isinstance(event, CallWritten):
            yield event
            continue
        draft.written.append(event)
        answered = await _answered(
            run, event.index, draft.call_id(event.index), event.name, event.arguments, tools, context
        )
        draft.results.append(_tool_message(answered))
        yield answered


def _unanswered(messages: Sequence[Message]) -> Sequence[Mapping[str, Any]]:
    """The calls at the thread's end that have no result, in their order."""
    index = len(messages) - 1
    while index > 0 and messages[index].get("role") == "tool":
        index -= 1
    if index < 0:
        return ()
    return [call for call, answer in calls_with_results(messages, index) if answer is None]


async def _answered(
    run: str, index: int, call_id: str, name: str, arguments: str, tools: Sequence[Tool], context: ToolContext
) -> CallAnswered:
    """Carry out one call in a thread of its own, so that nothing waits for it but this turn."""
    from tools.registry import call

    started = time.monotonic()
    outcome: Outcome = await aside(call, tools, context, name, arguments)
    return CallAnswered(run, index, call_id, name, outcome.content, outcome.failed, time.monotonic() - started)


def _tool_message(event: CallAnswered) -> Message:
    return {"role": "tool", "tool_call_id": event.call_id, "name": event.name, "content": event.content}


async def propose_many(
    thread: Thread,
    stem: str,
    model: Model,
    tools: Sequence[Tool],
    context: ToolContext,
    *,
    count: int,
    run: str,
    seed: int | None = None,
    ahead: Ahead | None = None,
) -> AsyncIterator[TurnEvent]:
    """Propose `count` turns at once. Sample k's events carry the run `{run}/{k}` (from 1), its `TurnEnded` too;
    the last event of all is the `TurnEnded` of `run`."""
    arrived: asyncio.Queue[TurnEvent] = asyncio.Queue()
    base = seed_for(thread, model, seed)

    async def sample(name: str, chosen: int | None) -> None:
        own = replace(context, artifacts=dict(context.artifacts))
        async for event in propose(thread, stem, model, tools, own, run=name, seed=chosen, ahead=ahead):
            if not isinstance(event, TurnEnded):
                arrived.put_nowait(event)
            else:
                ended[name] = event

    def over(name: str, task: asyncio.Task[None]) -> None:
        failure = None if task.cancelled() else task.exception()
        lost = f"the run failed unexpectedly: {type(failure).__name__}: {failure}" if failure else ""
        arrived.put_nowait(ended.get(name) or TurnEnded(name, stem, cancelled=task.cancelled(), error=lost))

    ended: dict[str, TurnEnded] = {}
    tasks: list[asyncio.Task[None]] = []
    for number in range(count):
        name = f"{run}/{number + 1}"
        tasks.append(asyncio.create_task(sample(name, None if base is None else base + number)))
        tasks[-1].add_done_callback(partial(over, name))
    cancelled, running = False, count
    while running:
        try:
            event = await arrived.get()
        except asyncio.CancelledError:
            stay_alive()
            cancelled = True
            for task in tasks:
                task.cancel()
            continue
        running -= isinstance(event, TurnEnded)
        yield event
    yield TurnEnded(run, stem, cancelled=cancelled)


async def run_to_end(
    workspace: Workspace,
    stored: Stored,
    model: Model,
    tools: Sequence[Tool],
    context: ToolContext,
    *,
    run: str,
    seed: int | None = None,
    hint: str = "",
    pausing: Callable[[], bool] = lambda: False,
) -> AsyncIterator[TurnEvent]:
    """Make turns and save each at once until the thread is finished or at its limit, cancelled, or failing.

    What was saved stays saved. A response without a final answer is set aside and asked for again. `hint` is said to
    the model with every request, and stored nowhere. `pausing` is asked after each turn: whether it ends there.
    """
    nudges, ahead = 0, await asyncio.to_thread(ahead_of, workspace, stored.thread)
    while stored.thread.status == "active":
        proposal: Proposal | None = None
        ended = TurnEnded(run, stored.stem)
        nudge = "\n\n".join(filter(None, (hint, NUDGE if nudges else "")))
        async for event in propose(
            stored.thread, stored.stem, model, tools, context, run=run, seed=seed, nudge=nudge, ahead=ahead
        ):
            match event:
                case TurnProposed():
                    proposal = event.proposal
                case TurnEnded():
                    ended = event
                case _:
                    yield event
        if proposal is None:
            yield ended
            return
        try:
            stored, cancelled = await in_full(_settle, workspace, stored, proposal, tools)
        except SensorloomError as error:
            yield TurnEnded(run, stored.stem, error=str(error), partial=proposal)
            return
        yield TurnAccepted(run, stored)
        nudges = 0 if _acceptable(proposal) else nudges + 1
        if cancelled:
            yield TurnEnded(run, stored.stem, cancelled=True)
            return
        if pausing():
            break
        if nudges > MAX_NUDGES:
            yield TurnEnded(
                run,
                stored.stem,
                error=f"the model answered {nudges} times without a `Final Answer:` line; "
                "its answers are kept among the thread's alternatives",
            )
            return
    yield TurnEnded(run, stored.stem)


def _acceptable(proposal: Proposal) -> bool:
    """Whether a run may go on from the turn, or end with it: it calls tools, or gives the final answer."""
    spoken = next((message for message in proposal.messages if is_assistant(message)), None)
    return spoken is None or bool(calls_of(spoken)) or final_answer(text_of(spoken)) is not None


def _settle(workspace: Workspace, stored: Stored, proposal: Proposal, tools: Sequence[Tool]) -> Stored:
    """Save the turn in the thread, or among its alternatives; a verdict or tag that another program set
    meanwhile is kept."""
    from core import curate

    schemas = [tool.schema for tool in tools]
    for last_try in (False, True):
        try:
            if _acceptable(proposal):
                return curate.accept(workspace, stored, proposal, schemas)
            return curate.set_aside(workspace, stored, proposal, "superseded")
        except ConflictError:
            there = read(workspace.threads, stored.stem)
            same = context_hash(there.thread.messages) == context_hash(stored.thread.messages)
            if last_try or not same:
                raise
            stored = there
    raise AssertionError
