"""What goes from the driver to a worker, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.cluster.parcels import Parcel
from core.errors import SensorloomError
from core.model.endpoints import ModelChoice
from core.runs.job import Job
from core.runs.own_tools import ToolsFile
from core.settings import Settings
from core.storage.carrying import Carried

DATASET = "{dataset}"
"""In a URL, the name of whichever dataset is read."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What every worker needs before its first thread."""

    version: str
    code: str
    """The digest of our own code: threads that are equal wherever they ran are made by equal programs."""
    settings: Settings
    choice: ModelChoice
    parallel: int | None
    """Threads at once of each worker; see `core.runs.pace.pace_for`."""
    tools: tuple[str, ...]
    """The names of the tools that a model is offered, in their order; none for a run without tools."""
    files: tuple[ToolsFile, ...]
    """Files of one's own tools, which the driver's machine trusts."""
    parcels: tuple[Parcel, ...]
    """The datasets that the threads are about."""
    shared: bool = True
    """Whether a dataset is read where the driver has it by a machine that sees it there."""
    data_from: str = ""
    """A URL from which machines read a dataset that they lack, `{dataset}` in it being its name; empty where the driver
    sends it."""
    tables: bool = True
    """Whether the datasets' feature tables are made before the work begins."""
    task: Task | None = None
    """What is done with items of work; none where threads are run."""

    def url_of(self, dataset: str) -> str:
        """From where a dataset is read; empty where the driver sends it."""
        return self.data_from.replace(DATASET, dataset)


@dataclass(frozen=True, slots=True)
class Task:
    """How items of work are done: see `core.processes.items`."""

    opener: Callable[..., Callable[[Sequence[Any]], Sequence[Any]]]
    """A function of a module; called with the worker's workspace and `setup`, it gives the job."""
    setup: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a block of items."""

    results: Sequence[Any]
    """One for each, in their order."""
    seconds: float
    error: SensorloomError | None = None
    """What the job raised; it ends the whole of the work."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a worker answers when it has looked through its kit."""

    node: str
    """Its machine's address."""
    missing: tuple[str, ...] = ()
    """Datasets that it has not, and cannot see where the driver has them."""
    limit: int = 1
    """How many threads it may have at first."""
    problem: str = ""
    """Why it cannot work at all; one sentence or empty."""


@dataclass(frozen=True, slots=True)
class Question:
    """A new thread whose question the model is to propose."""

    job: Job
    prompt: str
    """What the model is told that proposes it."""
    address: str


@dataclass(frozen=True, slots=True)
class Errand:
    """A thread to be run to its end."""

    job: Job
    """With the thread's id; what cannot travel is not in it."""
    thread: Carried
    prompts: Mapping[str, bytes]
    """The prompts that the thread names, by the names of their files."""
    address: str
    """The endpoint's; empty for the built-in analyst."""
    hint: str = ""
    """What is said to the model with every request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a thread, or of its question."""

    thread: Carried | None = None
    question: str = ""
    error: str = ""
    cancelled: bool = False
    seconds: float = 0.0
    for_all: bool = False
    """Whether what failed would meet every other thread too."""
    limit: int = 1
    """How many threads the worker may have now, by what it found out of the endpoint."""
    notes: tuple[str, ...] = field(default=())
    """What a person is told beside, a sentence each."""


Variables = Mapping[str, str]
"""Variables of the driver's environment that requests need: keys. They are handed to each worker's memory in a call of
their own, and written nowhere."""

Part = Any
"""A piece of a dataset as it lies in the cluster's own memory: what `Cluster.put` gave."""
