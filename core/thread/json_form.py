"""Bytes to thread and back, exactly as FORMAT.md has it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from core.errors import ThreadError
from core.thread.value import Thread

MAX_BYTES = 50_000_000
"""A larger file is listed with this reason rather than read: no thread a person curates comes near it."""

Shape = Literal["v4", "v3", "other"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, name: str) -> Thread:
    """Read a thread file's bytes. `name` is what the message calls the file.

    Raises:
        ThreadError: one sentence with the file, the line where there is one, and the reason.
    """
    document = decode_object(data, name)
    shape = shape_of(document)
    if shape == "v3":
        raise ThreadError(f"{name}: an older v3 thread; `sensorloom migrate` converts it and keeps the original")
    if shape == "other":
        raise ThreadError(f"{name}: JSON, but no thread: it has no `id` with `messages`")
    _check(document, name)
    return Thread(document)


def decode_object(data: bytes, name: str) -> dict[str, Any]:
    """Read any JSON object. Raises ThreadError naming file, line and reason."""
    if len(data) > MAX_BYTES:
        raise ThreadError(
            f"{name}: {len(data) / 1e6:.0f} MB is over the limit of {MAX_BYTES / 1e6:.0f} MB for a thread"
        )
    if not data.strip():
        raise ThreadError(f"{name}: the file is empty")
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ThreadError(f"{name}, line {line}: not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ThreadError(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except _DuplicateKeyError as error:
        raise ThreadError(f"{name}: the key {error} stands twice in one object; saving would lose one") from error
    except RecursionError as error:
        raise ThreadError(f"{name}: nested too deeply to be a thread") from error
    if not isinstance(document, dict):
        raise ThreadError(f"{name}: JSON, but no thread: the file holds {_kind(document)}, not an object")
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
    return _utf8(json.dumps(thread.document, indent=2, ensure_ascii=False) + "\n")


def encode_line(document: Mapping[str, Any]) -> bytes:
    """A JSON object on one line without its end. Raises ValueError for NaN and infinity."""
    return _utf8(json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _utf8(text: str) -> bytes:
    # a lone surrogate is no UTF-8; as an escape it survives in JSON
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        raise _DuplicateKeyError(next(repr(key) for key, _ in pairs if key in seen or seen.add(key)))
    return made


def _kind(value: Any) -> str:
    return {list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _check(document: dict[str, Any], name: str) -> None:
    if not isinstance(document["id"], str) or not document["id"]:
        raise ThreadError(f"{name}: `id` is {_kind(document['id'])}, not a string")
    if not isinstance(document.get("metadata"), dict):
        raise ThreadError(f"{name}: `metadata` is missing or no object")
    for place, message in enumerate(document["messages"]):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise ThreadError(f"{name}: message {place + 1} is no object with a `role`")
        calls = message.get("tool_calls")
        if calls is not None and not (isinstance(calls, list) and all(isinstance(call, dict) for call in calls)):
            raise ThreadError(f"{name}: `tool_calls` of message {place + 1} is no list of calls")
        for call in calls or ():
            if not isinstance(call.get("function"), dict):
                raise ThreadError(f"{name}: a tool call of message {place + 1} has no `function`")
    for key in ("tools", "alternatives"):
        if document.get(key) is not None and not isinstance(document[key], list):
            raise ThreadError(f"{name}: `{key}` is no list")
