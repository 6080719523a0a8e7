"""What a profile is, and what it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.thread.value import Message, Thread

Row = dict[str, Any]
Trainer = Literal["trl", "axolotl", "llamafactory", "ms_swift", "verl", "openrlhf", "oumi", "unsloth", "torchtune"]
TEMPLATES = ("qwen", "other")
"""How LLaMA-Factory joins the results of parallel calls: Qwen's own mark, or a JSON list."""


class RefusedError(Exception):
    """A trainer would drop or garble something of this thread. `reason` is the kind, the message the particulars."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(slots=True)
class Making:
    """What a profile is given beside the thread, and where it counts what its form changes."""

    split_calls: bool = False
    """Whether parallel calls become turns of one call each, which Llama-3's templates need."""
    template: str = "qwen"
    mask_bad: bool = False
    """Whether turns that are labelled bad are kept out of the loss."""
    siblings: Sequence[Thread] = ()
    """The other threads of the family, for preference pairs."""
    ahead: Sequence[Message] = ()
    """What leaves before each prompt of a preference pair: the system prompt and the examples that were sent."""
    changes: Counter[str] = field(default_factory=Counter[str])
    """What the form changes or leaves out, and in how many places. A caller shows it; nothing is lost unsaid."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished training file, as a config snippet names it."""

    name: str
    """File name inside the exports folder."""
    split: str


def train_and_held(files: Sequence[Written]) -> tuple[str, str]:
    """The names of the file that is trained on, and of the one for validation; this is empty where there is none."""
    by_split = {file.split: file.name for file in files}
    return by_split.get("train") or by_split.get("") or files[0].name, by_split.get("val", "")


@dataclass(frozen=True, slots=True)
class Profile:
    """A form of training file."""

    name: str
    about: str
    """For whom it is, in one line."""
    file_stem: str
    """The name of its files before the time."""
    trainers: tuple[Trainer, ...] = ()
    """Whose loading code `sensorloom prove` can run on it."""
    rows: Callable[[Thread, Making], list[Row]] | None = None
    """None for the plain copy."""
    snippets: Callable[[str, Sequence[Written], Making], Mapping[str, str]] = lambda _stem, _files, _making: {}
    """File name to text of what is written beside the export, given the export's own stem."""
    pairs: bool = False
    """Whether its rows are preference pairs, so that siblings are needed and rejected ones are wanted."""
    steps: bool = False
    """Whether its rows are labelled turns: then rejected threads and wrong ones are wanted, for their errors."""
    prompts: bool = False
    """Whether its rows are what was asked alone, so that what was answered is no matter."""
    options: frozenset[str] = frozenset()
    """Which of the options that not every profile heeds mean something with it."""
    sidecar: Callable[[Thread], Row] | None = None
    """What is kept beside each row in a file of its own, line by line, because the form has no place for it."""

    parquet: bool = False
    """Whether each file stands there as Parquet, too."""

    @property
    def wants_wrong(self) -> bool:
        """Whether wrong answers are wanted: it learns from what went wrong, or of answers nothing leaves."""
        return self.pairs or self.steps or self.prompts
