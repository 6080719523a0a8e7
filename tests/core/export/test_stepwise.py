from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.cli.commands import run_command
from core.errors import UsageError
from core.export.report import ExportRequest
from core.export.run import export
from core.filters.language import parse, select
from core.listing.index import summaries
from core.storage import history, store
from core.thread.edits import edited, with_text
from core.thread.turn_labels import labels_of, with_label
from core.thread.value import Thread
from core.workspace import Workspace
from tests.core.export.threads import document, rows, workspace


def long_document(number: int = 1, **metadata: Any) -> dict[str, Any]:
    """A thread of four assistant turns: one of two calls, two without a call, the final answer."""
    thread = document(number, **metadata)
    last = thread["messages"].pop()
    for step in ("A rhythm.", "So it moves."):
        thread["messages"].append({"role": "assistant", "content": step, "tool_calls": None})
    thread["messages"].append(last)
    return thread


def starts(thread: Thread) -> list[int]:
    return [index for index, message in enumerate(thread.messages) if message["role"] == "assistant"]


def labelled(space: Workspace, stem: str, *labels: Any) -> None:
    for number, label in enumerate(labels):
        stored = store.read(space.threads, stem)
        curate.label_turn(space, stored, starts(stored.thread)[number], label)


def test_the_first_error_marks_the_rest():
    thread = Thread(long_document())
    first, second, third, _ = starts(thread)
    thread = with_label(thread, second, "bad")
    assert labels_of(thread) == [None, "bad", "bad", "bad"]
    thread = with_label(thread, first, "good")
    assert labels_of(thread) == ["good", "bad", "bad", "bad"]
    assert labels_of(with_label(thread, third, "neutral")) == ["good", "bad", "neutral", "bad"]
    assert labels_of(with_label(thread, second, None)) == ["good", None, None, None]
    assert labels_of(with_label(thread, second, "good")) == ["good", "good", "bad", "bad"]
    with pytest.raises(UsageError, match="only what the assistant says"):
        with_label(thread, 0, "good")


def test_the_result_of_a_turn_stands_for_the_turn():
    thread = Thread(long_document())
    assert labels_of(with_label(thread, starts(thread)[0] + 1, "good"))[0] == "good"


def test_an_edited_turn_is_no_longer_labelled():
    thread = with_label(Thread(long_document()), 1, "good")
    assert labels_of(edited(thread, 1, with_text(thread.messages[1], "Other words.")))[0] is None


def test_a_label_is_one_step_that_undo_takes_back(tmp_path: Path):
    space = workspace(tmp_path, long_document())
    (stem,) = (summary.stem for summary in summaries(space))
    before = store.read(space.threads, stem).data
    labelled(space, stem, None, "bad")
    step = history.read(space, stem).last
    assert step is not None and step.what == "turn 2 labelled bad"
    assert [message.get("label") for message in store.read(space.threads, stem).thread.messages][-3:] == ["bad"] * 3
    curate.undo(space, stem)
    assert store.read(space.threads, stem).data == before


def test_a_thread_leaves_as_steps_with_a_label_each(tmp_path: Path):
    space = workspace(tmp_path, long_document(1), long_document(2), long_document(3))
    first, second, _ = sorted(summary.stem for summary in summaries(space))
    labelled(space, first, "good", "neutral", "bad")
    labelled(space, second, "good")
    curate.set_verdicts(space, [first], "reject")
    report = export(space, ExportRequest("trl_prm"))
    (row,) = rows(report.path)
    assert list(row) == ["prompt", "completions", "labels"]
    assert row["labels"] == [True, True, False, False]
    assert row["prompt"].endswith("User Query: What is this? 1")
    call, told, *_ = row["completions"]
    assert call.startswith("Two checks at once") and call.count("<tool_call>") == 2
    assert "<tool_response>" not in call, "a step is judged by what was known when it was taken"
    assert told.count("<tool_response>") == 2 and told.endswith("A rhythm.")
    assert report.skipped == {"turns without a label": 1, "no turn is labelled": 1}
    assert [refusal.sentence for refusal in report.refusals] == ["turn 2, 3, 4 has no label; label every turn, or none"]
    assert report.changes == {"neutral turns that count as no error": 1}


@pytest.mark.parametrize(("profile", "mark", "out"), [("hf", "train", False), ("openai", "weight", 0)])
def test_bad_turns_are_kept_out_of_the_loss_where_that_is_asked_for(
    tmp_path: Path, profile: str, mark: str, out: object
):
    space = workspace(tmp_path, long_document())
    (stem,) = (summary.stem for summary in summaries(space))
    labelled(space, stem, "good", "good", "bad")
    (plain,) = rows(export(space, ExportRequest(profile)).path)
    assert not any(message.get(mark) == out for message in plain["messages"])
    report = export(space, ExportRequest(profile, mask_bad=True))
    (row,) = rows(report.path)
    spoken = [message for message in row["messages"] if message["role"] == "assistant"]
    assert [message.get(mark) == out for message in spoken] == [False, False, True, True]
    assert not any("label" in message for message in row["messages"])
    assert report.changes["turns labelled bad kept out of the loss"] == 2


def test_the_command_labels_and_the_filter_finds_what_is_labelled(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace(tmp_path, long_document(1), long_document(2))
    first, second = sorted(summary.stem for summary in summaries(space))
    where = ["--workspace", str(tmp_path)]
    assert run_command(["label", "good", first, "--turn", "1", "--turn", "2", *where]) == 0
    assert capsys.readouterr().out == f"{first}: turns 1 good, 2 good, 3 none, 4 none\n"
    assert run_command(["label", "bad", second, "--turn", "3", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == [None, None, "bad", "bad"]

    def matching(text: str) -> list[str]:
        return [summary.stem for summary in select(space.threads, summaries(space), parse(text, space))]

    assert sorted(matching("has:labels")) == [first, second]
    assert matching("has:bad_turns") == [second]
    assert run_command(["label", "bad", second, "--turn", "9", *where]) == 1
