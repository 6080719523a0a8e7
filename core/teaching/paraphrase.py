"""Other words for a good thread's reasoning: what it rests on, and what it concludes, stays.

Wording that varies is learnt from the reasoning, not from the sentence. What the model makes of a text is only taken
when every number in it stood there before, the checks find nothing new, and the calls replay as they did.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from core.curate.steps import commit
from core.errors import UsageError
from core.lint import Context, check_thread
from core.lint.grounding import quoted_numbers
from core.lint.label_set import dataset_labels
from core.model.client import Model
from core.runs.events import Tell
from core.runs.replay import replay
from core.storage.store import Stored
from core.teaching.asking import ask
from core.thread.conclusion import CONCLUDING
from core.thread.review import verdict_of
from core.thread.updates import with_messages
from core.thread.value import Message, Thread, count, is_assistant, text_of
from core.thread.ways import with_made_by
from core.workspace import Workspace

PARAPHRASE = (
    "You are given what a sensor analyst wrote. Write it again in other words and another order of sentences, as "
    "another analyst would. Keep every number with its unit, every name of a channel, tool and activity, how sure it "
    "is, and what follows from what. Add nothing and leave nothing out. Answer with the new text alone."
)


async def paraphrase(workspace: Workspace, stored: Stored, model: Model, tell: Tell) -> tuple[str, Stored | None]:
    """Let the model write the reasoning of a good thread anew. What does not hold is thrown away, all of it; what holds
    is saved as one step.

    Returns:
        What came of it in a sentence, and the thread as it is now; None where it stays as it was.

    Raises:
        UsageError: it is no good thread: not finished, rejected, or neither right nor accepted.
        ModelError: the model could not be asked.
    """
    thread = stored.thread
    if problem := _not_good(thread):
        raise UsageError(f"{stored.stem} {problem}, so its reasoning is not worth other words")
    messages: list[Message] = []
    for message in thread.messages:
        body, end = _parts(text_of(message)) if is_assistant(message) else ("", "")
        if body:
            reply = await ask(model, [_message("system", PARAPHRASE), _message("user", body)], tell)
            message = {**message, "content": "\n\n".join(filter(None, (_tidy(reply.text), end)))}
        messages.append(message)
    changed = with_made_by(with_messages(thread, messages), paraphrase=await model.name())
    reason = await asyncio.to_thread(why_not, workspace, stored, changed)
    if reason:
        return f"{stored.stem}: the other words are thrown away: {reason}", None
    saved = await asyncio.to_thread(commit, workspace, stored, changed, "paraphrase")
    return f"{stored.stem} says it in other words; undo brings the old ones back", saved


def why_not(workspace: Workspace, stored: Stored, changed: Thread) -> str:
    """Why the other words do not hold; empty when they do."""
    before = stored.thread
    if _spoken(before) == _spoken(changed):
        return "they are the same words"
    for index, (old, new) in enumerate(zip(before.messages, changed.messages, strict=True)):
        if _parts(text_of(old))[0] and not _parts(text_of(new))[0]:
            return f"nothing is left of message {index + 1}"
        added = Counter(quoted_numbers(text_of(new))) - Counter(quoted_numbers(text_of(old)))
        if added and is_assistant(old):
            return f"message {index + 1} has a number that it had not: {next(iter(added))}"
    concluded = [count(thread.messages, thread.metadata) for thread in (before, changed)]
    if len({(counts.status, counts.answer, counts.confidence) for counts in concluded}) > 1:
        return "they conclude something else"
    context = Context(stored.stem, dataset_labels(workspace, before.dataset))
    known = Counter((finding.check, finding.message) for finding in check_thread(before, context))
    for finding in check_thread(changed, context):
        if not known[finding.check, finding.message]:
            return finding.sentence
        known[finding.check, finding.message] -= 1
    for call in replay(workspace, changed):
        if call.status not in ("same", "edited"):
            return f"{call.name} does not replay: {call.reason or 'it gives another result'}"
    return ""


def _not_good(thread: Thread) -> str:
    verdict = verdict_of(thread)
    counts = count(thread.messages, thread.metadata)
    if counts.status != "finished":
        return "is not finished"
    if verdict == "reject":
        return "is rejected"
    return "" if counts.correct or verdict == "accept" else "is neither right nor accepted"


def _parts(text: str) -> tuple[str, str]:
    """A message's reasoning, and the lines that conclude it."""
    first = CONCLUDING.search(text)
    return (text.strip(), "") if first is None else (text[: first.start()].strip(), text[first.start() :].strip())


def _tidy(text: str) -> str:
    """The model's text without a conclusion of its own, which the thread has already."""
    return CONCLUDING.sub("", text).strip()


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _spoken(thread: Thread) -> Sequence[str]:
    return [text_of(message) for message in thread.messages if is_assistant(message)]
