"""In which mode of evidence and in which form of their task new threads are begun, where that is not said of each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.thread.evidence import DEFAULT, Evidence, Wanted, settled, usual
from core.thread.scoring import ACTIVITY

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job
    from core.thread.form import TaskForm
    from core.workspace import Workspace


def wanted_evidence(workspace: Workspace, choice: ModelChoice) -> Wanted:
    """As the settings have it, else as is usual with this model."""
    return workspace.settings.run.evidence or usual(choice.endpoint.builtin)


def evidence_for_all(workspace: Workspace) -> Evidence:
    """What the settings name where all are to be asked alike, with the same tools: of `mix` the default."""
    wanted = workspace.settings.run.evidence
    return DEFAULT if wanted is None or wanted == "mix" else wanted


def wanted_form(workspace: Workspace, name: str = "") -> TaskForm:
    """A form by its name, the workspace's own choice unless named, whose tools there are.

    Raises:
        UsageError: there is no such form, or it names a tool that there is not.
    """
    from core.curate.task import form_named

    return with_known_tools(workspace, form_named(workspace, name))


def with_known_tools(workspace: Workspace, form: TaskForm) -> TaskForm:
    """The form, whose tools there are. Raises UsageError naming the nearest one for a tool that there is not."""
    from core.runs.toolbox import open_toolbox

    names = [tool.name for tool in open_toolbox(workspace)] if form.tools else []
    if wrong := next((tool for tool in form.tools if tool not in names), None):
        near = difflib.get_close_matches(wrong, names, 1)
        hint = f"did you mean `{near[0]}`?" if near else "`sensorloom tools` lists them"
        raise UsageError(f"the form {form.name!r} of a task names the tool {wrong!r}, which there is not; {hint}")
    return form


def form_told(workspace: Workspace, told: Mapping[str, Any]) -> TaskForm:
    """The form that a person told, with what was told to be changed of it.

    Args:
        workspace: where forms of its own are.
        told: texts by name, empty for nothing: `form`, `system`, `few_shot`, `tools`, and `question_prompt`, which may
            be missing.

    Raises:
        SensorloomError: there is no such form, file or tool.
    """
    import msgspec

    from core.curate.prompts import with_prompts

    form = wanted_form(workspace, told["form"])
    form = with_prompts(workspace, form, told["system"], told.get("question_prompt", ""))
    if wanted := told["few_shot"]:
        shown = int(wanted) if wanted.isdecimal() else tuple(filter(None, map(str.strip, wanted.split(","))))
        form = msgspec.structs.replace(form, few_shot=shown)
    if names := tuple(filter(None, map(str.strip, told["tools"].split(",")))):
        form = with_known_tools(workspace, msgspec.structs.replace(form, tools=names))
    return form


def with_form(jobs: Sequence[Job], form: TaskForm) -> list[Job]:
    """The jobs, those of new threads in this form."""
    return [job if job.stem else replace(job, form=form) for job in jobs]


def with_evidence(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, wanted: Wanted | None = None
) -> list[Job]:
    """The jobs, those of new threads in the mode that is wanted, or that the settings and the model make usual.

    Nothing is usual for a question that asks for something else than the activity: it may ask about comparisons.
    """
    named = wanted or wanted_evidence(workspace, choice)
    return [
        job
        if job.stem or (wanted is None and job.asked is not None and job.asked.kind != ACTIVITY)
        else replace(job, evidence=settled(named, job.session, job.seed))
        for job in jobs
    ]
