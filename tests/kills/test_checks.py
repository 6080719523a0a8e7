"""The looks after a kill see what they are there to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.curate.world import make_finished, make_workspace, set_verdict
from tests.kills.checks import Ledger


def history_file(root: Path, suffix: str) -> Path:
    return next((root / ".sensorloom" / "history").glob(f"*{suffix}"))


def thread_file(root: Path) -> Path:
    return next((root / "threads").glob("*.json"))


def lose_a_line(root: Path) -> None:
    log = history_file(root, ".log")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], b"{}\n", *lines[3:]]))


LOSSES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a thread": (lambda root: thread_file(root).unlink(), "is gone"),
    "half a thread": (lambda root: thread_file(root).write_bytes(b'{"id": '), "line 1"),
    "a change without a step": (lambda root: thread_file(root).write_bytes(b"{}"), "into what no step says"),
    "an earlier state": (lambda root: history_file(root, ".pack").write_bytes(b""), "no longer in the history"),
    "a line of a history": (lose_a_line, "cannot be read"),
    "a manifest": (lambda root: (root / "exports" / "a.jsonl").write_bytes(b"{}\n"), "without a manifest"),
    "an original": (lambda root: (root / "originals" / "a_v3_1.json").write_bytes(b"{}"), "is nowhere"),
    "splits": (lambda root: (root / "splits.json").write_bytes(b"{"), "damaged"),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_loss_is_seen(tmp_path: Path, loss: tuple[Callable[[Path], object], str]):
    workspace = make_workspace(tmp_path)
    set_verdict(workspace, make_finished(workspace), "accept")
    for name in ("exports", "originals", "data/demo/sessions/a"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    ledger = Ledger(tmp_path)
    assert ledger.problems() == []
    lose, sentence = loss
    lose(tmp_path)
    history_file(tmp_path, ".log").touch()
    assert any(sentence in problem for problem in ledger.problems())
