"""Proof that a trainer can use an export: its own loading code is run on it, in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.errors import SensorloomError, UsageError
from core.export.manifest import MANIFEST_SUFFIX
from core.export.profiles import PROFILES
from core.export.profiles.profile import Profile, Trainer

PROBES = Path(__file__).parent / "probes"
TRAINERS: tuple[Trainer, ...] = (
    "trl", "axolotl", "llamafactory", "ms_swift", "verl", "openrlhf", "oumi", "unsloth", "torchtune",
)  # fmt: skip
ENVIRONMENTS = ".trainers"
"""Where `make trainers` puts one environment per trainer."""

ROWS_IN = (".jsonl", ".json", ".parquet")
"""What the rows of an export may stand in; what else lies beside them is settings and code."""

_OTHERS = ("user", "tool", "system", "context")
"""Whose words must not be trained; `context` is the assistant's turns that are out of the loss."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a trainer makes of an export."""

    export: str
    profile: str
    trainer: Trainer
    rows_in: int
    rows_loaded: int
    rows_measured: int
    """Rows whose tokens were looked at; each side of a preference pair counts."""
    tokens: int
    trained: Mapping[str, int]
    """Tokens with a label, by whose words they carry; `markup` is what the template adds around the assistant's."""
    assistant_left_out: int
    """Tokens of the assistant's words that carry no label."""
    texts_lost: int
    text_lost: tuple[str, ...]
    """The first texts that no token carries, each with its role."""
    lengths: tuple[int, ...] = ()
    """How many tokens each row that was looked at has."""
    cutoff: int = 0
    """How many a row may have before the trainer cuts it; 0 where that was not asked."""

    @property
    def too_long(self) -> int:
        """How many of the rows that were looked at would be cut."""
        return sum(length > self.cutoff for length in self.lengths) if self.cutoff else 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be; empty when the proof holds."""
        wrong = {role: self.trained[role] for role in _OTHERS if self.trained.get(role)}
        parts = [
            f"{self.rows_in - self.rows_loaded} of {self.rows_in} rows were dropped"
            if self.rows_loaded < self.rows_in
            else "",
            f"{self.texts_lost} texts were lost" if self.texts_lost else "",
            f"tokens of others are trained: {', '.join(f'{role} {count}' for role, count in wrong.items())}"
            if wrong
            else "",
            "" if self.trained.get("assistant") else "nothing the assistant says is trained",
            f"{self.assistant_left_out} of the assistant's tokens are not trained" if self.assistant_left_out else "",
            f"rows longer than {self.cutoff:,} tokens, which would be cut: {self.too_long}" if self.too_long else "",
        ]
        return tuple(part for part in parts if part)


def profile_of_export(path: Path) -> Profile:
    """The profile an export was made with: from its manifest, else from its name. Raises UsageError."""
    for manifest in sorted(path.parent.glob(f"*{MANIFEST_SUFFIX}")):
        if not path.name.startswith(manifest.name.removesuffix(MANIFEST_SUFFIX)):
            continue
        try:
            return PROFILES[json.loads(manifest.read_bytes())["profile"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    stems = {profile.file_stem: profile for profile in PROFILES.values()}
    for stem in sorted(stems, key=len, reverse=True):
        if path.name.startswith(f"{stem}_"):
            return stems[stem]
    raise UsageError(f"{path.name}: which profile it is cannot be told; its manifest is not beside it")


def python_of(trainer: Trainer, chosen: str | None, root: Path) -> Path:
    """The Python that has the trainer. Raises UsageError saying how to get one."""
    path = Path(chosen).expanduser() if chosen else root / ENVIRONMENTS / trainer / "bin" / "python"
    if path.is_dir():
        path = path / "bin" / "python"
    if not path.exists():
        raise UsageError(f"no Python with {trainer} at {path}; `make trainers` builds one, or name yours with --python")
    return path


def prove(path: Path, trainer: Trainer, python: Path, *, model: str = "", limit: int = 1000, cutoff: int = 0) -> Proof:
    """Run a trainer's own loading code on an export.

    Args:
        path: the training file.
        trainer: which trainer.
        python: the Python of an environment that has it.
        model: folder of a model or tokenizer, for its own template; a tiny one with a plain template when empty.
        limit: rows whose tokens are looked at; all are loaded.
        cutoff: tokens from which on the trainer cuts a row; says nothing without a model's own tokenizer.

    Raises:
        UsageError: the trainer does not take this form, with the reason.
        SensorloomError: the trainer's code failed; the message has its last line.
    """
    if not path.is_file():
        raise UsageError(f"there is no export {path}")
    if path.suffix not in ROWS_IN or path.name.endswith(MANIFEST_SUFFIX):
        raise UsageError(f"{path.name} stands beside an export and holds no rows: name the export, a file in `.jsonl`")
    profile = profile_of_export(path)
    if trainer not in profile.trainers:
        raise UsageError(_refusal(profile, trainer))
    command = [str(python), str(PROBES / f"{trainer}_probe.py"), str(path.absolute()), profile.name, model, str(limit)]
    quiet = {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "CUDA_VISIBLE_DEVICES": "",
    }
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    ended = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment | quiet, cwd=path.parent, check=False
    )
    lines = [line for line in ended.stdout.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1]) if ended.returncode == 0 and lines else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        complaints = [line for line in ended.stderr.splitlines() if line.strip()]
        raise SensorloomError(
            f"{trainer} could not load {path.name}: {complaints[-1] if complaints else 'it said nothing'}"
        )
    return msgspec.convert(
        {**answer, "export": path.name, "profile": profile.name, "trainer": trainer, "cutoff": cutoff}, Proof
    )


def _refusal(profile: Profile, trainer: Trainer) -> str:
    if trainer == "axolotl" and profile.pairs:
        return "Axolotl's preference loaders drop tool calls and tools; train pairs with TRL or LLaMA-Factory"
    fitting = [other.name for other in PROFILES.values() if trainer in other.trainers]
    return f"{trainer} does not load the form {profile.name}; export with --profile {' or '.join(fitting)}"


def here() -> Path:
    """The folder that `make trainers` is run in: the source tree, or the current folder for an installed program."""
    tree = Path(__file__).parents[2]
    return tree if (tree / "Makefile").exists() else Path(sys.prefix).parent
