"""`pass_rates.json` in the workspace: how often each model was right about a session, which is how hard that is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import comb
from pathlib import Path
from typing import Literal

import msgspec

from core.errors import WorkspaceError
from core.files import read_regular_file
from core.storage.atomic import write_atomic
from core.storage.locks import locked
from core.text import unicode_text

PASS_RATES_FILE = "pass_rates.json"
Difficulty = Literal["easy", "middle", "hard"]
DIFFICULTIES: tuple[Difficulty, ...] = ("easy", "middle", "hard")
HARD, EASY = 0.2, 0.8
"""Right less often than `HARD` is hard, more often than `EASY` is easy."""


class PassRate(msgspec.Struct, frozen=True):
    """So many of so many attempts at a session were right."""

    right: int
    of: int

    @property
    def difficulty(self) -> Difficulty:
        """Easy, middle or hard."""
        share = self.right / self.of if self.of else 0.0
        return "hard" if share < HARD else "easy" if share > EASY else "middle"

    def at_least_one_of(self, k: int) -> float | None:
        """How likely at least one of `k` attempts is right: the unbiased pass@k of Chen et al. (2021), Evaluating large
        language models trained on code. None where fewer were made."""
        return None if k > self.of else 1.0 - comb(self.of - self.right, k) / comb(self.of, k)

    def all_of(self, k: int) -> float | None:
        """How likely all of `k` attempts are right: pass^k of Yao et al. (2024), τ-bench. None where fewer are."""
        return None if k > self.of else comb(self.right, k) / comb(self.of, k)


Rates = dict[str, dict[str, dict[str, PassRate]]]
"""By dataset, session and model; the model asked last is last."""


def read_pass_rates(root: Path) -> Rates:
    """Read `pass_rates.json`; nothing when there is none. Raises WorkspaceError for one that is damaged."""
    path = root / PASS_RATES_FILE
    try:
        return msgspec.json.decode(read_regular_file(path), type=Rates)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{path}: cannot be read: {error}; mend it, or move it away to begin anew") from error


def add_pass_rates(root: Path, model: str, counted: Mapping[tuple[str, str], PassRate]) -> Rates:
    """Add attempts of a model to what is known of it, by dataset and session. Raises SensorloomError."""
    with locked(root / ".sensorloom"):
        rates = read_pass_rates(root)
        for (dataset, session), fresh in counted.items():
            by_model = rates.setdefault(dataset, {}).setdefault(session, {})
            before = by_model.pop(model, PassRate(0, 0))
            by_model[model] = PassRate(before.right + fresh.right, before.of + fresh.of)
        document = json.dumps(msgspec.to_builtins(rates), indent=1, ensure_ascii=False)
        write_atomic(root / PASS_RATES_FILE, (unicode_text(document) + "\n").encode())
    return rates


def latest(rates: Rates, dataset: str, session: str, model: str = "") -> PassRate | None:
    """How often a model was right about a session; without its name, the one that was asked last."""
    by_model = rates.get(dataset, {}).get(session, {})
    if model:
        return by_model.get(model)
    return next(reversed(by_model.values()), None)
