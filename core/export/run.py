"""Carrying out an export: select, turn into rows, choose and split, write, and say what was done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise

from core.export.choice import DUPLICATE, Entry, capped, put_on_sides
from core.export.groups import Groups
from core.export.log import add_to_log
from core.export.manifest import write_beside, write_manifest
from core.export.output import HiddenFile, Span, prepare_folder, publish_all
from core.export.profiles import profile_of
from core.export.profiles.profile import Making, Profile
from core.export.report import (
    FIRST_EXAMPLES,
    Example,
    ExportCancelledError,
    ExportReport,
    ExportRequest,
    NothingToExportError,
    Progress,
    Skips,
)
from core.export.rows import Made, MadePart, Rows
from core.export.selection import open_selection
from core.export.siblings import Siblings
from core.export.split import PARTS, SplitBook, balance, read_book, write_book
from core.index import summaries
from core.processes import in_order
from core.similar import Seen, Signature
from core.summary import Summary
from core.workspace import Workspace

PART = 250
"""Threads between two reports of progress, and what a process is given at a time."""
ALONE = 12
"""Parts that are done before processes would have started."""


def export(
    workspace: Workspace, request: ExportRequest, progress: Progress | None = None, *, dry_run: bool = False
) -> ExportReport:
    """Write a training file of the threads that `request` selects.

    Blocks; belongs in a worker. The same selection gives the same bytes. With `dry_run` everything is done but the
    writing: the report says what would leave, and why the rest would not.

    Raises:
        UsageError: the filter or the profile is not known.
        NothingToExportError: no thread passed; nothing was written.
        ExportCancelledError: the caller stopped it; nothing was written.
        SensorloomError: the exports folder cannot be written; nothing is left under a final name.
    """
    started = time.monotonic()
    run = _Run(workspace, request, profile_of(request.profile))
    selection = open_selection(workspace, request, run.skips)
    if not dry_run:
        prepare_folder(workspace.exports)
    run.listing = summaries(workspace)
    chosen = [one for one in run.listing if selection.by_summary(one)]
    with ExitStack() as stack:
        spool = None if dry_run else stack.enter_context(HiddenFile(workspace.exports))
        run.take(chosen, spool, progress or Progress())
        report = run.publish(spool, stack)
    return replace(report, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """One export under way."""

    workspace: Workspace
    request: ExportRequest
    profile: Profile
    listing: list[Summary] = field(default_factory=list[Summary])
    skips: Skips = field(default_factory=Skips)
    changes: Counter[str] = field(default_factory=Counter[str])
    entries: list[Entry] = field(default_factory=list[Entry])
    seen: Seen = field(default_factory=Seen)

    def take(self, chosen: Sequence[Summary], spool: HiddenFile | None, progress: Progress) -> None:
        """Write the rows of the chosen threads to the spool, if any, in their order; many are made on all cores.

        Raises:
            ExportCancelledError: the caller asked to stop.
        """
        parts = [chosen[start : start + PART] for start in range(0, len(chosen), PART)]
        done = 0
        progress.report(0, len(chosen))
        with closing(self._in_parts([[one.stem for one in part] for part in parts])) as results:
            for part, ((some, changes), rows) in zip(parts, results, strict=True):
                if progress.cancelled():
                    raise ExportCancelledError("the export was stopped; nothing was written")
                start = spool.write(rows) if spool else 0
                for summary, made in zip(part, some, strict=True):
                    self._add(summary, made, start)
                    start += sum(made.sizes)
                self.changes += changes
                done += len(part)
                progress.report(done, len(chosen))

    def _in_parts(self, stems: Sequence[Sequence[str]]) -> Generator[MadePart]:
        if self.profile.pairs:  # a thread's family is looked up in the listing
            rows = Rows(self.workspace, self.request, Siblings(self.workspace.threads, self.listing))
        elif len(stems) > ALONE:
            yield from in_order("core.export.rows:part_maker", (self.workspace, self.request), stems)
            return
        else:
            rows = Rows(self.workspace, self.request)
        yield from (rows.part(some) for some in stems)

    def _add(self, summary: Summary, made: Made, start: int) -> None:
        """Keep a thread whose rows begin at `start` in the spool, or count why it does not leave."""
        if made.sentence:
            self.skips.refuse(summary.stem, made.reason, made.sentence)
        elif made.reason:
            self.skips.passed_over(made.reason)
        elif made.signature is None or not self._repeats(summary, made.signature):
            ends = accumulate(made.sizes, initial=start)
            self.entries.append(Entry(summary, made.digest, tuple(pairwise(ends)), made.richness, sidecar=made.sidecar))

    def _repeats(self, summary: Summary, found: Signature) -> bool:
        first = self.seen.exact(summary.stem, found)
        if first is None and self.request.dedupe == "near":
            near = self.seen.near(summary.stem, found)
            first = near[0] if near else None
        if first is not None:
            self.skips.refuse(summary.stem, DUPLICATE, f"says what {first} says")
        return first is not None

    def publish(self, spool: HiddenFile | None, stack: ExitStack) -> ExportReport:
        """Choose, split, and give the files their names; without a spool only say what would leave."""
        entries, book = self._chosen()
        report = self._report(entries)
        if not entries:
            raise NothingToExportError(_nothing(self.workspace, report), report)
        if spool is None:
            return report
        by_side = _richest_first(entries)
        files: dict[str, HiddenFile] = {}
        for side, some in by_side.items():
            spans = [span for entry in some for span in entry.spans]
            files[side] = spool if _is_all(spans, spool.size) else stack.enter_context(spool.copy(spans))
        if book is not None:
            write_book(self.workspace.root, book)
        folder = self.workspace.exports
        rows = {side: sum(len(one.spans) for one in some) for side, some in by_side.items()}
        name, made = publish_all(folder, self.profile.file_stem, files, rows, datetime.now())
        report = replace(report, files=tuple(made))
        entries = [one for some in by_side.values() for one in some]
        making = Making(self.request.split_calls, self.request.template, changes=self.changes)
        beside = write_beside(folder, name, self.profile, made, making, entries)
        beside.append(write_manifest(folder, name, self.request, report, entries))
        add_to_log(self.workspace, self.profile.name, name, ((one.summary, one.sha256) for one in entries))
        return replace(report, beside=tuple(beside))

    def _chosen(self) -> tuple[list[Entry], SplitBook | None]:
        """The entries that leave, by side, and the split book when it is to be saved."""
        kept = capped(self.entries, self.request, self.skips)
        book = read_book(self.workspace.root)
        groups = Groups(self.workspace, self.listing)
        entries, learned = put_on_sides(kept, self.request, book, groups, self.skips)
        entries.sort(key=lambda one: PARTS.index(one.side) if one.side else 0)
        return entries, book if learned else None

    def _report(self, entries: list[Entry]) -> ExportReport:
        return ExportReport(
            self.request.profile,
            len(self.listing),
            len(entries),
            self.skips.ordered(),
            tuple(self.skips.refusals),
            tuple(_example(one.summary) for one in entries[:FIRST_EXAMPLES]),
            balance([(one.side, one.summary.truth) for one in entries]),
            dict(self.changes.most_common()),
        )


def _richest_first(entries: list[Entry]) -> dict[str, list[Entry]]:
    """The entries of each side in order, the one whose rows have most keys first."""
    sides: dict[str, list[Entry]] = {}
    for entry in entries:
        sides.setdefault(entry.side, []).append(entry)
    for some in sides.values():
        richest = max(range(len(some)), key=lambda place: (some[place].richness, -place))
        some.insert(0, some.pop(richest))
    return sides


def _is_all(spans: list[Span], size: int) -> bool:
    """Whether these spans are the whole spool in its order."""
    return (spans[0][0], spans[-1][1]) == (0, size) and all(one[1] == other[0] for one, other in pairwise(spans))


def _example(summary: Summary) -> Example:
    return Example(summary.id, summary.query, summary.truth, summary.answer, summary.correct)


def _nothing(workspace: Workspace, report: ExportReport) -> str:
    if not report.total:
        return f"no threads found: {workspace.threads} holds none yet; make some with `sensorloom run`"
    why = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    return f"no threads found matching the filter ({why}); finish some, widen the filter, or use --all"
