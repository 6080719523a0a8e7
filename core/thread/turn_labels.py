"""What a person says of single turns: good, neutral or bad. Pure functions from a thread to a new one.

The labels are what process reward models learn from (Lightman et al. 2023, "Let's Verify Step by Step", label steps
good, neutral and bad up to the first error).
"""

from __future__ import annotations

from typing import Literal, get_args

from core.thread.edits import assistant_turn
from core.thread.stale import without
from core.thread.updates import with_messages
from core.thread.value import Message, Thread, is_assistant

TurnLabel = Literal["good", "neutral", "bad"]
LABELS: tuple[TurnLabel, ...] = get_args(TurnLabel)


def label_of(message: Message) -> TurnLabel | None:
    """The label of an assistant message; None for any other message, and for what is no label."""
    label = message.get("label")
    return label if is_assistant(message) and label in LABELS else None


def labels_of(thread: Thread) -> list[TurnLabel | None]:
    """The label of each assistant turn, in order."""
    return [label_of(message) for message in thread.messages if is_assistant(message)]


def with_label(thread: Thread, index: int, label: TurnLabel | None) -> Thread:
    """The thread with the assistant turn of message `index` labelled; None takes its label off.

    The first error marks the rest: `bad` labels every turn from this one on, and taking it off takes it off the bad
    ones that follow without a break.

    Raises:
        UsageError: the message belongs to no assistant turn.
    """
    turn = assistant_turn(thread, index, "only what the assistant says is labelled; choose one of its turns")
    ends = label is None and label_of(thread.messages[turn.start]) == "bad"
    messages = list(thread.messages)
    for position in range(turn.start, len(messages)):
        message = messages[position]
        if not is_assistant(message):
            continue
        if position > turn.start and (label != "bad" and not (ends and label_of(message) == "bad")):
            break
        plain = without(message, "label")
        messages[position] = plain if label is None else {**plain, "label": label}
    return thread if messages == list(thread.messages) else with_messages(thread, messages)
