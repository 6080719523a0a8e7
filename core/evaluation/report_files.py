"""The report of an evaluation beside its threads, written anew each time: Markdown, JSON, CSV, and a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from core.evaluation.contest import Evaluation, folder_of
from core.evaluation.picture import picture
from core.evaluation.report import Answers, document, lines, table
from core.storage.atomic import write_atomic
from core.workspace import Workspace

FILES: Mapping[str, Callable[[Evaluation, Answers], str]] = {
    "report.md": lambda evaluation, answers: "\n".join((*lines(evaluation, answers), "")),
    "report.json": lambda evaluation, answers: (
        msgspec.json.format(msgspec.json.encode(document(evaluation, answers)), indent=2).decode() + "\n"
    ),
    "tries.csv": lambda _, answers: table(answers),
    "table.svg": picture,
}
"""By its name, what makes each of them."""


def write_report(workspace: Workspace, evaluation: Evaluation, answers: Answers) -> None:
    """Write all of it. Raises SensorloomError."""
    folder = folder_of(workspace, evaluation.name)
    for name, made_by in FILES.items():
        write_atomic(folder / name, made_by(evaluation, answers).encode())
