from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from core import curate
from core.curate.bulk import for_each
from core.errors import SensorloomError
from core.storage import history, history_files, store
from core.storage.locks import thread_locked
from core.storage.numbers import HighestNumbers
from core.storage.store import Stored
from core.thread import value
from core.workspace import Workspace


class KilledError(BaseException):
    """Stands in for a kill at this point."""


@pytest.fixture
def copies(workspace: Workspace, finished: Stored) -> list[str]:
    """Sixty threads, made by another program."""
    for number in range(60):
        (workspace.threads / f"c{number:02d}.json").write_bytes(finished.data)
    return [f"c{number:02d}" for number in range(60)]


def verdicts(workspace: Workspace, stems: list[str]) -> list[str | None]:
    files = [json.loads((workspace.threads / f"{stem}.json").read_bytes()) for stem in stems]
    return [document["metadata"].get("review", {}).get("verdict") for document in files]


def test_many_are_judged_as_one_step_and_what_cannot_be_is_told(
    workspace: Workspace, finished: Stored, copies: list[str]
):
    (workspace.threads / "c30.json").write_bytes(b'{"half')
    left = workspace.threads / ".c31.json.0123456789ab.tmp"
    left.write_bytes(b"left by a kill")
    os.utime(left, (0, 0))
    (workspace.threads / ".c32.json.0123456789ab.tmp").write_bytes(b"somebody is writing it now")
    (workspace.threads / ".notes.tmp").write_bytes(b"somebody's own")
    told: list[tuple[int, int]] = []
    done = curate.set_verdicts(workspace, copies, "accept", progress=lambda done, total: told.append((done, total)))
    good = [stem for stem in copies if stem != "c30"]
    assert list(done.changed) == good
    assert len(done.problems) == 1 and "c30.json" in done.problems[0]
    assert told == [(60, 60)]
    assert set(verdicts(workspace, good)) == {"accept"}
    assert {path.name for path in workspace.threads.glob(".*.tmp")} == {".c32.json.0123456789ab.tmp", ".notes.tmp"}
    undone = curate.undo(workspace, "c59")
    assert undone.sentence == "undid: verdict accept of 59 threads" and not undone.problems
    assert all((workspace.threads / f"{stem}.json").read_bytes() == finished.data for stem in good)
    assert curate.redo_latest(workspace).sentence == "did again: verdict accept of 59 threads"
    assert set(verdicts(workspace, good)) == {"accept"}


@pytest.mark.parametrize("direction", ["do", "undo"])
def test_a_kill_among_many_leaves_whole_files_and_a_history_that_fits(
    workspace: Workspace, finished: Stored, copies: list[str], direction: str
):
    if direction == "undo":
        curate.set_verdicts(workspace, copies, "reject")
    act: Callable[[], object] = (
        (lambda: curate.set_verdicts(workspace, copies, "reject"))
        if direction == "do"
        else (lambda: curate.undo(workspace, "c00"))
    )
    writes, lock, real = count(1), Lock(), Path.replace

    def dying(written: Path, target: Path) -> Path:
        if target.parent == workspace.threads:
            with lock:
                number = next(writes)
            if number > 25:
                raise KilledError
        return real(written, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(KilledError):
            act()
    reached = verdicts(workspace, copies)
    assert sum(verdict is not None for verdict in reached) == (25 if direction == "do" else 35)
    curate.undo_latest(workspace)
    assert set(verdicts(workspace, copies)) == {None}, "what the kill left undone or done is one step still"
    assert all((workspace.threads / f"{stem}.json").read_bytes() == finished.data for stem in copies)
    assert not any(history.read(workspace, stem).done for stem in copies)


def test_a_disk_that_fails_for_one_does_not_hide_it_in_an_undo(workspace: Workspace, copies: list[str]):
    curate.set_verdicts(workspace, copies, "skip")
    (history_files.folder(workspace) / "c07.pack").write_bytes(b"")
    undone = curate.undo_latest(workspace) if history.latest(workspace) != "c07" else curate.undo(workspace, "c00")
    assert len(undone.problems) == 1 and "c07" in undone.problems[0]
    assert "1 could not be: c07" in undone.sentence
    assert len(undone.stems) == 59 and verdicts(workspace, ["c07"]) == ["skip"]


def test_who_writes_one_thread_holds_up_no_other(workspace: Workspace, copies: list[str]):
    begun, let_go = Event(), Event()

    def other() -> None:
        with thread_locked(workspace.threads, "c07"):
            begun.set()
            let_go.wait(20)

    def act(stem: str) -> str:
        with thread_locked(workspace.threads, stem):
            if stem == "c59":
                let_go.set()
            return stem.upper()

    writer = Thread(target=other)
    writer.start()
    assert begun.wait(20)
    assert [*for_each(workspace, copies, act)] == [(stem, stem.upper()) for stem in copies]
    writer.join(20)
    assert let_go.is_set()


def test_a_folder_that_cannot_be_locked_is_told_for_each(workspace: Workspace, copies: list[str]):
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fcntl.lockf", refuse)
        done = curate.change_tags(workspace, copies, ["x"])
    assert not done.changed and len(done.problems) == 60 and "read-only" in done.problems[0]


def test_many_new_threads_look_through_a_large_folder_once(workspace: Workspace, finished: Stored):
    large = HighestNumbers(quick_seconds=-1.0, share=1e-9)
    looked: list[Path] = []

    def made_beside() -> list[str]:
        looked.append(workspace.threads)
        return []

    def create() -> str:
        def make(name: str) -> value.Thread:
            return value.Thread({**finished.thread.document, "id": name})

        return store.create_new(workspace.threads, "demo", "a", make, reserved=made_beside, numbers=large).stem

    (workspace.threads / "demo_a_v4_0007.json").write_bytes(b"{}")
    stems = [create() for _ in range(3)]
    (workspace.threads / "demo_a_v4_0011.json").write_bytes(b"{}")
    stems += [create() for _ in range(2)]
    (workspace.threads / f"{stems[-1]}.json").unlink()
    stems += [create()]
    assert stems == [f"demo_a_v4_{number:04d}" for number in (8, 9, 10, 12, 13, 14)]
    assert len(looked) == 1


def test_the_number_of_a_deleted_thread_is_not_given_again(workspace: Workspace, finished: Stored):
    curate.delete(workspace, [finished.stem])
    stored = curate.create_thread(workspace, "demo", "a", "what?")
    assert stored.stem == "demo_a_v4_0002"
    with pytest.raises(SensorloomError):
        store.read(workspace.threads, finished.stem)
