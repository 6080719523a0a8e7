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

from core.export.columns import write_parquet
from core.export.entry import Entry
from core.export.profiles.profile import Making, Profile, Written
from core.export.references import told
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
            "groups": dict(Counter({entry.group: entry.side for entry in entries}.values())),
        },
        "versions": versions(),
        "counts": {"total": report.total, "exported": report.exported, "skipped": dict(report.skipped)},
        "balance": report.balance,
        "by_dataset": dict(sorted(Counter(entry.dataset for entry in entries).items())),
        "by_model": dict(sorted(Counter(entry.model for entry in entries).items())),
        "changes": dict(report.changes),
        "references": told(entries),
        "warnings": list(report.warnings),
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
        batch = entries[start : start + _AT_ONCE]
        stems = unicode_texts([entry.stem for entry in batch])
        groups = unicode_texts([entry.group for entry in batch])
        lines = _LINES.encode_lines(
            [
                _Line(stem, entry.sha256, len(entry.row_sizes), entry.side, group)
                for entry, stem, group in zip(batch, stems, groups, strict=True)
            ]
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
    known = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known


def write_beside(
    folder: Path, name: str, profile: Profile, files: Sequence[ExportFile], making: Making, entries: Sequence[Entry]
) -> list[Path]:
    """Write the profile's config snippets, and its sidecar where it has one."""
    beside: list[Path] = []
    written = [Written(file.path.name, file.split) for file in files]
    for file_name, text in profile.snippets(name, written, making).items():
        path = folder / file_name
        write_atomic(path, text.encode())
        beside.append(path)
    if profile.parquet:
        for file in files:
            path = folder / f"{file.path.name.removesuffix('.jsonl')}.parquet"
            write_parquet(folder / file.path.name, path)
            beside.append(path)
    if profile.sidecar is not None:
        for file in files:
            path = folder / f"{file.path.name.removesuffix('.jsonl')}.lines.jsonl"
            write_atomic(path, _sidecar(entry for entry in entries if entry.side == file.split))
            beside.append(path)
    return beside


def _sidecar(entries: Iterator[Entry]) -> Iterator[bytes]:
    line = 0
    for entry in entries:
        for _ in entry.row_sizes:
            line += 1
            yield b'{"line":%d,' % line + entry.sidecar[1:] + b"\n"
