"""From a thread's file to its rows, or to the reason it has none. Needs nothing but the file, so that any process can
do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from core.errors import ThreadError
from core.export.entry import Entry, Part
from core.export.pairs import NO_PAIR, NOT_GOOD
from core.export.profiles import profile_of
from core.export.profiles.conversation import NOT_JSON, richness
from core.export.profiles.profile import Making, RefusedError, Row
from core.export.profiles.stepwise import NO_LABELS
from core.export.references import references_of
from core.export.report import ExportRequest
from core.export.schemas import Schemas
from core.export.selection import BROKEN, FILTERED, INVALID, STALE, UNLOADABLE, open_selection
from core.export.sent import as_wanted, examples_of
from core.export.siblings import Siblings
from core.export.source import Source, UnloadableError, encode_row, plain_row, source_in
from core.filters.language import Filter, parse
from core.listing.summary import look
from core.storage.atomic import digest
from core.storage.pack_file import PackedFile
from core.storage.packed_in_order import InOrder
from core.storage.thread_files import RegularFile, packs_in, read_regular
from core.thread.json_form import Decoded
from core.thread.json_text import arguments_problem
from core.thread.scoring import balanced_as
from core.thread.signature import signature
from core.thread.summary import Summary, keys_before_messages
from core.thread.turns import broken_calls
from core.thread.value import Message, call_arguments, call_name, calls_of
from core.workspace import Workspace


def is_copy(request: ExportRequest, wanted: Filter) -> bool:
    """Whether threads leave as they are, undecoded: so quickly that other processes would only cost time."""
    is_plain = profile_of(request.profile).rows is None and request.call_ids == "stored"
    return is_plain and request.dedupe == "off" and not wanted.needs_file and not request.with_system


class RowMaker:
    """Makes the rows of one export. Whoever asks decides what takes the whole folder to decide."""

    def __init__(
        self, workspace: Workspace, request: ExportRequest, trusted_ns: int, siblings: Siblings | None = None
    ) -> None:
        """Args: `trusted_ns` is the time from which on a file may have changed again since it was listed."""
        self._folder = workspace.threads
        self._workspace = workspace
        self._request = request
        self._trusted_ns = trusted_ns
        self._profile = profile_of(request.profile)
        self._wanted = parse(request.filter, workspace).without_folder()
        self._selection = open_selection(workspace, request, self._wanted)
        self._siblings = siblings
        self._schemas = Schemas(workspace)
        self._making = Making(request.split_calls, request.template, request.mask_bad)
        self._part = Part(0)
        self._rows: list[bytes] = []
        self._is_copy = is_copy(request, self._wanted)
        self._packed: InOrder | None = None

    def part(self, listing: Sequence[Summary]) -> Part:
        """What becomes of the threads of these summaries, judged by the bytes that leave."""
        self._making.changes = changes = Counter[str]()
        self._rows = []
        self._part = Part(len(listing), changes=changes)
        packs = packs_in(self._folder)  # once for many threads
        if packs is None or self._packed is None or self._packed.packs is not packs:
            self._packed = packs and InOrder(packs)
        for summary in listing:
            self._add_thread(summary)
        self._part.rows = b"".join(self._rows)
        return self._part

    def _add_thread(self, summary: Summary) -> None:
        file = self._file(summary)
        is_same = file is not None and (file.size, file.mtime_ns) == (summary.size, summary.mtime_ns)
        if file is not None and is_same and summary.mtime_ns < self._trusted_ns:
            self._add_rows(summary, file)
            return
        seen = look(self._folder, summary.stem)  # it was written since it was listed
        if reason := self._selection.reason(seen.summary):
            self._selection.pass_over(seen.summary, reason, self._part.skips)
        else:
            file = RegularFile(seen.data, seen.summary.size, seen.summary.mtime_ns)
            self._add_rows(seen.summary, file, Decoded(seen.thread, seen.line) if seen.thread else None)

    def _file(self, summary: Summary) -> RegularFile | PackedFile | None:
        """The thread as it was listed, from a pack; else as it is now. None for whatever needs a closer look."""
        in_pack = self._packed and self._packed.find(summary.stem)
        if in_pack and in_pack.stamp == (summary.size, summary.mtime_ns):
            with suppress(OSError, ThreadError):
                return in_pack.file
        return read_regular(f"{self._folder}/{summary.stem}.json")

    def _add_rows(self, summary: Summary, file: RegularFile | PackedFile, read: Decoded | None = None) -> None:
        if summary.ready and self._is_copy:
            try:
                line = (read and read.line) or file.line
                self._add(summary, file.digest, [line], summary.keys or keys_before_messages(line))
            except msgspec.DecodeError:
                pass  # no longer what it was, with the size and the time it had
            else:
                return
        try:
            source = source_in(file.data, summary.stem, read)
        except ThreadError as error:
            self._refuse(summary, UNLOADABLE if isinstance(error, UnloadableError) else INVALID, str(error))
            return
        if self._is_fit(summary, source):
            self._make_rows(summary, source)

    def _is_fit(self, summary: Summary, source: Source) -> bool:
        messages = source.thread.messages
        if self._wanted.needs_file and not self._wanted.on_thread(source.thread, summary):
            self._part.skips.passed_over(FILTERED)
        elif stale := sum(bool(message.get("stale")) for message in messages):
            self._refuse(summary, STALE, _stale_sentence(stale))
        elif problem := broken_calls(messages):
            self._refuse(summary, BROKEN, problem)
        elif problem := _bad_arguments(messages):
            self._refuse(summary, NOT_JSON, problem)
        else:
            return True
        return False

    def _make_rows(self, summary: Summary, source: Source) -> None:
        try:
            source = as_wanted(self._workspace, source, self._request, self._profile, self._making)
        except RefusedError as error:
            self._refuse(summary, error.reason, str(error))
            return
        if self._profile.rows is None:
            line = plain_row(source, self._request.call_ids)
            self._add(summary, source.digest, [line], keys_before_messages(source.data), source=source)
            return
        thread = self._schemas.filled(source.thread, self._making)
        self._making.siblings = self._siblings.of(source.stem) if self._siblings else ()
        try:
            rows = self._profile.rows(thread, self._making)
            lines = [encode_row(row, source.stem) for row in rows]
            asks = digest(b"\n".join(_without_ids(rows, source.stem))) if self._profile.prompts else ""
            sidecar = encode_row(self._profile.sidecar(thread), source.stem) if self._profile.sidecar else b""
        except RefusedError as error:
            if error.reason in (NOT_GOOD, NO_PAIR, NO_LABELS):
                self._part.skips.passed_over(error.reason)
            else:
                self._refuse(summary, error.reason, str(error))
        except ThreadError as error:
            self._refuse(summary, INVALID, str(error))
        else:
            self._add(summary, source.digest, lines, max(map(richness, rows)), sidecar, source, asks)

    def _add(
        self,
        summary: Summary,
        sha256: str,
        lines: Sequence[bytes],
        fullest: int,
        sidecar: bytes = b"",
        source: Source | None = None,
        asks: str = "",
    ) -> None:
        for line in lines:
            self._rows += (line, b"\n")
        self._part.entries.append(
            Entry(
                summary.stem,
                summary.dataset,
                summary.session,
                balanced_as(summary.kind, summary.truth),
                summary.model,
                summary.verdict,
                summary.correct,
                summary.size,
                summary.mtime_ns,
                sha256,
                tuple([len(line) + 1 for line in lines]),
                fullest,
                sidecar,
                None if source is None or self._request.dedupe == "off" else signature(source.thread),
                references_of(summary),
                examples_of(source.thread) if source is not None and self._request.with_system else (),
                asks,
            )
        )

    def _refuse(self, summary: Summary, reason: str, sentence: str) -> None:
        self._part.skips.refuse(summary.stem, reason, sentence)


def part_maker(
    workspace: Workspace, request: ExportRequest, trusted_ns: int, siblings: Siblings | None = None
) -> Callable[[Sequence[Summary]], Part]:
    """The job of a process: summaries of chosen threads in, their rows out."""
    return RowMaker(workspace, request, trusted_ns, siblings).part


def _without_ids(rows: Sequence[Row], stem: str) -> list[bytes]:
    return [encode_row({key: value for key, value in row.items() if key != "id"}, stem) for row in rows]


def _bad_arguments(messages: Sequence[Message]) -> str:
    """The first call whose arguments are no JSON object, and why; empty when there is none."""
    for call in (call for message in messages for call in calls_of(message)):
        if problem := arguments_problem(call_arguments(call)):
            return f"the arguments of {call_name(call)}: {problem}"
    return ""


def _stale_sentence(count: int) -> str:
    what = "a message rests" if count == 1 else f"{count} messages rest"
    return f"{what} on something that changed since; run it again, accept it as it is, or move it to a branch"
