"""Splits that hold: whole groups on one side, labels in proportion, and no group ever changes sides.

Who is on which side is remembered in `splits.json` in the workspace, so threads that are added later join
their group or fill up the side that is short. The same file names the sessions that are never trained on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.errors import UsageError, WorkspaceError
from core.storage.atomic import write_atomic
from core.storage.store import locked
from core.text import unicode_text

SPLITS_FILE = "splits.json"
PARTS = ("train", "val", "test")
Grouping = Literal["subject", "session", "family"]


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """How to split."""

    shares: tuple[int, ...]
    """Shares of train, val and, where there is one, test; in any unit."""
    group: Grouping = "subject"
    """What must not stand on two sides. A subject's sessions and a session's branches go with it."""
    seed: int = 0

    @property
    def parts(self) -> dict[str, float]:
        """Each side's share, adding up to 1."""
        return {part: share / sum(self.shares) for part, share in zip(PARTS, self.shares, strict=False)}

    @property
    def has_test(self) -> bool:
        """Whether there is a side that held-out sessions go to."""
        return "test" in self.parts

    @property
    def key(self) -> str:
        """What its assignments are remembered under."""
        return f"{'/'.join(map(str, self.shares))} by {self.group}, seed {self.seed}"


def parse_split(text: str, group: Grouping = "subject", seed: int = 0) -> SplitSpec:
    """Read `90/10` or `80/10/10`. Raises UsageError."""
    if not re.fullmatch(r"\d{1,3}(/\d{1,3}){1,2}", text):
        raise UsageError(f"`{text}` is no split; write train/val or train/val/test, such as 90/10 or 80/10/10")
    shares = tuple(int(share) for share in text.split("/"))
    if 0 in shares:
        raise UsageError(f"`{text}` leaves a side of the split empty; every share must be at least 1")
    return SplitSpec(shares, group, seed)


@dataclass(slots=True)
class SplitBook:
    """What `splits.json` says."""

    held_out: list[str] = field(default_factory=list[str])
    """Patterns for `dataset/session` and `dataset/subject:name`; `*` stands for anything."""
    assigned: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """For each way of splitting: group to side."""
    rest: dict[str, Any] = field(default_factory=dict[str, Any])

    def holds_out(self, dataset: str, session: str, subject: str) -> bool:
        """Whether a session is never to be trained on."""
        names = (f"{dataset}/{session}", *((f"{dataset}/subject:{subject}",) if subject else ()))
        return any(fits(pattern, name) for pattern in self.held_out for name in names)


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a name; nothing in it is special but `*`."""
    return pattern == name if "*" not in pattern else _expression(pattern).fullmatch(name) is not None


@lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def read_book(root: Path) -> SplitBook:
    """Read `splits.json`; an empty book when there is none. Raises WorkspaceError for one that is damaged."""
    path = root / SPLITS_FILE
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return SplitBook()
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{path}: cannot be read: {error}; mend it, or move it away to begin anew") from error
    try:
        form = msgspec.convert(found, _BookForm)
    except msgspec.ValidationError as error:
        raise WorkspaceError(f"{path}: {error}; mend it, or move it away to begin anew") from error
    rest = {key: value for key, value in found.items() if key not in _BookForm.__struct_fields__}
    return SplitBook(form.held_out, form.assigned, rest)


class _BookForm(msgspec.Struct):
    held_out: list[str] = []
    assigned: dict[str, dict[str, str]] = {}


def write_book(root: Path, book: SplitBook) -> None:
    """Save the sides that were assigned. What is held out stays as the file has it by now: it may have been named, or
    taken back, since the book was read. Raises SensorloomError."""
    with locked(root / ".sensorloom"):
        now = read_book(root)
        assigned = {key: {**now.assigned.get(key, {}), **book.assigned.get(key, {})}
                    for key in (*now.assigned, *book.assigned)}  # fmt: skip
        _save(root, SplitBook(now.held_out, assigned, now.rest))


def _save(root: Path, book: SplitBook) -> None:
    document = {"held_out": book.held_out, "assigned": book.assigned, **book.rest}
    write_atomic(root / SPLITS_FILE, (unicode_text(json.dumps(document, indent=1, ensure_ascii=False)) + "\n").encode())


def hold_out(root: Path, patterns: Iterable[str]) -> SplitBook:
    """Name sessions or subjects that are never to be trained on. Raises UsageError for a name of another form."""
    with locked(root / ".sensorloom"):
        book = read_book(root)
        for pattern in patterns:
            if "/" not in pattern:
                raise UsageError(f"`{pattern}` is no session; write `dataset/session` or `dataset/subject:name`")
            if pattern not in book.held_out:
                book.held_out.append(pattern)
        _save(root, book)
    return book


def release(root: Path, patterns: Iterable[str]) -> SplitBook:
    """Take names back that were held out. Raises UsageError for one that is not, naming those that are."""
    with locked(root / ".sensorloom"):
        book = read_book(root)
        for pattern in patterns:
            if pattern not in book.held_out:
                named = f"held out are: {', '.join(book.held_out)}" if book.held_out else "nothing is"
                raise UsageError(f"`{pattern}` is not held out; {named}")
            book.held_out.remove(pattern)
        _save(root, book)
    return book


def assign(groups: Mapping[str, Counter[str]], known: Mapping[str, str], spec: SplitSpec) -> dict[str, str]:
    """Put each group on a side: known ones stay, others go, large ones first, where most is missing.

    What is missing is measured as the unfilled part of a side's share, of the group's labels and of all
    threads alike, so labels come out in proportion as far as whole groups allow (the idea of iterative
    stratification, Sechidis et al. 2011). A side that has its share takes no more while another is short.

    Args:
        groups: for each group its number of threads by label.
        known: sides that were assigned earlier.
        spec: the shares, and the seed that orders groups of one size.
    """
    parts = spec.parts
    totals = _sum(groups.values())
    sides = {group: known[group] for group in groups if known.get(group) in parts}
    have = {part: _sum(groups[group] for group, side in sides.items() if side == part) for part in parts}

    def order(group: str) -> tuple[int, str]:
        drawn = hashlib.sha256(f"{spec.seed}\0{group}".encode(errors="surrogatepass"))
        return -groups[group].total(), drawn.hexdigest()

    for group in sorted((one for one in groups if one not in sides), key=order):
        counts = groups[group]
        missing = {part: _missing(counts, have[part], totals, share) for part, share in parts.items()}
        short = [part for part, share in parts.items() if have[part].total() < share * totals.total()]
        side = max(short or parts, key=lambda part: (round(missing[part], 9), parts[part]))
        sides[group] = side
        have[side].update(counts)
    return sides


def _missing(counts: Counter[str], have: Counter[str], totals: Counter[str], share: float) -> float:
    labels = sum(count * (1 - have[label] / (share * totals[label])) for label, count in counts.items())
    return labels / counts.total() + 1 - have.total() / (share * totals.total())


def _sum(counts: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def balance(sides: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """Threads by label for each side; labels in alphabetical order."""
    return {side: dict(sorted(sides[side].items())) for side in sorted(sides, key=("", *PARTS).index)}
