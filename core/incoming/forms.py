"""Of which form a row is: told by its keys alone, and refused where they fit none."""

from __future__ import annotations

from core.incoming import chat, pairs, sharegpt, stepwise
from core.incoming.conversation import Conversation, Row, RowError, objects


def conversation(row: Row) -> Conversation:
    """What a row says, whichever form it has.

    Raises:
        RowError: it is of no known form, or breaks its own.
    """
    keys = {key for key, value in row.items() if value is not None}
    if {"chosen", "rejected"} <= keys:
        return pairs.llamafactory(row) if "conversations" in keys else pairs.trl(row)
    if "preferred_output" in keys:
        return pairs.openai(row)
    if {"prompt", "completions", "labels"} <= keys:
        return stepwise.conversation(row)
    if {"prompt", "completion"} <= keys:
        return _completion(row) if "label" not in keys else pairs.kto(row)
    if "messages" in keys:
        return chat.conversation(row, "chat messages")
    if "conversations" in keys:
        turns = objects(row["conversations"], "conversations")
        roles = bool(turns) and "role" in turns[0]
        return chat.conversation(row, "chat messages", "conversations") if roles else sharegpt.conversation(row)
    if "conversation" in keys and ("thread_id" in keys or row.get("schema_version") == "3.0"):
        raise RowError("an older v3 thread; write it as a file of the threads folder, and `sensorloom migrate` it")
    if "prompt" in keys:
        raise RowError("a prompt alone, in which the assistant says nothing")
    named = ", ".join(f"`{key}`" for key in list(row)[:6])
    raise RowError(f"a row with {named or 'no keys'}, which is of no form that is known")


def _completion(row: Row) -> Conversation:
    """TRL's `prompt` and `completion`, both chat messages."""
    listed = pairs.prompt_and_completion(row)
    others = {key: value for key, value in row.items() if key not in ("prompt", "completion")}
    return chat.conversation({**others, "messages": listed}, "prompt and completion")
