"""Beginning a thread, and what becomes of the turns that a model proposes for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from core.curate.editing import ToolsAt, edited_and_executed
from core.curate.steps import commit, recorder
from core.curate.task import form_named, kept_form, opening_in
from core.errors import ConflictError, DatasetError
from core.storage import history_files, store
from core.storage.atomic import Content
from core.storage.store import Stored
from core.thread import proposal
from core.thread.evidence import DEFAULT, WITHOUT, Evidence, evidence_in, settled
from core.thread.proposal import Proposal, Reason
from core.thread.scoring import ACTIVITY, asks_for_a_label
from core.thread.turns import with_ids_of
from core.thread.updates import with_messages
from core.thread.value import SCHEMA_VERSION, Message, Thread, is_assistant, timestamp
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.form import TaskForm
    from core.thread.kinds import Asked

Tools = Sequence[Mapping[str, Any]]


def create_thread(
    workspace: Workspace,
    dataset: str,
    session: str,
    question: str,
    *,
    max_turns: int | None = None,
    tools: Tools | None = None,
    truth: str | None = None,
    made_by: Mapping[str, Any] | None = None,
    evidence: Evidence | None = None,
    asked: Asked | None = None,
    begun: Callable[[str], None] | None = None,
    form: TaskForm | None = None,
) -> Stored:
    """Begin a thread: a question about one session, under the next free id.

    Args:
        workspace: where it is saved.
        dataset: the dataset's name.
        session: the session's id in it.
        question: what the user asks.
        max_turns: how many assistant messages a run may make; the workspace's setting unless told.
        tools: the schemas of the tools that are offered, when they are known already.
        truth: the session's label; looked up in the dataset unless told.
        asked: the kind of question and its truth, where it does not ask for the activity.
        evidence: what the answer may rest on; the workspace's setting unless told.
        made_by: what is recorded of how it is made, beside the model.
        form: how the task is shown to the model; the workspace's setting unless told.
        begun: told the thread's id before its file is written, and while no other program begins one.

    Raises: DatasetError: there is no such dataset or session. WorkspaceError: `splits.json` is damaged.
    """
    make = thread_about(
        workspace, dataset, session, question, max_turns=max_turns, tools=tools, truth=truth, made_by=made_by,
        evidence=evidence, asked=asked, form=form,
    )  # fmt: skip
    record, reserved = _recorder(workspace, begun), partial(history_files.reserved, workspace)
    return store.create_new(workspace.threads, dataset, session, make, record, reserved)


def thread_about(
    workspace: Workspace,
    dataset: str,
    session: str,
    question: str,
    *,
    max_turns: int | None = None,
    tools: Tools | None = None,
    truth: str | None = None,
    made_by: Mapping[str, Any] | None = None,
    evidence: Evidence | None = None,
    asked: Asked | None = None,
    form: TaskForm | None = None,
) -> Callable[[str], Thread]:
    """What makes the thread that `create_thread` saves, of its id. Raises as that does."""
    from core.datasets.standard import open_dataset

    opened = open_dataset(workspace, dataset)
    other = None if asked is None or asked.kind == ACTIVITY else asked
    right = truth if truth is not None else other.truth if other else _label_of(opened, session)
    form = form_named(workspace) if form is None else form
    basis = _basis(workspace, opened, session, evidence) | _asked_for(other)
    basis |= kept_form(workspace, opened, session, form, evidence_in(basis))

    def make(stem: str) -> Thread:
        metadata = {
            "dataset": dataset,
            "session": session,
            "ground_truth": right,
            "status": "active",
            "user_query": question,
            "schema_version": SCHEMA_VERSION,
            **dict.fromkeys(("created_at", "last_modified"), timestamp()),
            "max_turns": max_turns or workspace.settings.model.max_turns,
            **basis,
        }
        metadata |= {"made_by": dict(made_by)} if made_by else {}
        document = {"id": stem, "metadata": metadata, "messages": [opening_in(opened, question, form)]}
        return Thread(document if tools is None else {**document, "tools": list(tools)})

    return make


def _recorder(workspace: Workspace, begun: Callable[[str], None] | None) -> store.Record:
    """Notes the beginning of a thread in its history, and tells its id before."""
    noted = recorder(workspace, "new thread")

    def record(stem: str, before: Content | None, after: Content | None) -> None:
        if begun is not None:
            begun(stem)
        noted(stem, before, after)

    return record


def unbegin(workspace: Workspace, stored: Stored) -> None:
    """Take a thread away that holds nothing but its question, and its history with it: nobody will look for it.

    Raises:
        ConflictError: the file is no longer what was read.
    """
    store.replace(workspace.threads, stored.stem, None, stored.digest)
    history_files.forget(workspace, stored.stem)


def _basis(workspace: Workspace, dataset: StandardDataset, session: str, evidence: Evidence | None) -> dict[str, Any]:
    """What a new thread keeps of what its answer may rest on."""
    from core.datasets.barred import barred_names

    kind = evidence or settled(workspace.settings.run.evidence or DEFAULT, session)
    without = barred_names(workspace, dataset)
    return {**({"evidence": kind} if kind != DEFAULT else {}), **({WITHOUT: list(without)} if without else {})}


def _asked_for(asked: Asked | None) -> dict[str, str]:
    """What a thread's metadata say of a question that does not ask for the activity; nothing of one that does."""
    if asked is None:
        return {}
    told = {"question_kind": asked.kind}
    return told if asks_for_a_label(asked.kind) else {**told, "activity": asked.activity}


