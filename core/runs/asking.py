"""Questions of several kinds about sessions of a dataset: which can be asked, of which sessions, and what is true."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, cast

from core.datasets.barred import barred_names, barred_sessions
from core.datasets.drawing import draw_sessions
from core.datasets.facts import facts_of
from core.datasets.standard import StandardDataset
from core.errors import DatasetError, UsageError
from core.thread.kind_truths import VOTES, About
from core.thread.kinds import BY_NAME, DECLARED, Asked, Kind, ask
from core.thread.scoring import ACTIVITY, scoring_of
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.session import Dataset, Window

MIX = "mix"
"""Stands for every kind that a dataset's sessions can be asked, in equal parts."""


@dataclass(frozen=True, slots=True)
class Askable:
    """One kind of question on one dataset."""

    kind: Kind
    sessions: int
    """Of how many of the sessions that were tried it can be asked."""
    tried: int


def kinds_named(words: str) -> tuple[Kind, ...]:
    """The kinds that a line names, with commas between them; every one for `mix`.

    Raises:
        UsageError: there is no such kind; it names those there are.
    """
    names = [word.strip() for word in words.split(",") if word.strip()]
    if names == [MIX]:
        return DECLARED
    wrong = next((name for name in names if name not in BY_NAME), "")
    if wrong or not names:
        raise UsageError(f"there is no kind of question {wrong!r}; there are: {', '.join(BY_NAME)}, or {MIX} for all")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names))


def about_session(workspace: Workspace, dataset: StandardDataset, session: str) -> About:
    """What is known of a session. Its samples and what is like it are looked at when they are asked for."""
    labels = dataset.labels.get(session, ())
    return About(
        session,
        labels[0] if labels else "",
        dataset.activities,
        dataset.described_channels or dataset.channels,
        facts_of(dataset).get(session, {}),
        partial(_window, dataset, session),
        partial(_votes, workspace, dataset, session),
    )


def asked_of(workspace: Workspace, dataset: StandardDataset, session: str, kind: Kind, seed: int) -> Asked | None:
    """A question of a kind about one session; None where it cannot be asked of it. Raises DatasetError."""
    return ask(kind, about_session(workspace, dataset, session), random.Random(f"{seed}\0{kind.name}\0{session}"))


def asked_of_each(
    workspace: Workspace, dataset: StandardDataset, sessions: Iterable[str], kinds: Sequence[Kind], seed: int
) -> list[Asked]:
    """A question about each of these sessions, in turn of each kind that it can be asked.

    Raises:
        UsageError: a session can be asked none of them.
        DatasetError: the dataset cannot be read.
    """
    asked: list[Asked] = []
    for number, session in enumerate(sessions):
        turned = [*kinds[number % len(kinds) :], *kinds[: number % len(kinds)]]
        question = next(filter(None, (asked_of(workspace, dataset, session, kind, seed) for kind in turned)), None)
        if question is None:
            raise UsageError(f"{session} of {dataset.name}: {_refusal(kinds)}")
        asked.append(question)
    return asked


