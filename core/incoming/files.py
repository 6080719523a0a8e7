"""What lies in a file as rows: JSON lines, a JSON list, Parquet, Inspect's logs, traces of agents."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from core.errors import ThreadError, UsageError, system_reason
from core.files import open_regular_file
from core.incoming.conversation import Found
from core.incoming.traces import json_or_none, messages_in, messages_in_text, rows_in_trace
from core.thread.json_form import decode_object

SIDECAR = ".lines.jsonl"
"""What stands beside an export whose form has no place for ids and metadata, line by line."""
ENDINGS = (".jsonl", ".ndjson", ".json", ".parquet", ".eval", ".log")
_ZSTANDARD = 93
"""What a ZIP archive calls samples that are compressed so, as Inspect's newer logs are."""
_FIRST = 16
"""Entries of a file among which a trace has a message: proxies write a few words of their own first."""


def rows_in(path: Path) -> Iterator[Found]:
    """The rows of a file, in order, those that cannot be read with the reason.

    Raises:
        UsageError: the file is missing, cannot be read, or is of no known kind.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"{path}: no file of rows: its name ends in none of {', '.join(ENDINGS)}")
    try:
        if ending == ".parquet":
            yield from _parquet(path)
        elif ending == ".eval":
            yield from _archive(path)
        elif ending == ".json":
            yield from _document(path)
        elif ending == ".log":
            yield from _log(path)
        else:
            yield from _lines(path)
    except OSError as error:
        raise UsageError(f"{path}: {system_reason(error)}") from error


def _lines(path: Path) -> Iterator[Found]:
    beside = path.with_name(f"{path.name.removesuffix(path.suffix)}{SIDECAR}")
    known = {} if path.name.endswith(SIDECAR) or not beside.is_file() else _sidecar(beside)
    with open_regular_file(path) as file:
        first = list(islice(file, _FIRST))
        lines = enumerate(chain(first, file), 1)
        if any(messages_in(json_or_none(line.decode(errors="replace"))) for line in first):
            yield from rows_in_trace(
                (number, message)
                for number, line in lines
                for message in messages_in(json_or_none(line.decode(errors="replace")))
            )
            return
        for number, line in lines:
            if not line.strip():
                continue
            try:
                row = decode_object(line, "")
            except ThreadError as error:
                yield Found(number, {}, str(error).lstrip(": ").replace(", line 1,", ","))
                continue
            own = {key: value for key, value in known.get(number, {}).items() if key in ("id", "metadata")}
            yield Found(number, {**row, **own})


def _sidecar(path: Path) -> dict[int, Mapping[str, Any]]:
    """What a sidecar says of each line. Raises UsageError."""
    told: dict[int, Mapping[str, Any]] = {}
    with open_regular_file(path) as file:
        for number, line in enumerate(file, 1):
            try:
                row = decode_object(line, f"{path.name}, line {number}")
            except ThreadError as error:
                raise UsageError(f"{error}; mend it, or move it away to import without ids and metadata") from error
            if isinstance(row.get("line"), int):
                told[row["line"]] = row
    return told


def _log(path: Path) -> Iterator[Found]:
    """The sessions of a log of text with messages in its lines."""
    with open_regular_file(path) as file:
        yield from rows_in_trace(
            (number, message)
            for number, line in enumerate(file, 1)
            for message in messages_in_text(line.decode(errors="replace"))
        )


def _document(path: Path) -> Iterator[Found]:
    with open_regular_file(path) as file:
        data = file.read()
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("samples"), list):
        listed = [_sample(sample) for sample in document["samples"]]
    else:
        listed = document if isinstance(document, list) else [document]
    if (entries := _trace_in(document, listed)) is not None:
        yield from rows_in_trace(
            (number, message) for number, entry in enumerate(entries, 1) for message in messages_in(entry)
        )
        return
    for number, row in enumerate(listed, 1):
        yield Found(number, row) if isinstance(row, dict) else Found(number, {}, "no JSON object")


def _trace_in(document: Any, listed: list[Any]) -> list[Any] | None:
    """The entries of a document that is a trace, or has one under a key; None where it is none."""
    held = document.values() if isinstance(document, dict) else ()
    lists = [listed, *(value for value in held if isinstance(value, list))]
    return next((entries for entries in lists if any(map(messages_in, entries[:_FIRST]))), None)


def _archive(path: Path) -> Iterator[Found]:
    """The samples of one of Inspect's `.eval` archives."""
    unpacking = _zip_with_zstandard() or zipfile
    try:
        with unpacking.ZipFile(path) as archive:
            if unpacking is zipfile and any(part.compress_type == _ZSTANDARD for part in archive.infolist()):
                raise UsageError(f"{path}: is compressed with Zstandard: pip install 'sensorloom[packs]'")
            names = sorted(name for name in archive.namelist() if name.startswith("samples/"))
            for number, name in enumerate(names, 1):
                try:
                    sample = json.loads(archive.read(name))
                except (ValueError, RecursionError) as error:
                    yield Found(number, {}, f"{name} is no JSON: {error}")
                else:
                    yield Found(number, _sample(sample))
    except (zipfile.BadZipFile, unpacking.BadZipFile, NotImplementedError) as error:
        raise UsageError(
            f"{path}: cannot be unpacked: {error}; `inspect log convert --to json` makes one that can"
        ) from error


def _zip_with_zstandard() -> Any:
    """Python's `zipfile` where it knows Zstandard, else that of the package for packs; None where that is not there."""
    if sys.version_info >= (3, 14):
        return zipfile
    try:
        from backports.zstd import zipfile as with_zstandard
    except ImportError:
        return None
    return with_zstandard


def _sample(sample: Any) -> Any:
    """A sample of Inspect's log as a row of chat messages."""
    if not isinstance(sample, dict) or not isinstance(sample.get("messages"), list):
        return sample
    messages = [_logged(message) for message in sample["messages"] if isinstance(message, dict)]
    about: Any = sample.get("metadata")
    named = about if isinstance(about, dict) else {}
    return {
        "messages": messages,
        **{key: named[key] for key in ("dataset", "session") if isinstance(named.get(key), str)},
    }


def _logged(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of Inspect's log: a result names its `function`, and reasoning is a part of the content."""
    keys = ("role", "content", "tool_calls", "tool_call_id", "function")
    row = {"name" if key == "function" else key: message[key] for key in keys if message.get(key) is not None}
    if isinstance(parts := row.get("content"), list):
        thought = [part for part in parts if isinstance(part, dict) and part.get("type") == "reasoning"]
        row["content"] = [part for part in parts if part not in thought]
        reasoning = "".join(str(part.get("reasoning") or "") for part in thought)
        row |= {"reasoning_content": reasoning} if reasoning else {}
    return row


def _parquet(path: Path) -> Iterator[Found]:
    """The rows of a Parquet file; columns of JSON text are read by the forms."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_regular_file(path) as file:
        try:
            number = 0
            for batch in pq.ParquetFile(file).iter_batches(256):
                for row in batch.to_pylist():
                    number += 1
                    yield Found(number, _without_nulls(row))
        except pa.ArrowException as error:
            raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error


def _without_nulls(value: Any) -> Any:
    """A row without the nulls that Parquet fills into keys which other rows have."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
