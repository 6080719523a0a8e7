"""The terms of the filter language: what each looks at, and what values it takes.

A term is decided on a `Summary` alone, or, when a summary cannot know, on the thread itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from core.thread.evidence import EVIDENCE
from core.thread.faithfulness import FAITHFULNESS
from core.thread.first_wrong import first_wrong_step
from core.thread.opening import opening_of
from core.thread.review import note_of
from core.thread.scoring import KINDS
from core.thread.turn_labels import labels_of
from core.thread.turns import is_error
from core.thread.value import (
    Message,
    Thread,
    call_arguments,
    call_name,
    calls_of,
    count,
    in_loss,
    is_assistant,
    text_of,
)

if TYPE_CHECKING:
    from core.thread.summary import Summary

Operator = Literal[":", "=", "<", "<=", ">", ">=", "!="]
OnSummary = Callable[["Summary"], bool]
OnThread = Callable[[Thread], bool]

BETWEEN = ">"
"""What stands between the tools of a path."""

NONE, ANY = "none", "any"
"""Values every term of words takes: nothing there, and something there."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term by name. Exactly one of the getters is set."""

    about: str
    """What it selects, in a few words, for help."""
    words: Callable[[Summary], Sequence[str]] | None = None
    choices: tuple[str, ...] = ()
    """The only words it takes; empty when any will do."""
    label: bool = False
    """Whether the words are labels, which compare as people write them."""
    number: Callable[[Summary], float] | None = None
    date: Callable[[Summary], str] | None = None
    texts: Callable[[Thread], Iterator[str]] | None = None
    derived: Callable[[Thread], Sequence[str]] | None = None
    """Words that take the thread to find out, and do not stand in it as they are."""
    of_workspace: bool = False
    """Whether it takes a workspace to decide it; `core.filters.workspace_terms` does."""
    example: str = field(kw_only=True)
    """The term as it may be written."""


def _word(value: str) -> tuple[str, ...]:
    return (value,) if value else ()


def _truth_value(value: bool | None) -> tuple[str, ...]:
    return () if value is None else ("true",) if value else ("false",)


def contents(messages: Iterable[Message]) -> Iterator[str]:
    """The messages' texts as a person reads them: results with their JSON escapes decoded."""
    for message in messages:
        text = text_of(message)
        yield from decoded_texts(text) if message.get("role") == "tool" else (text,)


def arguments(messages: Iterable[Message]) -> Iterator[str]:
    """The arguments of every call, with JSON escapes decoded."""
    for message in messages:
        for call in calls_of(message):
            yield from decoded_texts(call_arguments(call))


def decoded_texts(text: str) -> Iterator[str]:
    """JSON text as it reads once decoded; anything else as it is."""
    if "\\" in text:
        try:
            value = json.loads(text)
            text = json.dumps(value, ensure_ascii=False)
            yield from _strings(value)
        except (ValueError, RecursionError):
            pass
    yield text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def searched(thread: Thread) -> Iterator[str]:
    """Every text that free text looks into: the id, the question, messages, tool names, arguments and results.

    Not the dataset's manifest in the first message: the same in every thread of a dataset, it would select everything.
    """
    yield thread.id
    yield thread.question
    for index, message in enumerate(thread.messages):
        text = text_of(message)
        shown = message if index else {**message, "content": text[opening_of(text).end :]}
        yield from contents((shown,))
        yield from (call_name(call) for call in calls_of(message))
        yield from arguments((message,))
        if isinstance(reasoning := message.get("reasoning_content"), str):
            yield reasoning


def _of_role(role: str) -> Callable[[Thread], Iterator[str]]:
    return lambda thread: contents(message for message in thread.messages if message.get("role") == role)


def _first_wrong(thread: Thread) -> Sequence[str]:
    right = count(thread.messages, thread.metadata).correct is True
    return () if right else (first_wrong_step(thread),)


def _has_failed(thread: Thread) -> bool:
    return any(message.get("role") == "tool" and is_error(text_of(message)) for message in thread.messages)


