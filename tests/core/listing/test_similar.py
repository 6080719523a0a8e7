"""Which threads are like one: on real sessions, through the command and the filter that people use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.filters.language import parse, select, without
from core.filters.values import FilterError
from core.lint.findings_cache import with_findings_cache
from core.lint.survey import bring_up_to_date
from core.listing.index import summaries
from core.listing.order import NEAREST, arrange
from core.listing.similar import similar_to
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace
from tests.core.curate.world import assistant
from tests.tui.motion import motion_workspace
from tui.__main__ import run

WORDS = "the body moves up and down at a steady pace of two steps in each second and so it must be somebody who walks"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def add(workspace: Workspace, number: int, session: str, tools: tuple[str, ...], text: str) -> str:
    stem = f"t_{number}"
    final = f"{text}.\n\nFinal Answer: walking"
    turns: list[Any] = [{"role": "user", "content": "Dataset Information:\n{}\n\nUser Query: what is it?"}]
    for turn, tool in enumerate(tools, 1):
        call = assistant("", (tool, {}), thread=stem, turn=turn)
        turns += [call, {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "name": tool, "content": "{}"}]
    metadata = {"dataset": "motion", "session": session, "ground_truth": "walking", "user_query": "what is it?"}
    workspace.threads.mkdir(exist_ok=True)
    document = {"id": stem, "metadata": metadata, "messages": [*turns, assistant(final)]}
    store.create(workspace.threads, Thread(document))
    return stem


def test_the_nearest_share_tools_wording_and_sensors(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    first = add(workspace, 1, "s01_0", ("a", "b", "c"), WORDS)
    same = add(workspace, 2, "s02_2", ("a", "b", "c"), WORDS.replace("steady", "regular"))
    half = add(workspace, 3, "s01_2", ("a", "c"), "nothing of that is said here, but a great deal of something else")
    other = add(workspace, 4, "s03_1", ("x",), "quite another way to look at what lies still before us on the table")
    likeness = similar_to(workspace, summaries(workspace), first)
    assert likeness is not None
    assert not with_findings_cache(workspace, lambda cache: cache.findings([first])), "nothing of it needs a check"
    assert with_findings_cache(workspace, lambda cache: bring_up_to_date(cache, workspace, summaries(workspace)))
    assert similar_to(workspace, summaries(workspace), first) == likeness
    assert sorted(likeness, key=lambda stem: -likeness[stem].score) == [first, same, half, other]
    assert likeness[first].score == 1 and likeness[first].reason == "the same"
    assert likeness[half].path == 0.8 and likeness[half].wording < 0.2 < 0.6 < likeness[same].wording
    assert (likeness[other].sensors or 0) < 0.5 < (likeness[same].sensors or 0), "one sits, the other walks"
    assert likeness[same].reason.startswith("the same tools, ") and "sensors nearer than" in likeness[same].reason

    assert run(["similar", first, "--workspace", str(workspace.root), "--limit", "2", "--json"]) == 0
    assert [row["stem"] for row in json.loads(capsys.readouterr().out)] == [same, half]
    wanted = parse(f"similar:{first} -id:{first}", workspace)
    assert [row.stem for row in select(workspace.threads, summaries(workspace), wanted)] == [same]
    rows = arrange(summaries(workspace), NEAREST, likeness=wanted.likeness, turned=True)
    assert [row.summary.stem for row in rows] == [other, half, same, first]


def test_without_the_dataset_the_rest_is_compared(workspace: Workspace):
    first = add(workspace, 1, "unknown", ("a",), WORDS)
    second = add(workspace, 2, "s01_0", ("a",), WORDS)
    likeness = similar_to(workspace, summaries(workspace), first)
    assert likeness is not None and likeness[second].sensors is None and likeness[second].score == 1


def test_a_thread_that_is_not_there_is_named_and_one_that_goes_is_like_nothing(workspace: Workspace):
    with pytest.raises(FilterError, match="there is no thread `t_9`"):
        parse("similar:t_9", workspace)
    stem = add(workspace, 1, "s01_0", ("a",), WORDS)
    add(workspace, 2, "s01_2", ("a",), WORDS)
    wanted = parse(f"similar:{stem}", workspace)
    (workspace.threads / f"{stem}.json").unlink()
    assert not list(select(workspace.threads, summaries(workspace), wanted))


def test_its_term_is_taken_out_of_a_filter_and_the_rest_stays():
    assert without('correct:false similar:t_1 "a similar:x b"', "similar") == 'correct:false "a similar:x b"'
    assert without('similar:"t 1" turns>2', "similar") == "turns>2"