def _label_of(dataset: StandardDataset, session: str) -> str:
    from core.datasets.facts import holds_several

    labels = dataset.labels.get(session)
    if not labels:
        raise DatasetError(f"{dataset.name} has no labelled session {session!r}")
    if holds_several(dataset, session):
        raise DatasetError(
            f"{session} of {dataset.name} holds several activities, so that no label is its own; ask when it changes "
            "(the kind `change`)"
        )
    return labels[0]


def accept(workspace: Workspace, stored: Stored, proposed: Proposal, tools: Tools | None = None) -> Stored:
    """Put a proposed turn at the thread's end. Call ids that the thread has already are given anew.

    Raises:
        ConflictError: the thread, or its file, has moved on since the turn was proposed.
    """
    thread = _accepted(stored.thread, proposed, tools)
    return commit(workspace, stored, thread, f"turn {_next_turn(stored.thread)}")


def set_aside(workspace: Workspace, stored: Stored, proposed: Proposal, reason: Reason) -> Stored:
    """Keep a turn that is not taken among the thread's alternatives."""
    thread = proposal.set_aside(stored.thread, proposed, reason)
    return commit(workspace, stored, thread, f"turn {_next_turn(stored.thread)} {reason}")


def edit_proposal(
    workspace: Workspace, stored: Stored, proposed: Proposal, index: int, message: Message, tools_at: ToolsAt | None
) -> tuple[Stored, Proposal]:
    """Change a message of a proposal, and carry out its calls that changed. The one that the model made is kept among
    the thread's alternatives, as one step.

    Args:
        workspace: where it is saved.
        stored: the thread as read.
        proposed: the proposal.
        index: which message, counted as if the proposal stood in the thread.
        message: the message as it is to be.
        tools_at: as `core.curate.editing.edit_message` has it.

    Returns:
        The thread as it is now, and the proposal as edited.

    Raises:
        ConflictError: the thread's file has moved on since it was read.
    """
    thread = stored.thread
    whole = with_messages(thread, [*thread.messages[: proposed.position], *proposed.messages])
    edited = edited_and_executed(whole, index, message, tools_at)
    saved = set_aside(workspace, stored, proposed, "edited")
    changed = tuple(edited.messages[proposed.position :])
    return saved, replace(proposed, messages=changed, complete=True, edited=True)


def take_sample(
    workspace: Workspace, stored: Stored, chosen: Proposal, others: Sequence[Proposal], tools: Tools | None = None
) -> Stored:
    """Take one of several turns proposed at one point; the others are kept as alternatives. One step.

    Raises:
        ConflictError: the thread, or its file, has moved on since the turns were proposed.
    """
    thread = stored.thread
    for other in others:
        thread = proposal.set_aside(thread, other, "sampled")
    what = f"turn {_next_turn(stored.thread)}, one of {len(others) + 1} samples"
    return commit(workspace, stored, _accepted(thread, chosen, tools), what)


def _accepted(thread: Thread, proposed: Proposal, tools: Tools | None) -> Thread:
    if proposed.position != len(thread.messages):
        raise ConflictError(f"{thread.id} has moved on since this turn was proposed; run again from its end")
    return proposal.accept(thread, replace(proposed, messages=tuple(with_ids_of(thread, proposed.messages))), tools)


def _next_turn(thread: Thread) -> int:
    return sum(is_assistant(message) for message in thread.messages) + 1
