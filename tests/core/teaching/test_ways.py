"""Several ways at a session, and how hard sessions are, through the commands and against a scripted server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.curate import bulk
from core.curate.trash import list_trash
from core.errors import WorkspaceError
from core.filters.language import parse, select
from core.listing.index import summaries
from core.runs.batches import batches
from core.storage import store
from core.storage.pass_rates import PassRate, add_pass_rates, latest, read_pass_rates
from core.workspace import Workspace, open_workspace
from tests.fake_server import FakeServer, calls, fails, fake_server, says
from tests.tui.motion import motion_workspace
from tui.__main__ import run

LOOK = calls(("compute_spectrum", "{}"))
RIGHT = says("It swings.\n\nConfidence: high\nFinal Answer: walking", 20)
WRONG = says("It rests.\n\nConfidence: high\nFinal Answer: sitting", 20)
QUERY = ("--dataset", "motion", "--session", "s01_0", "--query", "What is it?")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def command(workspace: Workspace, server: FakeServer, name: str, *arguments: str) -> list[str]:
    return [
        name, "--workspace", str(workspace.root), "--endpoint", server.url, "--model", "fake", "--parallel", "1",
        *arguments, "--json",
    ]  # fmt: skip


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def ids(workspace: Workspace, wanted: str = "") -> list[str]:
    chosen = parse(wanted, workspace)
    return [summary.stem for summary in select(workspace.threads, summaries(workspace), chosen)]


@pytest.mark.parametrize("at_once", [1, 2, bulk.A_BLOCK])
def test_right_ways_stay_and_wrong_ones_become_preference_pairs(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr(bulk, "A_BLOCK", at_once)  # ways of one session may be done in several blocks
    with fake_server(LOOK, RIGHT, LOOK, WRONG, WRONG) as server:
        assert run(command(workspace, server, "run", *QUERY, "--per-session", "3", "--keep", "right")) == 0
    (session,) = document(capsys)["sessions"]
    assert (session["right"], session["of"], session["difficulty"], session["pairs"]) == (1, 3, "middle", 2)
    assert ids(workspace) == session["kept"]
    assert sorted(list_trash(workspace)) == sorted(session["to_trash"])
    thread = store.read(workspace.threads, session["kept"][0]).thread
    assert thread.metadata["pass_rate"] == {"right": 1, "of": 3, "model": "fake"}
    assert [alternative["position"] for alternative in thread.alternatives] == [3, 1]
    assert latest(read_pass_rates(workspace.root), "motion", "s01_0") == PassRate(1, 3)

    assert run(["export", "--workspace", str(workspace.root), "--profile", "trl_dpo", "--json"]) == 0
    rows = [json.loads(line) for path in workspace.exports.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len(rows) == 2
    for row in rows:
        assert "Final Answer: sitting" in row["rejected"][0]["content"]
        assert "sitting" not in (row["chosen"][0]["content"] or "")

    curate.undo(workspace, store.read(workspace.threads, thread.id).stem)
    assert len(ids(workspace)) == 3 and not list_trash(workspace)
    assert not store.read(workspace.threads, thread.id).thread.alternatives


def test_all_ways_ask_one_question_which_the_model_proposes_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    with fake_server(says("How does this person move?"), RIGHT) as server:
        arguments = ("--dataset", "motion", "--session", "s01_0", "--per-session", "3")
        assert run(command(workspace, server, "run", *arguments)) == 0
        assert len(server.requests) == 4
    assert {store.read(workspace.threads, stem).thread.question for stem in ids(workspace)} == {
        "How does this person move?"
    }


@pytest.mark.parametrize(("options", "stay"), [((), 0), (("--keep-empty",), 1)])
def test_a_way_that_failed_is_no_attempt_and_stays_where_that_is_wanted(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], stay: int
):
    with fake_server(RIGHT, fails(400, "no such thing"), WRONG) as server:
        assert run(command(workspace, server, "run", *QUERY, "--per-session", "3", *options)) == 0
    (session,) = document(capsys)["sessions"]
    assert (session["right"], session["of"]) == (1, 2)
    assert len(ids(workspace, "status:active")) == stay


def test_several_ways_are_a_batch_that_goes_on_after_a_stop_and_sorts_out_all(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    ways = (*QUERY, "--per-session", "4")
    with fake_server(RIGHT, WRONG, fails(401, "expired"), WRONG, RIGHT) as server:
        assert run(command(workspace, server, "run", *ways)) == 1
        told = capsys.readouterr()
        (name,) = batches(workspace)
        halted = json.loads(told.out)
        assert (halted["batch"], halted["stopped"], halted["per_session"]) == (name, True, 4)
        assert sorted(halted["sessions"][0]["kept"]) == ids(workspace) and halted["sessions"][0]["right"] == 1
        assert f"`sensorloom run --resume {name}` goes on" in told.err and len(ids(workspace)) == 2
        assert latest(read_pass_rates(workspace.root), "motion", "s01_0") is None, "nothing is sorted out yet"
        resumed = ["run", "--resume", "--workspace", str(workspace.root), "--json"]
        assert run(resumed) == 0
        (session,) = document(capsys)["sessions"]
        assert (session["right"], session["of"]) == (2, 4)
        assert len(ids(workspace)) == 2 and len(list_trash(workspace)) == 2
        asked = len(server.requests)
        assert run(resumed) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {"batch": name, "per_session": 4, "stopped": False}
    assert "its ways are sorted out" in told.err and len(server.requests) == asked == 5
    assert latest(read_pass_rates(workspace.root), "motion", "s01_0") == PassRate(2, 4), "each way counts once"
    assert len({store.read(workspace.threads, stem).thread.question for stem in ids(workspace)}) == 1


def test_keep_all_keeps_all_and_several_ways_are_for_new_threads(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    with fake_server(RIGHT, WRONG) as server:
        assert run(command(workspace, server, "run", *QUERY, "--per-session", "2", "--keep", "all")) == 0
        stems = ids(workspace)
        assert len(stems) == 2
        (session,) = document(capsys)["sessions"]
        assert (session["right"], session["of"], session["to_trash"]) == (1, 2, [])
        assert sorted(session["kept"]) == sorted(stems)
        assert run(command(workspace, server, "run", stems[0], "--per-session", "2")) == 1
        assert "--per-session is for new threads" in capsys.readouterr().err
        assert run(command(workspace, server, "run", *QUERY, "--keep", "right")) == 1
        assert "give --per-session too" in capsys.readouterr().err


def test_difficulty_is_recorded_filtered_by_and_drawn_by_without_keeping_a_thread(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    stem = curate.create_thread(workspace, "motion", "s01_0", "What is it?").stem
    with fake_server(RIGHT, WRONG, RIGHT, WRONG) as server:
        assert run(command(workspace, server, "difficulty", *QUERY, "--attempts", "4")) == 0
    told = document(capsys)
    assert (told["pass@1"], told["pass@4"]) == (0.5, 1.0)
    assert told["sessions"] == [{"dataset": "motion", "session": "s01_0", "right": 2, "of": 4, "difficulty": "middle"}]
    assert ids(workspace) == [stem] and not list_trash(workspace)
    assert not list((workspace.private / "history").glob("@*"))
    assert ids(workspace, "difficulty:middle") == [stem]
    assert ids(workspace, "-difficulty:middle") == ids(workspace, "difficulty:hard") == []
    with fake_server(RIGHT) as server:
        band = ("--dataset", "motion", "--query", "What is it?", "--difficulty")
        assert run(command(workspace, server, "run", *band, "middle")) == 0
        assert document(capsys)["threads"][0]["session"] == "s01_0"
        assert run(command(workspace, server, "run", *band, "hard")) == 1
        assert "0 sessions so difficult" in document(capsys)["error"]


def test_pass_rates_add_up_by_model_and_a_damaged_file_is_named(workspace: Workspace):
    add_pass_rates(workspace.root, "one", {("motion", "s"): PassRate(1, 4)})
    add_pass_rates(workspace.root, "two", {("motion", "s"): PassRate(4, 4)})
    rates = add_pass_rates(workspace.root, "one", {("motion", "s"): PassRate(0, 4)})
    assert latest(rates, "motion", "s") == latest(rates, "motion", "s", "one") == PassRate(1, 8)
    assert latest(rates, "motion", "s", "two") == PassRate(4, 4)
    (workspace.root / "pass_rates.json").write_text("{")
    with pytest.raises(WorkspaceError, match=r"pass_rates\.json: cannot be read"):
        parse("difficulty:easy", open_workspace(str(workspace.root), environ={}))


@pytest.mark.parametrize(
    ("right", "of", "k", "share"), [(1, 4, 1, 0.25), (1, 4, 4, 1.0), (2, 4, 2, 5 / 6), (0, 3, 3, 0)]
)
def test_pass_at_k_is_the_chance_that_one_of_k_drawn_attempts_is_right(right: int, of: int, k: int, share: float):
    assert PassRate(right, of).at_least_one_of(k) == pytest.approx(share)
    assert PassRate(right, of).at_least_one_of(of + 1) is None
