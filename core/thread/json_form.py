"""Bytes to thread and back, exactly as FORMAT.md has it: what is read here is a thread, and nothing else is.

Every list, command and export reads through this module, so all of them accept the same files and refuse the others
with the same sentence. Most files are read by a decoder in C; what it gives is taken only when writing it again gives
the very same JSON, which proves that no key stood twice and that no number or text would come out another. The rest
goes through Python's own decoder, which finds the place and the reason.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import GenericAlias
from typing import Any, Literal, NamedTuple

import msgspec

from core.errors import ThreadError
from core.thread.json_text import MAX_DEPTH, is_deep
from core.thread.refusal import kind_of, refusal
from core.thread.value import Thread

MAX_BYTES = 50_000_000
"""A larger file is listed with this reason rather than read: no thread a person curates comes near it."""

Shape = Literal["v4", "v3", "other"]

_SURROGATE = re.compile("[\ud800-\udfff]")


class OlderFormError(ThreadError):
    """The file holds a thread of the older v3 form, which `sensorloom migrate` converts."""


class Decoded(NamedTuple):
    """A thread as it was read."""

    thread: Thread
    line: bytes = b""
    """The file's JSON on one line, byte for byte what it holds but the white space between; empty for a file that is
    not written as ours are, so that copying it could carry something a loader refuses."""


def decode(data: bytes, name: str) -> Thread:
    """Read a thread file's bytes. `name` is what the message calls the file.

    Raises:
        ThreadError: one sentence with the file, the line where there is one, and the reason; an `OlderFormError` for
            a v3 thread.
    """
    return decoded(data, name).thread


def decoded(data: bytes, name: str) -> Decoded:
    """The same with the file on one line, where it is written as usual. Raises like `decode`."""
    if usual := usual_object(data):
        document, line = usual
    else:
        document, line = decode_object(data, name), b""
    return Decoded(thread_in(document, name), line)


def thread_in(document: dict[str, Any], name: str) -> Thread:
    """The thread that a file's JSON object is. Raises ThreadError when it is none."""
    shape = shape_of(document)
    if shape == "v3":
        raise OlderFormError(f"{name}: an older v3 thread; `sensorloom migrate` converts it and keeps the original")
    if shape == "other":
        raise ThreadError(f"{name}: JSON, but no thread: it has no `id` with `messages`")
    if reason := refusal(document):
        raise ThreadError(f"{name}: {reason}")
    return Thread(document)


def one_line(data: bytes) -> bytes:
    """A JSON text on one line, every key in its place. Raises msgspec.DecodeError for what is none."""
    return msgspec.json.format(data, indent=-1)


def usual_object(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    """A JSON object that is written as we or as Python's `json` write a thread file, and the same on one line; None
    for whatever needs a closer look, which `decode_object` takes."""
    if len(data) > MAX_BYTES:
        return None
    try:
        line = one_line(data)
        document: dict[str, Any] = {}
        length = len("{}") - 1
        for key, raw in _PARTS.decode(line).items():
            text = bytes(raw)
            document[key] = _READERS.get(key, _part)(text)
            length += len(_ENCODER.encode(key)) + len(":,") + len(text)
        return (document, line) if length == len(line) else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError, _UnusableError):
        return None


def _part(text: bytes) -> Any:
    value = msgspec.json.decode(text)
    if is_deep(value, MAX_DEPTH - 1):
        raise _UnusableError
    return _written_alike(value, text)


def _messages(text: bytes) -> Any:
    return _written_alike(_MESSAGES.decode(text), text)


def _written_alike(value: Any, text: bytes) -> Any:
    """A value that was read from `text`, if we write it just so, or Python with every letter escaped."""
    if _ENCODER.encode(value) != text and not (
        b"\\u" in text and json.dumps(value, separators=(",", ":")).encode() == text
    ):
        raise _UnusableError
    return value


def _nested(levels: int) -> Any:
    """The type of JSON that has at most so many levels."""
    scalar: Any = str | int | float | bool | None
    kind = scalar
    for _ in range(levels):
        kind = scalar | GenericAlias(list, (kind,)) | GenericAlias(dict, (str, kind))
    return kind


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()
# a message's values are as deep as the function of a call; what is deeper is left to the slow decoder
_MESSAGES: Any = msgspec.json.Decoder(GenericAlias(list, (GenericAlias(dict, (str, _nested(4))),)))
_READERS: Mapping[str, Callable[[bytes], Any]] = {
    "messages": _messages,
    "tools": lru_cache(maxsize=64)(_part),  # the threads of a folder share the schemas of their tools
}


def decode_object(data: bytes, name: str) -> dict[str, Any]:
    """Read any JSON object. Raises ThreadError naming file, line and reason."""
    if len(data) > MAX_BYTES:
        raise ThreadError(
            f"{name}: {len(data) / 1e6:.0f} MB is over the limit of {MAX_BYTES / 1e6:.0f} MB for a thread"
        )
    if not data.strip():
        raise ThreadError(f"{name}: the file is empty")
    try:
        document = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ThreadError(f"{name}, line {line}: not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ThreadError(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _UnusableError as error:
        raise ThreadError(f"{name}: {error}") from error
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise ThreadError(f"{name}: holds a number with too many digits to be one") from error
    except RecursionError as error:
        raise ThreadError(f"{name}: {_TOO_DEEP}") from error
    if not isinstance(document, dict):
        raise ThreadError(f"{name}: JSON, but no thread: the file holds {kind_of(document)}, not an object")
    if is_deep(document, MAX_DEPTH):
        raise ThreadError(f"{name}: {_TOO_DEEP}")
    return document


def shape_of(document: dict[str, Any]) -> Shape:
    """Which of the shapes real folders hold this object has."""
    if isinstance(document.get("messages"), list) and "id" in document:
        return "v4"
    if "conversation" in document and ("thread_id" in document or document.get("schema_version") == "3.0"):
        return "v3"
    return "other"


def encode(thread: Thread) -> bytes:
    """A thread file's bytes: two-space indent, UTF-8 with non-ASCII kept, newline at the end."""
    document = thread.document
    try:  # Python lays out in Python, which for a run of many threads is a third of its work
        line = json.dumps(document, ensure_ascii=False, allow_nan=False)
        return msgspec.json.format(line.encode(), indent=2) + b"\n"
    except (ValueError, msgspec.MsgspecError):  # NaN, halves of characters
        return _utf8(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def encode_line(document: Mapping[str, Any]) -> bytes:
    """A JSON object on one line without its end. Raises ValueError for NaN and infinity."""
    return _utf8(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _utf8(text: str) -> bytes:
    # a lone surrogate is no UTF-8; as an escape it survives in JSON
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()


_TOO_DEEP = "nested too deeply to be a thread"


class _UnusableError(ValueError):
    """Something that Python's decoder would let pass, and that could not be written again as it is."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(repr(key) for key, _ in pairs if key in seen or seen.add(key))
        raise _UnusableError(f"the key {twice} stands twice in one object; saving would lose one")
    return members


def _constant(text: str) -> Any:
    raise _UnusableError(f"holds {text}, which JSON does not have; write null or a number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _UnusableError(f"holds {text[:20]}, a number too large for any program; write null or a smaller one")
    return number
