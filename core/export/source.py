"""Reading a thread file for an export: as few objects as the checks need, the texts left as bytes.

A hundred thousand threads are written within a small multiple of the time it takes to read them, so the
texts of a file in the usual form are never decoded: they are checked, compacted and copied.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from core.errors import ThreadError
from core.files import digest
from core.store import read_bytes
from core.thread import Thread, text_of
from core.thread_json import MAX_BYTES, decode, encode_line


class SourceFunction(msgspec.Struct, gc=False):
    """The `function` of a call."""

    name: str
    arguments: str


class SourceCall(msgspec.Struct, gc=False):
    """A tool call in the usual form."""

    function: SourceFunction
    id: str = ""


class SourceMessage(msgspec.Struct, gc=False):
    """A message as far as the checks ask."""

    role: str
    content: str | None = None
    tool_calls: list[SourceCall] | None = None
    tool_call_id: str | None = None
    stale: bool | None = None


class SourceReview(msgspec.Struct, gc=False):
    """A person's verdict."""

    verdict: str | None = None


class SourceMetadata(msgspec.Struct, gc=False):
    """What an export asks of the metadata."""

    review: SourceReview | None = None


class SourceDocument(msgspec.Struct, gc=False):
    """A thread file in the usual form: every content a string or null, every call's arguments a string."""

    id: str
    metadata: SourceMetadata
    messages: list[SourceMessage]
    alternatives: msgspec.Raw = msgspec.Raw(b"")


@dataclass(frozen=True, slots=True)
class Source:
    """One thread as an export takes it."""

    stem: str
    data: bytes
    """One JSON object whose contents and arguments are strings."""
    document: SourceDocument
    digest: str
    """SHA-256 of the file's bytes."""

    def thread(self) -> Thread:
        """The thread as a value, contents and arguments as strings."""
        return Thread(json.loads(self.data))


_DOCUMENT = msgspec.json.Decoder(SourceDocument)
_LONE = re.compile(rb"\\u[dD][89a-fA-F]")
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_source(folder: Path, stem: str) -> Source:
    """Read one thread file.

    Raises:
        ThreadError: it is no thread, or holds a number JSON does not have; one sentence.
    """
    name = f"{stem}.json"
    data = _quickly(f"{folder}/{name}")
    if data is None:
        data = read_bytes(folder / name)
    found = digest(data)
    try:
        document = _DOCUMENT.decode(data)
        if not data.isascii():
            data.decode()  # what the decoder skipped must be text too
        if document.id:
            return Source(stem, data, document, found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # an unusual form, or no thread: decided below
    plain = encode_row(with_text_contents(decode(data, name)).document, name)
    try:
        return Source(stem, plain, _DOCUMENT.decode(plain), found)
    except msgspec.DecodeError as error:
        reason = "half of a character (a lone surrogate), at which loaders stop; edit that text"
        raise ThreadError(
            f"{name}: holds {reason}" if _LONE.search(plain) else f"{name}: {_lowered(str(error))}"
        ) from error


def _quickly(path: str) -> bytes | None:
    """A regular file's bytes in four system calls; None for whatever needs a closer look."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
            return None
        data = os.read(handle, found.st_size + 1)
        return data if len(data) == found.st_size else None
    except OSError:
        return None
    finally:
        os.close(handle)


def plain_line(source: Source) -> bytes:
    """The thread on one line without its alternatives, every key in its place."""
    data = source.data
    if memoryview(source.document.alternatives).nbytes:
        parts = _PARTS.decode(data)
        kept = b",".join(
            msgspec.json.encode(key) + b":" + bytes(memoryview(part))
            for key, part in parts.items()
            if key != "alternatives"
        )
        data = b"{" + kept + b"}"
    return msgspec.json.format(data, indent=-1)


def encode_row(row: Mapping[str, Any], name: str) -> bytes:
    """An export row as one line without its end. Raises ThreadError for NaN and infinity."""
    try:
        return encode_line(row)
    except ValueError as error:
        raise ThreadError(f"{name}: holds NaN or infinity, which JSON does not have") from error


def with_text_contents(thread: Thread) -> Thread:
    """The thread with every content and every call's arguments as strings; what is one already stays as it is."""
    return Thread({**thread.document, "messages": [_with_text(message) for message in thread.messages]})


def _with_text(message: Mapping[str, Any]) -> Mapping[str, Any]:
    changes: dict[str, Any] = {}
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        parts = isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content)
        changes["content"] = text_of(message) if parts else json.dumps(content, ensure_ascii=False)
    calls = message.get("tool_calls")
    if isinstance(calls, list) and any(not _has_text_arguments(call) for call in calls):
        changes["tool_calls"] = [_with_text_arguments(call) for call in cast("Sequence[dict[str, Any]]", calls)]
    return {**message, **changes} if changes else message


def _has_text_arguments(call: Mapping[str, Any]) -> bool:
    return isinstance(call["function"].get("arguments"), str)


def _with_text_arguments(call: Mapping[str, Any]) -> Mapping[str, Any]:
    if _has_text_arguments(call):
        return call
    arguments = call["function"].get("arguments")
    text = json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    return {**call, "function": {**call["function"], "arguments": text}}


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
