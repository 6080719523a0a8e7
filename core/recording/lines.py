"""What a source sends, read piece by piece: CSV cells, JSON objects, Sensor Logger's messages, and marks of labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MAX_LINE_BYTES = 1 << 16
"""A line that is longer is no line of samples."""
MAX_MESSAGE_BYTES = 8 << 20
"""A message of many samples, such as a phone sends each second, is at most so long."""
MAX_COLUMNS = 256
_LABEL_LINE = re.compile(r"label\s*:\s*(.*)", re.IGNORECASE)
_DEPTH = 4
"""So deep may objects stand inside one another."""
_AXES = "xyz"


@dataclass(frozen=True, slots=True)
class Mark:
    """From now on this is what is done; an empty label ends the one before."""

    label: str


@dataclass(frozen=True, slots=True)
class Record:
    """One row whose values have names."""

    stream: str
    """The sensor it is from; empty where the source has only one."""
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A line of cells."""

    line: str


@dataclass(frozen=True, slots=True)
class Garbage:
    """What is no row; the reason is what it is counted under."""

    reason: str


Piece = Mark | Record | Text | Garbage


def pieces_of(message: bytes) -> Iterator[Piece]:
    """What a message holds: one JSON document, or lines.

    Args:
        message: lines that came at once, a datagram, a request's body.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        yield Garbage("messages that are too long")
        return
    text = message.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text[:1] in ("{", "[") and "\n" in text:
        document = _document(text)
        if document is not None:
            yield from _of_document(document)
            return
    for line in text.splitlines():
        if line := line.strip():
            yield from _of_line(line)


def _of_line(line: str) -> Iterator[Piece]:
    if match := _LABEL_LINE.fullmatch(line):
        yield Mark(_label(match[1]))
    elif line[0] in "{[":
        document = _document(line)
        yield from _of_document(document) if document is not None else (Garbage("lines that are no whole JSON"),)
    elif "\ufffd" in line or "\0" in line:
        yield Garbage("lines that are no text")
    elif len(line) > MAX_LINE_BYTES:
        yield Garbage("lines that are too long")
    else:
        yield Text(line)


def _document(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _of_document(document: Any) -> Iterator[Piece]:
    if isinstance(document, dict) and isinstance(document.get("payload"), list):
        for entry in document["payload"]:
            yield _of_entry(entry)
    elif isinstance(document, dict) and {*document} == {"label"}:
        yield Mark(_label(str(document["label"] or "")))
    elif isinstance(document, dict):
        yield Record("", _flat(document))
    elif isinstance(document, list) and document and all(isinstance(entry, dict) for entry in document):
        for entry in document:
            yield _of_entry(entry) if "name" in entry or "sensor" in entry else Record("", _flat(entry))
    elif isinstance(document, list) and document:
        yield Record("", _flat({f"column_{number}": cell for number, cell in enumerate(document, 1)}))
    else:
        yield Garbage("lines of JSON without values")


def _of_entry(entry: Any) -> Piece:
    """One reading of a message of Sensor Logger (tszheichoi/awesome-sensor-logger, PUSHING.md): the sensor's name, the
    time in ns since 1970, and the values, in a `values` of their own or beside these."""
    name = entry.get("name") or entry.get("sensor") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return Garbage("readings without a sensor's name")
    inner = entry.get("values")
    values = inner if isinstance(inner, dict) else {k: v for k, v in entry.items() if k not in ("name", "sensor")}
    if name.lower() == "annotation":
        return Mark(_label(str(values.get("text") or "")))
    return Record(name, {**({"time": entry["time"]} if "time" in entry else {}), **_flat(values)})


def _flat(values: Mapping[str, Any], before: str = "", depth: int = 1) -> dict[str, Any]:
    """Values with the names on the way to them: `{"acc": {"x": 1}}` is `acc_x`, as is the first of three in a list."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}_{key}" if before else str(key)
        if isinstance(value, list):
            ends = _AXES if len(value) == len(_AXES) else [str(number) for number in range(1, len(value) + 1)]
            value = dict(zip(ends, value, strict=True))
        if isinstance(value, dict):
            if depth < _DEPTH:
                flat.update(_flat(value, name, depth + 1))
        else:
            flat[name] = value
        if len(flat) > MAX_COLUMNS:
            break
    return flat


def _label(text: str) -> str:
    return " ".join(text.split())[:80]