HAS_ON_SUMMARY: dict[str, OnSummary] = {
    "answer": lambda summary: bool(summary.answer),
    "confidence": lambda summary: bool(summary.confidence),
    "parent": lambda summary: bool(summary.parent),
    "problem": lambda summary: bool(summary.problem),
    "stale": lambda summary: summary.stale > 0,
    "tags": lambda summary: bool(summary.tags),
    "tools": lambda summary: summary.calls > 0,
    "truth": lambda summary: bool(summary.truth),
    "verdict": lambda summary: bool(summary.verdict),
}
HAS_ON_THREAD: dict[str, OnThread] = {
    "alternatives": lambda thread: bool(thread.alternatives),
    "edited": lambda thread: any(message.get("edited") is True for message in thread.messages),
    "bad_turns": lambda thread: "bad" in labels_of(thread),
    "errors": _has_failed,
    "labels": lambda thread: any(labels_of(thread)),
    "note": lambda thread: bool(note_of(thread)),
    "schemas": lambda thread: bool(thread.tools),
    "untrained": lambda thread: any(not in_loss(message) for message in thread.messages if is_assistant(message)),
}

TERMS: dict[str, Term] = {
    "status": Term(
        "how far it is", lambda summary: _word(summary.status), ("active", "finished", "max_turns_reached"),
        example="status:finished",
    ),
    "correct": Term(
        "whether the answer is right", lambda summary: _truth_value(summary.correct), ("true", "false"),
        example="correct:false",
    ),
    "dataset": Term("the dataset's name", lambda summary: _word(summary.dataset), example="dataset:uci_har"),
    "session": Term("the session's id", lambda summary: _word(summary.session), example="session:train_16_*"),
    "subject": Term("the person the session is of", of_workspace=True, example="subject:s03"),
    "truth": Term(
        "the session's label, or what else is right",
        lambda summary: _word(summary.truth),
        label=True,
        example="truth:sitting",
    ),
    "answer": Term(
        "the final answer", lambda summary: _word(summary.answer), label=True, example='answer:"walking upstairs"'
    ),
    "confidence": Term(
        "as the answer states it", lambda summary: _word(summary.confidence), ("high", "medium", "low"),
        example="confidence:low",
    ),
    "verdict": Term(
        "a person's judgement", lambda summary: _word(summary.verdict), ("accept", "reject", "skip"),
        example="verdict:none",
    ),
    "reason": Term("a reason given with the verdict", lambda summary: summary.reasons, example="reason:leak"),
    "note": Term(
        "text in the note at the verdict", texts=lambda thread: iter((note_of(thread),)), example="note:again"
    ),
    "tag": Term("a tag", lambda summary: summary.tags, example='tag:"hard case"'),
    "model": Term("the model that made it", lambda summary: _word(summary.model), example="model:qwen*"),
    "fingerprint": Term(
        "what the server calls its configuration; the built-in analyst's manner",
        lambda summary: tuple(filter(None, summary.fingerprint.split(", "))), example='fingerprint:"compares first"',
    ),
    "seed": Term("what the model sampled by", lambda summary: _word(summary.seed), example="seed:7"),
    "kind": Term("the kind of question", lambda summary: _word(summary.kind), KINDS, example="kind:steps"),
    "evidence": Term("what it rests on", lambda summary: _word(summary.evidence), EVIDENCE, example="evidence:measure"),
    "form": Term("its task's form, or `changed`", lambda summary: tuple(summary.form.split()), example="form:compact"),
    "without": Term(
        "whom its references were made without", lambda summary: tuple(summary.references_without.splitlines()),
        example="without:none",
    ),
    "id": Term("the thread's id", lambda summary: tuple(dict.fromkeys((summary.stem, summary.id))), example="id:*0042"),
    "parent": Term(
        "the id of the thread it branched from", lambda summary: _word(summary.parent), example="parent:none"
    ),
    "shape": Term(
        "the form of the file", lambda summary: _word(summary.shape), ("v4", "v3", "other"), example="shape:v3"
    ),
    "tools": Term(
        "a tool's name, or how many calls", lambda summary: summary.tools_used, number=lambda summary: summary.calls,
        example="tools:compute_spectrum",
    ),
    "path": Term(
        "the tools in the order of their first use", lambda summary: _word(BETWEEN.join(summary.tools_used)),
        example="path:show_channel_stats>compute_spectrum",
    ),
    "calls": Term("how many tool calls", number=lambda summary: summary.calls, example="calls>=2"),
    "turns": Term("how many assistant messages", number=lambda summary: summary.turns, example="turns:3..6"),
    "responds": Term(
        "how many answers without a call, less the last", number=lambda summary: summary.responds, example="responds>0"
    ),
    "tokens": Term(
        "what the model wrote, in tokens, as the server counted them", number=lambda summary: summary.tokens,
        example="tokens>2k",
    ),
    "cost": Term("what its turns cost", number=lambda summary: summary.cost or 0.0, example="cost>0.01"),
    "faithfulness": Term(
        "whether the answer moved when what it cites was taken away",
        lambda summary: _word(summary.faithfulness), FAITHFULNESS, example="faithfulness:unfaithful",
    ),
    "judge": Term(
        "a judge model's verdict", lambda summary: _word(summary.judge), ("accept", "reject"), example="judge:reject"
    ),
    "stale": Term(
        "turns that rest on something that changed",
        lambda summary: ("true" if summary.stale else "false",), ("true", "false"),
        number=lambda summary: summary.stale, example="stale:true",
    ),
    "edited": Term(
        "messages that were edited by hand",
        lambda summary: ("true" if summary.edited else "false",), ("true", "false"),
        number=lambda summary: summary.edited, example="edited:true",
    ),
    "rejected_turns": Term(
        "turns that were rejected or superseded, and kept", number=lambda summary: summary.rejected_turns,
        example="rejected_turns>0",
    ),
    "first_wrong": Term(
        "what went wrong first in a thread that is not right: a turn labelled bad, a call that failed for good, or the "
        "conclusion",
        derived=_first_wrong, example='first_wrong:"error compute_spectrum"',
    ),
    "exported": Term(
        "whether it has left as it is now", choices=("never", "exported", "changed"), of_workspace=True,
        example="exported:never",
    ),
    "difficulty": Term(
        "how often the model asked last is right about its session", choices=("easy", "middle", "hard"),
        of_workspace=True, example="difficulty:middle",
    ),
    "heldout": Term("if it is never trained on", choices=("true", "false"), of_workspace=True, example="heldout:true"),
    "batch": Term("the batch that made it, by name", of_workspace=True, example="batch:any"),
    "saved": Term("a filter that was saved, by its name", of_workspace=True, example="saved:hard"),
    "similar": Term(
        "like this thread in tools, wording and sensors", of_workspace=True, example="similar:demo_s03_0021_v4_0107"
    ),
    "lint": Term("what the checks find", of_workspace=True, example="lint:grounding"),
    "size": Term("the file's bytes", number=lambda summary: summary.size, example="size>5k"),
    "created": Term("when it was made", date=lambda summary: summary.created, example="created>=2026-11-21"),
    "modified": Term("when it was last changed", date=lambda summary: summary.modified, example="modified:2026-11"),
    "question": Term(
        "text in the question", texts=lambda thread: iter((thread.question,)), example="question:stairs"
    ),
    "query": Term(
        "the same, as the documents call it", texts=lambda thread: iter((thread.question,)), example="query:stairs"
    ),
    "assistant": Term("text the model wrote", texts=_of_role("assistant"), example='assistant:"no rhythm"'),
    "arguments": Term(
        "text in a call's arguments", texts=lambda thread: arguments(thread.messages), example="arguments:gyro_z"
    ),
    "result": Term("text in a tool's result", texts=_of_role("tool"), example="result:peak"),
    "text": Term("text anywhere", texts=searched, example="text:stairs"),
    "has": Term("something that may be there", choices=(*HAS_ON_SUMMARY, *HAS_ON_THREAD), example="has:errors"),
}  # fmt: skip
"""Every term by name, in the order help shows them."""

ALIASES = {"tool": "tools", "tags": "tag", "reasons": "reason", "label": "truth", "ground_truth": "truth"}
