"""Splits that hold: whole groups on one side, labels in proportion, and no group ever changes sides.

Who is on which side is remembered (`core.storage.splits_file`), so threads that are added later join their group or
fill up the side that is short.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import UsageError
from core.text import counted

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

    for group in sorted((name for name in groups if name not in sides), key=order):
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
    for count in counts:
        total.update(count)
    return total


def balance(sides: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """Threads by label for each side; labels in alphabetical order."""
    return {side: dict(sorted(sides[side].items())) for side in sorted(sides, key=("", *PARTS).index)}


def thin_sides(by_side: Mapping[str, Mapping[str, int]], spec: SplitSpec | None) -> tuple[str, ...]:
    """A sentence for each side that lacks labels which are trained on, so that a figure measured there says nothing of
    them. It names no label: it is shown to who judges blind, too.

    Args:
        by_side: threads by label for each side, as `balance` counts them.
        spec: the split, if there is one.
    """
    trained = set(by_side.get("train", {}))
    sentences: list[str] = []
    for side in PARTS[1 : len(spec.shares)] if spec and trained else ():
        there = len(trained & set(by_side.get(side, {})))
        if there < len(trained):
            more = {"subject": "of more people", "session": "of more sessions"}.get(spec.group, "") if spec else ""
            sentences.append(
                f"{side} has {there} of the {counted(len(trained), 'label')} that are trained on; "
                f"more threads{' ' * bool(more)}{more} would fill it"
            )
    return tuple(sentences)
