"""The final answer and what the metadata say of the messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.lint.label_set import answers_of
from core.thread.conclusion import final_answer
from core.thread.labels import same_label
from core.thread.open_answer import is_open
from core.thread.scoring import kind_in, meant, number_in, scoring_of
from core.thread.updates import recount
from core.thread.value import Thread, calls_of, counted, final_message, is_assistant, text_of

_LINE = re.compile(r"^[ \t*_#>]*final answer[*_ \t]*:?[*_ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)


def _empty_answer(thread: Thread, context: Context) -> Iterator[Finding]:
    last = thread.messages[-1] if thread.messages else None
    if last is None or not is_assistant(last) or calls_of(last) or final_message(thread.messages):
        return
    index = len(thread.messages) - 1
    fix = "edit the message: its last line must be `Final Answer: <label>`"
    if _LINE.search(text_of(last)):
        yield Finding("empty_answer", index, "the line `Final Answer:` names no label", fix)
    elif not text_of(last).strip():
        yield Finding("empty_answer", index, "the last message is empty", fix)
    elif thread.metadata.get("status") == "finished":
        yield Finding("empty_answer", index, "the thread says it is finished, but no line says `Final Answer: …`", fix)


def _unknown_answer(thread: Thread, context: Context) -> Iterator[Finding]:
    final = final_message(thread.messages)
    answer = final_answer(text_of(final)) if final else None
    labels = answers_of(thread, context)
    if answer and scoring_of(kind_in(thread.metadata)).tolerance is not None:
        if number_in(answer) is None and not is_open(meant(answer)):
            sentence = f"the final answer {answer!r} states no number, or several"
            yield Finding("unknown_answer", len(thread.messages) - 1, sentence, "answer with one number")
    elif (
        answer
        and labels
        and not is_open(answer)
        and not any(same_label(meant(answer), meant(known)) for known in (*labels, thread.truth))
    ):
        index = len(thread.messages) - 1
        what = "labels" if scoring_of(kind_in(thread.metadata)).is_label else "answers that are asked for"
        sentence = f"the final answer {answer!r} is none of the {what}: {', '.join(labels)}"
        yield Finding("unknown_answer", index, sentence, "answer with one of them")


def _counts(thread: Thread, context: Context) -> Iterator[Finding]:
    metadata = thread.metadata
    off = [
        f"{key} is {_shown(metadata.get(key))}, by the messages {_shown(value)}"
        for key, value in counted(thread.messages, metadata).items()
        if metadata.get(key) != value and not (key == "final_answer" and key not in metadata)
    ]
    if off:
        yield Finding("counts", None, "; ".join(off), "count them anew", fixable=True)


def _shown(value: object) -> str:
    return "missing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _id(thread: Thread, context: Context) -> Iterator[Finding]:
    if context.stem and thread.id != context.stem:
        sentence = f"the id is {thread.id}, the file is called {context.stem}.json"
        yield Finding("id", None, sentence, "rename the file, or change the id: two threads may have one id")


EMPTY_ANSWER = Check("empty_answer", "an end without a final answer", _empty_answer)
UNKNOWN_ANSWER = Check("unknown_answer", "a final answer outside the label set", _unknown_answer)
COUNTS = Check("counts", "metadata that do not count what the messages hold", _counts, recount)
ID = Check("id", "an id that is not the file's name", _id)
