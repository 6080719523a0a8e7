"""What is under way with a thread: turns that stream in, proposals nobody has decided on, what calls took.

Plain state without a screen. Events go in, drafts for the conversation come out; so several threads run while
another is read, and each is as it was when one comes back to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.model.reply import ArgumentsAdded, CallAdded, Prefilling, TextAdded, Waiting
from core.runs.events import CallAnswered, TurnAccepted, TurnEnded, TurnEvent, TurnProposed, TurnStarted
from core.storage.store import Stored
from core.text import one_line
from core.thread.proposal import Generation, Proposal
from core.thread.value import Message
from tui.widgets.conversation_parts import ReplayMark
from tui.widgets.drafts import Draft

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English, until the server says how many tokens it really made."""


@dataclass(slots=True)
class LiveTurn:
    """A turn that is coming in."""

    position: int
    model: str
    started: float
    """The clock when the model was asked."""
    text: str = ""
    reasoning: str = ""
    calls: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """Name and arguments as they stand, by the call's number."""
    answers: dict[int, CallAnswered] = field(default_factory=dict[int, CallAnswered])
    waiting: str = ""
    prefill: str = ""
    """How far the server has read what it was sent, where it says so."""
    _note: str = ""
    _noted_at: int = -1

    def apply(self, event: TurnEvent) -> None:
        """Add what an event brings."""
        self.waiting = ""
        match event:
            case TextAdded(reasoning=True):
                self.reasoning += event.text
            case TextAdded():
                self.text += event.text
            case CallAdded():
                self.calls[event.index] = [event.name, ""]
            case ArgumentsAdded():
                self.calls.setdefault(event.index, ["", ""])[1] += event.text
            case CallAnswered():
                self.answers[event.index] = event
            case Waiting():
                self._begin_anew()
                self.waiting = f"waiting {event.seconds:.0f} s: {one_line(event.reason, 80)}"
            case Prefilling():
                self.prefill = f"reading {event.done:,} of {event.total:,} tokens"
            case _:
                pass

    def _begin_anew(self) -> None:
        """The model is asked again: what came of its message is void, earlier calls' answers are not."""
        self.prefill = ""
        self.text = self.reasoning = ""
        self.calls.clear()
        self.answers = {index: answer for index, answer in self.answers.items() if index < 0}

    def draft(self, now: float) -> Draft:
        """The turn as it can be drawn now."""
        calls: list[dict[str, Any]] = []
        # calls that stood unanswered before this turn are numbered -1, -2 … in their order
        results = [_answer(answer) for index, answer in sorted(self.answers.items(), reverse=True) if index < 0]
        early = len(results)
        for index, (name, arguments) in sorted(self.calls.items()):
            answer = self.answers.get(index)
            call_id = answer.call_id if answer else f"call {index + 1}"
            calls.append({"id": call_id, "function": {"name": name, "arguments": arguments}})
            if answer:
                results.append(_answer(answer))
        spoken = {"role": "assistant", "content": self.text, "tool_calls": calls or None}
        messages = (*results[:early], spoken, *results[early:])
        proposal = Proposal(self.position, messages, Generation(self.model), self.reasoning, complete=False)
        return Draft(proposal, running=True, note=self._progress(now))

    def _progress(self, now: float) -> str:
        """How much came in which time; said anew at most once a second."""
        if self.waiting:
            return self.waiting
        seconds = int(now - self.started)
        if seconds != self._noted_at:
            size = len(self.text) + len(self.reasoning) + sum(len(arguments) for _, arguments in self.calls.values())
            if not size and not self.calls:
                return f"{self.prefill or 'waiting for the first token'} · {seconds} s"
            tokens = size // CHARACTERS_PER_TOKEN
            rate = f", {tokens / (now - self.started):.0f}/s" if tokens and now - self.started > 0.5 else ""
            self._noted_at, self._note = seconds, f"≈ {tokens} tokens{rate}, {seconds} s"
        return f"{self._note}, running"


def _answer(answer: CallAnswered) -> Message:
    return {"role": "tool", "tool_call_id": answer.call_id, "name": answer.name, "content": answer.content}


