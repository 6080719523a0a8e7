from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from core import curate
from core.errors import SensorloomError, UsageError
from core.storage import history, history_files, snapshots, store, thread_files
from core.storage.atomic import Content, digest
from core.storage.store import Stored
from core.workspace import Workspace, open_workspace
from tests.core.curate.world import add_turn, set_tags, set_verdict


class KilledError(BaseException):
    """Stands in for a kill at this point."""


class Killer:
    """From `kill()` on the process dies when it would write a thread's file; `live()` is the next start."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()

    def kill(self) -> None:
        def die(*_: object) -> None:
            raise KilledError

        self.patch.setattr("core.storage.store.write_atomic", die)

    def live(self) -> None:
        self.patch.undo()


@pytest.fixture
def killed_at_write() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.live()


def test_undo_all_the_way_gives_the_first_bytes_back_and_redo_the_last(workspace: Workspace, finished: Stored):
    path = workspace.threads / "x.json"
    first = json.dumps({**finished.thread.document, "id": "x", "mine": [1.50, {"é": None}]}).encode() + b"  \n\n"
    path.write_bytes(first)
    stored = store.read(workspace.threads, "x")
    states = [first]
    acts: tuple[Callable[[Stored], Stored], ...] = (
        lambda thread: set_verdict(workspace, thread, "accept"),
        lambda thread: curate.delete_turn(workspace, thread, 3),
        lambda thread: set_tags(workspace, thread, ["a"]),
    )
    for act in acts:
        stored = act(stored)
        states.append(path.read_bytes())
    for state in reversed(states[:-1]):
        curate.undo(workspace, "x")
        assert path.read_bytes() == state
    with pytest.raises(UsageError, match="nothing to undo in x"):
        curate.undo(workspace, "x")
    for state in states[1:]:
        curate.redo(workspace, "x")
        assert path.read_bytes() == state
    with pytest.raises(UsageError, match="nothing to redo"):
        curate.redo(workspace, "x")


def test_the_log_only_grows_and_says_what_was_done_when_and_before(workspace: Workspace, finished: Stored):
    log = history_files.folder(workspace) / f"{finished.stem}.log"
    before = log.read_bytes()
    curate.undo(workspace, finished.stem)
    curate.redo(workspace, finished.stem)
    assert log.read_bytes().startswith(before)
    past = history.read(workspace, finished.stem)
    undone, again = past.steps[-2:]
    assert (undone.kind, undone.what, undone.of) == ("undo", "turn 4", 5)
    assert (again.kind, again.of, again.after) == ("redo", 5, finished.digest)
    assert [step.at for step in past.steps] == sorted(step.at for step in past.steps)
    state = history.content(workspace, finished.stem, undone.after or "")
    assert json.loads(state)["metadata"]["num_turns"] == 3


def test_a_new_action_after_undo_ends_redo_but_not_the_record(workspace: Workspace, finished: Stored):
    stored = curate.undo(workspace, finished.stem).stored
    assert stored is not None
    set_tags(workspace, stored, ["x"])
    with pytest.raises(UsageError):
        curate.redo(workspace, finished.stem)
    assert history.content(workspace, finished.stem, finished.digest) == finished.data


def test_a_kill_between_the_record_and_the_file_leaves_the_file_in_force(
    workspace: Workspace, finished: Stored, killed_at_write: Killer
):
    killed_at_write.kill()
    with pytest.raises(KilledError):
        set_verdict(workspace, finished, "accept")
    killed_at_write.live()
    path = workspace.threads / f"{finished.stem}.json"
    assert path.read_bytes() == finished.data
    undone = curate.undo(workspace, finished.stem)
    assert undone.sentence == "undid: turn 4", "what was not carried out is not undone"
    curate.redo(workspace, finished.stem)
    assert path.read_bytes() == finished.data
    assert curate.redo(workspace, finished.stem).sentence == "did again: verdict accept", "nor is it lost"
    assert json.loads(path.read_bytes())["metadata"]["review"]["verdict"] == "accept"


@pytest.mark.parametrize("direction", ["undo", "redo"])
def test_a_kill_in_the_middle_of_undo_or_redo(
    workspace: Workspace, finished: Stored, killed_at_write: Killer, direction: str
):
    act = getattr(curate, direction)
    if direction == "redo":
        curate.undo(workspace, finished.stem)
    path = workspace.threads / f"{finished.stem}.json"
    before = path.read_bytes()
    killed_at_write.kill()
    with pytest.raises(KilledError):
        act(workspace, finished.stem)
    killed_at_write.live()
    assert path.read_bytes() == before
    assert act(workspace, finished.stem).sentence.endswith("turn 4")


def test_torn_ends_of_log_and_pack_are_passed_over(workspace: Workspace, finished: Stored):
    log = history_files.folder(workspace) / f"{finished.stem}.log"
    pack = log.with_suffix(".pack")
    whole = history.read(workspace, finished.stem)
    for torn in (b'{"number": 6, "at": "20', b'{"number": 6'):
        with log.open("ab") as file:
            file.write(torn)
        with pack.open("ab") as file:
            file.write(b"SLp half an entry")
        assert history.read(workspace, finished.stem) == whole
        stored = set_tags(workspace, store.read(workspace.threads, finished.stem), [str(len(torn))])
        assert curate.undo(workspace, stored.stem).stored == finished
        whole = history.read(workspace, finished.stem)
    for aside in (".torn", ".torn2"):
        assert pack.with_suffix(aside).read_bytes() == b"SLp half an entry", "nothing is set aside over another"
    while history.read(workspace, finished.stem).done:
        curate.undo(workspace, finished.stem)
    assert thread_files.stems(workspace.threads) == []


def test_a_damaged_pack_is_said_and_changes_nothing(workspace: Workspace, finished: Stored):
    pack = history_files.folder(workspace) / f"{finished.stem}.pack"
    pack.write_bytes(b"")
    with pytest.raises(SensorloomError, match="no longer in the history"):
        curate.undo(workspace, finished.stem)
    assert store.read(workspace.threads, finished.stem) == finished
    assert set_tags(workspace, finished, ["x"]).thread.metadata["tags"] == ["x"]
    assert curate.undo(workspace, finished.stem).stored == finished


def test_looking_leaves_no_history(workspace: Workspace, finished: Stored):
    (workspace.threads / "x.json").write_bytes(finished.data)
    store.read(workspace.threads, "x")
    with pytest.raises(UsageError):
        curate.undo(workspace, "x")
    assert not (history_files.folder(workspace) / "x.log").exists()


def test_two_threads_folders_of_one_workspace_have_two_histories(
    workspace: Workspace, finished: Stored, tmp_path: Path
):
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / f"{finished.stem}.json").write_bytes(finished.data)
    elsewhere = open_workspace(str(workspace.root), parts={"threads": str(other)}, environ={})
    with pytest.raises(UsageError):
        curate.undo(elsewhere, finished.stem)
    assert history_files.folder(elsewhere) != history_files.folder(workspace)


def test_the_newest_step_of_the_workspace_is_found_again_after_a_restart(workspace: Workspace, finished: Stored):
    other = curate.branch(workspace, finished, 3)
    set_tags(workspace, finished, ["x"])
    curate.set_verdicts(workspace, [other.stem], "skip")
    again = open_workspace(str(workspace.root), environ={})
    assert [curate.undo_latest(again).sentence for _ in range(4)] == [
        "undid: verdict skip", "undid: tags", f"undid: branch of {finished.stem}", "undid: turn 4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"no newline",
        b'{\n  "a": 1\n}\n' * 50,
        b'{"messages": [' + b"1," * 9000 + b"1]}",
        bytes(range(256)) * 40,
    ],
)
def test_any_bytes_are_kept_exactly(tmp_path: Path, data: bytes):
    assert b"".join(snapshots.pieces_of(data)) == data
    pack = tmp_path / "a.pack"
    snapshots.keep(pack, [Content.of(data), Content.of(data + b"x")])
    assert snapshots.load(BytesIO(pack.read_bytes()), "x", digest(data)) == data
    assert snapshots.load(BytesIO(pack.read_bytes()), "x", digest(data + b"x")) == data + b"x"


def test_states_of_a_long_thread_share_what_did_not_change(workspace: Workspace, finished: Stored):
    noise = "".join(f"{value:.4f}, " for value in range(2000))
    stored = finished
    for number in range(20):
        stored = add_turn(workspace, stored, f"look {number}", ("mean_of", {"artifact_id": noise + str(number)}))
    pack = history_files.folder(workspace) / f"{stored.stem}.pack"
    size = Path(pack).stat().st_size
    for number in range(20):
        stored = set_tags(workspace, stored, [str(number)])
    grown = Path(pack).stat().st_size - size
    assert grown < 20 * 3000, "a step on a long thread costs what changed, not the thread"
    assert len(stored.data) > 400_000


def test_a_full_disk_is_said_and_the_thread_stays_as_it_was(workspace: Workspace, finished: Stored):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    for _ in range(3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("os.fsync", full)
            with pytest.raises(SensorloomError, match="no space left"):
                set_tags(workspace, finished, ["x"])
        assert store.read(workspace.threads, finished.stem) == finished
    stored = set_tags(workspace, finished, ["y"])
    assert curate.undo(workspace, stored.stem).stored == finished


STEPS = """
import sys
from core.storage import store
from core.workspace import open_workspace
from tests.core.curate.world import set_tags
workspace = open_workspace(sys.argv[1], environ={})
number = 0
while True:
    number += 1
    stored = store.read(workspace.threads, sys.argv[2])
    set_tags(workspace, stored, [str(number)])
    print(number, flush=True)
"""


def test_a_real_kill_at_any_moment_loses_no_step_and_no_first_bytes(workspace: Workspace, finished: Stored):
    path = workspace.threads / "x.json"
    path.write_bytes(finished.data.replace(b"demo_a_v4_0001", b"x"))
    first = path.read_bytes()
    for wanted in (1, 7):
        with subprocess.Popen(
            [sys.executable, "-c", STEPS, str(workspace.root), "x"],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        ) as process:
            assert process.stdout is not None
            for _ in range(wanted):
                assert process.stdout.readline()
            process.kill()
            reported = wanted + len(process.stdout.read().split())
        tags = store.read(workspace.threads, "x").thread.metadata["tags"]
        assert int(tags[0]) >= reported, "what was said to be done is on disk"
    while history.read(workspace, "x").done:
        curate.undo(workspace, "x")
    assert path.read_bytes() == first
