"""A batch's file line by line: the first says what is to be made, and how; each further one what became of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from core.thread.evidence import Evidence
from core.thread.form import TaskForm
from core.thread.kinds import Asked


class JobLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One job as the file has it."""

    dataset: str
    session: str
    question: str = ""
    seed: int | None = None
    max_turns: int | None = None
    evidence: Evidence | None = None
    asked: Asked | None = None
    hint: bool = False
    """Whether the model is told the truth."""
    form: TaskForm | None = None


class Setup(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line: what is to be made, and how."""

    begun_at: str
    endpoint: str
    model: str
    jobs: tuple[JobLine, ...]
    seed: int | None = None
    options: dict[str, Any] = {}
    """How the model is asked: values of `ServingSettings`, as far as they may be written."""
    parallel: int | None = None
    keep_empty: bool = False
    threads: str = "threads"
    """The folder of threads, as it is shown."""
    ways: int = 0
    """How many ways at each session the jobs are, of which the right ones stay when all are over; 0 for none."""
    keep_all: bool = False
    """Whether all ways stay."""


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """A further line."""

    job: int
    stem: str = ""
    over: bool = False
    error: str = ""
    """Why it broke off, where it did."""
    sorted_out: bool = False


def notes_in(lines: Iterable[bytes]) -> Iterator[Note]:
    """What the further lines say; one that a kill cut off is passed over."""
    for line in lines:
        with suppress(msgspec.MsgspecError, ValueError):
            yield msgspec.json.decode(line, type=Note)
