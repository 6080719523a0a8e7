"""What becomes of the rows that may leave: duplicates, wrong answers and surplus taken out, the rest put on their
sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from core.export.entry import Entry
from core.export.groups import Groups
from core.export.profiles import profile_of
from core.export.report import ExportRequest, Skips
from core.export.selection import HELD_OUT
from core.export.split import PARTS, SplitSpec, assign
from core.storage.splits_file import SplitBook
from core.thread.signature import Seen

DUPLICATE = "duplicate"
ASKED = "asks what another thread asks"
OVER_CAP = "over the cap of its label"


def without_duplicates(entries: Sequence[Entry], kind: Literal["off", "exact", "near"], skips: Skips) -> list[Entry]:
    """The entries less those that say what an earlier one says."""
    if kind == "off":
        return list(entries)
    seen = Seen()
    originals: list[Entry] = []
    for entry in entries:
        assert entry.signature is not None, "asked for where duplicates are looked for"
        original = seen.exact(entry.stem, entry.signature)
        if original is None and kind == "near":
            original, _ = seen.near(entry.stem, entry.signature) or (None, 0.0)
        if original is None:
            originals.append(entry)
        else:
            skips.refuse(entry.stem, DUPLICATE, f"says what {original} says")
    return originals


def each_asked_once(entries: Sequence[Entry], skips: Skips) -> list[Entry]:
    """The entries less those whose row asks what an earlier one's does, of the same session: where rows are questions
    alone, threads that answer one question differently have equal ones, and would weigh it double."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.asks or entry.stem, entry)
    skips.passed_over(ASKED, len(entries) - len(first))
    return list(first.values())


def capped(entries: Sequence[Entry], request: ExportRequest, skips: Skips) -> list[Entry]:
    """At most `request.cap` threads of each label: those a person accepted before the others, right ones before wrong
    ones, then drawn by seed, so that a thread's luck does not hang on the others."""
    if request.cap is None:
        return list(entries)

    def rank(entry: Entry) -> tuple[bool, bool, bytes]:
        drawn = hashlib.sha256(f"{request.seed}\0{entry.stem}".encode(errors="surrogatepass"))
        return entry.verdict != "accept", entry.correct is not True, drawn.digest()

    by_label: dict[str, list[Entry]] = {}
    for entry in entries:
        by_label.setdefault(entry.truth, []).append(entry)
    stay = {entry.stem for of_label in by_label.values() for entry in sorted(of_label, key=rank)[: request.cap]}
    skips.passed_over(OVER_CAP, len(entries) - len(stay))
    return [entry for entry in entries if entry.stem in stay]


def rows_in_order(entries: Sequence[Entry], request: ExportRequest) -> list[Entry]:
    """The entries in the order of their rows, side by side: drawn from a hash of the thread's id, since ids in their
    own order say what was going on where a recording was cut from its beginning to its end. The plain copy keeps the
    order of the ids, as it keeps the ids."""
    is_plain = profile_of(request.profile).rows is None and request.call_ids == "stored"

    def position(entry: Entry) -> tuple[int, bytes]:
        drawn = b"" if is_plain else hashlib.sha256(entry.stem.encode(errors="surrogatepass")).digest()
        return PARTS.index(entry.side) if entry.side else 0, drawn

    return sorted(entries, key=position)


def without_held_out(
    entries: Sequence[Entry], request: ExportRequest, book: SplitBook, groups: Groups, skips: Skips
) -> list[Entry]:
    """The entries less those of held-out sessions, unless there is a test side for them."""
    if not book.held_out:
        return list(entries)
    for entry in entries:
        entry.held_out = book.holds_out(entry.dataset, entry.session, groups.subject(entry))
    if request.split is not None and request.split.has_test:
        return list(entries)
    free = [entry for entry in entries if not entry.held_out]
    skips.passed_over(HELD_OUT, len(entries) - len(free))
    return free


def put_on_sides(entries: Sequence[Entry], spec: SplitSpec, book: SplitBook, groups: Groups) -> bool:
    """Give each entry its side, the test side to what is held out. Says whether the book has learned something.

    A split by subject becomes the one that the references of new threads keep to (`core.datasets.barred`).
    """
    counts: dict[str, Counter[str]] = {}
    for entry in entries:
        entry.group = groups.of(entry, spec.group)
        if not entry.held_out:
            counts.setdefault(entry.group, Counter())[entry.truth] += 1
    known = book.assigned.setdefault(spec.key, {})
    sides = assign(counts, known, spec)
    learned = any(known.get(group) != side for group, side in sides.items())
    known.update(sides)
    if spec.group == "subject" and book.split != spec.key:
        book.split, learned = spec.key, True
    for entry in entries:
        entry.side = "test" if entry.held_out else sides[entry.group]
    return learned
