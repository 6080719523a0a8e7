"""What an export is asked for, and what it says it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import SensorloomError
from core.export.split import SplitSpec

KEPT_REFUSALS = 1000
"""Refused threads named in a report; further ones are only counted."""

FIRST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Which threads are to leave, and in what form."""

    profile: str = "openai_v1"
    filter: str = ""
    finished_only: bool = True
    rejected: bool = False
    """Whether threads with the verdict `reject` leave too."""
    new_only: bool = False
    """Only threads that no export of this profile holds as they are now."""
    chosen: frozenset[str] | None = None
    """Only these stems; all when None."""
    split: SplitSpec | None = None
    dedupe: Literal["off", "exact", "near"] = "off"
    cap: int | None = None
    """Threads a label at most."""
    seed: int = 0
    """What a cap draws by."""
    correct_only: bool | None = None
    """Whether threads with a wrong answer stay behind, unless a person accepted them; as the workspace's settings say
    when None. The preference profiles want wrong ones, as the worse side of a pair."""
    call_ids: Literal["stored", "neutral"] = "stored"
    """The plain profile only: which call ids its rows have. Those of every other profile are neutral."""
    split_calls: bool = False
    """Whether parallel calls become turns of one call each."""
    template: str = "qwen"
    """LLaMA-Factory only: how the results of parallel calls are joined."""
    mask_bad: bool = False
    """Whether turns that are labelled bad stay in as context, out of the loss; where the form has loss marks."""
    with_system: bool = False
    """Whether what was sent before a thread leaves with it: the system prompt, and examples, which are not trained."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A thread that did not leave, and why."""

    stem: str
    reason: str
    """The kind, by which reports count."""
    sentence: str
    """What is the matter with this thread in particular."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of the first threads of an export."""

    id: str
    question: str
    truth: str
    answer: str
    correct: bool | None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished training file."""

    path: Path
    split: str
    """`train`, `val` …; empty when the export is not split."""
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did."""

    profile: str
    total: int
    """Files in the threads folder."""
    exported: int
    """Threads that left."""
    skipped: Mapping[str, int]
    """Why threads did not leave, by reason, most frequent first."""
    refusals: tuple[Refusal, ...]
    """The threads behind the reasons that need attention; not those that were merely not selected."""
    examples: tuple[Example, ...]
    balance: Mapping[str, Mapping[str, int]]
    """Threads by label, for each split (`""` when not split)."""
    changes: Mapping[str, int]
    """What the profile changes or leaves out, in how many places."""
    wrong: int = 0
    """How many of those that left have a wrong answer that no person accepted."""
    warnings: tuple[str, ...] = ()
    """Where they are less varied than the settings want, one sentence each."""
    files: tuple[ExportFile, ...] = ()
    beside: tuple[Path, ...] = ()
    """Config snippets, sidecars and the manifest."""
    seconds: float = 0.0

    @property
    def path(self) -> Path | None:
        """The training file; the first one of a split export; None when nothing left."""
        return self.files[0].path if self.files else None


class NothingToExportError(SensorloomError):
    """No thread passed; no file was written. The report says why each did not."""

    def __init__(self, message: str, report: ExportReport) -> None:
        super().__init__(message)
        self.report = report


class ExportCancelledError(SensorloomError):
    """The export was stopped; no file was written."""


@dataclass(slots=True)
class Progress:
    """How a caller follows an export and stops it. `report` is called from the export's own thread."""

    report: Callable[[int, int], Any] = lambda _done, _total: None
    """Threads looked at so far, and of how many."""
    cancelled: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Skips:
    """Counts why threads do not leave, and remembers the ones that need attention."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    refusals: list[Refusal] = field(default_factory=list[Refusal])

    def passed_over(self, reason: str, count: int = 1) -> None:
        """Threads that were not selected."""
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count

    def refuse(self, stem: str, reason: str, sentence: str) -> None:
        """A thread that was selected and cannot leave."""
        self.passed_over(reason)
        if len(self.refusals) < KEPT_REFUSALS:
            self.refusals.append(Refusal(stem, reason, sentence))

    def add(self, other: Skips) -> None:
        """Others that did not leave."""
        for reason, count in other.counts.items():
            self.passed_over(reason, count)
        self.refusals += other.refusals[: max(0, KEPT_REFUSALS - len(self.refusals))]

    def ordered(self) -> dict[str, int]:
        """The counts, most frequent first."""
        return dict(sorted(self.counts.items(), key=lambda item: (-item[1], item[0])))
