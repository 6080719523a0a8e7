"""Kinds of questions: what is true of a session, how answers are scored, and that a thread's answer is scored so."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from core.thread.kind_truths import About
from core.thread.kinds import BY_NAME, DECLARED, Asked, ask
from core.thread.question import question_turn, with_question
from core.thread.scoring import KINDS, balanced_as, is_right
from core.thread.updates import recount
from core.thread.value import Thread, count
from tools.session import Channel, Window

LABELS = ("walking", "sitting", "walking_upstairs")
CHANNELS = tuple(Channel(f"acc_{axis}", "acceleration", "g", 50.0) for axis in "xyz")


def session(label: str = "walking", facts: Mapping[str, Any] | None = None, **more: Any) -> About:
    return About("s01_0001", label, LABELS, CHANNELS, facts or {}, **more)


def asked(kind: str, about: About, seed: int = 1) -> Asked | None:
    return ask(BY_NAME[kind], about, random.Random(seed))


def halves(first: float, second: float) -> Window:
    """Two seconds whose spread changes in the middle."""
    noise = np.random.default_rng(1).normal(0, 1, (3, 100))
    return Window(CHANNELS, np.arange(200) / 100, np.concatenate((first * noise, second * noise), axis=1))


def test_every_kind_is_declared_and_scored():
    assert tuple(kind.name for kind in DECLARED) == KINDS


@pytest.mark.parametrize(
    ("kind", "truth", "right", "wrong"),
    [
        ("activity", "walking_upstairs", ["ascending stairs", "Walking Upstairs"], ["walking", "cannot be told"]),
        ("choice", "laying", ["lying"], ["sitting"]),
        ("resting", "resting", ["resting", "At rest.", "`resting`"], ["moving", "cannot be told", "no"]),
        ("steps", "9", ["9", "8 steps", "about 10"], ["11", "8-10", "nine", "cannot be told"]),
        ("steps", "0", ["0", "1"], ["2"]),
        ("steps", "40", ["36", "44.0"], ["35", "45"]),
        ("change", "2.56", ["2.56", "3.05 s", "2.1"], ["3.1", "2", "0"]),
        ("change", "0.8", [".8", ".5 s"], ["8", ".1"]),
        ("compare", "same", ["same", "the same", "about the same"], ["first"]),
        ("fault", "body_acc", ["body_acc", "Body acc"], ["total_acc", "none"]),
        ("certainty", "not sure", ["not sure", "unsure"], ["sure"]),
        ("unanswerable", "cannot be told", ["cannot be told", "Cannot tell"], ["72", "Anna"]),
        ("of_somebody_else", "walking", ["walking"], ["sitting"]),
    ],
)
def test_answers_are_scored_by_their_kind(kind: str, truth: str, right: list[str], wrong: list[str]):
    assert [answer for answer in right if not is_right(kind, answer, truth)] == []
    assert [answer for answer in wrong if is_right(kind, answer, truth)] == []


@pytest.mark.parametrize(
    ("kind", "about", "truth"),
    [
        ("choice", session(), "walking"),
        ("resting", session("sitting"), "resting"),
        ("resting", session("walking_upstairs"), "moving"),
        ("resting", session("eating_soup"), None),
        ("steps", session(facts={"steps": 9}), "9"),
        ("steps", session(), None),
        ("change", session(facts={"changes_sec": [2.56]}), "2.56"),
        ("change", session(facts={"changes_sec": [1.0, 2.0]}), None),
        ("activity", session(facts={"changes_sec": [2.56]}), None),
        ("fault", session(facts={"faulty_sensor": "acc"}), "acc"),
        ("fault", session(facts={"faulty_sensor": "none"}), "none"),
        ("fault", session(facts={"faulty_sensor": "another"}), None),
        ("compare", session(window=lambda: halves(1, 3)), "second"),
        ("compare", session(window=lambda: halves(3, 1)), "first"),
        ("compare", session(window=lambda: halves(1, 1)), "same"),
        ("compare", session(window=lambda: halves(1, 1.3)), None),
        ("certainty", session(votes=lambda: {"walking": 19, "sitting": 1}), "sure"),
        ("certainty", session(votes=lambda: {"walking": 10, "walking_upstairs": 10}), "not sure"),
        ("certainty", session(votes=lambda: {"sitting": 20}), None),
        ("unanswerable", session(), "cannot be told"),
    ],
)
def test_the_truth_is_made_from_what_is_known_and_nothing_is_asked_without(kind: str, about: About, truth: str | None):
    question = asked(kind, about)
    assert (question.truth if question else None) == truth


def test_a_channel_that_may_measure_it_makes_a_question_answerable():
    heart = (*CHANNELS, Channel("heart_rate", "", "bpm", 1.0))
    about = About("s", "walking", LABELS, heart)
    wanted = {asked("unanswerable", about, seed).question for seed in range(60)}  # type: ignore[union-attr]
    assert not [question for question in wanted if "heart" in question]
    assert any("temperature" in question or "warm" in question for question in wanted)


def test_questions_say_the_form_of_their_answer_and_not_which_one_is_to_be_declined():
    texts = [asked("steps", session(facts={"steps": 9}), seed).question for seed in range(40)]  # type: ignore[union-attr]
    assert all("As the final answer give the number of steps" in text for text in texts)
    assert 5 < sum("`cannot be told`" in text for text in texts) < 35
    assert len({text.partition("As the")[0] for text in texts}) > 2


def thread_of(kind: str, truth: str, answer: str) -> Thread:
    question = asked(kind, session(facts={"steps": 9}))
    assert question is not None
    metadata = {
        "dataset": "demo", "session": "s01_0001", "ground_truth": truth, "question_kind": kind, "activity": "walking",
        "user_query": question.question,
    }  # fmt: skip
    messages = [
        {"role": "user", "content": f"Dataset Information:\n{{}}\n\nUser Query: {question.question}"},
        {"role": "assistant", "content": f"I counted.\n\nFinal Answer: {answer}", "tool_calls": None},
    ]
    return recount(Thread({"id": "demo_s01_0001_v4_0001", "metadata": metadata, "messages": messages}))


def test_a_thread_is_right_as_its_kind_is_scored():
    assert thread_of("steps", "9", "10").metadata["is_correct"] is True
    assert thread_of("steps", "9", "12").metadata["is_correct"] is False
    assert balanced_as("steps", "9") == "steps"


def test_thousands_may_be_parted_where_it_is_clear_that_they_are():
    for answer in ("1,200", "about 1,200 steps", "1'200", "1\u202f200", "1_200", "1,200."):
        assert is_right("steps", answer, "1200"), answer
    for answer in ("1,20", "0,200", "1 200", "1.200", "1,200,30", "1,200 to 1,300"):
        assert not is_right("steps", answer, "1200"), answer


def test_a_question_written_anew_without_its_form_asks_for_the_activity():
    thread = thread_of("steps", "9", "walking")
    turn = question_turn(thread)
    kept_form, _ = with_question(thread, turn, "How many steps here? As the final answer give the number of steps.")
    assert (kept_form.metadata["question_kind"], count(kept_form.messages, kept_form.metadata).correct) == (
        "steps",
        False,
    )
    other, _ = with_question(thread, turn, "What is this person doing?")
    assert "question_kind" not in other.metadata
    assert "activity" not in other.metadata
    assert (other.metadata["ground_truth"], other.metadata["is_correct"]) == ("walking", True)
