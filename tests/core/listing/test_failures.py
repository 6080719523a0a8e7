"""Failed threads grouped by how they failed, and the filter of each group selecting exactly its threads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.filters.failure_terms import pair_terms, terms_of
from core.filters.language import parse, select
from core.listing.failures import grouped_failures
from core.listing.index import summaries
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace
from tests.core.curate.world import assistant
from tui.__main__ import run

ERROR = '{"error": "no such channel"}'


def add(workspace: Workspace, number: int, truth: str, answer: str, *results: tuple[str, str], bad: int = 0) -> str:
    """A thread that calls these tools, which answer so; `bad` is the turn labelled so, from 1."""
    stem = f"t_{number}"
    turns: list[Any] = [{"role": "user", "content": "Dataset Information:\n{}\n\nUser Query: what is it?"}]
    for turn, (tool, result) in enumerate(results, 1):
        call = assistant("", (tool, {}), thread=stem, turn=turn)
        labelled = {**call, "label": "bad"} if turn == bad else call
        turns += [labelled, {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": result}]
    metadata = {"dataset": "demo", "session": "a", "ground_truth": truth, "user_query": "what is it?"}
    workspace.threads.mkdir(exist_ok=True)
    document = {"id": stem, "metadata": metadata, "messages": [*turns, assistant(f"So.\n\nFinal Answer: {answer}")]}
    store.create(workspace.threads, Thread(document))
    return stem


def test_failures_are_grouped_and_each_group_is_a_filter(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    add(workspace, 1, "walking", "laying", ("stats", "{}"), ("spectrum", ERROR))
    add(workspace, 2, "walking", "lying", ("stats", "{}"), ("spectrum", ERROR))
    add(workspace, 3, "walking", "laying", ("stats", "{}"), ("spectrum", ERROR), ("spectrum", "{}"))
    add(workspace, 4, "walking", "laying", ("stats", "{}"), ("spectrum", "{}"), bad=1)
    add(workspace, 5, "laying", "walking")
    add(workspace, 6, "walking", "walking", ("stats", ERROR))
    groups = grouped_failures(workspace.threads, summaries(workspace))
    assert groups is not None
    assert [(group.truth, group.step, group.stems) for group in groups] == [
        ("walking", "error spectrum", ("t_1", "t_2")),
        ("walking", "conclusion", ("t_3",)),  # the call that failed was put right
        ("walking", "bad stats", ("t_4",)),
        ("laying", "conclusion", ("t_5",)),
    ]
    every = summaries(workspace)
    for group in groups:
        wanted = parse(" ".join(terms_of(group)), workspace)
        assert tuple(row.stem for row in select(workspace.threads, every, wanted)) == group.stems
    pair = parse(" ".join(pair_terms(groups[0])), workspace)
    assert len(list(select(workspace.threads, every, pair))) == 4

    where = ["--workspace", str(workspace.root)]
    assert run(["failures", "--json", "--filter", "truth:laying", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(group["count"], group["path"]) for group in told] == [(1, [])]
    assert told[0]["filter"].startswith("truth:laying dataset:demo ")
    assert run(["failures", *where]) == 0
    out = capsys.readouterr().out
    assert "    4  walking → laying  (demo)" in out and out.endswith("5 of 6 threads failed, in 4 ways\n")


def test_a_first_wrong_step_is_named_whole_or_by_a_pattern(workspace: Workspace):
    add(workspace, 1, "walking", "laying", ("stats", "{}"), bad=1)
    add(workspace, 2, "walking", "laying", ("stats_of_all", "{}"), bad=1)
    add(workspace, 3, "walking", "walking", ("stats", "{}"), bad=1)
    for step, stems in (("bad stats", ["t_1"]), ("bad stats*", ["t_1", "t_2"]), ("none", ["t_3"])):
        wanted = parse(f'first_wrong:"{step}"', workspace)
        assert [row.stem for row in select(workspace.threads, summaries(workspace), wanted)] == stems
