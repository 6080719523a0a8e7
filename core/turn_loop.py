"""Making turns: ask the model, carry out its calls, propose the turn; and again until the thread is finished.

Async generators of `core.events`. Each ends with `TurnEnded`, also when it is cancelled or fails, and then
with what had come as an incomplete proposal. A response without a final answer may be proposed by `propose`,
where a person decides; `run_to_end` asks again instead, within the same turn, because trainers refuse threads
with two assistant messages in a row.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import ConflictError, SensorloomError, UsageError
from core.events import (
    CallAnswered,
    QueryProposed,
    TurnAccepted,
    TurnEnded,
    TurnEvent,
    TurnProposed,
    TurnStarted,
)
from core.first_message import described, query_prompt, system_prompt
from core.model import Model
from core.proposal import Generation, Proposal, context_hash
from core.reply import CallWritten, Reply, tidy_question
from core.store import Stored, read
from core.thread import (
    Message,
    Thread,
    call_arguments,
    call_name,
    calls_of,
    final_answer,
    is_assistant,
    text_of,
)
from core.turns import call_id, call_ids, results_of
from core.wire import sent_messages
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Outcome, Tool, ToolContext

T = TypeVar("T")

NUDGE = (
    "Go on: call a tool if you need more evidence. Otherwise answer the question now, and end with the two lines "
    "`Confidence: high|medium|low` and `Final Answer: <one of the activities>`."
)
"""Said to the model, never stored, when its answer lacked a final answer."""

MAX_NUDGES = 2
"""How often one turn is asked for again before the run gives up."""


@dataclass(slots=True)
class _Turn:
    """A turn in the making."""

    thread: Thread
    run: str
    reply: Reply
    model: str
    temperature: float | None
    seed: int | None
    keep_reasoning: bool
    answers: list[Message] = field(default_factory=list[Message])
    """Results of calls that stood unanswered at the thread's end."""
    results: list[Message] = field(default_factory=list[Message])
    written: list[CallWritten] = field(default_factory=list[CallWritten])
    started: float = field(default_factory=time.monotonic)

    def call_id(self, index: int) -> str:
        """The id of call number `index`, free in the thread however many calls the turn makes."""
        taken = call_ids(self.thread.messages)
        number = 1 + sum(1 for message in self.thread.messages if is_assistant(message))
        while any(f"{one}_".startswith(f"{call_id(self.thread.id, number, 0)}_") for one in taken):
            number += 1
        return call_id(self.thread.id, number, index)

    def proposal(self, *, complete: bool) -> Proposal | None:
        """What there is of the turn: only calls that were carried out, each with its result; None for nothing."""
        calls = [
            {
                "id": self.call_id(call.index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.written[: len(self.results)]
        ]
        text, reasoning = self.reply.text.strip(), self.reply.reasoning.strip()
        messages = list(self.answers)
        if text or calls:
            kept = {"reasoning_content": reasoning} if reasoning and self.keep_reasoning else {}
            spoken = {"role": "assistant", "content": text, **kept, "tool_calls": calls or None}
            messages += [spoken, *self.results]
        if not messages:
            return None
        generation = Generation(
            self.model,
            self.temperature,
            self.seed,
            self.reply.prompt_tokens,
            self.reply.completion_tokens,
            time.monotonic() - self.started,
        )
        return Proposal(len(self.thread.messages), tuple(messages), generation, reasoning, complete)


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
    """
    turn = _begun(thread, model, run, seed)
    try:
        async for event in _made(turn, stem, model, tools, context, nudge):
            yield event
    except asyncio.CancelledError:
        _stay_alive()
        yield TurnEnded(run, stem, cancelled=True, partial=turn.proposal(complete=False))
    except SensorloomError as error:
        yield TurnEnded(run, stem, error=str(error), partial=turn.proposal(complete=False))
    else:
        proposal = turn.proposal(complete=True)
        assert proposal is not None  # an empty reply is a ModelError
        yield TurnProposed(run, stem, proposal)
        yield TurnEnded(run, stem)


def _begun(thread: Thread, model: Model, run: str, seed: int | None) -> _Turn:
    settings = model.choice.settings
    seed = _seed(thread, model, seed)
    if seed is not None:
        place = len(thread.messages)
        seed += sum(1 for one in thread.alternatives if one.get("position") == place)
    return _Turn(thread, run, Reply(run), "", settings.temperature, seed, settings.keep_reasoning)


def _seed(thread: Thread, model: Model, seed: int | None) -> int | None:
    """The seed of a thread's turns; the built-in analyst, which has no chance of its own, gets one from the id."""
    chosen = model.choice.settings.seed if seed is None else seed
    if chosen is None and model.choice.endpoint.builtin:
        chosen = zlib.crc32(thread.id.encode())
    return chosen


async def _made(
    turn: _Turn, stem: str, model: Model, tools: Sequence[Tool], context: ToolContext, nudge: str
) -> AsyncIterator[TurnEvent]:
    thread, run = turn.thread, turn.run
    if thread.status == "finished":
        raise UsageError(f"{stem} is finished; branch from one of its turns to go on differently")
    turn.model = await model.name()
    yield TurnStarted(run, stem, turn.model)
    for index, call in enumerate(_unanswered(thread.messages)):
        event = await _answered(
            run, index, str(call.get("id", "")), call_name(call), call_arguments(call), tools, context
        )
        turn.answers.append(_tool_message(event))
        yield event
    known = [*thread.messages, *turn.answers]
    if not nudge and known and is_assistant(known[-1]):
        nudge = NUDGE
    offered = [one.schema for one in tools] if thread.tools is None else thread.tools
    async for event in model.stream(turn.reply, sent_messages(known, system_prompt(), nudge), offered, turn.seed):
        if not isinstance(event, CallWritten):
            yield event
            continue
        turn.written.append(event)
        answered = await _answered(
            run, event.index, turn.call_id(event.index), event.name, event.arguments, tools, context
        )
        turn.results.append(_tool_message(answered))
        yield answered


def _unanswered(messages: Sequence[Message]) -> Sequence[Mapping[str, Any]]:
    """The calls at the thread's end that have no result, in their order."""
    place = len(messages) - 1
    while place > 0 and messages[place].get("role") == "tool":
        place -= 1
    if place < 0:
        return ()
    found = zip(calls_of(messages[place]), results_of(messages, place), strict=True)
    return [call for call, answer in found if answer is None]


async def _answered(
    run: str, index: int, call_id: str, name: str, arguments: str, tools: Sequence[Tool], context: ToolContext
) -> CallAnswered:
    """Carry out one call in a thread of its own, so that nothing waits for it but this turn."""
    from tools.registry import call

    started = time.monotonic()
    outcome: Outcome = await asyncio.to_thread(call, tools, context, name, arguments)
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
) -> AsyncIterator[TurnEvent]:
    """Propose `count` turns at once. Sample k's events carry the run `{run}/{k}` (from 1), its `TurnEnded` too;
    the last event of all is the `TurnEnded` of `run`."""
    arrived: asyncio.Queue[TurnEvent] = asyncio.Queue()
    base = _seed(thread, model, seed)

    async def sample(number: int) -> None:
        own = replace(context, artifacts=dict(context.artifacts))
        chosen = None if base is None else base + number - 1
        async for event in propose(thread, stem, model, tools, own, run=f"{run}/{number}", seed=chosen):
            arrived.put_nowait(event)

    tasks = [asyncio.create_task(sample(number)) for number in range(1, count + 1)]
    cancelled, ended = False, 0
    try:
        while ended < count:
            try:
                event = await arrived.get()
            except asyncio.CancelledError:
                _stay_alive()
                cancelled = True
                for task in tasks:
                    task.cancel()
                continue
            ended += isinstance(event, TurnEnded)
            yield event
    finally:
        for task in tasks:
            task.cancel()
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
) -> AsyncIterator[TurnEvent]:
    """Make turns and save each at once until the thread is finished or at its limit, cancelled, or failing.

    What was saved stays saved. A response without a final answer is set aside and asked for again.
    """
    nudges = 0
    while stored.thread.status == "active":
        proposal: Proposal | None = None
        ended = TurnEnded(run, stored.stem)
        nudge = NUDGE if nudges else ""
        async for event in propose(stored.thread, stored.stem, model, tools, context, run=run, seed=seed, nudge=nudge):
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
            stored, cancelled = await _in_full(_settle, workspace, stored, proposal, tools)
        except SensorloomError as error:
            yield TurnEnded(run, stored.stem, error=str(error), partial=proposal)
            return
        yield TurnAccepted(run, stored)
        nudges = 0 if _acceptable(proposal) else nudges + 1
        if cancelled:
            yield TurnEnded(run, stored.stem, cancelled=True)
            return
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

    schemas = [one.schema for one in tools]
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


