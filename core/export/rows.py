"""From a thread's file to its rows, or to the reason it has none. Needs nothing but the file, so that any process can
do it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.errors import ThreadError
from core.export.pairs import NO_PAIR, NOT_GOOD
from core.export.profiles import profile_of
from core.export.profiles.conversation import richness
from core.export.profiles.profile import Making, RefusedError
from core.export.report import ExportRequest
from core.export.schemas import Schemas
from core.export.selection import BROKEN, FILTERED, INVALID, REJECTED, STALE, broken_calls
from core.export.siblings import Siblings
from core.export.source import Source, encode_row, plain_line, read_source
from core.filters import parse
from core.similar import Signature, signature
from core.workspace import Workspace


class Made(NamedTuple):
    """What became of one thread."""

    sizes: tuple[int, ...] = ()
    """Bytes of each of its rows, line ends included; none when it does not leave."""
    digest: str = ""
    """SHA-256 of the file's bytes."""
    richness: int = 0
    """Keys of its fullest row."""
    sidecar: bytes = b""
    signature: Signature | None = None
    """What duplicates are found by, when they are looked for."""
    reason: str = ""
    """Why it does not leave; empty when it does."""
    sentence: str = ""
    """What is the matter with this thread in particular; empty when it was merely passed over."""


MadePart = tuple[tuple[list[Made], Counter[str]], bytes]
"""What became of some threads, what the profile changed in them, and their rows one after the other."""


class Rows:
    """Makes the rows of one export."""

    def __init__(self, workspace: Workspace, request: ExportRequest, siblings: Siblings | None = None) -> None:
        self._folder = workspace.threads
        self._request = request
        self._profile = profile_of(request.profile)
        self._wanted = parse(request.filter, workspace)
        self._siblings = siblings
        self._schemas = Schemas(workspace)
        self._making = Making(request.split_calls, request.template)
        self._lines: list[bytes] = []

    def part(self, stems: Sequence[str]) -> MadePart:
        """What becomes of these threads, judged by the bytes that leave, whatever was known of them before."""
        self._making.changes = Counter()
        self._lines = []
        made = [self._made(stem) for stem in stems]
        return (made, self._making.changes), b"".join(self._lines)

    def _made(self, stem: str) -> Made:
        try:
            source = read_source(self._folder, stem)
        except ThreadError as error:
            return Made(reason=INVALID, sentence=str(error))
        return self._unfit(source) or self._with_rows(source)

    def _unfit(self, source: Source) -> Made | None:
        messages = source.document.messages
        review = source.document.metadata.review
        if self._wanted.needs_file and not self._wanted.on_thread(source.thread(), source.stem):
            return Made(reason=FILTERED)
        if not self._request.rejected and review is not None and review.verdict == "reject":
            return Made(reason=REJECTED)
        if stale := [message for message in messages if message.stale]:
            return Made(reason=STALE, sentence=_stale_sentence(len(stale)))
        if problem := broken_calls(messages):
            return Made(reason=BROKEN, sentence=problem)
        return None

    def _with_rows(self, source: Source) -> Made:
        found = None if self._request.dedupe == "off" else signature(source.thread())
        if self._profile.rows is None:
            return Made(self._written([plain_line(source)]), source.digest, _plain_richness(source), signature=found)
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


def part_maker(workspace: Workspace, request: ExportRequest) -> Callable[[Sequence[str]], MadePart]:
    """The job of a process: stems in, what became of their threads out."""
    return Rows(workspace, request).part


def _plain_richness(source: Source) -> int:
    """About how many keys a plain row has before its messages: Arrow settles its columns on the first rows, so the
    fullest goes first."""
    head = source.data[: source.data.find(b'"messages"')]
    return head.count(b'":') - head.count(b"null")


def _stale_sentence(count: int) -> str:
    what = "a message rests" if count == 1 else f"{count} messages rest"
    return f"{what} on something that changed since; run it again, accept it as it is, or move it to a branch"
