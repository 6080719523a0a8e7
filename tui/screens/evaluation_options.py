"""What can be chosen of a new evaluation, and what the choices ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.curate.prompts import FOLDER
from core.curate.task import form_names
from core.errors import UsageError
from core.evaluation import MAX_TRIES
from core.evaluation.contest import QUESTION
from core.evaluation.planning import COUNT, Wanted
from core.model.headers import refuse_spelled_out
from core.model.options import FLAGS, read_option
from core.runs.mode import form_told
from core.text import one_line
from core.thread.evidence import EVIDENCE
from core.thread.form import NONE, USUAL
from core.workspace import Workspace
from tui.dialogs.asking_option import names_in
from tui.dialogs.option_rows import Option
from tui.screens.model import USUAL as USUAL_SERVING

YES = "yes"
_COUNTS = ("20", "50", "100", "200", "500")
SERVING = (*(name for name in FLAGS if name != "headers"), "concurrency")
"""How all are asked. Headers may hold the key of one endpoint, and an evaluation keeps none."""
_VALUES = {"parallel_tool_calls": ("yes", "no"), "system_role": ("system", "developer", "user", "none")}
_LABELS = {
    "parallel_tool_calls": "parallel calls",
    "connect_timeout_sec": "connect timeout",
    "first_token_timeout_sec": "first token wait",
    "timeout_sec": "timeout",
    "concurrency": "at once",
}
"""Names too long for a row, and those that say more."""


def options_for(
    workspace: Workspace, datasets: Sequence[str], endpoints: Sequence[str], prompts: Sequence[Path]
) -> tuple[Option, ...]:
    """Everything there is to decide, in the order of the dialog."""
    counts = (("", f"{COUNT}, or all there are"), *((count, count) for count in _COUNTS))
    evidence = (("", "as the settings have it"), *((name, name) for name in EVIDENCE))
    return (
        Option("datasets", "datasets", "whose sessions; figures of several stand for each too", asks="datasets",
               screen=True, empty="none there yet" if endpoints and not datasets else "…"),
        Option("count", "sessions", "of each dataset, drawn at random, spread over the labels", counts,
               asks="how many sessions of each dataset"),
        Option("held_out", "people", "people in training threads make figures too high",
               (("", "all of them"), (YES, "only those that are held out from training"))),
        Option("filter", "filter", "by label:… subject:… >10 (seconds) fresh used, a part of the name; OR takes either",
               (("", "every session"),), asks="label:walking -subject:s01 >10 fresh OR …"),
        Option("endpoints", "who answers", "models, the same questions for all", asks="models", screen=True,
               empty="the one that runs use" if endpoints else "…"),
        Option("control", "control", "each of them once more without tools shows what is guessed",
               (("", "none"), (YES, "each once more without tools"))),
        Option("tries", "tries", "at each session", tuple((n, n) for n in ("1", "2", "4", "8")),
               asks=f"tries at each session, up to {MAX_TRIES}"),
        Option("question", "question", "is asked of all", (("", QUESTION),), asks="what is asked of all"),
        Option("evidence", "evidence", "what answers may rest on, the same for all", evidence),
        Option("seed", "seed", "decides which sessions are drawn", (("", "another one each time"),), asks="the seed"),
        Option("name", "name", "its folder in evaluations/", (("", "the datasets and a number"),), asks="its name"),
        *_of_the_form(workspace, prompts),
        *map(_serving, SERVING),
    )  # fmt: skip


def prompts_in(workspace: Workspace) -> list[Path]:
    """The files of the workspace's own prompts."""
    return sorted(path for path in (workspace.root / FOLDER).glob("*") if path.is_file())


def _of_the_form(workspace: Workspace, files: Sequence[Path]) -> tuple[Option, ...]:
    """What the models are shown of the task."""
    prompts = (("", "as the form has it"), (USUAL, "the usual one"), (NONE, NONE),
               *((str(path), one_line(path.name, 60)) for path in files))  # fmt: skip
    shown = (("", "as the form has it"), ("0", "none"), ("2", "2"), ("4", "4"))
    return (
        Option("form", "form of the task", "what all are shown of it",
               (("", "as the settings have it"), *((name, name) for name in form_names(workspace)))),
        Option("system", "system prompt", f"usual, none, or a file; those in {FOLDER}/ are listed", prompts,
               asks="a file with the system prompt"),
        Option("few_shot", "examples", "accepted threads that are shown before each question", shown,
               asks="how many accepted threads are shown, or their ids with commas between"),
        Option("tools", "tools", "those that are offered", (("", "as the form has it"),),
               asks="the names of the tools that are offered, with commas between"),
        Option("max_turns", "turns at most", "assistant messages that a thread may hold",
               (("", "as the settings have it"),), asks="assistant messages that a thread may hold"),
    )  # fmt: skip


def _serving(name: str) -> Option:
    about = FLAGS[name][2] if name in FLAGS else "Threads that are run at the same time."
    usual = ("", f"as the settings have it, else {USUAL_SERVING.get(name, 'the server decides')}")
    values = tuple((value, value) for value in _VALUES.get(name, ()))
    asks = "" if values else f"{about.rstrip('.')}{' (JSON)' if FLAGS.get(name, ('', ''))[1] == 'JSON' else ''}"
    return Option(name, _LABELS.get(name, name.replace("_", " ")), about, (usual, *values), asks=asks)


def wanted_of(workspace: Workspace, chosen: Mapping[str, str]) -> Wanted:
    """What the choices ask for. Raises UsageError for what cannot be read, or is not there."""
    if not names_in(chosen.get("datasets", "")):
        raise UsageError("no dataset is chosen; import one first where there is none")
    told = {name: value.strip() for name, value in chosen.items()}
    form = {name: told.get(name, "") for name in ("form", "system", "few_shot", "tools")}
    options: dict[str, Any] = {name: read_option(name, told[name]) for name in SERVING if told.get(name)}
    refuse_spelled_out(options.get("extra_body"))
    return Wanted(
        names_in(told["datasets"]),
        told.get("name", ""),
        _number("sessions", told, 1, 1_000_000, "count") or 0,
        _number("seed", told, 0, 2**31 - 1),
        bool(told.get("held_out")),
        names_in(told.get("endpoints", "")),
        bool(told.get("control")),
        _number("tries", told, 1, MAX_TRIES) or 1,
        told.get("question", "") or QUESTION,
        next((name for name in EVIDENCE if name == told.get("evidence")), None),
        _number("turns at most", told, 1, 10_000, "max_turns"),
        options,
        form_told(workspace, form),
        told.get("filter", ""),
    )


def _number(label: str, chosen: Mapping[str, str], least: int, most: int, name: str = "") -> int | None:
    text = chosen.get(name or label, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise UsageError(f"{label}: `{one_line(text, 30)}` is no number from {least} to {most}")
    return int(text)
