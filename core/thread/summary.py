"""A thread in what a list, a filter or a count needs of it.

A summary is counted from the messages, never taken on trust from the metadata.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.thread.cost import cost_of_all, tokens_in
from core.thread.evidence import evidence_in, references_without
from core.thread.faithfulness import faithfulness_of
from core.thread.form import checksum_in, form_in
from core.thread.json_text import arguments_problem
from core.thread.judgements import judged
from core.thread.review import note_of, reasons_of, tags_of, verdict_of
from core.thread.scoring import asks_for_a_label, kind_in
from core.thread.turns import broken_calls
from core.thread.value import Counts, Thread, count

QUESTION_LIMIT = 500
"""Characters of the question that a summary keeps; a filter on free text reads the file."""

Shape = Literal["v4", "v3", "other"]


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file of the threads folder, in what a list shows of it."""

    stem: str
    size: int = 0
    mtime_ns: int = 0
    shape: Shape = "other"
    """`v4` only when the file opens as a thread."""
    problem: str = ""
    """Why it does not open: one sentence with the line, where there is one. Empty for a v4 thread."""
    id: str = ""
    dataset: str = ""
    session: str = ""
    status: str = ""
    truth: str = ""
    answer: str = ""
    correct: bool | None = None
    confidence: str = ""
    turns: int = 0
    calls: int = 0
    responds: int = 0
    question: str = ""
    verdict: str = ""
    """`accept`, `reject`, `skip`, or empty."""
    reasons: tuple[str, ...] = ()
    """Why, in words from the workspace's list."""
    note: str = ""
    """Why, in somebody's words."""
    tags: tuple[str, ...] = ()
    parent: str = ""
    branched_at: int | None = None
    model: str = ""
    created: str = ""
    """ISO 8601 as the file has it."""
    modified: str = ""
    tools_used: tuple[str, ...] = ()
    """Names of the tools its calls name, in the order of their first use."""
    stale: int = 0
    """Messages that rest on something that changed since."""
    seed: str = ""
    """What the model sampled by, as text."""
    tokens: int = 0
    """What the model wrote, in tokens, as the server counted them; 0 where no turn has a count."""
    tokens_read: int = 0
    """What the model was sent, likewise: the whole of the thread once more with each turn."""
    cost: float | None = None
    """What its turns cost; None where no turn says."""
    edited: int = 0
    """Messages that were edited by hand."""
    rejected_turns: int = 0
    """Turns that were rejected, discarded or superseded, and are kept as alternatives."""
    faithfulness: str = ""
    """What the faithfulness check found: `faithful`, `unfaithful`, `unsteady`, or empty."""
    judge: str = ""
    """The verdict of the judge model that was asked last: `accept`, `reject`, or empty."""
    ready: bool = False
    """Whether a look at its bytes found that they can leave as they are: contents are strings, arguments the text of a
    JSON object, every call is answered, nothing is stale, and there are no alternatives."""
    keys: int = 0
    """Of what is ready and finished: about how many keys hold something before its messages. Arrow settles its columns
    on the first rows it is given, so an export begins with the fullest."""
    evidence: str = ""
    """`reference` or `measure`: what the answer may rest on."""
    fingerprint: str = ""
    """What the server called its configuration; of the built-in analyst, its manner, parted by commas."""
    references_without: str = ""
    """The names of subjects and sessions that its references were made without, one a line."""
    form: str = ""
    """The form of its task: its name, and after a blank its checksum where the thread keeps one."""
    kind: str = ""
    """The kind of question: one of `core.thread.scoring.KINDS`."""

    @property
    def label(self) -> str:
        """The truth where it is a label of the dataset; empty where another kind of question is asked."""
        return self.truth if asks_for_a_label(self.kind) else ""


def summary_of(thread: Thread, stem: str, size: int = 0, mtime_ns: int = 0, line: bytes = b"") -> Summary:
    """The summary of a thread that was read already; `line` is the file on one line, where it is written as usual."""
    counts = count(thread.messages, thread.metadata)
    ready = bool(line) and not counts.stale and _leaves_as_it_is(thread)
    keys = keys_before_messages(line) if ready and counts.answer else 0
    return summary_with(counts, thread, Summary(stem, size, mtime_ns, "v4", ready=ready, keys=keys))


def summary_with(counts: Counts, thread: Thread, file: Summary) -> Summary:
    """What is known of a `file`, with what its messages amount to and its thread's id and metadata say."""
    metadata = thread.metadata
    read, written = tokens_in(thread.messages)
    branched_at = metadata.get("branched_at")
    return Summary(
        stem=file.stem,
        size=file.size,
        mtime_ns=file.mtime_ns,
        shape=file.shape,
        id=thread.id,
        dataset=thread.dataset,
        session=thread.session,
        status=counts.status,
        truth=thread.truth,
        answer=counts.answer or "",
        correct=counts.correct,
        confidence=counts.confidence or "",
        turns=counts.turns,
        calls=counts.calls,
        responds=counts.responds,
        question=thread.question[:QUESTION_LIMIT],
        verdict=verdict_of(thread),
        reasons=reasons_of(thread),
        note=note_of(thread),
        tags=tags_of(thread),
        parent=_word(metadata.get("parent_id")),
        branched_at=branched_at if isinstance(branched_at, int) else None,
        model=_word(metadata.get("model")),
        created=_word(metadata.get("created_at")),
        modified=_word(metadata.get("last_modified")),
        tools_used=counts.tools_used,
        stale=counts.stale,
        seed="" if metadata.get("seed") is None else str(metadata["seed"])[:40],
        tokens=written,
        tokens_read=read,
        cost=cost_of_all(thread.messages),
        edited=sum(message.get("edited") is True for message in thread.messages),
        rejected_turns=len(thread.alternatives),
        faithfulness=faithfulness_of(thread),
        judge=judged(thread),
        ready=file.ready,
        keys=file.keys,
        evidence=evidence_in(metadata),
        fingerprint=_word(origin.get("fingerprint")) if isinstance(origin := metadata.get("made_by"), dict) else "",
        references_without="\n".join(references_without(metadata)),
        form=" ".join(filter(None, (form_in(metadata).name, checksum_in(metadata)))),
        kind=kind_in(thread.metadata),
    )


def _leaves_as_it_is(thread: Thread) -> bool:
    document = thread.document
    if "alternatives" in document or isinstance(document.get("tools"), str):
        return False
    for message in thread.messages:
        content, calls = message.get("content"), message.get("tool_calls")
        if not (content is None or type(content) is str):
            return False
        if calls and not all(map(_are_arguments, (call["function"].get("arguments") for call in calls))):
            return False
    return not broken_calls(thread.messages)


def _are_arguments(value: object) -> bool:
    return type(value) is str and bool(value.strip()) and not arguments_problem(value)


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def keys_before_messages(data: bytes) -> int:
    """About how many keys hold something before a thread's messages, in the bytes of its file."""
    end = data.find(b'"messages"')
    return data.count(b'":', 0, end) - data.count(b"null", 0, end)
