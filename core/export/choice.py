"""What becomes of the rows that may leave: duplicates and surplus taken out, the rest put on their sides."""

from __future__ import annotations

import hashlib
from collections import Counter

from core.export.entry import Entry
from core.export.groups import Groups
from core.export.report import ExportRequest, Skips
from core.export.split import SplitSpec, assign
from core.storage.splits_file import SplitBook

DUPLICATE = "duplicate"
OVER_CAP = "over the cap of its label"
HELD_OUT = "held out"


def capped(entries: list[Entry], request: ExportRequest, skips: Skips) -> list[Entry]:
    """At most `request.cap` threads of each label, drawn by seed: a thread's luck does not hang on the others."""
    if request.cap is None:
        return entries
    drawn: dict[str, list[Entry]] = {}
    for entry in entries:
        drawn.setdefault(entry.truth, []).append(entry)

    def luck(entry: Entry) -> bytes:
        return hashlib.sha256(f"{request.seed}\0{entry.stem}".encode(errors="surrogatepass")).digest()

    kept = {id(one) for some in drawn.values() for one in sorted(some, key=luck)[: request.cap]}
    skips.passed_over(OVER_CAP, len(entries) - len(kept))
    return [entry for entry in entries if id(entry) in kept]


def without_held_out(
    entries: list[Entry], request: ExportRequest, book: SplitBook, groups: Groups, skips: Skips
) -> list[Entry]:
    """The entries less those of held-out sessions, unless there is a test side for them."""
    if not book.held_out:
        return entries
    for one in entries:
        one.held_out = book.holds_out(one.dataset, one.session, groups.subject(one))
    if request.split is not None and request.split.has_test:
        return entries
    free = [one for one in entries if not one.held_out]
    skips.passed_over(HELD_OUT, len(entries) - len(free))
    return free


def put_on_sides(entries: list[Entry], spec: SplitSpec, book: SplitBook, groups: Groups) -> bool:
    """Give each entry its side, the test side to what is held out. Says whether the book has learned something."""
    counts: dict[str, Counter[str]] = {}
    for one in entries:
        one.group = groups.of(one, spec.group)
        if not one.held_out:
            counts.setdefault(one.group, Counter())[one.truth] += 1
    known = book.assigned.setdefault(spec.key, {})
    sides = assign(counts, known, spec)
    learned = any(known.get(group) != side for group, side in sides.items())
    known.update(sides)
    for one in entries:
        one.side = "test" if one.held_out else sides[one.group]
    return learned
