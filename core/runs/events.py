"""What a running turn reports, in order, to whoever is watching.

The turn loop yields these; the command line prints from them, the screen draws from them. Every event
carries the run it belongs to, because several threads run at once and one thread may sample several turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.model.refusals import Dropped
from core.model.reply import ArgumentsAdded, CallAdded, Prefilling, TextAdded, Waiting
from core.storage.store import Stored
from core.thread.proposal import Proposal


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The model was asked for the next turn."""

    run: str
    stem: str
    model: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Call `index` was executed; `content` is the result as the tool message will hold it.

    A negative index is a call that stood unanswered at the thread's end before this turn.
    """

    run: str
    index: int
    call_id: str
    name: str
    content: str
    failed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class TurnProposed:
    """The turn is whole, its calls answered. It is not part of the thread until accepted."""

    run: str
    stem: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class QueryProposed:
    """The question that the model proposes for a new thread."""

    run: str
    text: str


@dataclass(frozen=True, slots=True)
class TurnAccepted:
    """Run to the end took the proposal and saved the thread, or set it aside there and asks again."""

    run: str
    stored: Stored


@dataclass(frozen=True, slots=True)
class Reported:
    """What came of a run that makes no turns, in one sentence for a person."""

    run: str
    text: str


@dataclass(frozen=True, slots=True)
class TurnMade:
    """A thread in another process came on by a turn, which is saved."""

    run: str
    stem: str
    tokens: int = 0
    """What the model wrote in it, as its server counted."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The last event of a run, always sent. `error` is one sentence, empty unless it failed.

    `partial` is what had come of the message when it was stopped or broke off, if there was anything.
    """

    run: str
    stem: str
    cancelled: bool = False
    error: str = ""
    partial: Proposal | None = None
    for_all: bool = False
    """Whether what failed would meet every other thread of a batch too."""


TurnEvent = (
    TurnStarted
    | TextAdded
    | CallAdded
    | ArgumentsAdded
    | CallAnswered
    | Waiting
    | Prefilling
    | Dropped
    | TurnProposed
    | QueryProposed
    | TurnAccepted
    | Reported
    | TurnMade
    | TurnEnded
)


Tell = Callable[[Waiting | Dropped], object]
"""Told of what a person should know while a model is asked: a wait, and what the server would not be asked."""


def merge_text(events: list[TurnEvent]) -> list[TurnEvent]:
    """Join neighbouring text of one run, so that a burst costs one redraw."""
    merged: list[TurnEvent] = []
    for event in events:
        last = merged[-1] if merged else None
        match event, last:
            case TextAdded(), TextAdded() if (last.run, last.reasoning) == (event.run, event.reasoning):
                merged[-1] = TextAdded(event.run, last.text + event.text, event.reasoning)
            case ArgumentsAdded(), ArgumentsAdded() if (last.run, last.index) == (event.run, event.index):
                merged[-1] = ArgumentsAdded(event.run, event.index, last.text + event.text)
            case _:
                merged.append(event)
    return merged
