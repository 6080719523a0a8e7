"""Episodes: what a trainer is given of a session, what it may not be given, and what it is told its work is worth."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import Episode, ExportRequest, Task, export_threads, task_of, tasks
from core.curate.proposals import create_thread
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.storage.splits_file import SplitBook, hold_out, release, write_book
from core.thread.form import COMPACT, TaskForm
from core.workspace import Workspace, open_workspace
from tests.core.small_demo import small_demo

ROOT = Path(__file__).parents[3]
WAY = "80/10/10 by subject, seed 0"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return small_demo(tmp_path_factory.mktemp("episodes"))


@pytest.fixture(scope="module")
def train(space: Workspace) -> list[Task]:
    return tasks(space, "demo", seed=7)


@pytest.fixture(scope="module")
def episode(train: list[Task]) -> Episode:
    return Episode(train[0])


def asked(name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": function}]}


def answered(text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "c", "content": text}


def final(answer: str, words: str = "So it is.") -> dict[str, Any]:
    return {"role": "assistant", "content": f"{words}\n\nConfidence: high\nFinal Answer: {answer}"}


def test_one_seed_gives_the_same_tasks_and_labels_take_turns(space: Workspace, train: list[Task]):
    assert tasks(space, "demo", seed=7) == train != tasks(space, "demo", seed=8)
    labels = open_dataset(space, "demo").activities
    assert {task.truth for task in train[: len(labels)]} == set(labels)
    assert all(task.question for task in train)


def test_no_message_schema_or_result_names_the_label_alone_or_the_session(space: Workspace, train: list[Task]):
    labels = open_dataset(space, "demo").activities
    for task in train[:4]:
        episode = Episode(task)
        manifest = episode.messages[1]["content"].partition("\n\nUser Query:")[0]
        results = [episode.call("show_channel_stats"), episode.call("detect_periodicity")]
        text = json.dumps([*episode.messages, *episode.tools, *results])
        assert task.session not in text and "ground_truth" not in text and task.truth not in repr(task).split()
        assert "truth" not in repr(task) and "answer" not in task.row()
        assert all(f'"{label}"' in manifest for label in labels)
        assert manifest.count(f'"{task.truth}"') == 1


def test_a_right_grounded_short_conversation_is_worth_one(episode: Episode):
    result = episode.call("detect_periodicity", {"channel_names": ["acc_x"]})
    number = re.findall(r"\d+\.\d+", result)[0]
    messages = [asked("detect_periodicity", channel_names=["acc_x"]), answered(result)]
    score = episode.score([*messages, final(episode.task.truth, f"I see {number} Hz.")])
    assert score.value == 1 and score.answer == episode.task.truth
    assert score == episode.score([*episode.messages, *messages, final(episode.task.truth, f"I see {number} Hz.")])


def test_each_part_falls_for_its_own_reason(episode: Episode):
    result = episode.call("detect_periodicity")
    good = [asked("detect_periodicity"), answered(result)]
    wrong = "laying" if episode.task.truth != "laying" else "walking"
    parts = [
        episode.score([*good, final(wrong)]).parts["right"],
        episode.score([asked("no_such_tool"), answered("{}"), final(wrong)]).parts["calls"],
        episode.score([*good, final(wrong, "It shows 987.654 Hz.")]).parts["grounded"],
        episode.score([*good * 9, final(wrong)]).parts["brevity"],
    ]
    assert parts == [0, 0, 0, 0]
    nothing = episode.score([{"role": "assistant", "content": "I do not know."}])
    assert nothing.value == 0 and nothing.answer is None


def test_calls_with_objects_for_arguments_are_read_too(episode: Episode):
    call = {"type": "function", "function": {"name": "detect_periodicity", "arguments": {"channel_names": ["acc_x"]}}}
    score = episode.score([{"role": "assistant", "content": "", "tool_calls": [call]}])
    assert score.parts["calls"] == 1


def test_weights_stand_in_the_settings(space: Workspace, tmp_path: Path):
    (tmp_path / "sensorloom.toml").write_text("[reward]\nright = 0\ncalls = 0\ngrounded = 0\nbrevity = 2\n")
    weighed = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    score = Episode(tasks(weighed, "demo", count=1)[0]).score([final("nonsense")])
    assert score.value == score.parts["brevity"] == 1


def test_a_wrong_call_says_what_would_be_right(episode: Episode):
    assert "did_you_mean" in episode.call("detect_periodicty")
    assert "error" in episode.call("detect_periodicity", "[")


def test_callables_are_typed_and_documented_and_do_what_call_does(episode: Episode):
    functions = {function.__name__: function for function in episode.callables()}
    assert set(functions) == {schema["function"]["name"] for schema in episode.tools}
    for schema in episode.tools:
        function = functions[schema["function"]["name"]]
        parameters = inspect.signature(function).parameters
        assert list(parameters) == list(schema["function"]["parameters"]["properties"])
        assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters.values())
        assert all(f"    {name}: " in (function.__doc__ or "") for name in parameters)
    assert functions["show_channel_stats"](artifact_id="session") == episode.call(
        "show_channel_stats", '{"artifact_id": "session"}'
    )


def sessions_compared(episode: Episode) -> int:
    return json.loads(episode.call("nearest_examples"))["reference"]["sessions"]


def test_held_out_sessions_are_never_on_the_training_side(space: Workspace, train: list[Task]):
    before = {task.session: sessions_compared(Episode(task)) for task in train[:4]}
    hold_out(space.root, ["demo/subject:s02"])
    try:
        held_out = [task for task in train if task.session.startswith("s02_")]
        assert held_out and not [task for task in tasks(space, "demo") if task.session.startswith("s02_")]
        assert {task.session[:3] for task in tasks(space, "demo", "test")} == {"s02"}
        with pytest.raises(UsageError, match="is on the side `test`, not on `train`"):
            Episode(held_out[0])
        with pytest.raises(UsageError, match="not on `train`"):
            task_of(space, held_out[0].row())
        assert Episode(task_of(space, {**held_out[0].row(), "split": "test"})).tools
        other = next(task for task in train[:4] if task not in held_out)
        assert sessions_compared(Episode(other)) < before[other.session], "they are no reference either"
    finally:
        release(space.root, ["demo/subject:s02"])


def test_a_split_decides_and_whom_it_has_not_placed_is_on_no_side(space: Workspace, train: list[Task]):
    unplaced = next(task for task in train if task.session.startswith("s02_"))
    sides = {"demo/subject:s01": "train", "demo/subject:s03": "val"}
    write_book(space.root, SplitBook(assigned={WAY: sides}, split=WAY))
    try:
        assert {task.session[:3] for task in tasks(space, "demo")} == {"s01"}
        assert {task.session[:3] for task in tasks(space, "demo", "val")} == {"s03"}
        with pytest.raises(UsageError, match="on no side of the split yet"):
            task_of(space, unplaced.row())
    finally:
        (space.root / "splits.json").unlink()


def test_stored_questions_are_asked_unless_they_give_the_answer_away(space: Workspace, train: list[Task]):
    fair, telling = train[0], train[1]
    create_thread(space, "demo", fair.session, "What is the person up to?")
    create_thread(space, "demo", telling.session, f"This session is labelled {telling.truth}. Which one is it?")
    stored = tasks(space, "demo", questions="stored")
    assert [(task.session, task.question, task.truth) for task in stored] == [
        (fair.session, "What is the person up to?", fair.truth)
    ]


def test_other_kinds_are_asked_and_rows_find_their_truth_again(space: Workspace):
    mixed = tasks(space, "demo", kinds="steps,resting", count=4, seed=3)
    assert {task.kind for task in mixed} == {"steps", "resting"}
    assert [task_of(space, task.row()) for task in mixed] == mixed


def test_rows_of_an_export_open_as_tasks_and_tell_nothing_but_the_prompt(space: Workspace, train: list[Task]):
    apart = open_workspace(str(space.root), parts={"threads": str(space.root / "asked")}, environ={})
    fair, telling = train[2], train[3]
    create_thread(apart, "demo", fair.session, fair.question)
    create_thread(apart, "demo", telling.session, f"This session is labelled {telling.truth}. Which one is it?")
    report = export_threads(apart, ExportRequest(profile="rl", finished_only=False))
    assert report.path is not None and [refusal.reason for refusal in report.refusals] == [
        "the prompt tells the answer"
    ]
    (row,) = map(json.loads, report.path.read_text().splitlines())
    assert row["prompt"] == Episode(fair).messages and row["answer"] == fair.truth
    task = task_of(space, row)
    assert (task.session, task.question, task.truth) == (fair.session, fair.question, fair.truth)


def test_threads_that_answer_one_question_are_one_row_of_what_is_asked(space: Workspace, train: list[Task]):
    apart = open_workspace(str(space.root), parts={"threads": str(space.root / "twice")}, environ={})
    for question in ("What is it?", "What is it?", "What else is it?"):
        create_thread(apart, "demo", train[5].session, question)
    create_thread(apart, "demo", train[6].session, "What is it?")
    report = export_threads(apart, ExportRequest(profile="rl", finished_only=False))
    assert report.path is not None and report.skipped == {"asks what another thread asks": 1}
    rows = list(map(json.loads, report.path.read_text().splitlines()))
    assert sorted((row["session"], row["question"]) for row in rows) == sorted(
        [(train[5].session, "What is it?"), (train[5].session, "What else is it?"), (train[6].session, "What is it?")]
    )


def test_an_episode_plays_the_form_that_its_thread_or_row_names(space: Workspace, train: list[Task]):
    apart = open_workspace(str(space.root), parts={"threads": str(space.root / "compact")}, environ={})
    form = msgspec.structs.replace(COMPACT, few_shot=1)
    thread = create_thread(apart, "demo", train[4].session, "What is it?", form=form).thread
    report = export_threads(apart, ExportRequest(profile="rl", finished_only=False))
    assert report.path is not None
    (row,) = map(json.loads, report.path.read_text().splitlines())
    (stored,) = tasks(apart, "demo", questions="stored")
    for task in (stored, task_of(space, row), task_of(space, stored.row())):
        episode = Episode(task)
        assert episode.messages == [dict(message) for message in thread.messages] == row["prompt"]
        assert [tool["function"]["name"] for tool in episode.tools] == list(COMPACT.tools[:3]) and task.form == COMPACT
        (stats, *_) = episode.callables()
        assert list(inspect.signature(stats).parameters) == []
        assert stats() == episode.call("show_channel_stats") and len(stats()) < 200
    assert tasks(space, "demo", seed=7, count=1, form="compact")[0].form == COMPACT
    everything = {name: None for name in TaskForm.__struct_fields__}  # as a table of rows fills up what one lacks
    assert task_of(space, {**row, "form": {**everything, **row["form"]}}).form == COMPACT


def test_a_system_prompt_of_ones_own_is_that_of_its_episodes(space: Workspace, tmp_path: Path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/terse.txt").write_text("Be terse.")
    (tmp_path / "sensorloom.toml").write_text('[task]\nsystem = "terse.txt"\n')
    own = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    (task,) = tasks(own, "demo", count=1)
    (tmp_path / "prompts/terse.txt").write_text("Be wordy.")
    assert Episode(task_of(own, task.row())).messages[0] == {"role": "system", "content": "Be terse."}


def test_what_cannot_be_had_is_said(space: Workspace):
    for wrong, sentence in (("holdout", "there is no side"), ("val", "no session on the side `val`")):
        with pytest.raises(UsageError, match=sentence):
            tasks(space, "demo", wrong)  # pyright: ignore[reportArgumentType]


def test_it_loads_no_screen_no_client_and_no_network():
    program = (
        "from core import Episode, Score, Task, task_of, tasks; import sys, json; "
        "from core.lint.leak import LEAK; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(json.loads(done.stdout))
    assert "core.episodes.episode" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {
        "textual",
        "rich",
        "tui",
        "openai",
        "httpx",
        "httpx2",
        "mcp",
    }
    assert not loaded & {"core.model", "core.model.client", "ssl", "http.client", "asyncio"}


def test_the_snippets_of_the_page_run(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(space.root)
    names: dict[str, Any] = {}
    for program in re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/episodes.md").read_text(), re.M | re.S):
        exec(program, names)
    assert 0 <= names["score"].value <= 1
