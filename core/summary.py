"""One thread file in what a list, a filter or a count needs of it.

A summary is counted from the messages, never taken on trust from the metadata. Files are only ever read here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import ThreadError, UsageError
from core.labels import same_label
from core.store import path_of, read_bytes
from core.thread import (
    DEFAULT_MAX_TURNS,
    Thread,
    call_name,
    calls_of,
    confidence_of,
    counted,
    final_answer,
    text_of,
)
from core.thread_json import decode, decode_object, shape_of

QUERY_LIMIT = 500
"""Characters of the query that a summary keeps; a filter on free text reads the file."""

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
    query: str = ""
    verdict: str = ""
    """`accept`, `reject`, `skip`, or empty."""
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


def summarize(folder: Path, stem: str) -> Summary:
    """Read one file. Never raises for what the file holds: that becomes the summary's `problem`."""
    size, mtime_ns = 0, 0
    try:
        path = path_of(folder, stem)
    except UsageError:
        return Summary(stem, problem=f"{stem}.json: a name that cannot be a thread's id; rename the file")
    try:
        found = path.stat()
        size, mtime_ns = found.st_size, found.st_mtime_ns
        data = read_bytes(path)
    except OSError as error:
        return Summary(stem, size, mtime_ns, problem=f"{path.name}: {(error.strerror or str(error)).lower()}")
    except ThreadError as error:
        return Summary(stem, size, mtime_ns, problem=str(error))
    try:
        if not data.isascii():
            data.decode()  # parts that are skipped below must be text too
        return _from_document(_DECODER.decode(data), stem, size, mtime_ns)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _explained(data, stem, size, mtime_ns)


def summary_of(thread: Thread, stem: str, size: int = 0, mtime_ns: int = 0) -> Summary:
    """The summary of a thread that was read already."""
    counts = counted(thread.messages, thread.metadata)
    metadata = thread.metadata
    review = metadata.get("review")
    tags = metadata.get("tags")
    branched_at = metadata.get("branched_at")
    names = [call_name(call) for message in thread.messages for call in calls_of(message)]
    return Summary(
        stem,
        size,
        mtime_ns,
        "v4",
        id=thread.id,
        dataset=thread.dataset,
        session=thread.session,
        status=counts["status"],
        truth=thread.truth,
        answer=counts["final_answer"] or "",
        correct=counts["is_correct"],
        confidence=counts["confidence"] or "",
        turns=counts["num_turns"],
        calls=counts["num_tool_calls"],
        responds=counts["num_responds"],
        query=thread.query[:QUERY_LIMIT],
        verdict=_word(review.get("verdict")) if isinstance(review, dict) else "",
        tags=tuple(one for one in tags if isinstance(one, str)) if isinstance(tags, list) else (),
        parent=_word(metadata.get("parent_id")),
        branched_at=branched_at if isinstance(branched_at, int) else None,
        model=_word(metadata.get("model")),
        created=_word(metadata.get("created_at")),
        modified=_word(metadata.get("last_modified")),
        tools_used=tuple(dict.fromkeys(names)),
        stale=sum(message.get("stale") is True for message in thread.messages),
    )


def _explained(data: bytes, stem: str, size: int, mtime_ns: int) -> Summary:
    """Why a file is no thread, or its summary after all when only its metadata are of unusual types."""
    name = f"{stem}.json"
    try:
        return summary_of(decode(data, name), stem, size, mtime_ns)
    except ThreadError as error:
        return Summary(stem, size, mtime_ns, _shape(data, name), problem=str(error))


def _shape(data: bytes, name: str) -> Shape:
    try:
        return "v3" if shape_of(decode_object(data, name)) == "v3" else "other"
    except ThreadError:
        return "other"


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


# The typed decode: everything of a thread but its long texts, of which only the last is looked into.


class _Function(msgspec.Struct, gc=False):
    name: str = ""


class _Call(msgspec.Struct, gc=False):
    function: _Function


class _Message(msgspec.Struct, gc=False):
    role: str
    content: msgspec.Raw = msgspec.Raw(b"null")
    tool_calls: list[_Call] | None = None
    stale: bool = False


class _Review(msgspec.Struct, gc=False):
    verdict: str | None = None


class _Metadata(msgspec.Struct, gc=False):
    dataset: str = ""
    session: str = ""
    ground_truth: str | None = None
    confidence: str | None = None
    user_query: str | None = None
    created_at: str | None = None
    last_modified: str | None = None
    model: str | None = None
    parent_id: str | None = None
    branched_at: int | None = None
    review: _Review | None = None
    tags: list[str] | None = None
    max_turns: int | None = None


class _Document(msgspec.Struct, gc=False):
    id: str
    metadata: _Metadata
    messages: list[_Message]


_DECODER = msgspec.json.Decoder(_Document)


def _from_document(document: _Document, stem: str, size: int, mtime_ns: int) -> Summary:
    """The same as `summary_of`, several times faster; a test holds the two together."""
    metadata = document.metadata
    if not document.id:
        raise msgspec.DecodeError("an empty id")
    spoken = [message for message in document.messages if message.role == "assistant"]
    calls = [call.function.name for message in spoken for call in message.tool_calls or ()]
    last = document.messages[-1] if document.messages else None
    text = ""
    if last is not None and last.role == "assistant" and not last.tool_calls:
        text = text_of({"content": _plain(last.content)})
    answer = final_answer(text) if text else None
    limit = metadata.max_turns if metadata.max_turns and metadata.max_turns > 0 else DEFAULT_MAX_TURNS
    truth = metadata.ground_truth or ""
    silent = sum(not message.tool_calls for message in spoken)
    return Summary(
        stem,
        size,
        mtime_ns,
        "v4",
        id=document.id,
        dataset=metadata.dataset,
        session=metadata.session,
        status="finished" if answer else "max_turns_reached" if len(spoken) >= limit else "active",
        truth=truth,
        answer=answer or "",
        correct=same_label(answer, truth) if answer and truth else None,
        confidence=(confidence_of(text, metadata.confidence) or "") if answer else "",
        turns=len(spoken),
        calls=len(calls),
        responds=silent - (1 if answer else 0),
        query=(metadata.user_query or "")[:QUERY_LIMIT],
        verdict=(metadata.review.verdict or "") if metadata.review else "",
        tags=tuple(metadata.tags or ()),
        parent=metadata.parent_id or "",
        branched_at=metadata.branched_at,
        model=metadata.model or "",
        created=metadata.created_at or "",
        modified=metadata.last_modified or "",
        tools_used=tuple(dict.fromkeys(calls)),
        stale=sum(message.stale for message in document.messages),
    )


def _plain(raw: msgspec.Raw) -> Any:
    return msgspec.json.decode(raw)
