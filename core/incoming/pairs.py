"""Preference rows: what is preferred becomes the thread, what is not one of its alternatives.

A row holds the conversation up to where two ways part. Rows of one file that are parts of one conversation become one
thread again, with an alternative for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from core.incoming import chat, sharegpt
from core.incoming.conversation import (
    Conversation,
    Rejected,
    Row,
    RowError,
    conversation_of,
    objects,
    saying,
    sayings,
    with_ids_and_names,
)
from core.thread.value import Message

KTO = "TRL KTO"


def trl(row: Row) -> Conversation:
    """TRL's `prompt`, `chosen`, `rejected`; without `prompt` it is what both begin with."""
    chosen, rejected = objects(row.get("chosen"), "chosen"), objects(row.get("rejected"), "rejected")
    if row.get("prompt") is None:
        shared = next(
            (number for number, (mine, other) in enumerate(zip(chosen, rejected, strict=False)) if mine != other), 0
        )
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
    else:
        prompt = objects(row["prompt"], "prompt")
    return _pair("TRL preference", prompt, chosen, rejected, row.get("tools"))


def openai(row: Row) -> Conversation:
    """OpenAI's `input`, `preferred_output`, `non_preferred_output`."""
    asked = row.get("input")
    if not isinstance(asked, dict):
        raise RowError("`input` is no object")
    better, worse = (objects(row.get(key), key) for key in ("preferred_output", "non_preferred_output"))
    return _pair("OpenAI preference", objects(asked.get("messages"), "messages"), better, worse, asked.get("tools"))


def llamafactory(row: Row) -> Conversation:
    """LLaMA-Factory's `conversations`, `chosen`, `rejected`, a turn on each side."""
    sides: list[Message] = []
    prompt = sharegpt.messages(objects(row.get("conversations"), "conversations"))
    for key in ("chosen", "rejected"):
        turn = row.get(key)
        if not isinstance(turn, dict):
            raise RowError(f"`{key}` is no object")
        sides += sharegpt.messages([turn])
    return _joined("LLaMA-Factory preference", prompt, sides[:1], sides[1:], row.get("tools"))


def kto(row: Row) -> Conversation:
    """TRL's `prompt`, `completion`, `label`."""
    if not isinstance(row.get("label"), bool):
        raise RowError("`label` is neither true nor false")
    messages = chat.messages(prompt_and_completion(row))
    return conversation_of(KTO, messages, row.get("tools"), undesired=not row["label"], joinable=True)


def prompt_and_completion(row: Row) -> list[dict[str, Any]]:
    """The chat messages of TRL's `prompt` and those of its `completion`. Raises RowError."""
    return [*objects(row.get("prompt"), "prompt"), *objects(row.get("completion"), "completion")]


def _pair(form: str, prompt: Sequence[Row], better: Sequence[Row], worse: Sequence[Row], tools: Any) -> Conversation:
    return _joined(form, chat.messages(prompt), chat.messages(better), chat.messages(worse), tools)


def _joined(
    form: str, prompt: Sequence[Message], better: Sequence[Message], worse: Sequence[Message], tools: Any
) -> Conversation:
    if len(worse) != 1 or not better:
        raise RowError("it prefers nothing, or more than one message to another; a pair is one message on each side")
    messages = with_ids_and_names([*prompt, *better])
    return conversation_of(form, messages, tools, rejected=(Rejected(len(prompt), worse[0]),))


Numbered = tuple[int, Conversation]
"""A row's line, and what it says."""


def as_conversations(rows: Iterable[Numbered]) -> list[Numbered]:
    """Rows of one file with those that are parts of one conversation joined, in the order of their lines.

    An undesired message joins the thread that goes another way at the same place; one that has no such partner stays.
    """
    every = list(rows)
    joinable = [entry for entry in every if entry[1].rejected and not entry[1].undesired]
    wanted = {line for line, _ in joinable}
    partners, alone = _with_partners(every)
    joinable += partners
    wanted |= {line for line, _ in partners}
    plain = [entry for entry in every if entry[0] not in wanted and not entry[1].undesired]
    return sorted([*plain, *alone, *_longest(joinable)], key=lambda entry: entry[0])


def _with_partners(every: Sequence[Numbered]) -> tuple[list[Numbered], list[Numbered]]:
    """Desired rows with the undesired ones that go another way at the same place, and undesired ones without a
    partner."""
    desired: dict[str, Numbered] = {}
    for line, conversation in every:
        if conversation.form == KTO and not conversation.undesired:
            desired.setdefault(saying(conversation.messages[:-1]), (line, conversation))
    alone: list[Numbered] = []
    for line, conversation in every:
        if not conversation.undesired:
            continue
        before = saying(conversation.messages[:-1])
        if before in desired:
            first, better = desired[before]
            worse = Rejected(len(better.messages) - 1, conversation.messages[-1])
            desired[before] = first, replace(better, rejected=(*better.rejected, worse))
        else:
            alone.append((line, conversation))
    return list(desired.values()), alone


def _longest(rows: Sequence[Numbered]) -> list[Numbered]:
    """The rows with each that is the beginning of a longer one, or says the same, made part of it."""
    whole: dict[str, int] = {}
    joined: list[Numbered] = []
    for line, conversation in sorted(rows, key=lambda entry: (-len(entry[1].messages), entry[0])):
        at = whole.get(saying(conversation.messages))
        if at is None:
            whole |= dict.fromkeys((hashed for _, hashed in sayings(conversation.messages)), len(joined))
            joined.append((line, conversation))
        else:
            first, longer = joined[at]
            more = [other for other in conversation.rejected if other not in longer.rejected]
            rejected = sorted((*longer.rejected, *more), key=lambda other: other.position)
            joined[at] = min(first, line), replace(longer, rejected=tuple(rejected))
    return joined
