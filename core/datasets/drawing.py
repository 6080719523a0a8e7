"""Sessions drawn at random, as many of each label as may be."""

from __future__ import annotations

import random
from collections.abc import Collection

from core.datasets.facts import holds_several
from core.datasets.standard import StandardDataset
from core.errors import UsageError


def draw_sessions(dataset: StandardDataset, count: int, seed: int, among: Collection[str] | None = None) -> list[str]:
    """`count` sessions at random, spread over the labels as evenly as there are sessions; of `among` where it is given.
    Sessions of several activities are left out.

    Raises:
        UsageError: the dataset has fewer.
    """
    chance = random.Random(seed)
    by_label: dict[str, list[str]] = {}
    sessions = dataset.sessions if among is None else among
    for session in sorted(session for session in sessions if not holds_several(dataset, session)):
        by_label.setdefault(dataset.labels[session][0], []).append(session)
    there = sum(map(len, by_label.values()))
    if count > there:
        which = "labelled sessions" if among is None else "sessions so difficult"
        raise UsageError(f"{dataset.name} has {there} {which}, fewer than the {count} asked for")
    groups = [chance.sample(group, len(group)) for _, group in sorted(by_label.items())]
    drawn: list[str] = []
    while len(drawn) < count:
        chance.shuffle(groups)
        drawn += [group.pop() for group in groups if group]
    return drawn[:count]
