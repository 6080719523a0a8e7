"""Reading a thread file for an export: as few objects as the checks need, the texts left as bytes.

A hundred thousand threads are written within a small multiple of the time it takes to read them, so the
texts of a file in the usual form are never decoded: they are checked, compacted and copied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ThreadError
from core.listing.summary import look
from core.storage.atomic import digest
from core.thread.call_ids import with_neutral_ids
from core.thread.json_form import Decoded, decoded, encode_line, one_line
from core.thread.plain_text import with_text_contents
from core.thread.updates import with_part
from core.thread.value import Thread


@dataclass(frozen=True, slots=True)
class Source:
    """One thread as an export takes it."""

    stem: str
    data: bytes
    """One JSON object whose contents and arguments are strings, and whose tools, if any, are a list."""
    thread: Thread
    """The same as a value."""
    digest: str
    """SHA-256 of the file's bytes."""


class UnloadableError(ThreadError):
    """A thread that programs which load training files stop at."""


_LONE = re.compile(rb"\\u[dD][89a-fA-F]")
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_source(folder: Path, stem: str) -> Source:
    """Read one thread file.

    Raises:
        ThreadError: it is no thread; one sentence. An `UnloadableError` for one that loaders stop at.
    """
    seen = look(folder, stem)
    if seen.thread is None:
        raise ThreadError(seen.summary.problem)
    return source_in(seen.data, stem, Decoded(seen.thread, seen.line))


def source_in(data: bytes, stem: str, read: Decoded | None = None) -> Source:
    """The source in a thread file's bytes, which may be read already. Raises ThreadError like `read_source`."""
    name = f"{stem}.json"
    thread, line = read or decoded(data, name)
    plain = with_text_contents(thread)
    if isinstance(thread.document.get("tools"), str):
        plain = with_part(plain, "tools", thread.tools)
    if plain is thread and line:
        return Source(stem, data, thread, digest(data))
    row = encode_row(plain.document, name)
    try:
        msgspec.json.decode(row)
    except msgspec.DecodeError as error:
        reason = "half of a character (a lone surrogate), at which loaders stop; edit that text"
        raise UnloadableError(
            f"{name}: holds {reason}" if _LONE.search(row) else f"{name}: {_lowered(str(error))}"
        ) from error
    return Source(stem, row, plain, digest(data))


def plain_line(source: Source) -> bytes:
    """The thread on one line without its alternatives, every key in its place."""
    data = source.data
    if "alternatives" in source.thread.document:
        parts = _PARTS.decode(data)
        members = b",".join(
            msgspec.json.encode(key) + b":" + bytes(memoryview(part))
            for key, part in parts.items()
            if key != "alternatives"
        )
        data = b"{" + members + b"}"
    return one_line(data)


def plain_row(source: Source, call_ids: str) -> bytes:
    """The same with the call ids asked for: `stored` or `neutral`."""
    if call_ids == "stored":
        return plain_line(source)
    thread = source.thread
    row = {key: value for key, value in thread.document.items() if key != "alternatives"}
    return encode_row({**row, "messages": with_neutral_ids(thread.messages)}, source.stem)


def encode_row(row: Mapping[str, Any], name: str) -> bytes:
    """An export row as one line without its end. Raises ThreadError for NaN and infinity."""
    try:
        return encode_line(row)
    except ValueError as error:
        raise ThreadError(f"{name}: holds NaN or infinity, which JSON does not have") from error


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
