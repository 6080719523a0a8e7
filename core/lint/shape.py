"""The form of the conversation: how it ends, who speaks after whom, what contents are made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from core.lint.finding import Check, Context, Finding
from core.thread.plain_text import with_text_contents
from core.thread.value import Thread, calls_of, is_assistant


def _ends_on_tool(thread: Thread, context: Context) -> Iterator[Finding]:
    last = thread.messages[-1] if thread.messages else None
    if last is not None and last.get("role") == "tool":
        index = len(thread.messages) - 1
        yield Finding("ends_on_tool", index, "the thread ends on a tool's result", "run it on to its answer")


def _consecutive(thread: Thread, context: Context) -> Iterator[Finding]:
    for number, (message, following) in enumerate(pairwise(thread.messages), 1):
        if is_assistant(message) and is_assistant(following) and not calls_of(message):
            sentence = f"messages {number} and {number + 1} are both the assistant's"
            yield Finding("consecutive", number, sentence, "join them into one, or delete one")


def _content_type(thread: Thread, context: Context) -> Iterator[Finding]:
    kinds = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    for index, message in enumerate(thread.messages):
        content = message.get("content")
        if content is not None and not isinstance(content, str):
            sentence = f"the content is {kinds.get(type(content), 'no string')}, not a string"
            yield Finding("content_type", index, sentence, "write it as a JSON string", fixable=True)
        for call in calls_of(message):
            if not isinstance(call["function"].get("arguments"), str):
                sentence = "a call's arguments are no string"
                yield Finding("content_type", index, sentence, "write them as a JSON string", fixable=True)


def _stale(thread: Thread, context: Context) -> Iterator[Finding]:
    for index, message in enumerate(thread.messages):
        if message.get("stale") is True:
            sentence = "it rests on something that changed since"
            yield Finding("stale", index, sentence, "run it again, accept it as it is, or move it to a branch")


ENDS_ON_TOOL = Check("ends_on_tool", "a thread that ends on a tool's result", _ends_on_tool)
CONSECUTIVE = Check("consecutive", "two assistant messages in a row", _consecutive)
CONTENT_TYPE = Check("content_type", "content or arguments that are no string", _content_type, with_text_contents)
STALE = Check("stale", "messages that rest on something that changed", _stale)
