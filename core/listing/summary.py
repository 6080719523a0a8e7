"""One thread file in what a list, a filter or a count needs of it.

A summary is counted from the messages, never taken on trust from the metadata. Files are only ever read here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.errors import ThreadError
from core.storage.thread_files import RegularFile, is_stem, path_of, read_bytes, read_regular, stamp_of
from core.thread.json_form import OlderFormError, decoded
from core.thread.summary import Summary
from core.thread.turns import broken_calls
from core.thread.value import Thread, count

QUERY_LIMIT = 500
"""Characters of the query that a summary keeps; a filter on free text reads the file."""


class Look(msgspec.Struct, gc=False):
    """What reading one file gave."""

    summary: Summary
    data: bytes = b""
    thread: Thread | None = None
    """None for what is no thread."""
    line: bytes = b""
    """The file on one line, see `core.thread.json_form.Decoded`."""


def summarize(folder: Path, stem: str) -> Summary:
    """Read one file. Never raises for what the file holds: that becomes the summary's `problem`."""
    return look(folder, stem).summary


def look(folder: Path, stem: str) -> Look:
    """Read one file, and keep what it held. Never raises for what that is."""
    size, mtime_ns = 0, 0
    file = read_regular(f"{folder}/{stem}.json") if is_stem(stem) else None
    try:
        if file is None:
            path = path_of(folder, stem)
            size, mtime_ns = stamp_of(str(path)) or (0, 0)
            file = RegularFile(read_bytes(path), size, mtime_ns)
        thread, line = decoded(file.data, f"{stem}.json")
    except ThreadError as error:
        if file is not None:
            size, mtime_ns = file.size, file.mtime_ns
        shape = "v3" if isinstance(error, OlderFormError) else "other"
        return Look(Summary(stem, size, mtime_ns, shape, str(error)), file.data if file else b"")
    return Look(summary_of(thread, stem, file.size, file.mtime_ns, line), file.data, thread, line)


def summary_of(thread: Thread, stem: str, size: int = 0, mtime_ns: int = 0, line: bytes = b"") -> Summary:
    """The summary of a thread that was read already; `line` is the file on one line, where it is written as usual."""
    counts = count(thread.messages, thread.metadata)
    metadata = thread.metadata
    review = metadata.get("review")
    tags = metadata.get("tags")
    branched_at = metadata.get("branched_at")
    ready = bool(line) and not counts.stale and _leaves_as_it_is(thread)
    return Summary(
        stem=stem,
        size=size,
        mtime_ns=mtime_ns,
        shape="v4",
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
        query=thread.query[:QUERY_LIMIT],
        verdict=_word(review.get("verdict")) if isinstance(review, dict) else "",
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        parent=_word(metadata.get("parent_id")),
        branched_at=branched_at if isinstance(branched_at, int) else None,
        model=_word(metadata.get("model")),
        created=_word(metadata.get("created_at")),
        modified=_word(metadata.get("last_modified")),
        tools_used=counts.tools_used,
        stale=counts.stale,
        ready=ready,
        keys=keys_before_messages(line) if ready and counts.answer else 0,
    )


def _leaves_as_it_is(thread: Thread) -> bool:
    document = thread.document
    if "alternatives" in document or isinstance(document.get("tools"), str):
        return False
    for message in thread.messages:
        if not isinstance(message.get("content"), str | None):
            return False
        for call in message.get("tool_calls") or ():
            if type(call["function"].get("arguments")) is not str:
                return False
    return not broken_calls(thread.messages)


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def keys_before_messages(data: bytes) -> int:
    """About how many keys hold something before a thread's messages, in the bytes of its file."""
    end = data.find(b'"messages"')
    return data.count(b'":', 0, end) - data.count(b"null", 0, end)
