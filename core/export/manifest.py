"""What stands beside an export: the manifest, the sidecar, the config snippets."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from core.errors import SensorloomError
from core.export.entry import Entry
from core.export.profiles.profile import Making, Profile, Written
from core.export.report import ExportFile, ExportReport, ExportRequest
from core.storage.atomic import write_atomic
from core.text import unicode_text, unicode_texts
from core.thread.value import timestamp

LIBRARIES = ("sensorloom", "msgspec", "openai")
MANIFEST_SUFFIX = ".manifest.json"


def write_manifest(
    folder: Path,
    name: str,
    request: ExportRequest,
    report: ExportReport,
    entries: Sequence[Entry],
) -> Path:
    """Write `{name}.manifest.json`: what was asked, what came of it, and the hash of every thread and file.

    Args:
        folder: the exports folder.
        name: the export's name without split and ending.
        request: what was asked.
        report: what was done.
        entries: the threads that left, in the order of their rows.
    """
    asked = {key: value for key, value in asdict(request).items() if key not in ("split", "chosen")}
    split = request.split
    head: dict[str, Any] = {
        "export": name,
        "profile": request.profile,
        "created_at": timestamp(),
        "request": {**asked, "chosen": None if request.chosen is None else sorted(request.chosen)},
        "split": None if split is None else {
            "shares": split.parts, "group": split.group, "seed": split.seed,
            "groups": dict(Counter({one.group: one.side for one in entries}.values())),
        },
        "versions": versions(),
        "counts": {"total": report.total, "exported": report.exported, "skipped": dict(report.skipped)},
        "balance": report.balance,
        "by_dataset": dict(sorted(Counter(one.dataset for one in entries).items())),
        "by_model": dict(sorted(Counter(one.model for one in entries).items())),
        "changes": dict(report.changes),
        "files": [{**asdict(file), "path": file.path.name} for file in report.files],
    }  # fmt: skip
    path = folder / f"{name}{MANIFEST_SUFFIX}"
    write_atomic(path, _lines(head, entries))
    return path


def _lines(head: dict[str, Any], entries: Sequence[Entry]) -> Iterator[bytes]:
    """The document, indented, with one thread a line: a manifest of many threads stays readable and quick to write."""
    text = json.dumps(head, indent=2, ensure_ascii=False)
    yield unicode_text(text).removesuffix("\n}").encode() + b',\n  "threads": [\n    '
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        stems, groups = unicode_texts([one.stem for one in some]), unicode_texts([one.group for one in some])
        named = zip(some, stems, groups, strict=True)
        lines = _LINES.encode_lines(
            [_Line(stem, one.sha256, len(one.sizes), one.side, group) for one, stem, group in named]
        )
        yield b",\n    " * (start > 0) + lines.rstrip(b"\n").replace(b"\n", b",\n    ")
    yield b"\n  ]\n}\n"


class _Line(msgspec.Struct, omit_defaults=True, gc=False):
    """What the manifest says of one thread."""

    stem: str
    sha256: str
    rows: int
    split: str = ""
    group: str = ""


_LINES = msgspec.json.Encoder()
_AT_ONCE = 1000
"""Threads whose lines are made together."""


def versions() -> dict[str, str]:
    """What made the export."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_beside(
    folder: Path, name: str, profile: Profile, files: Sequence[ExportFile], making: Making, entries: Sequence[Entry]
) -> list[Path]:
    """Write the profile's config snippets, and its sidecar where it has one. `dataset_info.json` is added to."""
    made: list[Path] = []
    written = [Written(file.path.name, file.split) for file in files]
    for file_name, text in profile.snippets(name, written, making).items():
        path = folder / file_name
        write_atomic(path, _with_entries(path, text) if file_name == "dataset_info.json" else text.encode())
        made.append(path)
    if profile.sidecar is not None:
        for file in files:
            path = folder / f"{file.path.name.removesuffix('.jsonl')}.lines.jsonl"
            write_atomic(path, _sidecar(one for one in entries if one.side == file.split))
            made.append(path)
    return made


def _sidecar(entries: Iterator[Entry]) -> Iterator[bytes]:
    line = 0
    for entry in entries:
        for _ in entry.sizes:
            line += 1
            yield b'{"line":%d,' % line + entry.sidecar[1:] + b"\n"


def _with_entries(path: Path, text: str) -> bytes:
    """`dataset_info.json` with our entries added to what others put there."""
    try:
        there = json.loads(path.read_bytes())
    except FileNotFoundError:
        there = {}
    except (OSError, ValueError) as error:
        raise SensorloomError(f"{path}: cannot be added to: {error}; mend it or move it away") from error
    if not isinstance(there, dict):
        raise SensorloomError(f"{path}: cannot be added to: it holds no JSON object; mend it or move it away")
    return (json.dumps({**there, **json.loads(text)}, indent=2, ensure_ascii=False) + "\n").encode()
