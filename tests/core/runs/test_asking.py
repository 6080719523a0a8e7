"""Threads that ask for something else than the activity: made, answered, scored, filtered, counted and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.datasets.facts import FACTS
from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import open_dataset
from core.errors import DatasetError, UsageError
from core.filters.language import parse, select
from core.lint import check_thread
from core.listing.index import summaries
from core.listing.statistics import statistics
from core.runs.asking import askable, draw_questions, kinds_named
from core.storage import store
from core.thread.scoring import KINDS, kind_in
from core.thread.value import Thread, text_of
from core.workspace import Workspace, open_workspace
from tests.fake_server import fake_server, says
from tui.__main__ import run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, copy_demo: Callable[[Path], None]) -> Path:
    """The demo dataset, and sessions with planted changes and faults made of it."""
    root = tmp_path_factory.mktemp("kinds")
    workspace = open_workspace(str(root), environ={})
    copy_demo(root)
    import_dataset(workspace, "planted", workspace.data / "demo", options=ImportOptions(seed=3))
    return root


@pytest.fixture
def workspace(root: Path, tmp_path: Path) -> Workspace:
    (tmp_path / ".sensorloom").mkdir()
    (tmp_path / ".sensorloom" / "features").symlink_to(root / ".sensorloom" / "features")
    (tmp_path / "sensorloom.toml").write_text(f'[paths]\ndata = "{root / "data"}"\n')
    return open_workspace(str(tmp_path), environ={})


def asked(workspace: Workspace, *arguments: str) -> list[Thread]:
    run(["run", "--workspace", str(workspace.root), *arguments])
    return [read.thread for read in store.read_all(workspace.threads) if isinstance(read, store.Stored)]


def test_the_analyst_answers_each_kind_from_measurements_and_declines_what_no_channel_shows(workspace: Workspace):
    own = asked(workspace, "--dataset", "demo", "--kind", "mix", "--count", "14", "--seed", "2")
    own = asked(workspace, "--dataset", "planted", "--kind", "change,fault", "--count", "4", "--seed", "2")
    assert len(own) == 18
    kinds = Counter(kind_in(thread.metadata) for thread in own)
    assert set(kinds) == set(KINDS)
    right = Counter(kind_in(thread.metadata) for thread in own if thread.metadata["is_correct"])
    assert sum(right.values()) >= 14, right
    assert right["unanswerable"] == kinds["unanswerable"]
    for thread in own:
        assert [
            finding for finding in check_thread(thread) if finding.check in ("leak", "grounding", "unknown_answer")
        ] == []
        final = text_of(thread.messages[-1])
        assert any(letter.isdigit() for letter in final.partition("Confidence:")[0]), final
    far = {thread.id: thread for thread in own}
    steps = list(select(workspace.threads, summaries(workspace), parse("kind:steps correct:true")))
    assert steps
    assert all(far[summary.id].metadata["question_kind"] == "steps" for summary in steps)


def test_the_truth_reaches_no_model(workspace: Workspace):
    final = says("I counted.\n\nConfidence: high\nFinal Answer: 4", 20)
    with fake_server(final, final, final) as server:
        own = asked(workspace, "--dataset", "demo", "--kind", "steps", "--count", "3", "--seed", "5", "--parallel", "1",
                   "--endpoint", server.url)  # fmt: skip
    assert len(server.requests) == 3
    for thread, body in zip(sorted(own, key=lambda thread: thread.id[-4:]), server.requests, strict=True):
        told = json.dumps(body["messages"])
        assert thread.question in text_of(body["messages"][-1])
        assert not [word for word in ("ground_truth", "question_kind", "facts", thread.session) if word in told]
        after = text_of(body["messages"][-1]).partition("User Query:")[2]
        assert str(thread.metadata["activity"]).replace("_", " ") not in after


def test_an_edited_answer_is_scored_by_its_kind_and_undo_brings_it_back(workspace: Workspace):
    (thread,) = asked(workspace, "--dataset", "demo", "--kind", "steps", "--count", "1", "--seed", "2")
    stored = store.read(workspace.threads, thread.id)
    last = thread.messages[-1]

    def answered(steps: int) -> dict[str, Any]:
        return {**last, "content": f"I counted 9 peaks.\n\nConfidence: high\nFinal Answer: {steps} steps"}

    true = int(thread.truth)
    near = curate.edit_message(workspace, stored, len(thread.messages) - 1, answered(true + 1))
    assert near.thread.metadata["is_correct"] is True
    far = curate.edit_message(workspace, near, len(thread.messages) - 1, answered(true + 9))
    assert far.thread.metadata["is_correct"] is False
    assert list(select(workspace.threads, summaries(workspace), parse("kind:steps correct:false")))
    curate.undo(workspace, thread.id)
    assert store.read(workspace.threads, thread.id).thread.metadata["is_correct"] is True


def test_threads_that_give_the_truth_away_are_told(workspace: Workspace):
    (thread,) = asked(workspace, "--dataset", "demo", "--kind", "steps", "--count", "1", "--seed", "2")
    question = thread.messages[0]
    metadata: dict[str, Any] = {**thread.metadata, "ground_truth": "17"}

    def leaks(content: str, **more: Any) -> list[str]:
        changed = {**thread.document, "metadata": {**metadata, **more}}
        messages = [{**question, "content": content}, *thread.messages[1:]]
        return [f.sentence for f in check_thread(Thread({**changed, "messages": messages})) if f.check == "leak"]

    plain = str(question["content"])
    assert leaks(plain) == []
    told = "It was 17 steps. How many are there? As the final answer give the number of steps."
    assert leaks(plain.replace(thread.question, told), user_query=told)
    assert leaks(plain.replace('"activities"', '"steps": 17, "activities"'))
    activity = f"The person is {thread.metadata['activity'].replace('_', ' ')}. {thread.question}"
    assert leaks(plain.replace(thread.question, activity), user_query=activity)


def test_questions_are_spread_over_kinds_and_truths(workspace: Workspace):
    dataset = open_dataset(workspace, "demo")
    drawn = draw_questions(workspace, dataset, kinds_named("mix"), 28, seed=4)
    assert set(Counter(question.kind for question in drawn).values()) == {4}
    assert len({(question.kind, question.session) for question in drawn}) == 28
    resting = draw_questions(workspace, dataset, kinds_named("resting"), 20, seed=4)
    assert Counter(question.truth for question in resting) == {"resting": 10, "moving": 10}
    assert drawn == draw_questions(workspace, dataset, kinds_named("mix"), 28, seed=4)
    choices = draw_questions(workspace, dataset, kinds_named("choice"), 60, seed=4)
    first = sum(question.question.find(question.truth.replace("_", " ")) < 40 for question in choices)
    assert 0 < first < 60


def test_what_cannot_be_asked_is_said(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    dataset = open_dataset(workspace, "demo")
    with pytest.raises(UsageError, match="no kind of question 'stepps'"):
        kinds_named("stepps")
    with pytest.raises(UsageError, match="fewer than the 1 asked for; `change` is asked of sessions with one change"):
        draw_questions(workspace, dataset, kinds_named("change"), 1, seed=1)
    assert run(
        ["run", "--workspace", str(workspace.root), "--dataset", "demo", "--kind", "steps", "--question", "What?"]
    )
    assert "--question is for the activity" in capsys.readouterr().err
    counts = {each.kind.name: each.sessions for each in askable(workspace, dataset, 20)}
    assert (counts["activity"], counts["steps"], counts["fault"]) == (20, 20, 0)
    assert run(["questions", "--workspace", str(workspace.root)]) == 0
    shown = capsys.readouterr().out
    assert all(f"{kind}: " in shown for kind in KINDS)


def test_planted_sessions_state_their_change_or_fault_and_no_activity_is_asked_of_two(root: Path, workspace: Workspace):
    dataset = open_dataset(workspace, "planted")
    facts = json.loads((root / "data" / "planted" / FACTS).read_text())
    changed = {session for session in facts if "changes_sec" in facts[session]}
    assert 0 < len(changed) < len(dataset.sessions)
    for session in sorted(changed)[:20]:
        window = dataset.load(session)
        (change,) = facts[session]["changes_sec"]
        assert window.start_sec < change < window.end_sec
        assert change in [round(float(time), 2) for time in window.time_sec]
    lengths = {round(facts[session]["changes_sec"][0] / dataset.load(session).end_sec, 1) for session in changed}
    assert len(lengths) > 2  # else half the length would answer every question
    with pytest.raises(DatasetError, match="holds several activities"):
        curate.create_thread(workspace, "planted", sorted(changed)[0], "What is it?")


def test_kinds_are_counted_apart_and_only_labels_are_balanced(workspace: Workspace):
    asked(workspace, "--dataset", "demo", "--kind", "steps,activity", "--count", "4", "--seed", "2")
    counts = statistics(summaries(workspace))
    assert [(count.name, count.threads) for count in counts.questions] == [("activity", 2), ("steps", 2)]
    (dataset,) = counts.datasets
    assert dataset.total.threads == 4
    assert sum(count.threads for count in dataset.labels) == 2
    assert {count.name for count in dataset.labels} <= set(open_dataset(workspace, "demo").activities)