def draw_questions(
    workspace: Workspace,
    dataset: StandardDataset,
    kinds: Sequence[Kind],
    count: int,
    seed: int,
    among: Collection[str] | None = None,
) -> list[Asked]:
    """`count` questions, as many of each kind as of any other where there are sessions enough, each kind's truths as
    evenly spread as may be, in an order that says nothing.

    Args:
        workspace: where the dataset is, and who is held out of it.
        dataset: whose sessions.
        kinds: which; a kind that no session can be asked is left out where there are several.
        count: how many in all.
        seed: decides which sessions, and which words.
        among: only of these sessions.

    Raises:
        UsageError: there are not so many sessions that can be asked.
        DatasetError: the dataset cannot be read.
    """
    drawn: dict[str, list[Asked]] = {}
    there = list(kinds)
    while there:
        left = count - sum(len(drawn[kind.name]) for kind in kinds if kind not in there)
        shares = {kind.name: left // len(there) + (number < left % len(there)) for number, kind in enumerate(there)}
        for kind in there:
            drawn[kind.name] = _drawn(workspace, dataset, kind, shares[kind.name], seed, among)
        full = [kind for kind in there if len(drawn[kind.name]) == shares[kind.name]]
        if len(full) == len(there):
            break
        there = full  # what the others lack is shared out among these
    asked = list(chain.from_iterable(drawn.values()))
    if len(asked) < count:
        short = [kind for kind in kinds if not drawn[kind.name]] or list(kinds)
        raise UsageError(
            f"{dataset.name} has sessions for {len(asked)} such questions, fewer than the {count} asked for; "
            f"{_refusal(short)}"
        )
    random.Random(seed).shuffle(asked)
    return asked


def askable(workspace: Workspace, dataset: StandardDataset, most: int, seed: int = 0) -> list[Askable]:
    """How many of up to `most` of its sessions each kind can be asked. Raises DatasetError."""
    order = in_any_order(dataset, seed, None)[:most]
    return [
        Askable(
            kind, sum(asked_of(workspace, dataset, session, kind, seed) is not None for session in order), len(order)
        )
        for kind in DECLARED
    ]


def _drawn(
    workspace: Workspace, dataset: StandardDataset, kind: Kind, count: int, seed: int, among: Collection[str] | None
) -> list[Asked]:
    """Up to `count` questions of one kind, of sessions spread over labels, their truths spread over the answers."""
    answers = scoring_of(kind.name).answers
    quota = -(-count // max(len(answers), 1))
    spread: Counter[str] = Counter()
    drawn: list[Asked] = []
    over: list[Asked] = []
    for question in _questions(workspace, dataset, kind, seed, among):
        if answers and spread[question.truth] >= quota:
            over.append(question)
        else:
            spread[question.truth] += 1
            drawn.append(question)
        if len(drawn) >= count or len(over) > 20 * count + 100:  # what is rare is not looked for in all sessions
            break
    return [*drawn, *over][:count]


def _questions(
    workspace: Workspace, dataset: StandardDataset, kind: Kind, seed: int, among: Collection[str] | None
) -> Iterator[Asked]:
    # each kind draws sessions of its own
    order = seed if kind.name == ACTIVITY else random.Random(f"{seed}\0{kind.name}").getrandbits(31)
    for session in in_any_order(dataset, order, among):
        if (question := asked_of(workspace, dataset, session, kind, seed)) is not None:
            yield question


def in_any_order(dataset: StandardDataset, seed: int, among: Collection[str] | None) -> list[str]:
    """All labelled sessions, or those of `among`: one of each label, then one more of each; those that hold several
    activities last."""
    there = [session for session in (dataset.sessions if among is None else among) if dataset.labels.get(session)]
    facts = facts_of(dataset)
    of_one = [session for session in there if not facts.get(session, {}).get("changes_sec")]
    others = sorted(set(there) - set(of_one))
    random.Random(seed).shuffle(others)
    return [*draw_sessions(dataset, len(of_one), seed, of_one), *others]


def _refusal(kinds: Sequence[Kind]) -> str:
    told = "; ".join(f"`{kind.name}` is asked of {kind.sessions}" for kind in kinds[:3])
    return f"{told} (`sensorloom questions DATASET` counts them)"


def _window(dataset: StandardDataset, session: str) -> Window | None:
    try:
        return dataset.load(session)
    except DatasetError:
        return None


def _votes(workspace: Workspace, dataset: StandardDataset, session: str) -> Mapping[str, int]:
    """The labels of the most similar sessions of other people, as `nearest_examples` finds them."""
    from tools.reference import nearest_examples
    from tools.registry import ToolContext, ToolError

    try:
        barred = barred_sessions(dataset, barred_names(workspace, dataset))
        result = nearest_examples.run(ToolContext(cast("Dataset", dataset), session, barred=barred), k=VOTES)
    except (ToolError, DatasetError):
        return {}
    return result["votes"]
