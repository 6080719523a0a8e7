"""Two modes of evidence: in one of them nothing ranks the labels, and a thread keeps the mode it was made in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.filters.language import parse
from core.model.endpoints import Endpoint, ModelChoice
from core.runs.mode import wanted_evidence
from core.runs.toolbox import offered_in, open_toolbox, tools_at
from core.storage import store
from core.thread.evidence import evidence_of, settled
from core.thread.summary import summary_of
from core.thread.value import Thread, call_name, calls_of
from core.workspace import Workspace, open_workspace
from tests.tools.made import made_dataset, write_dataset
from tools.builtin import RANKING
from tui.__main__ import run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(4, 3))
    return open_workspace(str(tmp_path), environ={})


def threads_of(workspace: Workspace, *arguments: str) -> list[Thread]:
    code = run(["run", "--workspace", str(workspace.root), *arguments])
    assert code == 0
    return [stored.thread for stored in store.read_all(workspace.threads) if isinstance(stored, store.Stored)]


def called(thread: Thread) -> set[str]:
    return {call_name(call) for message in thread.messages for call in calls_of(message)}


def names(tools: Any) -> set[str]:
    return {schema["function"]["name"] for schema in tools}


def test_where_the_evidence_is_measured_nothing_ranks_labels(workspace: Workspace):
    threads = threads_of(workspace, "--dataset", "made", "--count", "6", "--seed", "1", "--evidence", "measure")
    for thread in threads:
        assert thread.metadata["evidence"] == "measure"
        assert not RANKING & called(thread)
        assert thread.tools is not None
        assert not RANKING & names(thread.tools)
        assert "look_up_ranges" in names(thread.tools)


def test_the_built_in_analyst_makes_half_of_its_threads_in_each_mode(workspace: Workspace):
    threads = threads_of(workspace, "--dataset", "made", "--count", "24", "--seed", "1")
    modes = [evidence_of(thread) for thread in threads]
    assert 6 <= modes.count("measure") <= 18
    for thread in threads:
        assert bool(RANKING & called(thread)) <= (evidence_of(thread) == "reference")
    assert settled("mix", threads[0].session, 1) == settled("mix", threads[0].session, 1)


def test_any_other_model_has_the_tools_that_rank(workspace: Workspace):
    theirs = ModelChoice(Endpoint("theirs", "http://127.0.0.1:9/v1"))
    for choice, mode in ((ModelChoice(), "mix"), (theirs, "reference")):
        assert wanted_evidence(workspace, choice) == mode


def test_by_reference_nothing_is_looked_up(workspace: Workspace):
    (thread,) = threads_of(workspace, "--dataset", "made", "--seed", "1", "--evidence", "reference")
    assert "evidence" not in thread.metadata
    assert thread.tools is not None
    assert "compare_to_reference" in names(thread.tools)
    assert "look_up_ranges" not in names(thread.tools)


def test_the_settings_say_what_new_threads_rest_on(workspace: Workspace):
    (workspace.root / "sensorloom.toml").write_text('[run]\nevidence = "measure"\n')
    (thread,) = threads_of(workspace, "--dataset", "made", "--seed", "1")
    assert thread.metadata["evidence"] == "measure"


def test_a_thread_keeps_its_mode_when_a_turn_is_made_again(workspace: Workspace):
    (thread,) = threads_of(workspace, "--dataset", "made", "--seed", "1", "--evidence", "measure")
    tools, _ = tools_at(workspace, thread, len(thread.messages))
    assert not RANKING & {tool.name for tool in tools}
    assert {tool.name for tool in offered_in(open_toolbox(workspace), "reference")} >= RANKING


def test_the_filter_tells_the_modes_apart(workspace: Workspace):
    (thread,) = threads_of(workspace, "--dataset", "made", "--seed", "1", "--evidence", "measure")
    assert summary_of(thread, thread.id).evidence == "measure"
    assert parse("evidence:measure")
