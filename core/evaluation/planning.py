"""What is asked of whom: an evaluation as a person wants it, with its sessions drawn and its contestants named."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

from core.datasets.barred import barred_sessions
from core.datasets.drawing import draw_sessions
from core.datasets.facts import holds_several
from core.datasets.session_filter import labels_in, sessions_like
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.evaluation.contest import QUESTION, Contestant, Evaluation, Part, evaluations, folder_of
from core.listing.index import threads_by_session
from core.model.headers import may_be_written
from core.runs.mode import evidence_for_all, wanted_form
from core.storage.splits_file import read_book
from core.text import counted, one_line
from core.thread.evidence import Evidence
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.form import TaskForm

COUNT = 50
"""Sessions unless told, where there are so many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An evaluation as a person wants it; what is left out is as usual."""

    datasets: Sequence[str]
    name: str = ""
    """`DATASET-1`, or the next number that is free, unless told."""
    count: int = 0
    """Sessions of each dataset."""
    seed: int | None = None
    held_out: bool = False
    endpoints: Sequence[str] = ()
    """Each an endpoint's name, or `NAME=MODEL`; the one that runs use unless told."""
    control: bool = False
    """Whether each of them is asked once more without tools."""
    tries: int = 1
    question: str = QUESTION
    evidence: Evidence | None = None
    max_turns: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How all are asked: values of `ServingSettings`; kept as far as they may be written."""
    form: TaskForm | None = None
    """The form of the task; the workspace's own choice unless told."""
    filter: str = ""
    """Only sessions that this lets through; see `core.datasets.session_filter`."""


def planned(workspace: Workspace, wanted: Wanted) -> Evaluation:
    """The evaluation, with its sessions drawn. It is not written down yet.

    Raises:
        UsageError: there are not so many sessions, nothing is held out, no session is like the filter, an endpoint is
            not there or is there twice, or its name cannot be one.
        DatasetError: a dataset cannot be read.
    """
    datasets = [open_dataset(workspace, name) for name in wanted.datasets]
    names = [dataset.name for dataset in datasets]
    if len({*names}) < len(names) or not names:
        raise UsageError("--dataset names each dataset once, and one at least")
    seed = secrets.randbelow(2**31) if wanted.seed is None else wanted.seed
    labels = labels_in(each for dataset in datasets for each in dataset.labels.values())
    drawn = [tuple(_drawn(workspace, dataset, wanted, seed, labels)) for dataset in datasets]
    name = wanted.name or _free_name(workspace, "-".join(names)[:60])
    folder_of(workspace, name)
    return Evaluation(
        name,
        names[0],
        drawn[0],
        wanted.question,
        seed,
        wanted.tries,
        tuple(contestants(workspace, wanted.endpoints or ("",), wanted.control)),
        wanted.evidence or evidence_for_all(workspace),
        wanted.max_turns,
        "people held out from training" if wanted.held_out else _unknown(datasets, drawn),
        may_be_written(wanted.options),
        wanted_form(workspace) if wanted.form is None else wanted.form,
        tuple(starmap(Part, zip(names[1:], drawn[1:], strict=True))),
        wanted.filter.strip(),
    )


def _drawn(
    workspace: Workspace, dataset: StandardDataset, wanted: Wanted, seed: int, labels: Collection[str]
) -> list[str]:
    """The sessions of one dataset that are asked about. Raises UsageError: there are not so many."""
    like, out = wanted.filter.strip(), held_out_sessions(workspace, dataset) if wanted.held_out else None
    among = dataset.sessions if out is None else out
    among = sessions_like(dataset, like, among, labels, partial(threads_by_session, workspace)) if like else among
    among = [session for session in among if not holds_several(dataset, session)]
    there = len(among)
    if wanted.count > there or not there:
        which = ("held out" * wanted.held_out, like and f"like `{one_line(like, 80)}`")
        are = " and ".join(filter(None, which)) or "labelled with one activity"
        end = f"fewer than the {wanted.count} asked for" if wanted.count else "so there is nothing to ask about"
        raise UsageError(f"{counted(there, 'session')} of {dataset.name} are {are}, {end}")
    return draw_sessions(dataset, wanted.count or min(COUNT, there), seed, among)


def held_out_sessions(workspace: Workspace, dataset: StandardDataset) -> list[str]:
    """The sessions that are held out. Raises UsageError where there is none."""
    barred = barred_sessions(dataset, read_book(workspace.root).held_out)
    out = [session for session in dataset.sessions if session in barred]
    if not out:
        raise UsageError(
            f"nothing of {dataset.name} is held out; `sensorloom export --hold-out {dataset.name}/subject:NAME` does it"
        )
    return out


def contestants(workspace: Workspace, endpoints: Sequence[str], control: bool) -> list[Contestant]:
    """Who answers: each endpoint, with tools and, as a control, without. Raises UsageError."""
    from core.model.endpoints import choose, refuse_secrets

    named: list[Contestant] = []
    for wanted in endpoints:
        endpoint, _, model = wanted.partition("=")
        choice = choose(workspace, refuse_secrets(endpoint), model)
        shown = "-".join(filter(None, (choice.endpoint.name, model)))
        plain = re.sub(r"[^\w.\-]+", "_", shown).strip("._")[:60]
        for tools in (True, False) if control else (True,):
            key = plain if tools else f"{plain}-without-tools"
            if any(contestant.key == key for contestant in named):
                raise UsageError(f"--endpoint {wanted} is there twice")
            named.append(Contestant(key, endpoint or choice.endpoint.name, model, tools))
    return named


def _free_name(workspace: Workspace, dataset: str) -> str:
    used = evaluations(workspace)
    return next(free for number in range(1, len(used) + 2) if (free := f"{dataset}-{number}") not in used)


def _unknown(datasets: Sequence[StandardDataset], drawn: Sequence[Sequence[str]]) -> str:
    """What it means for the figures that nobody knows who some of the sessions are of; empty where all are known."""
    if all(all(map(dataset.subjects.get, sessions)) for dataset, sessions in zip(datasets, drawn, strict=True)):
        return ""
    return "people who are not all known (a tool may compare with the same person, and shares may be too high)"
