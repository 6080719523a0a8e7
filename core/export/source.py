"""Reading a thread file for an export: as few objects as the checks need, the texts left as bytes.

A hundred thousand threads are written within a small multiple of the time it takes to read them, so the
texts of a file in the usual form are never decoded: they are checked, compacted and copied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ThreadError
from core.listing.fast_decode import Outline, outline
from core.storage.atomic import digest
from core.storage.thread_files import read_bytes, read_regular
from core.thread.json_form import decode, encode_line
from core.thread.plain_text import with_text_contents
from core.thread.value import Thread


@dataclass(frozen=True, slots=True)
class Source:
    """One thread as an export takes it."""

    stem: str
    data: bytes
    """One JSON object whose contents and arguments are strings."""
    outline: Outline
    digest: str
    """SHA-256 of the file's bytes."""

    def thread(self) -> Thread:
        """The thread as a value, contents and arguments as strings."""
        return Thread(json.loads(self.data))


_LONE = re.compile(rb"\\u[dD][89a-fA-F]")
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_source(folder: Path, stem: str) -> Source:
    """Read one thread file.

    Raises:
        ThreadError: it is no thread, or holds a number JSON does not have; one sentence.
    """
    path = folder / f"{stem}.json"
    found = read_regular(str(path))
    return source_in(read_bytes(path) if found is None else found.data, stem)


def source_in(data: bytes, stem: str, found: Outline | None = None) -> Source:
    """The source in a thread file's bytes, of which the outline may be known. Raises ThreadError like `read_source`."""
    try:
        return Source(stem, data, found or outline(data), digest(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # an unusual form, or no thread: decided below
    name = f"{stem}.json"
    document = with_text_contents(decode(data, name)).document
    plain = encode_row(document, name)
    try:
        msgspec.json.decode(plain)
        usual = outline(encode_row({**document, "metadata": {}}, name))
        return Source(stem, plain, usual, digest(data))
    except msgspec.DecodeError as error:
        reason = "half of a character (a lone surrogate), at which loaders stop; edit that text"
        raise ThreadError(
            f"{name}: holds {reason}" if _LONE.search(plain) else f"{name}: {_lowered(str(error))}"
        ) from error


def plain_line(source: Source) -> bytes:
    """The thread on one line without its alternatives, every key in its place."""
    data = source.data
    if source.outline.has_alternatives:
        parts = _PARTS.decode(data)
        kept = b",".join(
            msgspec.json.encode(key) + b":" + bytes(memoryview(part))
            for key, part in parts.items()
            if key != "alternatives"
        )
        data = b"{" + kept + b"}"
    return one_line(data)


def one_line(data: bytes) -> bytes:
    """A JSON text on one line, every key in its place. Raises msgspec.DecodeError for what is none."""
    return msgspec.json.format(data, indent=-1)


def encode_row(row: Mapping[str, Any], name: str) -> bytes:
    """An export row as one line without its end. Raises ThreadError for NaN and infinity."""
    try:
        return encode_line(row)
    except ValueError as error:
        raise ThreadError(f"{name}: holds NaN or infinity, which JSON does not have") from error


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
