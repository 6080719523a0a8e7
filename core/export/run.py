"""Carrying out an export: select, turn into rows, choose and split, write, and say what was done."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import attrgetter

from core.export.choice import DUPLICATE, capped, put_on_sides, without_held_out
from core.export.entry import Asked, Entry, Part
from core.export.groups import Groups
from core.export.index_refresh import Renewal
from core.export.manifest import write_beside, write_manifest
from core.export.output import prepare_folder, publish_all
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
from core.export.row_buffer import Spool, richest_first
from core.export.rows import Rows, unpacked
from core.export.selection import FILTERED, open_selection
from core.export.siblings import Siblings
from core.export.split import PARTS, balance
from core.filters.language import Filter, parse
from core.listing.index import summaries
from core.listing.index_cache import SETTLED_NS, Block
from core.listing.summary import summarize
from core.processes.pool import done_here, in_order
from core.storage.export_log import add_to_log
from core.storage.export_log_file import Left
from core.storage.splits_file import SplitBook, read_book, write_book
from core.storage.thread_files import more_than, stems
from core.text import unicode_texts
from core.thread.similar import Seen, Signature
from core.thread.summary import Summary
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
    profile, wanted = profile_of(request.profile), parse(request.filter, workspace)
    if not dry_run:
        prepare_folder(workspace.exports)
    with (
        nullcontext() if dry_run else Spool(workspace.exports, as_one_file=request.split is None) as spool,
        Renewal(workspace) as renewal,
    ):
        run = _Run(workspace, request, profile, wanted, renewal)
        run.take(spool, progress or Progress())
        report = run.publish(spool)
    return replace(report, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """One export under way."""

    workspace: Workspace
    request: ExportRequest
    profile: Profile
    wanted: Filter
    renewal: Renewal
    stems: list[str] = field(default_factory=list[str])
    """Of all files of the folder."""
    skips: Skips = field(default_factory=Skips)
    changes: Counter[str] = field(default_factory=Counter[str])
    entries: list[Entry] = field(default_factory=list[Entry])
    seen: Seen = field(default_factory=Seen)

    def take(self, spool: Spool | None, progress: Progress) -> None:
        """Look at every file of the folder once, and write the rows of those that leave to the spool, if any, in the
        order of their stems. Many are done on all cores.

        Raises:
            ExportCancelledError: the caller asked to stop.
        """
        done = 0
        with closing(self._in_parts(progress)) as results:
            for part, rows in results:
                if progress.cancelled():
                    raise _cancelled()
                self.renewal.found(part.block)
                self._add(part)
                if spool is not None:
                    spool.add(part.entries, rows)
                done += part.total
                progress.report(done, len(self.stems))
        self.renewal.finish()

    def _in_parts(self, progress: Progress) -> Generator[tuple[Part, bytes | memoryview]]:
        """What became of the threads, part by part."""
        surveyed = self._survey(progress) if self.profile.pairs or self.wanted.needs_folder else None
        if self.profile.pairs:  # a thread's family is looked up in the listing
            rows = Rows(self.workspace, self.request, Siblings(self.workspace.threads, surveyed or ()))
        elif more_than(self.workspace.threads, ALONE * PART):
            asked = self._asked(surveyed, progress)
            setup = self.workspace, self.request
            results = in_order("core.export.rows:part_maker", setup, asked, help_at_first=True)
            with closing(results):
                for value, lines in results:
                    yield unpacked(value), lines
            return
        else:
            rows = Rows(self.workspace, self.request)
        yield from (done_here(rows.part, asked) for asked in self._asked(surveyed, progress))

    def _survey(self, progress: Progress) -> list[Summary]:
        """Learn first what is to be known of the whole folder before one thread can be decided on."""
        every = summaries(self.workspace)
        if not self.wanted.prepare(every, progress.report, progress.cancelled):
            raise _cancelled()
        return every

    def _asked(self, surveyed: Sequence[Summary] | None, progress: Progress) -> Iterator[Asked]:
        """All files in parts, each with the block its summaries are in."""
        self.stems = stems(self.workspace.threads)
        progress.report(0, len(self.stems))
        decided: dict[str, str] | None = None
        if surveyed is not None and self.wanted.needs_folder:
            selection = open_selection(self.workspace, self.request, self.wanted)
            decided = {one.stem: selection.reason(one) for one in surveyed}
        for some, block in self._with_blocks():
            reasons = None if decided is None else [decided.get(stem, FILTERED) for stem in some]
            self.renewal.asked(block)
            yield Asked(some, block, self.renewal.scanned_ns - SETTLED_NS, reasons)

    def _with_blocks(self) -> Iterator[tuple[list[str], Block | None]]:
        """The stems in parts, each with the block that its summaries would be in."""
        place = 0
        for block in self.renewal.cached():
            end = bisect_right(self.stems, block.last, place)
            if end == place:
                self.renewal.gone()
            for start in range(place, end, 2 * PART):  # a little more than was in it is no reason to cut it
                yield self.stems[start : min(start + 2 * PART, end)], block
            place = end
        for start in range(place, len(self.stems), PART):
            yield self.stems[start : start + PART], None

    def _add(self, part: Part) -> None:
        """Keep the threads that leave."""
        self.skips.add(part.skips)
        if part.changes:
            self.changes.update(part.changes)
        if self.request.dedupe == "off":
            self.entries += part.entries
            return
        for entry in part.entries:
            if entry.signature is None or not self._repeats(entry, entry.signature):
                self.entries.append(entry)

    def _repeats(self, entry: Entry, found: Signature) -> bool:
        first = self.seen.exact(entry.stem, found)
        if first is None and self.request.dedupe == "near":
            near = self.seen.near(entry.stem, found)
            first = near[0] if near else None
        if first is not None:
            self.skips.refuse(entry.stem, DUPLICATE, f"says what {first} says")
        return first is not None

    def publish(self, spool: Spool | None) -> ExportReport:
        """Choose, split, and give the files their names; without a spool only say what would leave."""
        entries, book = self._chosen()
        report = self._report(entries)
        if not entries:
            raise NothingToExportError(_nothing(self.workspace, report), report)
        if spool is None:
            return report
        by_side = richest_first(entries)
        files = spool.files(by_side)
        if book is not None:
            write_book(self.workspace.root, book)
        folder = self.workspace.exports
        rows = {side: sum(len(one.sizes) for one in some) for side, some in by_side.items()}
        name, made = publish_all(folder, self.profile.file_stem, files, rows, datetime.now())
        report = replace(report, files=tuple(made))
        entries = [one for some in by_side.values() for one in some]
        making = Making(self.request.split_calls, self.request.template, changes=self.changes)
        beside = write_beside(folder, name, self.profile, made, making, entries)
        beside.append(write_manifest(folder, name, self.request, report, entries))
        add_to_log(self.workspace, _left(self.profile.name, name, entries))
        return replace(report, beside=tuple(beside))

    def _chosen(self) -> tuple[list[Entry], SplitBook | None]:
        """The entries that leave, by side, and the split book when it is to be saved."""
        request, book = self.request, read_book(self.workspace.root)
        groups = Groups(self.workspace, partial(summaries, self.workspace))
        entries = without_held_out(self.entries, request, book, groups, self.skips)
        entries = capped(entries, request, self.skips)  # after it, so that what stays behind takes nobody's place
        learned = request.split is not None and put_on_sides(entries, request.split, book, groups)
        if request.split is not None:
            entries.sort(key=lambda one: PARTS.index(one.side))
        return entries, book if learned else None

    def _report(self, entries: list[Entry]) -> ExportReport:
        labels = {side: Counter(one.truth for one in some) for side, some in groupby(entries, attrgetter("side"))}
        return ExportReport(
            self.request.profile,
            len(self.stems),
            len(entries),
            self.skips.ordered(),
            tuple(sorted(self.skips.refusals, key=lambda one: one.stem)),
            tuple(_example(summarize(self.workspace.threads, one.stem)) for one in entries[:FIRST_EXAMPLES]),
            balance(labels),
            dict(self.changes.most_common()),
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
    return Example(summary.id, summary.query, summary.truth, summary.answer, summary.correct)


def _cancelled() -> ExportCancelledError:
    return ExportCancelledError("the export was stopped; nothing was written")


def _nothing(workspace: Workspace, report: ExportReport) -> str:
    if not report.total:
        return f"no threads found: {workspace.threads} holds none yet; make some with `sensorloom run`"
    why = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    return f"no threads found matching the filter ({why}); finish some, widen the filter, or use --all"
