"""Histories that a failed write, a kill or a damaged disk left behind."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core import curate
from core.errors import SensorloomError
from core.storage import history, history_files, store
from core.storage.store import Stored
from core.workspace import Workspace
from tests.core.curate.world import set_tags, set_verdict


def log_of(workspace: Workspace, stored: Stored) -> Path:
    return history_files.folder(workspace) / f"{stored.stem}.log"


def failing_replace(monkeypatch: pytest.MonkeyPatch, stem: str) -> None:
    """The disk is full whenever this thread's file is to be replaced."""
    rename = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == f"{stem}.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", full)


@pytest.mark.parametrize("again", [1, 3])
def test_an_undo_that_failed_on_a_full_disk_is_the_next_undo_of_the_workspace(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch, again: int
):
    other = curate.branch(workspace, finished, 3)
    judged = set_verdict(workspace, finished, "accept")
    with monkeypatch.context() as patch:
        failing_replace(patch, judged.stem)
        for _ in range(again):
            with pytest.raises(SensorloomError, match="no space left"):
                curate.undo_latest(workspace)
    undone = curate.undo_latest(workspace)
    assert (undone.stems, undone.sentence) == ((judged.stem,), "undid: verdict accept")
    assert store.read(workspace.threads, other.stem) == other
    assert curate.redo_latest(workspace).stems == (judged.stem,)


def test_the_only_step_of_a_workspace_is_not_lost_to_a_failed_undo(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch
):
    path = workspace.threads / "x.json"
    path.write_bytes(finished.data)
    log_of(workspace, finished).unlink()
    (workspace.threads / f"{finished.stem}.json").unlink()
    curate.set_verdicts(workspace, ["x"], "skip")
    with monkeypatch.context() as patch:
        failing_replace(patch, "x")
        with pytest.raises(SensorloomError):
            curate.undo_latest(workspace)
    assert curate.undo_latest(workspace).sentence == "undid: verdict skip"
    assert path.read_bytes() == finished.data


Damage = Callable[[dict[str, object]], bytes]
DAMAGES: dict[str, Damage] = {
    "torn": lambda step: json.dumps(step).encode()[:-20],
    "noise": lambda step: b"\x00\xff" * 30,
    "no time": lambda step: json.dumps({**step, "at": "yesterday"}).encode(),
    "a number that is none": lambda step: json.dumps({**step, "number": 0}).encode(),
    "a digest that is none": lambda step: json.dumps({**step, "before": "0" * 63}).encode(),
    "deep": lambda step: b'{"number": ' + b"[" * 100_000,
    "about no step": lambda step: json.dumps({**step, "kind": "undo", "of": 99}).encode(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 7])
def test_a_damaged_line_stops_no_undo_before_or_after_it(
    workspace: Workspace, finished: Stored, damage: Damage, number: int
):
    other = curate.branch(workspace, finished, 3)
    stored = set_tags(workspace, finished, ["a"])
    stored = set_tags(workspace, stored, ["b"])
    log = log_of(workspace, stored)
    lines = log.read_bytes().splitlines()
    states = [json.loads(line).get("before") for line in lines]
    lines[number - 1] = damage(json.loads(lines[number - 1]))
    log.write_bytes(b"\n".join(lines) + b"\n")
    curate.set_verdicts(workspace, [other.stem], "skip")
    assert curate.undo_latest(workspace).stems == (other.stem,), "the rest of the workspace goes on"
    path = workspace.threads / f"{stored.stem}.json"
    seen = [store.read(workspace.threads, stored.stem).digest]
    while history.read(workspace, stored.stem).done:
        curate.undo(workspace, stored.stem)
        if path.exists():
            seen.append(store.read(workspace.threads, stored.stem).digest)
    wanted = [state for state in reversed(states) if state]
    assert set(wanted) <= set(seen), "every earlier state can be had back"
    while history.read(workspace, stored.stem).undone:
        curate.redo(workspace, stored.stem)
    assert store.read(workspace.threads, stored.stem) == stored


def test_a_history_that_cannot_be_read_holds_up_no_other_thread(workspace: Workspace, finished: Stored):
    other = curate.branch(workspace, finished, 3)
    log = log_of(workspace, finished)
    log.unlink()
    log.mkdir()
    assert curate.undo_latest(workspace).stems == (other.stem,)


def test_a_thread_that_cannot_be_read_is_named_and_no_older_step_goes_in_its_place(
    workspace: Workspace, finished: Stored
):
    other = curate.branch(workspace, finished, 3)
    set_verdict(workspace, finished, "accept")
    path = workspace.threads / f"{finished.stem}.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(SensorloomError, match=f"{finished.stem}.json can no longer be read"):
        curate.undo_latest(workspace)
    assert store.read(workspace.threads, other.stem) == other
