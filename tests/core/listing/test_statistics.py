from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.filters.language import parse
from core.filters.values import term
from core.listing.statistics import Answered, Count, interval, label_sets, statistics
from core.storage import store
from core.thread.summary import Summary
from core.thread.value import Thread
from core.workspace import open_workspace


def summary(number: int, truth: str = "walking", answer: str = "walking", **fields: Any) -> Summary:
    """A thread; finished unless its answer is empty."""
    usual: dict[str, Any] = {
        "dataset": "demo", "shape": "v4", "status": "finished" if answer else "active", "truth": truth,
        "answer": answer, "correct": answer.casefold() == truth if answer and truth else None, "session": f"s{number}",
    }  # fmt: skip
    return Summary(f"t{number}", **{**usual, **fields})


MIXED = [
    summary(1, confidence="high", turns=2, calls=1, tools_used=("a",), verdict="accept"),
    summary(2, answer="Walking", confidence="high", turns=3, calls=2, tools_used=("a", "b")),
    summary(3, answer="sitting", confidence="low", turns=3, calls=2, tools_used=("b", "a"), verdict="reject"),
    summary(4, answer=""),
    summary(5, truth="sitting", answer="sitting", confidence="high", turns=3, calls=4, tools_used=("a", "b")),
    summary(6, truth="", answer="hopping"),
    summary(7, dataset="other", truth="cycling", answer="hopping", confidence="high"),
    Summary("broken", problem="broken.json: not JSON"),
]


def test_labels_are_counted_by_dataset_and_told_how_many_more_they_need():
    counted = statistics(MIXED, {"demo": ["walking", "sitting", "laying"]})
    demo, other = counted.datasets
    assert demo.labels == (
        Count("walking", threads=4, finished=3, right=2, wrong=1, accepted=1, rejected=1, ready=2),
        Count("sitting", threads=1, finished=1, right=1, ready=1, missing=1),
        Count("laying", missing=2),
        Count("", threads=1, finished=1, ready=1),
    )
    assert (demo.total.name, demo.total.threads, other.labels[0].missing) == ("demo", 6, 0)
    assert (counted.total.threads, counted.total.right, counted.total.wrong, counted.unreadable) == (7, 3, 2, 1)


def test_answers_are_paired_with_labels_however_they_are_written():
    demo = statistics(MIXED, {"demo": ["walking", "sitting"]}).datasets[0]
    assert demo.answers == (
        Answered("walking", "walking", 2, True),
        Answered("", "hopping", 1, False),
        Answered("sitting", "sitting", 1, True),
        Answered("walking", "sitting", 1, False),
    )


def test_confidence_turns_tools_and_ways_are_counted():
    counted = statistics(MIXED)
    assert [(count.name, count.threads, count.right, count.wrong) for count in counted.confidence] == [
        ("high", 4, 3, 1), ("low", 1, 0, 1), ("", 1, 0, 0),
    ]  # fmt: skip
    assert [(count.name, count.threads) for count in counted.turns] == [("0", 3), ("2", 1), ("3", 3)]
    assert [(count.name, count.threads) for count in counted.calls] == [("0", 3), ("1", 1), ("2", 2), ("4", 1)]
    assert [(count.name, count.threads) for count in counted.kinds] == [("0", 3), ("1", 1), ("2", 3)]
    assert [(count.name, count.threads, count.right) for count in counted.tools] == [("a", 4, 3), ("b", 3, 2)]
    assert [(path.tools, path.count.threads) for path in counted.paths] == [
        ((), 3), (("a", "b"), 2), (("a",), 1), (("b", "a"), 1),
    ]  # fmt: skip


def test_nothing_is_counted_as_nothing():
    counted = statistics([])
    assert counted.total == Count() and not counted.datasets and not counted.paths and not counted.confidence


@pytest.mark.parametrize(("right", "of", "low", "high"), [(0, 0, 0, 1), (9, 10, 0.596, 0.982), (50, 100, 0.404, 0.596)])
def test_the_interval_of_a_share(right: int, of: int, low: float, high: float):
    assert interval(right, of) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    "value", ["walking", "walking upstairs", "a,b", 'say "x"', "none", "Any", "-x", "a*", "[x]", "", "x\ty", "a:b"]
)
def test_a_term_selects_the_value_it_was_made_of(value: str):
    thread = summary(1, truth="walking", answer=value, status="finished")
    assert parse(term("answer", value)).on_summary(thread)
    assert not parse(term("answer", value)).on_summary(summary(2, answer="something else" if value else "x"))


def test_labels_that_the_filter_leaves_out_are_not_missed(tmp_path: Path):
    folder = tmp_path / "data" / "demo"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"activities": ["walking", "sitting", "laying"]}')
    (folder / "labels.json").write_text("{}")
    space = open_workspace(str(tmp_path), environ={})

    def listed(text: str) -> list[str]:
        wanted = parse(text, space)
        return label_sets(space, [each for each in MIXED if wanted.on_summary(each)], wanted.on_summary)["demo"]

    assert listed("") == listed("correct:false") == ["walking", "sitting", "laying"]
    assert listed("truth:walking") == ["walking"] and listed("-truth:laying,lying") == ["walking", "sitting"]


def test_the_command_prints_the_board_and_its_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "threads").mkdir()
    for number, answer in enumerate(("walking", "sitting", "sitting", "")):
        messages = [{"role": "assistant", "content": f"It is.\n\nFinal Answer: {answer}"}] if answer else []
        metadata = {"dataset": "demo", "session": f"s{number}", "ground_truth": "sitting" if number == 1 else "walking"}
        messages = [{"role": "user", "content": "What is it?"}, *messages]
        store.create(tmp_path / "threads", Thread({"id": f"t_v4_{number}", "metadata": metadata, "messages": messages}))
    assert run_command(["stats", "--json", "--workspace", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["datasets"][0]["labels"][0] == {
        "name": "sitting", "threads": 1, "finished": 1, "right": 1, "wrong": 0, "accepted": 0, "rejected": 0,
        "ready": 1, "missing": 1,
    }  # fmt: skip
    assert run_command(["stats", "--workspace", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "walking → sitting" in told and "needs 1 more sitting" in told and "3 finished" in told
    assert run_command(["stats", "--filter", "correct:false", "--json", "--workspace", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["threads"] == 1
    assert run_command(["stats", "--filter", "stauts:x", "--workspace", str(tmp_path)]) != 0
