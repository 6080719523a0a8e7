"""Carrying out an export: select, turn into rows, choose and split, write, and say what was done."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from core.errors import ThreadError
from core.export.choice import DUPLICATE, Entry, capped, put_on_sides
from core.export.groups import Groups
from core.export.log import add_to_log
from core.export.manifest import write_beside, write_manifest
from core.export.output import HiddenFile, Span, prepare_folder, publish_all
from core.export.pairs import NO_PAIR, NOT_GOOD
from core.export.profiles import profile_of
from core.export.profiles.conversation import richness
from core.export.profiles.profile import Making, Profile, RefusedError
from core.export.report import (
    FIRST_EXAMPLES,
    Example,
    ExportReport,
    ExportRequest,
    NothingToExportError,
    Progress,
    Skips,
)
from core.export.schemas import Schemas
from core.export.selection import INVALID, open_selection
from core.export.siblings import Siblings
from core.export.source import Source, encode_row, plain_line
from core.export.split import PARTS, SplitBook, balance, read_book, write_book
from core.index import summaries
from core.similar import Seen, signature
from core.summary import Summary
from core.workspace import Workspace


def export(workspace: Workspace, request: ExportRequest, progress: Progress | None = None) -> ExportReport:
    """Write a training file of the threads that `request` selects.

    Blocks; belongs in a worker. The same selection gives the same bytes.

    Raises:
        UsageError: the filter or the profile is not known.
        NothingToExportError: no thread passed; nothing was written.
        ExportCancelledError: the caller stopped it; nothing was written.
        SensorloomError: the exports folder cannot be written; nothing is left under a final name.
    """
    started = time.monotonic()
    run = _Run(workspace, request, profile_of(request.profile))
    selection = open_selection(workspace, request, run.skips)
    prepare_folder(workspace.exports)
    run.listing = summaries(workspace)
    run.siblings = Siblings(workspace.threads, run.listing) if run.profile.pairs else None
    with ExitStack() as stack:
        spool = stack.enter_context(HiddenFile(workspace.exports))
        for summary, source in selection.sources(run.listing, progress or Progress()):
            run.add(summary, source, spool)
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
    making: Making = field(default_factory=Making)
    entries: list[Entry] = field(default_factory=list[Entry])
    siblings: Siblings | None = None
    seen: Seen = field(default_factory=Seen)
    schemas: Schemas = field(init=False)

    def __post_init__(self) -> None:
        self.making.split_calls = self.request.split_calls
        self.making.template = self.request.template
        self.schemas = Schemas(self.workspace)

    def add(self, summary: Summary, source: Source, spool: HiddenFile) -> None:
        """Write a thread's rows to the spool, unless its form or its likeness to another forbids it."""
        if self.profile.rows is None:
            if not self._repeats(summary, source):
                span = spool.write(plain_line(source))
                self.entries.append(Entry(summary, source.digest, (span,), _plain_richness(source)))
            return
        thread = self.schemas.filled(source.thread(), self.making)
        self.making.siblings = self.siblings.of(summary) if self.siblings else ()
        try:
            rows = self.profile.rows(thread, self.making)
            lines = [encode_row(row, summary.stem) for row in rows]
            beside = encode_row(self.profile.sidecar(thread), summary.stem) if self.profile.sidecar else b""
        except RefusedError as error:
            if error.reason in (NOT_GOOD, NO_PAIR):
                self.skips.passed_over(error.reason)
            else:
                self.skips.refuse(summary.stem, error.reason, str(error))
            return
        except ThreadError as error:
            self.skips.refuse(summary.stem, INVALID, str(error))
            return
        if not self._repeats(summary, source):
            spans = tuple(spool.write(line) for line in lines)
            self.entries.append(Entry(summary, source.digest, spans, max(map(richness, rows)), sidecar=beside))

    def _repeats(self, summary: Summary, source: Source) -> bool:
        if self.request.dedupe == "off":
            return False
        found = signature(source.thread())
        first = self.seen.exact(summary.stem, found)
        if first is None and self.request.dedupe == "near":
            near = self.seen.near(summary.stem, found)
            first = near[0] if near else None
        if first is not None:
            self.skips.refuse(summary.stem, DUPLICATE, f"says what {first} says")
        return first is not None

    def publish(self, spool: HiddenFile, stack: ExitStack) -> ExportReport:
        """Choose, split, and give the files their names."""
        entries, book = self._chosen()
        report = self._report(entries)
        if not entries:
            raise NothingToExportError(_nothing(self.workspace, report), report)
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
        beside = write_beside(folder, name, self.profile, made, self.making, entries)
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
            dict(self.making.changes.most_common()),
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


def _plain_richness(source: Source) -> int:
    """About how many keys a plain row has before its messages: Arrow settles its columns on the first rows, so the
    fullest goes first."""
    head = source.data[: source.data.find(b'"messages"')]
    return head.count(b'":') - head.count(b"null")
