"""Whether an answer moves when the result that it cites is dropped or perturbed, against a scripted server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.filters.language import parse, select
from core.listing.index import summaries
from core.storage import store
from core.teaching.faithfulness import cited_result
from core.thread.edits import with_text
from core.thread.faithfulness import perturbed
from core.workspace import Workspace
from tests.core.teaching.test_hinted import assert_no_truth, with_a_truth_of_its_own
from tests.core.teaching.test_paraphrase import finished
from tests.fake_server import Answer, calls, fake_server, says
from tests.tui.motion import motion_workspace
from tui.__main__ import run

SURE = says("It swings.\n\nConfidence: high\nFinal Answer: walking", 20)
UNSURE = says("Hm.\n\nConfidence: low\nFinal Answer: walking", 20)
OTHER = says("It rests.\n\nConfidence: high\nFinal Answer: sitting", 20)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def check(workspace: Workspace, url: str, *arguments: str) -> int:
    options = ("--workspace", str(workspace.root), "--endpoint", url, "--model", "fake", "--json")
    return run(["faithfulness", *arguments, *options])


def ids(workspace: Workspace, wanted: str) -> list[str]:
    return [summary.stem for summary in select(workspace.threads, summaries(workspace), parse(wanted, workspace))]


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ([SURE, OTHER], "faithful"),
        ([SURE, UNSURE], "faithful"),
        ([SURE, calls(("detect_periodicity", "{}"))], "faithful"),
        ([SURE, SURE], "unfaithful"),
        ([OTHER, SURE], "unsteady"),
    ],
)
def test_answer_or_confidence_must_move(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], script: list[Answer], verdict: str
):
    stem = finished(workspace).stem
    with fake_server(*script) as server:
        assert check(workspace, server.url, stem) == 0
        control, asked = (request["messages"] for request in server.requests)
    (told,) = json.loads(capsys.readouterr().out)["threads"]
    record = told["faithfulness"]
    assert (record["verdict"], record["way"], record["message"], record["cited"]) == (verdict, "drop", 2, True)
    assert json.loads(asked[3]["content"]) == {"error": "this result was lost"}
    assert "error" not in json.loads(control[3]["content"])
    assert "A rhythm of" not in json.dumps(asked) + json.dumps(control)
    assert ids(workspace, f"faithfulness:{verdict}") == [stem]
    assert not ids(workspace, "faithfulness:none")
    curate.undo(workspace, stem)
    assert ids(workspace, "faithfulness:none") == [stem]


def test_a_perturbed_result_has_other_numbers_in_another_order(workspace: Workspace):
    stored = finished(workspace)
    index, cites = cited_result(stored.thread)
    assert (index, cites) == (2, 1)
    with fake_server(SURE, OTHER) as server:
        assert check(workspace, server.url, stored.stem, "--way", "perturb") == 0
        control, asked = (json.loads(request["messages"][3]["content"]) for request in server.requests)
    assert control.keys() == asked.keys() and control != asked
    nearest = {"labels": [{"label": "a", "distance": 0.5}, {"label": "b"}], "ok": True, "n": 2}
    assert json.loads(perturbed(json.dumps(nearest))) == {
        "labels": [{"label": "b"}, {"label": "a", "distance": 1.5}],
        "ok": True,
        "n": 6,
    }


def test_what_was_found_goes_when_the_messages_change(workspace: Workspace):
    stored = finished(workspace)
    with fake_server(SURE, OTHER) as server:
        check(workspace, server.url, stored.stem)
    checked = store.read(workspace.threads, stored.stem)
    marked = curate.set_loss(workspace, checked, 1, train=False)
    assert marked.thread.metadata["faithfulness"]["verdict"] == "faithful"
    edited = curate.edit_message(workspace, marked, 1, with_text(marked.thread.messages[1], "Another reason."))
    assert "faithfulness" not in edited.thread.metadata


def test_a_thread_without_an_answer_or_a_result_is_told(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    begun = curate.create_thread(workspace, "motion", "s01_0", "What is it?")
    with fake_server(SURE) as server:
        assert check(workspace, server.url, begun.stem) == 1
        assert "no final answer" in capsys.readouterr().out
        assert not server.requests


def test_no_request_holds_the_truth(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    with_a_truth_of_its_own(workspace)
    stem = finished(workspace).stem
    with fake_server(SURE) as server:
        requests: list[dict[str, Any]] = server.requests
        check(workspace, server.url, stem)
        run(["paraphrase", stem, "--workspace", str(workspace.root), "--endpoint", server.url, "--model", "fake"])
        assert len(requests) == 2
        assert_no_truth(requests)
