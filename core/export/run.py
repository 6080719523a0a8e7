"""Carrying out an export: select, turn into rows, choose and split, write, and say what was done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from core.export.choice import (
    capped,
    each_asked_once,
    put_on_sides,
    rows_in_order,
    without_duplicates,
    without_held_out,
)
from core.export.entry import Entry
from core.export.groups import Groups
from core.export.manifest import write_beside, write_manifest
from core.export.options import refuse_ignored
from core.export.profiles import profile_of
from core.export.profiles.profile import Making
from core.export.references import quoting
from core.export.report import (
    FIRST_EXAMPLES,
    Example,
    ExportFile,
    ExportReport,
    ExportRequest,
    NothingToExportError,
    Progress,
    Skips,
)
from core.export.row_buffer import RowBuffer, richest_first
from core.export.rows import is_copy, part_maker
from core.export.selection import is_wrong, open_selection
from core.export.sent import without_barred_examples
from core.export.shortfalls import Known, cancelled, shortfalls_of
from core.export.siblings import Siblings
from core.export.split import balance, thin_sides
from core.export.staging import Staging, open_for_names
from core.files import SETTLED_NS
from core.filters.language import parse
from core.listing.index import summaries
from core.listing.summary import summarize
from core.processes.pool import each_here, in_order, taken_out
from core.storage.export_log import add_to_log
from core.storage.export_log_file import Left
from core.storage.splits_file import SplitBook, read_book, write_book
from core.text import unicode_texts
from core.thread.summary import Summary
from core.workspace import Workspace

PART = 250
"""Threads between two reports of progress, and what a process is given at a time."""
MANY = 3000
"""Threads from which processes are worth starting, where they have to be decoded."""


def export(
    workspace: Workspace,
    request: ExportRequest,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
    known: Known | None = None,
    is_noted: bool = True,
) -> ExportReport:
    """Write a training file of the threads that `request` selects.

    Blocks; belongs in a worker. The same selection gives the same bytes. With `dry_run` everything is done but the
    writing: the report says what would leave, and why the rest would not. `known` is what earlier ones found out.
    Without `is_noted` the threads do not count as exported.

    Raises:
        UsageError: the filter or the profile is not known, or an option would be ignored.
        NothingToExportError: no thread passed; nothing was written.
        ExportCancelledError: the caller stopped it; nothing was written.
        SensorloomError: the exports folder cannot be written; nothing is left under a final name.
    """
    started = time.monotonic()
    refuse_ignored(request)
    parse(request.filter, workspace)
    progress = progress or Progress()
    if dry_run:
        report = _choose(workspace, request, _collect(workspace, request, progress, None), progress, known).report
        return replace(report, seconds=time.monotonic() - started)
    with Staging(workspace.exports) as staging:
        with RowBuffer(staging.folder / "rows") as buffer:
            choice = _choose(workspace, request, _collect(workspace, request, progress, buffer), progress)
            files = _write_rows(staging.folder, buffer, choice.by_side)
        (staging.folder / "rows").unlink()
        if choice.book is not None:
            write_book(workspace.root, choice.book)
        report = _publish(workspace, request, staging, choice, files, progress, is_noted=is_noted)
    return replace(report, seconds=time.monotonic() - started)


def count(
    workspace: Workspace, request: ExportRequest, progress: Progress | None = None, known: Known | None = None
) -> ExportReport:
    """What `export` would write, counted as it counts: every file that may leave is looked at, nothing is written.
    Whoever counts again and again gives the same `known`, so that the variety of a thread is found out once.

    Raises:
        UsageError: the filter or the profile is not known, or an option would be ignored.
        ExportCancelledError: the caller stopped it.
    """
    try:
        return export(workspace, request, progress, dry_run=True, known=known)
    except NothingToExportError as error:
        return error.report


@dataclass(slots=True)
class _Collected:
    """The threads of a folder that may leave, and why the others stay."""

    total: int
    """Files in the folder."""
    entries: list[Entry] = field(default_factory=list[Entry])
    skips: Skips = field(default_factory=Skips)
    changes: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class _Choice:
    """What leaves."""

    by_side: dict[str, list[Entry]]
    """In the order of the rows."""
    changes: Counter[str]
    report: ExportReport
    book: SplitBook | None
    """The split book when it has learned something."""


def _collect(workspace: Workspace, request: ExportRequest, progress: Progress, buffer: RowBuffer | None) -> _Collected:
    """Look at every file that may leave once, and put its rows into the buffer, in the order of the stems. Many are
    done on all cores. Raises ExportCancelledError."""
    listed_ns = time.time_ns()
    listing = summaries(workspace)
    wanted = parse(request.filter, workspace)
    if not wanted.prepare(listing, progress.report, progress.cancelled):
        raise cancelled()
    collected = _Collected(len(listing))
    siblings = Siblings(workspace.threads, listing) if profile_of(request.profile).pairs else None
    selection = open_selection(workspace, request, wanted)
    selected: list[Summary] = []
    for summary in listing:
        if reason := selection.reason(summary):
            selection.pass_over(summary, reason, collected.skips)
        else:
            selected.append(summary)
    del listing  # each summary goes as soon as it is an entry: both of a million at once would be too many
    done = collected.total - len(selected)
    progress.report(done, collected.total)
    setup = workspace, request, listed_ns - SETTLED_NS, siblings
    alone = len(selected) < MANY or is_copy(request, wanted)
    pieces = taken_out(selected, PART)
    with closing(each_here(part_maker, setup, pieces) if alone else in_order(part_maker, setup, pieces)) as parts:
        for part in parts:
            if progress.cancelled():
                raise cancelled()
            collected.skips.add(part.skips)
            collected.changes.update(part.changes)
            collected.entries += part.entries
            if buffer is not None:
                buffer.add(part.entries, part.rows)
            done += part.total
            progress.report(done, collected.total)
    return collected


def _choose(
    workspace: Workspace, request: ExportRequest, collected: _Collected, progress: Progress, known: Known | None = None
) -> _Choice:
    """What leaves, by side. Raises NothingToExportError, ExportCancelledError."""
    book, skips = read_book(workspace.root), collected.skips
    groups = Groups(workspace, partial(summaries, workspace))
    entries = without_duplicates(collected.entries, request.dedupe, skips)
    entries = without_held_out(entries, request, book, groups, skips)
    entries = each_asked_once(entries, skips)
    entries = capped(entries, request, skips)  # after it, so that what stays behind takes nobody's place
    learned = request.split is not None and put_on_sides(entries, request.split, book, groups)
    if learned:
        entries = without_barred_examples(workspace, entries, book, skips)
    entries = rows_in_order(entries, request)
    report = _report(workspace, request, collected, entries)
    if not entries:
        raise NothingToExportError(_nothing(workspace, report), report)
    quoted = quoting(workspace, entries, request.split, book)
    thin = thin_sides(report.balance, request.split)
    report = replace(report, warnings=(*quoted, *thin, *shortfalls_of(workspace, entries, progress, known)))
    return _Choice(richest_first(entries), collected.changes, report, book if learned else None)


def _report(
    workspace: Workspace, request: ExportRequest, collected: _Collected, entries: Sequence[Entry]
) -> ExportReport:
    by_side = groupby(entries, attrgetter("side"))
    return ExportReport(
        request.profile,
        collected.total,
        len(entries),
        collected.skips.ordered(),
        tuple(sorted(collected.skips.refusals, key=lambda refusal: refusal.stem)),
        tuple(_example(summarize(workspace.threads, entry.stem)) for entry in entries[:FIRST_EXAMPLES]),
        balance({side: Counter(entry.truth for entry in of_side) for side, of_side in by_side}),
        dict(collected.changes.most_common()),
        0 if profile_of(request.profile).wants_wrong else sum(map(is_wrong, entries)),
    )


def _write_rows(folder: Path, buffer: RowBuffer, by_side: dict[str, list[Entry]]) -> list[ExportFile]:
    """The training files, called by their sides as yet."""
    files: list[ExportFile] = []
    for side, entries in by_side.items():
        path = folder / f"{side or 'all'}.jsonl"
        size, sha256 = buffer.write(path, entries)
        files.append(ExportFile(path, side, sum(len(entry.row_sizes) for entry in entries), size, sha256))
    return files


def _publish(
    workspace: Workspace,
    request: ExportRequest,
    staging: Staging,
    choice: _Choice,
    files: Sequence[ExportFile],
    progress: Progress,
    *,
    is_noted: bool,
) -> ExportReport:
    """Name the files `{stem}_{YYYYMMDD_HHMMSS}[_{split}].jsonl`, one time for all of them, and what goes beside them.

    A second that an earlier export has is left to it; the next free one is used.
    """
    profile = profile_of(request.profile)
    entries = [entry for of_side in choice.by_side.values() for entry in of_side]
    with open_for_names(workspace.exports):
        now = datetime.now()
        while any(workspace.exports.glob(f"{profile.file_stem}_{now:%Y%m%d_%H%M%S}*")):
            now += timedelta(seconds=1)
        name = f"{profile.file_stem}_{now:%Y%m%d_%H%M%S}"
        named = [
            replace(file, path=file.path.rename(staging.folder / f"{name}{'_' * bool(file.split)}{file.split}.jsonl"))
            for file in files
        ]
        report = replace(choice.report, files=tuple(named))
        making = Making(request.split_calls, request.template, request.mask_bad, changes=choice.changes)
        beside = write_beside(staging.folder, name, profile, named, making, entries)
        beside.append(write_manifest(staging.folder, name, request, report, entries))
        if progress.cancelled():
            raise cancelled()
        staging.publish()
        if is_noted:
            add_to_log(workspace, _left(profile.name, name, entries))
    return replace(
        report,
        files=tuple(replace(file, path=workspace.exports / file.path.name) for file in named),
        beside=tuple(workspace.exports / path.name for path in beside),
    )


def _left(profile: str, export: str, entries: Sequence[Entry]) -> Left:
    """What left, as the export log keeps it."""
    return Left(
        profile,
        export,
        unicode_texts([entry.stem for entry in entries]),
        bytes.fromhex("".join([entry.sha256 for entry in entries])),
        [entry.size for entry in entries],
        [entry.mtime_ns for entry in entries],
    )


def _example(summary: Summary) -> Example:
    return Example(summary.id, summary.question, summary.truth, summary.answer, summary.correct)


def _nothing(workspace: Workspace, report: ExportReport) -> str:
    if not report.total:
        return f"no threads found: {workspace.threads} holds none yet; make some with `sensorloom run`"
    why = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    return (
        f"no threads found matching the filter ({why}); widen it, or take unfinished and rejected ones along: in the "
        "export dialog, or with --all and --rejected"
    )