async def propose_query(
    manifest: Mapping[str, Any], model: Model, *, run: str, stem: str = "", seed: int | None = None
) -> AsyncIterator[TurnEvent]:
    """Let the model propose the question that a person asks about a session of this dataset."""
    reply = Reply(run)
    if seed is None and model.choice.endpoint.builtin:
        seed = secrets.randbelow(2**31)
    messages = sent_messages([{"role": "user", "content": described(manifest)}], query_prompt())
    try:
        yield TurnStarted(run, stem, await model.name())
        async for event in model.stream(reply, messages, (), seed):
            if not isinstance(event, CallWritten):
                yield event
    except asyncio.CancelledError:
        _stay_alive()
        yield TurnEnded(run, stem, cancelled=True)
    except SensorloomError as error:
        yield TurnEnded(run, stem, error=str(error))
    else:
        yield QueryProposed(run, tidy_question(reply.text))
        yield TurnEnded(run, stem)


async def _in_full(function: Callable[..., T], *arguments: Any) -> tuple[T, bool]:
    """Run a function in a thread to its end, and say whether the task was cancelled meanwhile."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    cancelled = False
    while True:
        try:
            return await asyncio.shield(work), cancelled
        except asyncio.CancelledError:
            if work.cancelled():
                raise
            _stay_alive()
            cancelled = True


def _stay_alive() -> None:
    """The cancellation is dealt with here: later waits of this task are no part of it."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
