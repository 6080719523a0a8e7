"""From a thread's file to its rows, or to the reason it has none. Needs nothing but the file, so that any process can
do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from core.errors import ThreadError
from core.export.pairs import NO_PAIR, NOT_GOOD
from core.export.profiles import profile_of
from core.export.profiles.conversation import richness
from core.export.profiles.profile import Making, RefusedError
from core.export.report import ExportRequest, Skips
from core.export.schemas import Schemas
from core.export.selection import BROKEN, FILTERED, INVALID, STALE, Selection
from core.export.siblings import Siblings
from core.export.source import Source, encode_row, one_line, plain_line, source_in
from core.files import digest
from core.filters import Filter, parse
from core.outline import Outline, broken_calls
from core.similar import Signature, signature
from core.summary import Summary, keys_before_messages, look
from core.thread_files import read_regular, stamp_of
from core.workspace import Workspace

Asked = tuple[str, int, int, bool, bool]
"""A thread that something is to become of: its stem; size and time its file had when its summary was made (-1 and 0
when there is none); whether it is to leave, and whether it may leave as it is, by that summary."""


class Made(msgspec.Struct, frozen=True, array_like=True, gc=False, omit_defaults=True):
    """What became of one thread."""

    sizes: tuple[int, ...] = ()
    """Bytes of each of its rows, line ends included; none when it does not leave."""
    digest: str = ""
    """SHA-256 of the file's bytes."""
    richness: int = 0
    """Keys of its fullest row; 0 when its summary knows."""
    sidecar: bytes = b""
    signature: Signature | None = None
    """What duplicates are found by, when they are looked for."""
    reason: str = ""
    """Why it does not leave; empty when it does, or when its summary says why."""
    sentence: str = ""
    """What is the matter with this thread in particular; empty when it was merely passed over."""
    summary: Summary | None = None
    """The file's summary, if it is not what it was when it was asked for."""


MadePart = tuple[list[Made], Counter[str]]
"""What became of some threads, and what the profile changed in them."""

_UNCHANGED = Made()
_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(list[Made])


class Rows:
    """Makes the rows of one export."""

    def __init__(self, workspace: Workspace, request: ExportRequest, siblings: Siblings | None = None) -> None:
        self._folder = workspace.threads
        self._request = request
        self._profile = profile_of(request.profile)
        self._wanted = parse(request.filter, workspace)
        cheap = Filter("") if self._wanted.slow else self._wanted  # who asked decides; this only saves making rows
        self._selection = Selection(request, cheap, Skips())
        self._siblings = siblings
        self._schemas = Schemas(workspace)
        self._making = Making(request.split_calls, request.template)
        self._lines: list[bytes] = []
        self._as_it_is = self._profile.rows is None and request.dedupe == "off" and not self._wanted.needs_file

    def part(self, some: Sequence[Asked]) -> tuple[MadePart, bytes]:
        """What becomes of these threads, judged by the bytes that leave, and their rows one after the other."""
        self._making.changes = Counter()
        self._lines = []
        made = [self._made(*one) for one in some]
        return (made, self._making.changes), b"".join(self._lines)

    def _made(self, stem: str, size: int, mtime_ns: int, take: bool, ready: bool) -> Made:
        path = f"{self._folder}/{stem}.json"
        if not take and stamp_of(path) == (size, mtime_ns):
            return _UNCHANGED
        file = read_regular(path) if take and size >= 0 else None
        if file is None or file.size != size or file.mtime_ns != mtime_ns:
            return self._looked_at(stem)
        if ready and self._as_it_is:
            try:
                return self._copied(file.data)
            except msgspec.DecodeError:
                pass  # no longer what it was, with the size and the time it had
        return self._from_bytes(file.data, stem)

    def _copied(self, data: bytes, summary: Summary | None = None) -> Made:
        """The row of a thread that is ready to leave."""
        return Made(self._written([one_line(data)]), digest(data), summary=summary)

    def _looked_at(self, stem: str) -> Made:
        """What becomes of a file of which nothing is known."""
        found = look(self._folder, stem)
        if self._selection.reason(found.summary):
            return Made(summary=found.summary)
        if found.summary.ready and self._as_it_is:
            return self._copied(found.data, found.summary)
        return msgspec.structs.replace(self._from_bytes(found.data, stem, found.outline), summary=found.summary)

    def _from_bytes(self, data: bytes, stem: str, outline: Outline | None = None) -> Made:
        try:
            source = source_in(data, stem, outline)
        except ThreadError as error:
            return Made(reason=INVALID, sentence=str(error))
        return self._unfit(source) or self._with_rows(source)

    def _unfit(self, source: Source) -> Made | None:
        messages = source.outline.messages
        if self._wanted.needs_file and not self._wanted.on_thread(source.thread()):
            return Made(reason=FILTERED)
        if stale := [message for message in messages if message.stale]:
            return Made(reason=STALE, sentence=_stale_sentence(len(stale)))
        if problem := broken_calls(messages):
            return Made(reason=BROKEN, sentence=problem)
        return None

    def _with_rows(self, source: Source) -> Made:
        found = None if self._request.dedupe == "off" else signature(source.thread())
        if self._profile.rows is None:
            sizes = self._written([plain_line(source)])
            return Made(sizes, source.digest, keys_before_messages(source.data), signature=found)
        thread = self._schemas.filled(source.thread(), self._making)
        self._making.siblings = self._siblings.of(source.stem) if self._siblings else ()
        try:
            rows = self._profile.rows(thread, self._making)
            lines = [encode_row(row, source.stem) for row in rows]
            beside = encode_row(self._profile.sidecar(thread), source.stem) if self._profile.sidecar else b""
        except RefusedError as error:
            return Made(reason=error.reason, sentence="" if error.reason in (NOT_GOOD, NO_PAIR) else str(error))
        except ThreadError as error:
            return Made(reason=INVALID, sentence=str(error))
        return Made(self._written(lines), source.digest, max(map(richness, rows)), beside, found)

    def _written(self, lines: Sequence[bytes]) -> tuple[int, ...]:
        for line in lines:
            self._lines += (line, b"\n")
        return tuple(len(line) + 1 for line in lines)


def part_maker(workspace: Workspace, request: ExportRequest) -> Callable[[Sequence[Asked]], tuple[Any, bytes]]:
    """The job of a process: the same as `Rows.part`, packed where its texts allow; `unpacked` undoes that."""
    rows = Rows(workspace, request)

    def part(some: Sequence[Asked]) -> tuple[Any, bytes]:
        (made, changes), lines = rows.part(some)
        try:
            return (_PACKER.encode(made), changes), lines
        except UnicodeEncodeError:
            return (made, changes), lines

    return part


def unpacked(value: tuple[bytes | list[Made], Counter[str]]) -> MadePart:
    """What became of some threads, as a process sent it."""
    made, changes = value
    return _UNPACKER.decode(made) if isinstance(made, bytes) else made, changes


def _stale_sentence(count: int) -> str:
    what = "a message rests" if count == 1 else f"{count} messages rest"
    return f"{what} on something that changed since; run it again, accept it as it is, or move it to a branch"
