"""Hint and strip: what the teacher is told is in its requests and nowhere else, or the thread is thrown away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.curate.trash import list_trash
from core.lint import check_thread
from core.lint.finding import Context
from core.lint.hint import hint_trace
from core.runs.batches import open_batch
from core.storage import store
from core.storage.thread_files import stems
from core.thread.hint import hint_for, with_hint
from core.thread.value import Thread
from core.workspace import Workspace
from tests.core.teaching.test_ways import QUERY, command
from tests.fake_server import Answer, calls, fake_server, says
from tests.tui.motion import motion_workspace
from tui.__main__ import run

LOOK = calls(("compute_spectrum", "{}"), text="I look for a rhythm.")
RIGHT = says("It swings.\n\nConfidence: high\nFinal Answer: walking", 20)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def last_said(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"])


def with_a_truth_of_its_own(workspace: Workspace) -> None:
    """Session s01_0 has a label that no text and no tool would bring up by chance."""
    for name in ("labels.json", "manifest.json"):
        path = workspace.data / "motion" / name
        text = path.read_text().replace('"s01_0": ["walking"]', '"s01_0": ["zorbing"]')
        path.write_text(text.replace('"activities": ["walking"', '"activities": ["zorbing", "walking"'))


def assert_no_truth(requests: list[dict[str, Any]]) -> None:
    """The label stands nowhere but in the list of all labels, which the first message shows."""
    for request in requests:
        assert json.dumps(request).count("zorbing") <= 1, request
        assert "zorbing" not in json.dumps(request["messages"][2:])


def test_the_truth_is_told_with_every_request_and_stored_nowhere(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    with fake_server(LOOK, RIGHT) as server:
        assert run(command(workspace, server, "run", *QUERY, "--hint")) == 0
        requests = list(server.requests)
    (stem,) = stems(workspace.threads)
    thread = store.read(workspace.threads, stem).thread
    hint = hint_for(thread)
    assert "walking" in hint and len(requests) == 2
    for request in requests:
        whispers = [message for message in request["messages"] if hint in str(message["content"])]
        assert whispers == [request["messages"][-1]] and last_said(request).endswith(hint)
    kept_files = [path for path in workspace.root.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert not [path for path in kept_files if b"to be written nowhere" in path.read_bytes()]
    assert thread.metadata["made_by"]["hint"] == "stripped"
    assert not check_thread(thread)


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        ([says("As you told me, it is so.\n\nFinal Answer: walking")], "it speaks of what it was told: 'As you told'"),
        ([calls(("compute_spectrum", "{}"), text="This is walking; let me confirm."), RIGHT], "before any result"),
        ([calls(("compute_spectrum", "{}"), text="I reason from their results alone, step by step."), RIGHT],
         "it repeats the hint"),
        ([calls(("compare_to_reference", '{"labels": ["walking"]}')), RIGHT], "before any result"),
    ],
)  # fmt: skip
def test_a_thread_that_shows_it_is_thrown_away(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], teacher: list[Answer], reason: str
):
    with fake_server(*teacher) as server:
        assert run(command(workspace, server, "run", *QUERY, "--hint")) == 1
    (told,) = json.loads(capsys.readouterr().out)["threads"]
    assert "is thrown away" in told["error"] and reason in told["error"]
    assert not stems(workspace.threads) and len(list_trash(workspace)) == 1


def test_no_other_request_holds_the_truth(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    with_a_truth_of_its_own(workspace)
    with fake_server(LOOK, RIGHT) as server:
        run(command(workspace, server, "run", *QUERY, "--per-session", "2", "--keep", "all"))
        run(command(workspace, server, "difficulty", *QUERY, "--attempts", "2"))
        assert len(server.requests) >= 4
        assert_no_truth(server.requests)


def test_a_thread_that_stopped_half_way_says_that_it_is_not_checked(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    with fake_server(LOOK, Answer(status=400, body=b"{}"), RIGHT) as server:
        assert run(command(workspace, server, "run", *QUERY, "--hint")) == 1
        (stem,) = stems(workspace.threads)
        thread = store.read(workspace.threads, stem).thread
        assert "hint" in {finding.check for finding in check_thread(thread)}
        assert run(command(workspace, server, "run", stem)) == 0
    assert store.read(workspace.threads, stem).thread.metadata["made_by"]["hint"] == "stripped"


def test_a_batch_says_of_a_thread_that_was_thrown_away_that_it_is_over_and_one_that_a_kill_left_is_looked_through(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    shows = says("As you told me, it is so.\n\nFinal Answer: walking")
    with fake_server(shows, LOOK, RIGHT) as server:
        batch_of_two = ("--session", "s01_0", "--session", "s02_0", "--question", "What?", "--hint")
        assert run(command(workspace, server, "run", "--dataset", "motion", *batch_of_two)) == 1
        batch = open_batch(workspace)
        assert batch.over == {0, 1} and len(list_trash(workspace)) == 1
        (stem,) = stems(workspace.threads)
        stripped = store.read(workspace.threads, stem)
        assert stripped.thread.metadata["made_by"]["hint"] == "stripped"
        store.save(workspace.threads, stripped, with_hint(stripped.thread, "unchecked"))
        kept_lines = [
            line for line in batch.path.read_text().splitlines() if '"over":true' not in line or stem not in line
        ]
        batch.path.write_text("\n".join(kept_lines) + "\n")
        assert run(["run", "--resume", "--workspace", str(workspace.root), "--data", str(workspace.data)]) == 0
        assert len(server.requests) == 3
    assert store.read(workspace.threads, stem).thread.metadata["made_by"]["hint"] == "stripped"
    assert open_batch(workspace).whole


def test_turns_that_were_set_aside_and_reasoning_beside_the_text_are_looked_through():
    def thread(*messages: dict[str, Any], alternatives: list[dict[str, Any]] | None = None) -> Thread:
        metadata = {"ground_truth": "walking"}
        return Thread({"id": "t", "metadata": metadata, "messages": messages, "alternatives": alternatives or []})

    told = {"role": "assistant", "content": "The hint says so."}
    assert "'hint'" in hint_trace(thread({"role": "user", "content": "?"}, alternatives=[{"messages": [told]}]))
    thought = {"role": "assistant", "content": "It moves.", "reasoning_content": "I was told it."}
    assert "I was told" in hint_trace(thread(thought))
    undecided = thread({"role": "assistant", "content": "It could be walking or sitting."})
    assert not hint_trace(undecided, Context("t", ("walking", "sitting")))
