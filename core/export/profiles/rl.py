"""`rl`: what is asked, of which session, and what is right, for reinforcement learning. Of the thread's turns nothing
leaves."""

from __future__ import annotations

from itertools import takewhile

from core.export.profiles.profile import Making, Profile, RefusedError, Row
from core.lint import Context
from core.lint.leak import LEAK
from core.thread.evidence import evidence_of
from core.thread.form import KEY, form_of, row_of
from core.thread.scoring import kind_in
from core.thread.updates import with_part
from core.thread.value import Thread, is_assistant, text_of


def rows(thread: Thread, making: Making) -> list[Row]:
    """The thread's system prompt and opening as one row. Raises RefusedError where nobody knows what is right, or the
    opening tells."""
    if not (thread.truth and thread.dataset and thread.session):
        raise RefusedError("no right answer", "its metadata lack the dataset, the session or the right answer")
    leading = list(takewhile(lambda message: not is_assistant(message), thread.messages))
    if leak := next(LEAK.find(with_part(thread, "messages", leading), Context()), None):
        raise RefusedError("the prompt tells the answer", leak.sentence)
    prompt = [{"role": str(message.get("role")), "content": text_of(message)} for message in leading]
    return [
        {
            "id": thread.id,
            "prompt": prompt,
            "dataset": thread.dataset,
            "session": thread.session,
            "question": thread.question,
            "kind": kind_in(thread.metadata),
            "evidence": evidence_of(thread),
            KEY: row_of(form_of(thread)),
            "answer": thread.truth,
        }
    ]


RL = Profile(
    name="rl",
    about="reinforcement learning: prompts, each with its dataset, session and right answer",
    file_stem="training_data_rl",
    rows=rows,
    options=frozenset(("rejected",)),
    prompts=True,
)
