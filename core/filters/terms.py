"""The terms of the filter language: what each looks at, and what values it takes.

A term is decided on a `Summary` alone, or, when a summary cannot know, on the thread itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from core.filters.facts import Fact, as_it_is, truth_word, word
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
    words: Fact[Sequence[str]] | Callable[[Summary], Sequence[str]] | None = None
    choices: tuple[str, ...] = ()
    """The only words it takes; empty when any will do."""
    label: bool = False
    """Whether the words are labels, which compare as people write them."""
    number: Fact[float] | None = None
    date: Fact[str] | None = None
    texts: Callable[[Thread], Iterator[str]] | None = None
    derived: Callable[[Thread], Sequence[str]] | None = None
    """Words that take the thread to find out, and do not stand in it as they are."""
    of_workspace: bool = False
    """Whether it takes a workspace to decide it; `core.filters.workspace_terms` does."""
    example: str = field(kw_only=True)
    """The term as it may be written."""


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
    "answer": Fact("answer", bool),
    "confidence": Fact("confidence", bool),
    "parent": Fact("parent", bool),
    "problem": Fact("problem", bool),
    "stale": Fact("stale", bool),
    "tags": Fact("tags", bool),
    "tools": Fact("calls", bool),
    "truth": Fact("truth", bool),
    "verdict": Fact("verdict", bool),
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
        "how far it is", Fact("status", word), ("active", "finished", "max_turns_reached"),
        example="status:finished",
    ),
    "correct": Term(
        "whether the answer is right", Fact("correct", truth_word), ("true", "false"),
        example="correct:false",
    ),
    "dataset": Term("the dataset's name", Fact("dataset", word), example="dataset:uci_har"),
    "session": Term("the session's id", Fact("session", word), example="session:train_16_*"),
    "subject": Term("the person the session is of", of_workspace=True, example="subject:s03"),
    "truth": Term(
        "the session's label, or what else is right",
        Fact("truth", word),
        label=True,
        example="truth:sitting",
    ),
    "answer": Term(
        "the final answer", Fact("answer", word), label=True, example='answer:"walking upstairs"'
    ),
    "confidence": Term(
        "as the answer states it", Fact("confidence", word), ("high", "medium", "low"),
        example="confidence:low",
    ),
    "verdict": Term(
        "a person's judgement", Fact("verdict", word), ("accept", "reject", "skip"),
        example="verdict:none",
    ),
    "reason": Term("a reason given with the verdict", Fact("reasons", as_it_is), example="reason:leak"),
    "note": Term(
        "text in the note at the verdict", texts=lambda thread: iter((note_of(thread),)), example="note:again"
    ),
    "tag": Term("a tag", Fact("tags", as_it_is), example='tag:"hard case"'),
    "model": Term("the model that made it", Fact("model", word), example="model:qwen*"),
    "fingerprint": Term(
        "what the server calls its configuration; the built-in analyst's manner",
        Fact("fingerprint", lambda value: tuple(filter(None, value.split(", ")))),
        example='fingerprint:"compares first"',
    ),
    "seed": Term("what the model sampled by", Fact("seed", word), example="seed:7"),
    "kind": Term("the kind of question", Fact("kind", word), KINDS, example="kind:steps"),
    "evidence": Term("what it rests on", Fact("evidence", word), EVIDENCE, example="evidence:measure"),
    "form": Term(
        "its task's form, or `changed`", Fact("form", lambda value: tuple(value.split())), example="form:compact"
    ),
    "without": Term(
        "whom its references were made without", Fact("references_without", lambda value: tuple(value.splitlines())),
        example="without:none",
    ),
    "id": Term("the thread's id", lambda summary: tuple(dict.fromkeys((summary.stem, summary.id))), example="id:*0042"),
    "parent": Term(
        "the id of the thread it branched from", Fact("parent", word), example="parent:none"
    ),
    "shape": Term(
        "the form of the file", Fact("shape", word), ("v4", "v3", "other"), example="shape:v3"
    ),
    "tools": Term(
        "a tool's name, or how many calls", Fact("tools_used", as_it_is), number=Fact("calls", as_it_is),
        example="tools:compute_spectrum",
    ),
    "path": Term(
        "the tools in the order of their first use", Fact("tools_used", lambda value: word(BETWEEN.join(value))),
        example="path:show_channel_stats>compute_spectrum",
    ),
    "calls": Term("how many tool calls", number=Fact("calls", as_it_is), example="calls>=2"),
    "turns": Term("how many assistant messages", number=Fact("turns", as_it_is), example="turns:3..6"),
    "responds": Term(
        "how many answers without a call, less the last", number=Fact("responds", as_it_is), example="responds>0"
    ),
    "tokens": Term(
        "what the model wrote, in tokens, as the server counted them", number=Fact("tokens", as_it_is),
        example="tokens>2k",
    ),
    "cost": Term("what its turns cost", number=Fact("cost", lambda value: value or 0.0), example="cost>0.01"),
    "faithfulness": Term(
        "whether the answer moved when what it cites was taken away",
        Fact("faithfulness", word), FAITHFULNESS, example="faithfulness:unfaithful",
    ),
    "judge": Term(
        "a judge model's verdict", Fact("judge", word), ("accept", "reject"), example="judge:reject"
    ),
    "stale": Term(
        "turns that rest on something that changed",
        Fact("stale", lambda value: truth_word(value > 0)), ("true", "false"),
        number=Fact("stale", as_it_is), example="stale:true",
    ),
    "edited": Term(
        "messages that were edited by hand",
        Fact("edited", lambda value: truth_word(value > 0)), ("true", "false"),
        number=Fact("edited", as_it_is), example="edited:true",
    ),
    "rejected_turns": Term(
        "turns that were rejected or superseded, and kept", number=Fact("rejected_turns", as_it_is),
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
    "size": Term("the file's bytes", number=Fact("size", as_it_is), example="size>5k"),
    "created": Term("when it was made", date=Fact("created", as_it_is), example="created>=2026-11-21"),
    "modified": Term("when it was last changed", date=Fact("modified", as_it_is), example="modified:2026-11"),
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
