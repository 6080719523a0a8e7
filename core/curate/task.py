"""The form that a new thread's task is put in: by name, and what the thread shows and keeps of it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import UsageError
from core.thread.form import BUILTIN_FORMS, KEY, USUAL, TaskForm, record_of
from core.thread.opening import first_message, system_prompt
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.standard import StandardDataset


def form_names(workspace: Workspace) -> tuple[str, ...]:
    """The names of the forms that there are: the program's own first."""
    return tuple(dict.fromkeys((*BUILTIN_FORMS, *workspace.settings.task.forms)))


def form_named(workspace: Workspace, name: str = "") -> TaskForm:
    """A form by its name; the workspace's own choice unless named. Raises UsageError naming the nearest one."""
    wanted = name or workspace.settings.task.form
    own = workspace.settings.task.forms
    if wanted in own:
        return msgspec.structs.replace(own[wanted], name=wanted)
    if wanted in BUILTIN_FORMS:
        return BUILTIN_FORMS[wanted]
    names = form_names(workspace)
    near = difflib.get_close_matches(wanted, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(names)}"
    where = "" if name else " (`form` under [task])"
    raise UsageError(f"there is no form {wanted!r} of a task{where}; {hint}")


def opening_in(dataset: StandardDataset, question: str, form: TaskForm) -> dict[str, str]:
    """The message that opens a thread about a session of this dataset."""
    if form.manifest == "full":
        return first_message(dataset.manifest, question)
    from core.datasets.short_manifest import short_manifest

    return first_message(short_manifest(dataset), question, short=True)


def recorded_form(workspace: Workspace, form: TaskForm) -> dict[str, Any]:
    """What a new thread's metadata keep of its form."""
    texts = {"system": system_prompt()} if form.system == USUAL else {}
    return {KEY: record_of(form, texts)}
