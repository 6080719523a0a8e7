"""One thread file in what a list, a filter or a count needs of it.

A summary is counted from the messages, never taken on trust from the metadata. Files are only ever read here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.errors import ThreadError, system_reason
from core.listing.fast_decode import Outline, broken_calls, outline
from core.storage.thread_files import RegularFile, is_stem, path_of, read_bytes, read_regular
from core.thread.json_form import decode, decode_object, shape_of
from core.thread.labels import same_label
from core.thread.summary import Shape, Summary
from core.thread.value import (
    DEFAULT_MAX_TURNS,
    Thread,
    call_name,
    calls_of,
    conclusion,
    counted,
)

QUERY_LIMIT = 500
"""Characters of the query that a summary keeps; a filter on free text reads the file."""


class Look(msgspec.Struct, gc=False):
    """What reading one file gave."""

    summary: Summary
    data: bytes = b""
    outline: Outline | None = None
    """None for what is no thread, or an unusual one."""


def summarize(folder: Path, stem: str) -> Summary:
    """Read one file. Never raises for what the file holds: that becomes the summary's `problem`."""
    return look(folder, stem).summary


def look(folder: Path, stem: str) -> Look:
    """Read one file, and keep what it held. Never raises for what that is."""
    if not is_stem(stem):
        return Look(Summary(stem, problem=f"{stem}.json: a name that cannot be a thread's id; rename the file"))
    size, mtime_ns = 0, 0
    try:
        if (file := read_regular(f"{folder}/{stem}.json")) is None:
            path = path_of(folder, stem)
            found = path.stat()
            size, mtime_ns = found.st_size, found.st_mtime_ns
            file = RegularFile(read_bytes(path), size, mtime_ns)
    except OSError as error:
        problem = f"{stem}.json: {system_reason(error)}"
        return Look(Summary(stem, size, mtime_ns, problem=problem))
    except ThreadError as error:
        return Look(Summary(stem, size, mtime_ns, problem=str(error)))
    try:
        found = outline(file.data)
        return Look(summary_in(found, file.data, stem, file.size, file.mtime_ns), file.data, found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Look(_explained(file.data, stem, file.size, file.mtime_ns), file.data)


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


def keys_before_messages(data: bytes) -> int:
    """About how many keys hold something before a thread's messages, in the bytes of its file."""
    end = data.find(b'"messages"')
    return data.count(b'":', 0, end) - data.count(b"null", 0, end)


def summary_in(found: Outline, data: bytes, stem: str, size: int, mtime_ns: int) -> Summary:
    """The same as `summary_of`, several times faster, and it knows what is `ready`; a test holds the two together."""
    metadata = found.metadata
    turns, silent, stale = 0, 0, 0
    tools: dict[str, None] = {}
    asked: list[str] = []
    answered: list[str | None] = []
    in_turn = True  # nothing is said before all that was asked is answered
    for message in found.messages:
        if message.stale:
            stale += 1
        if message.role == "tool":
            answered.append(message.tool_call_id)
            continue
        if len(asked) != len(answered):
            in_turn = False
        if message.role == "assistant":
            turns += 1
            if message.tool_calls:
                for call in message.tool_calls:
                    asked.append(call.id)
                    tools[call.function.name] = None
            else:
                silent += 1
        elif message.tool_calls:
            in_turn = False
    calls = len(asked)
    last = found.messages[-1] if found.messages else None
    text = last.content if last is not None and last.role == "assistant" and not last.tool_calls else None
    answer, confidence = conclusion(text, metadata.confidence) if text else (None, None)
    truth = metadata.ground_truth or ""
    limit = metadata.max_turns if metadata.max_turns and metadata.max_turns > 0 else DEFAULT_MAX_TURNS
    ready = not stale and not found.has_alternatives
    if ready and not (in_turn and asked == answered and "" not in asked and len(set(asked)) == calls):
        ready = not broken_calls(found.messages)  # perhaps they are answered in another order
    return Summary(  # by place: with names it takes three times as long, and this is done for every file
        stem,
        size,
        mtime_ns,
        "v4",
        "",
        found.id,
        metadata.dataset,
        metadata.session,
        "finished" if answer else "max_turns_reached" if turns >= limit else "active",
        truth,
        answer or "",
        same_label(answer, truth) if answer and truth else None,
        confidence or "",
        turns,
        calls,
        silent - 1 if answer else silent,
        (metadata.user_query or "")[:QUERY_LIMIT],
        (metadata.review.verdict or "") if metadata.review else "",
        tuple(metadata.tags or ()),
        metadata.parent_id or "",
        metadata.branched_at,
        metadata.model or "",
        metadata.created_at or "",
        metadata.last_modified or "",
        tuple(tools),
        stale,
        ready,
        keys_before_messages(data) if ready and answer else 0,
    )
