"""From a thread's file to its rows, or to the reason it has none. Needs nothing but the file, so that any process can
do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from core.errors import ThreadError
from core.export.entry import Asked, Entry, Part
from core.export.pairs import NO_PAIR, NOT_GOOD
from core.export.profiles import profile_of
from core.export.profiles.conversation import richness
from core.export.profiles.profile import Making, RefusedError
from core.export.report import ExportRequest, Skips
from core.export.schemas import Schemas
from core.export.selection import BROKEN, FILTERED, INVALID, STALE, open_selection
from core.export.siblings import Siblings
from core.export.source import Source, encode_row, one_line, plain_line, source_in
from core.filters.language import parse
from core.listing.fast_decode import Outline, broken_calls
from core.listing.index_cache import pack, unpack
from core.listing.shared_tail import learn
from core.listing.summary import keys_before_messages, look
from core.processes.worker import Write
from core.storage.atomic import digest
from core.storage.thread_files import read_regular, stamp_of
from core.thread.similar import Signature, signature
from core.thread.summary import Summary
from core.workspace import Workspace


class Rows:
    """Makes the rows of one export. Whoever asks decides what takes the whole folder to decide."""

    def __init__(self, workspace: Workspace, request: ExportRequest, siblings: Siblings | None = None) -> None:
        self._folder = workspace.threads
        self._request = request
        self._profile = profile_of(request.profile)
        self._wanted = parse(request.filter, workspace).without_folder()
        self._selection = open_selection(workspace, request, self._wanted)
        self._siblings = siblings
        self._schemas = Schemas(workspace)
        self._making = Making(request.split_calls, request.template)
        self._part = Part([], Skips(), {})
        self._write: Write = lambda _data: None
        self._as_it_is = self._profile.rows is None and request.dedupe == "off" and not self._wanted.needs_file

    def part(self, asked: Asked, write: Write) -> Part:
        """What becomes of these threads, judged by the bytes that leave; their rows are written one after the other."""
        self._making.changes = changes = Counter[str]()
        self._part = part = Part([], Skips(), changes, len(asked.stems))
        self._write = write
        if asked.stems:
            learn(f"{self._folder}/{asked.stems[0]}.json")
        known = {} if asked.block is None else {one.stem: one for one in unpack(asked.block)}
        listing: list[Summary] = []
        same = len(known) == len(asked.stems)
        for stem, reason in zip(asked.stems, asked.reasons or [""] * part.total, strict=True):
            before = known.get(stem)
            if before is None or before.mtime_ns >= asked.settled_ns or not self._done(before, reason):
                same = False
                before = self._looked_at(stem, reason)
            listing.append(before)
        if not same:
            part.block = pack(listing)
        return part

    def _done(self, summary: Summary, reason: str) -> bool:
        """Deal with a thread whose summary is known, unless its file is no longer the one that was summed up."""
        path = f"{self._folder}/{summary.stem}.json"
        if reason := reason or self._selection.reason(summary):
            if stamp_of(path) != (summary.size, summary.mtime_ns):
                return False
            self._selection.pass_over(summary, reason, self._part.skips)
            return True
        file = read_regular(path)
        if file is None or file.size != summary.size or file.mtime_ns != summary.mtime_ns:
            return False
        self._leave(summary, file.data)
        return True

    def _looked_at(self, stem: str, reason: str) -> Summary:
        """Deal with a file of which nothing is known."""
        found = look(self._folder, stem)
        if reason := reason or self._selection.reason(found.summary):
            self._selection.pass_over(found.summary, reason, self._part.skips)
        else:
            self._leave(found.summary, found.data, found.outline)
        return found.summary

    def _leave(self, summary: Summary, data: bytes, outline: Outline | None = None) -> None:
        if summary.ready and self._as_it_is:
            try:
                line = one_line(data)
            except msgspec.DecodeError:
                pass  # no longer what it was, with the size and the time it had
            else:
                self._add(summary, digest(data), [line], summary.keys or keys_before_messages(data))
                return
        try:
            source = source_in(data, summary.stem, outline)
        except ThreadError as error:
            self._refuse(summary, INVALID, str(error))
            return
        if self._is_fit(summary, source):
            self._make_rows(summary, source)

    def _is_fit(self, summary: Summary, source: Source) -> bool:
        messages = source.outline.messages
        if self._wanted.needs_file and not self._wanted.on_thread(source.thread()):
            self._part.skips.passed_over(FILTERED)
        elif stale := [message for message in messages if message.stale]:
            self._refuse(summary, STALE, _stale_sentence(len(stale)))
        elif problem := broken_calls(messages):
            self._refuse(summary, BROKEN, problem)
        else:
            return True
        return False

    def _make_rows(self, summary: Summary, source: Source) -> None:
        found = None if self._request.dedupe == "off" else signature(source.thread())
        if self._profile.rows is None:
            line = plain_line(source)
            self._add(summary, source.digest, [line], keys_before_messages(source.data), found=found)
            return
        thread = self._schemas.filled(source.thread(), self._making)
        self._making.siblings = self._siblings.of(source.stem) if self._siblings else ()
        try:
            rows = self._profile.rows(thread, self._making)
            lines = [encode_row(row, source.stem) for row in rows]
            beside = encode_row(self._profile.sidecar(thread), source.stem) if self._profile.sidecar else b""
        except RefusedError as error:
            if error.reason in (NOT_GOOD, NO_PAIR):
                self._part.skips.passed_over(error.reason)
            else:
                self._refuse(summary, error.reason, str(error))
        except ThreadError as error:
            self._refuse(summary, INVALID, str(error))
        else:
            self._add(summary, source.digest, lines, max(map(richness, rows)), beside, found)

    def _add(
        self,
        summary: Summary,
        sha256: str,
        lines: Sequence[bytes],
        fullest: int,
        sidecar: bytes = b"",
        found: Signature | None = None,
    ) -> None:
        for line in lines:
            self._write(line)
            self._write(b"\n")
        self._part.entries.append(
            Entry(
                summary.stem,
                summary.dataset,
                summary.session,
                summary.truth,
                summary.model,
                summary.size,
                summary.mtime_ns,
                sha256,
                tuple([len(line) + 1 for line in lines]),
                fullest,
                sidecar,
                found,
            )
        )

    def _refuse(self, summary: Summary, reason: str, sentence: str) -> None:
        self._part.skips.refuse(summary.stem, reason, sentence)


def part_maker(workspace: Workspace, request: ExportRequest) -> Callable[[Asked, Write], Any]:
    """The job of a process: the same as `Rows.part`, packed where its texts allow; `unpacked` undoes that."""
    rows = Rows(workspace, request)

    def part(asked: Asked, write: Write) -> Any:
        made = rows.part(asked, write)
        try:
            return _PACKER.encode(made)
        except UnicodeEncodeError:
            return made

    return part


def unpacked(value: bytes | Part) -> Part:
    """What became of some threads, as a process sent it."""
    return _UNPACKER.decode(value) if isinstance(value, bytes) else value


_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(Part)


def _stale_sentence(count: int) -> str:
    what = "a message rests" if count == 1 else f"{count} messages rest"
    return f"{what} on something that changed since; run it again, accept it as it is, or move it to a branch"
