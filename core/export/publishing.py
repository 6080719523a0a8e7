"""A folder that can be uploaded as a dataset repository: rows, the same as Parquet, a card, the manifest."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.datasets.staging import provenance_of
from core.datasets.standard import open_dataset
from core.errors import DatasetError, SensorloomError, UsageError, system_reason
from core.export.card import SIDES, Facts, Source, card
from core.export.columns import write_parquet
from core.export.report import ExportReport, ExportRequest, Progress
from core.export.run import export
from core.files import read_regular_file
from core.lint.folder import check_folder
from core.listing.index import summaries
from core.storage.atomic import write_atomic, write_json
from core.workspace import Workspace

MARK = "manifest.json"
FOLDERS = ("data", "parquet")
"""What a publication consists of, beside its card and manifest."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What was laid out."""

    folder: Path
    files: tuple[Path, ...]
    report: ExportReport
    findings: Mapping[str, int]
    """How many threads each check found something in."""
    without_licence: tuple[str, ...]
    """Datasets that state no licence."""


def publish(
    workspace: Workspace, folder: Path, request: ExportRequest, licence: str = "", progress: Progress | None = None
) -> Publication:
    """Lay out a dataset repository of the threads that `request` selects. Nothing is sent anywhere, and the threads do
    not count as exported.

    Args:
        workspace: whose threads.
        folder: a new or empty one, or one that was published into before: what it held is replaced.
        request: which threads, and how they are split; the profile is `hf`.
        licence: under which the threads are shared, as an id that the hub knows.
        progress: told how many threads are done.

    Raises:
        UsageError: the folder holds something else.
        NothingToExportError: no thread passed; nothing was written.
        SensorloomError: it cannot be written.
    """
    _require_ours(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".publishing_", dir=folder) as scratch:
            beside = replace(workspace, exports=Path(scratch, "exports"))
            report = export(beside, replace(request, profile="hf"), progress, is_noted=False)
            manifest = json.loads(next(beside.exports.glob("*.manifest.json")).read_bytes())
            findings, checked = _checked(workspace, manifest)
            facts = Facts(
                folder.name, licence, manifest, tuple(_sources(workspace, manifest)), findings, checked, report.balance
            )
            return _laid_out(folder, Path(scratch), report, facts)
    except OSError as error:
        raise SensorloomError(f"cannot write {folder}: {system_reason(error)}") from error


def _require_ours(folder: Path) -> None:
    """Refuse a folder with something else in it: what is replaced must be ours."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder")
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")} if folder.is_dir() else set[str]()
    if there and not _is_ours(folder / MARK):
        raise UsageError(
            f"{folder} holds {sorted(there)[0]}, and nothing that was published; name a new or empty folder"
        )


def _is_ours(path: Path) -> bool:
    """Whether it is a publication's manifest. Datasets, and other programs, have a file of that name too."""
    try:
        known: Any = json.loads(read_regular_file(path))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(known, dict) and {"export", "profile", "versions", "threads", "files"} <= known.keys()


def _laid_out(folder: Path, scratch: Path, report: ExportReport, facts: Facts) -> Publication:
    names: dict[str, str] = {}
    for part in FOLDERS:
        (scratch / part).mkdir()
    for file in report.files:
        side = SIDES[file.split]
        names[file.path.name] = f"data/{side}.jsonl"
        file.path.rename(scratch / "data" / f"{side}.jsonl")
        write_parquet(scratch / "data" / f"{side}.jsonl", scratch / "parquet" / f"{side}.parquet")
    for part in FOLDERS:
        shutil.rmtree(folder / part, ignore_errors=True)
        (scratch / part).rename(folder / part)
    manifest = {**facts.manifest, "files": [{**file, "path": names[file["path"]]} for file in facts.manifest["files"]]}
    write_json(folder / MARK, manifest)
    write_atomic(folder / "README.md", card(facts).encode())
    written = sorted(path for part in FOLDERS for path in (folder / part).iterdir())
    files = tuple(replace(file, path=folder / names[file.path.name]) for file in report.files)
    nobody = tuple(source.name for source in facts.sources if not source.licence)
    listed = (folder / "README.md", *written, folder / MARK)
    return Publication(folder, listed, replace(report, files=files, beside=()), facts.findings, nobody)


def _checked(workspace: Workspace, manifest: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """How many of the threads that leave each check found something in, and how many were looked at."""
    leaving = {str(thread["stem"]) for thread in manifest["threads"]}
    listing = summaries(workspace)
    counts: Counter[str] = Counter()
    checked = 0
    for thread in check_folder(workspace, listing, [summary for summary in listing if summary.stem in leaving]):
        checked += 1
        counts.update({finding.check for finding in thread.findings})
    return dict(counts.most_common()), checked


def _sources(workspace: Workspace, manifest: Mapping[str, Any]) -> Iterator[Source]:
    """The datasets whose sessions the threads are about, as they describe themselves."""
    for name, count in manifest["by_dataset"].items():
        try:
            dataset = open_dataset(workspace, name)
        except DatasetError:
            yield Source(name, "not in the workspace that this was made in", "", "", count)
            continue
        told = dataset.manifest
        licence = "synthetic, made by a program" if dataset.synthetic else _first(told, ("license", "licence"))
        origin = _first(told, ("source", "url", "homepage")) or _first(provenance_of(dataset.folder), ("source",))
        yield Source(name, dataset.description, origin, licence, count)


def _first(told: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((told[key] for key in keys if isinstance(told.get(key), str) and told[key]), "")
