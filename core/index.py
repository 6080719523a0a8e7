"""Summaries of every file in the threads folder, and their cache.

A summary holds what a list, a filter or a count needs, so that nobody has to read a hundred thousand
files twice. It is counted from the messages, never taken on trust from the metadata. The cache under
`.sensorloom/` may be deleted at any time; files are only ever read here.

Everything here blocks and belongs in a worker. Work comes in batches, between which other threads run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import SensorloomError, ThreadError, UsageError
from core.files import write_atomic
from core.labels import same_label
from core.store import is_thread_file, path_of, read_bytes
from core.thread import (
    DEFAULT_MAX_TURNS,
    Thread,
    call_name,
    calls_of,
    counted,
    final_answer,
    stated_confidence,
    text_of,
)
from core.thread_json import decode, decode_object, shape_of
from core.workspace import Workspace, private_folder

BATCH = 500
"""Files between two reports of a scan: about 20 ms of work."""

QUERY_LIMIT = 500
"""Characters of the query that a summary keeps; a filter on free text reads the file."""

_CACHE_VERSION = 1
_SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was read may have changed again within one tick of its clock."""

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


@dataclass(frozen=True, slots=True)
class Changes:
    """What a scan found to differ from what was known."""

    found: tuple[Summary, ...] = ()
    """New and changed files."""
    gone: tuple[str, ...] = ()
    """Stems that are no longer there."""
    seen: int = 0
    """Files looked at so far in this scan."""
    total: int = 0
    """Files in the folder."""
    read: int = 0
    """Files that had to be read so far; when there were any, the cache is worth renewing."""


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


def scan(folder: Path, known: Mapping[str, Summary], trusted_ns: int = 0) -> Iterator[Changes]:
    """Compare the folder with what is known, reading only files whose time or size differ.

    Yields the changes in batches, at least one; what is gone comes in the last one. An absent folder
    holds nothing.

    Args:
        folder: the threads folder.
        known: the summaries from an earlier scan.
        trusted_ns: the time of that earlier scan; files changed just before it are read again.
    """
    there = _listing(folder)
    total, read = len(there), 0
    batch: list[Summary] = []
    for seen, (stem, size, mtime_ns) in enumerate(there, 1):
        one = known.get(stem)
        settled = trusted_ns == 0 or mtime_ns < trusted_ns - _SETTLED_NS
        if one is None or not settled or (one.size, one.mtime_ns) != (size, mtime_ns):
            fresh = summarize(folder, stem)
            read += 1
            if fresh != one:
                batch.append(fresh)
        if len(batch) >= BATCH:
            yield Changes(tuple(batch), (), seen, total, read)
            batch = []
    stems = {stem for stem, _, _ in there}
    yield Changes(tuple(batch), tuple(stem for stem in known if stem not in stems), total, total, read)


def rescan(folder: Path, known: Mapping[str, Summary], stems: Iterable[str]) -> Changes:
    """Read these files again, whatever their times say: they are known to have been written."""
    found: list[Summary] = []
    gone: list[str] = []
    for stem in stems:
        if not os.path.lexists(folder / f"{stem}.json"):
            if stem in known:
                gone.append(stem)
            continue
        fresh = summarize(folder, stem)
        if fresh != known.get(stem):
            found.append(fresh)
    return Changes(tuple(found), tuple(gone), len(found), len(known))


def summaries(workspace: Workspace) -> list[Summary]:
    """All summaries of a workspace, by stem: from the cache where it is fresh. The cache is renewed.

    For commands; the app takes the same steps in batches.
    """
    known, trusted_ns = load(workspace)
    started = time.time_ns()
    outdated = False
    for changes in scan(workspace.threads, known, trusted_ns):
        outdated |= apply(known, changes) or changes.read > 0
    if outdated:
        save(workspace, known, started)
    return [known[stem] for stem in sorted(known)]


def apply(known: dict[str, Summary], changes: Changes) -> bool:
    """Bring `known` up to date; says whether that changed anything."""
    for one in changes.found:
        known[one.stem] = one
    for stem in changes.gone:
        known.pop(stem, None)
    return bool(changes.found or changes.gone)


# the cache: one line of JSON that says what it is of, then msgpack blocks, each with its length before it, so
# that a large one is decoded piece by piece


def load(workspace: Workspace) -> tuple[dict[str, Summary], int]:
    """The cached summaries and the time of their scan; nothing when there is no cache that can be used."""
    try:
        data = _cache_path(workspace).read_bytes()
        head, _, rest = data.partition(b"\n")
        known: dict[str, Summary] = {}
        if (found := msgspec.json.decode(head, type=_Head)).of(workspace):
            for block in _blocks(memoryview(rest)):
                known.update((one.stem, one) for one in _PACKED.decode(block))
        return known, found.scanned_ns if known else 0
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}, 0


def save(workspace: Workspace, known: Mapping[str, Summary], scanned_ns: int) -> None:
    """Write the cache; a workspace that cannot be written goes without."""

    def parts() -> Iterator[bytes]:
        yield msgspec.json.encode(_Head(_CACHE_VERSION, str(workspace.threads), scanned_ns)) + b"\n"
        every = list(known.values())
        for start in range(0, len(every), BATCH):
            block = _packed(every[start : start + BATCH])
            yield len(block).to_bytes(4, "little") + block

    try:
        private_folder(workspace)
        write_atomic(_cache_path(workspace), parts())
    except SensorloomError:
        pass


class _Head(msgspec.Struct, frozen=True):
    version: int
    folder: str
    scanned_ns: int

    def of(self, workspace: Workspace) -> bool:
        return self.version == _CACHE_VERSION and self.folder == str(workspace.threads)


_PACKED = msgspec.msgpack.Decoder(list[Summary])
_PACKER = msgspec.msgpack.Encoder()


def _packed(block: list[Summary]) -> bytes:
    """A block of the cache. Summaries with text that is no Unicode are left out, and read again the next time."""
    try:
        return _PACKER.encode(block)
    except UnicodeEncodeError:
        return _PACKER.encode([one for one in block if _is_unicode(one)])


def _is_unicode(one: Summary) -> bool:
    try:
        _PACKER.encode(one)
    except UnicodeEncodeError:
        return False
    return True


def _cache_path(workspace: Workspace) -> Path:
    return workspace.private / "index.cache"


def _blocks(data: memoryview) -> Iterator[memoryview]:
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "little")
        yield data[start + 4 : end]
        start = end


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Stem, size and mtime in ns of every thread file, newest last so that the freshest work is read first."""
    found: list[tuple[str, int, int]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_thread_file(entry.name):
                    try:
                        stat = entry.stat()
                        found.append((entry.name[:-5], stat.st_size, stat.st_mtime_ns))
                    except OSError:
                        found.append((entry.name[:-5], 0, 0))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SensorloomError(f"cannot list {folder}: {(error.strerror or str(error)).lower()}") from error
    found.sort(key=lambda one: -one[2])
    return found


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
        confidence=(stated_confidence(text) or "") if answer else "",
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
