"""Which threads `sensorloom run` runs: stored ones, or new ones about which sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from core.cli.commands import say
from core.cli.threads import chosen
from core.errors import UsageError
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.kinds import Asked, Kind


def questions_drawn(workspace: Workspace, options: Mapping[str, Any], seed: int) -> list[tuple[str, str, Asked | None]]:
    """The dataset and session of each new thread, as they were named, drawn, or lacking for the goal; with what is
    asked about it, where that is another kind of question than that for the activity."""
    from core.datasets.standard import open_dataset

    if options["goal"]:
        return _questions_lacking(workspace, options, seed)
    from core.datasets.drawing import draw_sessions

    if not options["dataset"]:
        raise UsageError("name a dataset with --dataset, or threads by their ids (`sensorloom list` shows them)")
    dataset = open_dataset(workspace, options["dataset"])
    sessions = list(options["sessions"])
    unknown = [session for session in sessions if session not in dataset.labels]
    if unknown:
        raise UsageError(f"{dataset.name} has no session {unknown[0]!r}")
    if sessions and options["count"]:
        raise UsageError("give --session or --count, not both")
    count, among = options["count"] or 1, None if sessions else _band(workspace, dataset, options)
    if not options["kind"]:
        drawn = sessions or draw_sessions(dataset, count, seed, among)
        return [(dataset.name, session, None) for session in drawn]
    from core.runs.asking import asked_of_each, draw_questions

    kinds = _kinds(options)
    questions = (
        asked_of_each(workspace, dataset, sessions, kinds, seed)
        if sessions
        else draw_questions(workspace, dataset, kinds, count, seed, among)
    )
    return _told(dataset.name, questions)


def _kinds(options: Mapping[str, Any]) -> tuple[Kind, ...]:
    from core.runs.asking import kinds_named
    from core.thread.scoring import ACTIVITY

    kinds = kinds_named(options["kind"])
    if options["question"] and [kind.name for kind in kinds] != [ACTIVITY]:
        raise UsageError("--question is for the activity: a question of another kind comes in its own words")
    return kinds


def _told(dataset: str, questions: Sequence[Asked]) -> list[tuple[str, str, Asked | None]]:
    from core.thread.scoring import ACTIVITY

    return [(dataset, asked.session, asked if asked.kind != ACTIVITY else None) for asked in questions]


def _questions_lacking(
    workspace: Workspace, options: Mapping[str, Any], seed: int
) -> list[tuple[str, str, Asked | None]]:
    """What is asked of the sessions that the goal lacks: the activity, or the kinds that `--kind` names, in turn."""
    pairs = sessions_lacking(workspace, options)
    if not options["kind"]:
        return [(dataset, session, None) for dataset, session in pairs]
    from core.datasets.standard import open_dataset
    from core.runs.asking import asked_of_each

    kinds, questions = _kinds(options), list[tuple[str, str, "Asked | None"]]()
    for name, some in groupby(pairs, key=itemgetter(0)):
        dataset = open_dataset(workspace, name)
        asked = asked_of_each(workspace, dataset, [session for _, session in some], kinds, seed)
        questions += _told(name, asked)
    return questions


def sessions_lacking(workspace: Workspace, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The dataset and session of each thread that the goal lacks. Raises UsageError where nothing is lacking."""
    from core.listing.goal import goal_of
    from core.listing.index import summaries
    from core.listing.proposing import pairs_of, propose, sessions_to_make

    named = [name for name in ("dataset", "sessions", "difficulty") if options[name]]
    if named:
        raise UsageError(f"--goal says which sessions: leave --{named[0].rstrip('s')} out")
    goal = goal_of(workspace)
    if goal is None:
        raise UsageError("no goal is set; `sensorloom goal set total=100 label=10` sets one")
    every = summaries(workspace)
    pairs = pairs_of(sessions_to_make(workspace, propose(workspace, goal, every), every))
    if not pairs:
        raise UsageError("the goal lacks nothing that could be made: `sensorloom goal propose` names what to judge")
    return pairs[: options["count"]]


def _band(workspace: Workspace, dataset: StandardDataset, options: Mapping[str, Any]) -> list[str] | None:
    """The sessions to draw from, where they are to be so difficult."""
    if not options["difficulty"]:
        return None
    from core.teaching.difficulty import sessions_of

    return sessions_of(workspace, dataset, options["difficulty"])


def unfinished(workspace: Workspace, names: Sequence[str], wanted: str) -> list[str]:
    """The stems of the named threads, or of those that a filter selects. Finished ones are left out of the latter;
    raises UsageError where nothing would be run, and where a named one is finished."""
    from core.errors import ThreadError
    from core.storage.store import read_all

    stems = chosen(workspace, names, wanted)
    stored = [read for read in read_all(workspace.threads, stems) if not isinstance(read, ThreadError)]
    finished = [thread.stem for thread in stored if thread.thread.status == "finished"]
    if finished and wanted.strip() and len(finished) < len(stems):
        say(f"note: {counted(len(finished), 'thread')} of the filter left out: finished", err=True)
        return [stem for stem in stems if stem not in finished]
    if finished:
        which = finished[0] if len(finished) == 1 else f"{finished[0]} and {len(finished) - 1} more"
        are = "is" if len(finished) == 1 else "are"
        raise UsageError(
            f"{which} {are} finished: nothing would be run; leave {'it' if are == 'is' else 'them'} out, "
            "or branch from a turn to go on differently"
        )
    return stems
