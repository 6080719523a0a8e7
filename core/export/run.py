"""Carrying out an export: select, turn into rows, choose and split, write, and say what was done."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise

from core.export.choice import DUPLICATE, Entry, capped, put_on_sides, without_held_out
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
from core.export.rows import Asked, Made, MadePart, Rows, unpacked
from core.export.selection import Selection, open_selection
from core.export.siblings import Siblings
from core.export.split import PARTS, SplitBook, balance, read_book, write_book
from core.index import keep, summaries, vouched
from core.processes import in_order
from core.similar import Seen, Signature
from core.summary import Summary
from core.thread_files import more_than, stems
from core.workspace import Workspace

PART = 250
"""Threads between two reports of progress, and what a process is given at a time."""
ALONE = 12
"""Parts that are done before processes would have started."""

_Plan = tuple[Summary | None, str]
"""What is known of a file, and why its thread stays, by that; neither of a file of which nothing is known."""


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
    skips = Skips()
    run = _Run(workspace, request, profile_of(request.profile), open_selection(workspace, request, skips), skips)
    if not dry_run:
        prepare_folder(workspace.exports)
    with ExitStack() as stack:
        spool = None if dry_run else stack.enter_context(HiddenFile(workspace.exports))
        run.take(spool, progress or Progress())
        report = run.publish(spool, stack)
    return replace(report, seconds=time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """One export under way."""

    workspace: Workspace
    request: ExportRequest
    profile: Profile
    selection: Selection
    skips: Skips
    surveyed: list[Summary] | None = None
    """All summaries, where they had to be known before anything could be decided."""
    outdated: bool = False
    """Whether the cached summaries are no longer those of the folder."""
    total: int = 0
    """Files in the folder."""
    listing: list[Summary] = field(default_factory=list[Summary])
    """Summaries of all files as they were when it was decided whether they leave."""
    changes: Counter[str] = field(default_factory=Counter[str])
    entries: list[Entry] = field(default_factory=list[Entry])
    seen: Seen = field(default_factory=Seen)

    def take(self, spool: HiddenFile | None, progress: Progress) -> None:
        """Look at every file of the folder once, and write the rows of those that leave to the spool, if any, in the
        order of their stems. Many are done on all cores.

        Raises:
            ExportCancelledError: the caller asked to stop.
        """
        started_ns = time.time_ns()
        if self.profile.pairs or self.selection.wanted.needs_folder:
            self._survey(progress)
        plans: deque[list[_Plan]] = deque()
        with closing(self._in_parts(self._planned(plans, progress))) as results:
            for (some, changes), rows in results:
                if progress.cancelled():
                    raise _cancelled()
                start = spool.write(rows) if spool else 0
                for (before, reason), made in zip(plans.popleft(), some, strict=True):
                    summary = made.summary or before
                    assert summary is not None, "a file of which nothing was known is looked at"
                    if made.summary is not None:
                        self.outdated, reason = True, self.selection.reason(summary)
                    self.listing.append(summary)
                    if reason:
                        self.selection.pass_over(summary, reason)
                    else:
                        self._add(summary, made, start)
                    start += sum(made.sizes)
                self.changes += changes
                progress.report(len(self.listing), self.total)
        if self.outdated:
            keep(self.workspace, self.listing, started_ns)

    def _survey(self, progress: Progress) -> None:
        """Learn first what is to be known of the whole folder before one thread can be decided on."""
        self.surveyed = summaries(self.workspace)
        if not self.selection.wanted.prepare(self.surveyed, progress.report, progress.cancelled):
            raise _cancelled()

    def _planned(self, plans: deque[list[_Plan]], progress: Progress) -> Iterator[list[Asked]]:
        """What is asked about the files, part by part, with what is known of them put into `plans`."""
        every = stems(self.workspace.threads)
        self.total = len(every)
        progress.report(0, self.total)
        blocks = vouched(self.workspace) if self.surveyed is None else iter([self.surveyed])
        known: dict[str, Summary] = {}
        reached = ""
        for start in range(0, len(every), PART):
            part = every[start : start + PART]
            while reached < part[-1] and (block := next(blocks, None)) is not None:
                known.update((one.stem, one) for one in block)
                reached = block[-1].stem if block else reached
            some: list[_Plan] = []
            asked: list[Asked] = []
            for stem in part:
                if (one := known.pop(stem, None)) is None:
                    some.append((None, ""))
                    asked.append((stem, -1, 0, True, False))
                else:
                    reason = self.selection.reason(one)
                    some.append((one, reason))
                    asked.append((stem, one.size, one.mtime_ns, not reason, one.ready))
            plans.append(some)
            yield asked
        self.outdated |= bool(known) or any(blocks)

    def _in_parts(self, asked: Iterator[list[Asked]]) -> Generator[tuple[MadePart, bytes | memoryview]]:
        if self.profile.pairs:  # a thread's family is looked up in the listing
            rows = Rows(self.workspace, self.request, Siblings(self.workspace.threads, self.surveyed or ()))
        elif more_than(self.workspace.threads, ALONE * PART):
            with closing(in_order("core.export.rows:part_maker", (self.workspace, self.request), asked)) as results:
                for value, lines in results:
                    yield unpacked(value), lines
            return
        else:
            rows = Rows(self.workspace, self.request)
        yield from map(rows.part, asked)

    def _add(self, summary: Summary, made: Made, start: int) -> None:
        """Keep a thread whose rows begin at `start` in the spool, or count why it does not leave."""
        if made.sentence:
            self.skips.refuse(summary.stem, made.reason, made.sentence)
        elif made.reason:
            self.skips.passed_over(made.reason)
        elif made.signature is None or not self._repeats(summary, made.signature):
            spans = tuple(pairwise(accumulate(made.sizes, initial=start)))
            self.entries.append(Entry(summary, made.digest, spans, made.richness or summary.keys, sidecar=made.sidecar))

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
        request, book, groups = self.request, read_book(self.workspace.root), Groups(self.workspace, self.listing)
        entries = without_held_out(self.entries, request, book, groups, self.skips)
        entries = capped(entries, request, self.skips)  # after it, so that what stays behind takes nobody's place
        learned = request.split is not None and put_on_sides(entries, request.split, book, groups)
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


def _cancelled() -> ExportCancelledError:
    return ExportCancelledError("the export was stopped; nothing was written")


def _nothing(workspace: Workspace, report: ExportReport) -> str:
    if not report.total:
        return f"no threads found: {workspace.threads} holds none yet; make some with `sensorloom run`"
    why = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    return f"no threads found matching the filter ({why}); finish some, widen the filter, or use --all"
