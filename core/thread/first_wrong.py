"""Where a wrong thread first went wrong, as far as that is known."""

from __future__ import annotations

from core.thread.turn_labels import label_of
from core.thread.turns import is_error
from core.thread.value import Thread, call_name, calls_of, is_assistant, text_of

CONCLUSION = "conclusion"
"""Nothing before the answer is known to be wrong."""


def first_wrong_step(thread: Thread) -> str:
    """The first step that is known to be wrong: `bad compute_spectrum` where a person labelled the turn that calls it
    bad (`bad words` without a call), else `error compute_spectrum` where its call failed and none after it succeeded,
    else `conclusion`.

    It is said of any thread; who asks wants it of one whose answer is wrong.
    """
    for message in thread.messages:
        if is_assistant(message) and label_of(message) == "bad":
            return f"bad {'+'.join(call_name(call) for call in calls_of(message)) or 'words'}"
    failed: dict[str, None] = {}
    names = {call.get("id"): call_name(call) for message in thread.messages for call in calls_of(message)}
    for message in thread.messages:
        if message.get("role") == "tool":
            name = names.get(message.get("tool_call_id"), "call")
            if is_error(text_of(message)):
                failed.setdefault(name)
            else:
                failed.pop(name, None)
    return next((f"error {name}" for name in failed), CONCLUSION)
