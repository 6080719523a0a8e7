"""A turn in the making: what has come of it so far, and the proposal that makes."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field
from typing import Any

from core.model.client import Model
from core.model.reply import CallWritten, Reply
from core.settings import BUILTIN_NAME
from core.thread.cost import cost_of
from core.thread.proposal import ASKED, Generation, Proposal, marked_with
from core.thread.turns import call_id, call_ids
from core.thread.value import Message, Thread, is_assistant


@dataclass(slots=True)
class Draft:
    """A turn in the making."""

    thread: Thread
    run: str
    reply: Reply
    model: str
    temperature: float | None
    seed: int | None
    max_tokens: int | None
    keep_reasoning: bool
    endpoint: str = ""
    prices: tuple[float | None, float | None] = (None, None)
    """What a million tokens cost, read and written."""
    answers: list[Message] = field(default_factory=list[Message])
    """Results of calls that stood unanswered at the thread's end."""
    results: list[Message] = field(default_factory=list[Message])
    written: list[CallWritten] = field(default_factory=list[CallWritten])
    started: float = field(default_factory=lambda: time.monotonic())

    def call_id(self, index: int) -> str:
        """The id of call number `index`, free in the thread however many calls the turn makes."""
        used = call_ids(self.thread.messages)
        number = 1 + sum(1 for message in self.thread.messages if is_assistant(message))
        while any(f"{other}_".startswith(f"{call_id(self.thread.id, number, 0)}_") for other in used):
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
        generation = self._generation()
        if text or calls:
            extra: dict[str, Any] = {"reasoning_content": reasoning} if reasoning and self.keep_reasoning else {}
            parsed = {"tool_text": "parse"} if calls and self.reply.calls_from_text else {}
            turn = {"role": "assistant", "content": text, **extra, "tool_calls": calls or None}
            messages += [marked_with(turn, generation, timed=self.endpoint != BUILTIN_NAME, **parsed), *self.results]
        if not messages:
            return None
        return Proposal(len(self.thread.messages), tuple(messages), generation, reasoning, complete)

    def _generation(self) -> Generation:
        reply = self.reply
        sent = reply.sent or {"temperature": self.temperature, "seed": self.seed, "max_tokens": self.max_tokens}
        cost = cost_of(reply.prompt_tokens, reply.completion_tokens, *self.prices)
        return Generation(
            self.model,
            sent.get("temperature"),
            sent.get("seed"),
            sent.get("max_tokens"),
            reply.prompt_tokens,
            reply.completion_tokens,
            time.monotonic() - self.started,
            self.endpoint,
            reply.fingerprint,
            {key: sent[key] for key in ASKED if key in sent},
            reply.cost if cost is None else cost,
        )


def begin(thread: Thread, model: Model, run: str, seed: int | None) -> Draft:
    """An empty draft of the thread's next turn. A seed is raised for each turn that was set aside at this place."""
    settings = model.choice.settings
    seed = seed_for(thread, model, seed)
    if seed is not None:
        position = len(thread.messages)
        seed += sum(1 for alternative in thread.alternatives if alternative.get("position") == position)
    return Draft(
        thread,
        run,
        Reply(run),
        "",
        settings.temperature,
        seed,
        settings.max_tokens,
        settings.keep_reasoning,
        model.choice.endpoint.name,
        (None, None) if model.choice.endpoint.builtin else (settings.price_in, settings.price_out),
    )


def seed_for(thread: Thread, model: Model, seed: int | None) -> int | None:
    """The seed of a thread's turns; the built-in analyst, which has no chance of its own, gets one from the id."""
    chosen = model.choice.settings.seed if seed is None else seed
    if chosen is None and model.choice.endpoint.builtin:
        chosen = zlib.crc32(thread.id.encode())
    return chosen
