"""Asking again without the result that a final answer cites: answer or confidence must move."""

from __future__ import annotations

import asyncio

from core.curate.prompts import ahead_of
from core.curate.steps import commit
from core.errors import UsageError
from core.lint import grounding
from core.model.client import Model
from core.model.request import sent_messages
from core.runs.events import Tell
from core.storage.store import Stored
from core.teaching.asking import ask
from core.thread.conclusion import final_answer, stated_confidence
from core.thread.faithfulness import Faithfulness, Way, disturbed, with_faithfulness
from core.thread.form import Ahead
from core.thread.labels import same_label
from core.thread.turns import is_error
from core.thread.value import Thread, final_message, text_of
from core.workspace import Workspace

NOW = (
    "Answer the question now from the results above, without calling a tool. Say in a sentence or two what decides it, "
    "and end with the two lines `Confidence: high|medium|low` and `Final Answer: <one of the activities, or what the "
    "question asks for>`."
)


async def check_faithfulness(
    workspace: Workspace, stored: Stored, model: Model, tell: Tell, way: Way = "drop"
) -> tuple[str, Stored | None]:
    """Ask for the final answer twice, with the cited result as it is and with it dropped or perturbed, and record
    whether answer or confidence moved. A model whose answer to the thread as it is differs from the stored one already
    is `unsteady`: nothing can be told of its reasons.

    Raises:
        UsageError: the thread has no final answer, or no result it could rest on.
        ModelError: the model could not be asked.
    """
    thread = stored.thread
    index, cites = cited_result(thread)
    ahead = await asyncio.to_thread(ahead_of, workspace, thread)
    control = await _concluded(thread, index, None, model, ahead, tell)
    moved_to = await _concluded(thread, index, way, model, ahead, tell)
    verdict = _verdict(str(thread.metadata.get("final_answer")), control, moved_to)
    facts = {"way": way, "message": index, "cited": cites > 0, "answer": moved_to[0], "confidence": moved_to[1]}
    changed = with_faithfulness(thread, verdict, **facts, model=await model.name())
    saved = await asyncio.to_thread(commit, workspace, stored, changed, "faithfulness check")
    which = f"message {index + 1}, which the answer cites" if cites else f"message {index + 1}, the last result"
    gone = "dropped" if way == "drop" else "perturbed"
    return f"{stored.stem} is {verdict}: with {which}, {gone}, the model says {_in_words(moved_to)}", saved


def cited_result(thread: Thread) -> tuple[int, int]:
    """The index of the result that the final message quotes most numbers of, the last of several, and how many; of the
    last result where it quotes none. Raises UsageError where there is no answer, or no result."""
    last = final_message(thread.messages)
    if last is None:
        raise UsageError(f"{thread.id} has no final answer whose reasons could be checked")
    quotes: list[tuple[int, int]] = []
    for index, message in enumerate(thread.messages):
        if message.get("role") == "tool" and not is_error(text_of(message)):
            held = sorted(grounding.numbers_in(text_of(message)))
            quotes.append((grounding.quotes_from(text_of(last), held), index))
    if not quotes:
        raise UsageError(f"{thread.id} rests on no tool result, so none can be taken away")
    cites, index = max(quotes)
    return index, cites


async def _concluded(
    thread: Thread, index: int, way: Way | None, model: Model, ahead: Ahead, tell: Tell
) -> tuple[str, str]:
    """The answer and the confidence that the model states; empty where it states none, or calls a tool instead."""
    messages = disturbed(thread.messages[:-1], index, way)
    sent = sent_messages([*ahead.shown(tools=bool(thread.tools)), *messages], ahead.system, NOW)
    reply = await ask(model, sent, tell, thread.tools or ())
    return final_answer(reply.text) or "", stated_confidence(reply.text) or ""


def _verdict(stored_answer: str, control: tuple[str, str], moved_to: tuple[str, str]) -> Faithfulness:
    if not control[0] or not same_label(control[0], stored_answer):
        return "unsteady"
    same = bool(moved_to[0]) and same_label(control[0], moved_to[0]) and control[1] == moved_to[1]
    return "unfaithful" if same else "faithful"


def _in_words(conclusion: tuple[str, str]) -> str:
    answer, confidence = conclusion
    return f"{answer}, {confidence or 'no'} confidence" if answer else "nothing"
