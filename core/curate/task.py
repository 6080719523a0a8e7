"""The form that a new thread's task is put in: by name, and what the thread shows and keeps of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from core.curate.examples import examples_for
from core.curate.prompts import pinned, prompt_text
from core.errors import UsageError
from core.thread.form import BUILTIN_FORMS, KEY, SHOWN, USUAL, TaskForm, checksum_in, form_in, record_of
from core.thread.opening import first_message, question_prompt, system_prompt
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset
    from core.thread.evidence import Evidence


def form_names(workspace: Workspace) -> tuple[str, ...]:
    """The names of the forms that there are: the program's own first."""
    return tuple(dict.fromkeys((*BUILTIN_FORMS, *workspace.settings.task.forms)))


def form_named(workspace: Workspace, name: str = "") -> TaskForm:
    """A form by its name; the workspace's own choice unless named. Raises UsageError naming the nearest one."""
    wanted = name or workspace.settings.task.form
    own = workspace.settings.task.forms
    form = own.get(wanted, BUILTIN_FORMS.get(wanted))
    if form is not None:
        return msgspec.structs.replace(form, name=wanted, **_over(workspace))
    names = form_names(workspace)
    near = difflib.get_close_matches(wanted, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"
    where = "" if name else " (`form` under [task])"
    raise UsageError(f"there is no form {wanted!r} of a task{where}; {hint}")


def _over(workspace: Workspace) -> dict[str, Any]:
    """What `[task]` says for every form."""
    task = workspace.settings.task
    told = {"system": task.system, "question": task.question, "few_shot": task.few_shot, "tools": task.tools}
    return {name: value for name, value in told.items() if value is not None}


def opening_in(dataset: StandardDataset, question: str, form: TaskForm) -> dict[str, str]:
    """The message that opens a thread about a session of this dataset."""
    if form.manifest == "full":
        return first_message(dataset.manifest, question)
    from core.datasets.short_manifest import short_manifest

    return first_message(short_manifest(dataset), question, short=True)


def recorded_form(workspace: Workspace, form: TaskForm, *, keeps: bool = True) -> dict[str, Any]:
    """What a new thread keeps of its form: names of prompts with their checksums, under which `keeps` puts their texts
    by. Raises UsageError: for a prompt that is not there."""
    system, question = (pinned(workspace, value, keeps=keeps) for value in (form.system, form.question))
    form = msgspec.structs.replace(form, system=system, question=question)
    return record_of(form, {"system": system_prompt()} if form.system == USUAL else {})


def kept_form(
    workspace: Workspace, dataset: StandardDataset, session: str, form: TaskForm, evidence: Evidence
) -> dict[str, Any]:
    """What a new thread's metadata keep of its form, with the threads that are shown before it. Raises UsageError."""
    shown = examples_for(workspace, dataset, session, form, evidence)
    return {KEY: {**recorded_form(workspace, form), **({SHOWN: shown} if shown else {})}}


def asking_prompt(workspace: Workspace, form: TaskForm | None = None) -> str:
    """What a model is told that proposes a question; by the workspace's own form unless told. Raises UsageError."""
    form = form_named(workspace) if form is None else form
    return prompt_text(workspace, form.question, question_prompt())


def is_changed(workspace: Workspace, metadata: Mapping[str, Any]) -> bool:
    """Whether a thread was made with another prompt, or another form of this name, than a new one would be now."""
    checksum = checksum_in(metadata)
    if not checksum:
        return False
    try:
        now = recorded_form(workspace, form_named(workspace, form_in(metadata).name), keeps=False)
        return now["sha256"] != checksum
    except UsageError:
        return True