@dataclass(slots=True)
class ThreadWork:
    """One thread as it was last read or saved, and what is under way with it."""

    stored: Stored
    run: str = ""
    """The id of its run, empty when nothing runs."""
    asked: bool = False
    """Whether a run was asked for that has no id yet."""
    unsaved: int | None = None
    """The message with an edit that was typed and not saved."""
    slots: dict[str, LiveTurn | Proposal] = field(default_factory=dict[str, LiveTurn | Proposal])
    """What comes in and what came, by run; a sample keeps its place."""
    chosen: int = 0
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    replays: dict[str, ReplayMark] = field(default_factory=dict[str, ReplayMark])
    forks: Mapping[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    _over: set[str] = field(default_factory=set[str])
    """Runs that ended before their ids were known here."""

    def begin(self, run: str) -> None:
        """A run that was asked for has its id; it may have ended already."""
        self.asked = False
        self.run = "" if run in self._over else run
        self._over.clear()

    def renew(self, stored: Stored) -> None:
        """Take a newer value of the thread; what a replay found was said of the older one."""
        if stored.digest != self.stored.digest:
            self.replays = {}
        self.stored = stored

    @property
    def busy(self) -> bool:
        """Whether it runs, or is about to."""
        return self.asked or bool(self.run)

    @property
    def idle(self) -> bool:
        """Whether nothing would be lost by forgetting this."""
        return not self.busy and not self.slots

    @property
    def proposals(self) -> list[Proposal]:
        """The turns that wait for a decision."""
        return [slot for slot in self.slots.values() if isinstance(slot, Proposal)]

    @property
    def shown(self) -> Proposal | None:
        """The proposal that is on the screen; None while it still comes in."""
        slots = list(self.slots.values())
        slot = slots[min(self.chosen, len(slots) - 1)] if slots else None
        return slot if isinstance(slot, Proposal) else None

    def drafts(self, now: float) -> tuple[Draft, ...]:
        """All of them as they can be drawn now."""
        if self.busy and not self.slots:
            silent: Message = {"role": "assistant", "content": ""}
            nothing = Proposal(len(self.stored.thread.messages), (silent,), Generation(""))
            return (Draft(nothing, running=True, note="asking the model …"),)
        return tuple(
            slot.draft(now) if isinstance(slot, LiveTurn) else Draft(slot, note=made_in(slot.generation))
            for slot in self.slots.values()
        )

    def apply(self, event: TurnEvent, now: float) -> str:
        """Add what an event brings; returns the sentence a person must read, if there is one."""
        match event:
            case TurnStarted():
                self.slots[event.run] = LiveTurn(len(self.stored.thread.messages), event.model, now)
            case TurnProposed():
                self.slots[event.run] = event.proposal
            case TurnAccepted():
                self.renew(event.stored)
                self.slots.pop(event.run, None)
            case TurnEnded():
                return self._end(event)
            case _:
                if isinstance(event, CallAnswered):
                    self.seconds[event.call_id] = event.seconds
                live = self.slots.get(event.run)
                if isinstance(live, LiveTurn):
                    live.apply(event)
        return ""

    def _end(self, event: TurnEnded) -> str:
        if event.partial is not None:
            self.slots[event.run] = event.partial
        elif isinstance(self.slots.get(event.run), LiveTurn):
            del self.slots[event.run]
        if event.run == self.run:
            self.run = ""
        elif self.asked:
            self._over.add(event.run)
        self.chosen = min(self.chosen, max(0, len(self.slots) - 1))
        return event.error

    def restore(self, proposals: Sequence[Proposal]) -> bool:
        """Take proposals of an earlier session that still follow the thread; returns whether there are any."""
        position = len(self.stored.thread.messages)
        fitting = [proposal for proposal in proposals if proposal.position == position]
        self.slots.update({f"{self.stored.stem}#kept/{number}": proposal for number, proposal in enumerate(fitting, 1)})
        return bool(fitting)

    def replace(self, old: Proposal, new: Proposal) -> None:
        """Put an edited proposal in an old one's place."""
        for run, slot in self.slots.items():
            if slot is old:
                self.slots[run] = new

    def clear(self) -> None:
        """Forget the proposals: they were taken, or put aside."""
        self.slots.clear()
        self.chosen = 0


def made_in(generation: Generation) -> str:
    """What making a turn took: `34 tokens, 31/s, 1.1 s`."""
    parts: list[str] = []
    tokens, seconds = generation.completion_tokens, generation.seconds
    if tokens:
        parts.append(f"{tokens} tokens")
        if seconds > 0.05:
            parts.append(f"{tokens / seconds:.0f}/s")
    parts.append(f"{seconds:.1f} s")
    return ", ".join(parts)
