from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from core.analyst.policy import reply_to
from core.thread.conclusion import final_answer, stated_confidence
from core.thread.opening import described, question_prompt
from tests.core.analyst.analyst_threads import PLAIN, calls_in, manifest_of, results_in, run_thread
from tests.tools.made import MOTIONS, MadeDataset, made_dataset
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, ToolError, tool

MADE = made_dataset(5, 2)
MANIFEST = manifest_of(MADE)
SESSIONS = tuple(MADE.windows)
QUESTIONS = (
    PLAIN,
    "Using only the gyroscope, what activity is this?",
    "Is this walking or running?",
    "Is the person resting?",
    "Is this laying?",
)


def asked(
    session: str, question: str = PLAIN, seed: int = 0, tools: tuple[Tool, ...] = BUILTIN
) -> list[dict[str, Any]]:
    return run_thread(MADE, MANIFEST, session, question, seed, tools)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_ends_in_a_label_and_a_confidence(question: str):
    for seed, session in enumerate(SESSIONS[::5]):
        messages = asked(session, question, seed)
        last = messages[-1]["content"]
        truth = MADE.labels[session][0]
        alike = ("standing", "laying") if "gyroscope" in question and truth in ("standing", "laying") else (truth,)
        assert final_answer(last) in alike
        assert stated_confidence(last) in ("high", "medium", "low")
        assert last.splitlines()[-1].startswith("Final Answer: ") and last.splitlines()[-2].startswith("Confidence: ")
        assert all(
            "Final Answer" not in message["content"] for message in messages[2:-1] if message["role"] == "assistant"
        )
        assert all(message["content"].strip() for message in messages if message["role"] == "assistant")


def test_only_numbers_that_a_result_holds_are_quoted():
    digits = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
    quoted = 0
    for seed, session in enumerate(SESSIONS):
        held = ""
        for message in asked(session, QUESTIONS[seed % len(QUESTIONS)], seed)[2:]:
            if message["role"] == "tool":
                held += message["content"]
            for number in digits.findall(message["content"]) if message["role"] == "assistant" else ():
                quoted += 1
                assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]*\d)", held), (number, message["content"])
    assert quoted > 5 * len(SESSIONS), "it argues with numbers"


def test_the_same_request_gets_the_same_answer_and_another_seed_another_way():
    assert asked(SESSIONS[3], seed=4) == asked(SESSIONS[3], seed=4)
    ways = {tuple(name for name, _ in calls_in(asked(SESSIONS[3], seed=seed))) for seed in range(25)}
    assert len(ways) >= 6
    assert any(
        sum(1 for message in messages if len(message.get("tool_calls", ())) > 1)
        for messages in (asked(SESSIONS[3], seed=s) for s in range(9))
    ), "sometimes two calls go together"


def test_a_limit_in_the_question_is_kept():
    for seed in range(6):
        messages = asked(SESSIONS[1], QUESTIONS[1], seed)
        artifact = next(result["artifact_id"] for result in results_in(messages) if "from_artifact" in result)
        name, arguments = calls_in(messages)[0]
        assert (name, arguments["channel_names"]) == ("select_channels", ["gyro_x", "gyro_y", "gyro_z"])
        assert all(arguments.get("artifact_id") == artifact for _, arguments in calls_in(messages)[1:])


def test_questions_of_yes_and_no_are_answered_in_their_own_terms():
    walking = next(session for session in SESSIONS if MADE.labels[session] == ["walking"])
    laying = next(session for session in SESSIONS if MADE.labels[session] == ["laying"])
    assert "no: the person is moving" in asked(walking, "Is the person resting?")[-1]["content"]
    assert "yes: the person is resting" in asked(laying, "Is the person resting?")[-1]["content"]
    assert "yes, this is laying" in asked(laying, "Is this laying?")[-1]["content"]
    assert "not laying but most likely walking" in asked(walking, "Is this laying?")[-1]["content"]


def test_only_offered_tools_are_called():
    for names in (("detect_periodicity",), ("compare_to_reference",), ("nearest_examples", "compute_spectrum")):
        offered = tuple(tool for tool in BUILTIN if tool.name in names)
        for seed in range(4):
            called = {name for name, _ in calls_in(asked(SESSIONS[seed], seed=seed, tools=offered))}
            assert called and called <= set(names)


def test_without_tools_it_guesses_says_so_and_is_at_chance():
    right = 0
    for seed in range(200):
        session = SESSIONS[seed % len(SESSIONS)]
        last = asked(session, seed=seed, tools=())[-1]["content"]
        assert stated_confidence(last) == "low" and "guess" in last
        right += final_answer(last) == MADE.labels[session][0]
    # 200 draws at one in four: outside of 5 standard deviations something leaks
    assert 200 / 4 - 31 < right < 200 / 4 + 31


@tool
def compute_spectrum(context: ToolContext, artifact_id: str = "session") -> Any:
    """A spectrum that always fails."""
    raise ToolError("the spectrum is broken", available_artifacts=["session"])


@tool
def compare_to_reference(context: ToolContext, artifact_id: str, labels: list[str] | None = None) -> Any:
    """A comparison that fails once."""
    raise ToolError("there is no artifact 'session'")


@pytest.mark.parametrize("broken", [compute_spectrum, compare_to_reference], ids=lambda broken: broken.name)
def test_it_gets_over_tools_that_fail_and_never_repeats_a_call(broken: Tool):
    tools = tuple(broken if tool.name == broken.name else tool for tool in BUILTIN)
    for seed in range(8):
        messages = asked(SESSIONS[2], seed=seed, tools=tools)
        calls = [(name, json.dumps(arguments)) for name, arguments in calls_in(messages)]
        assert len(set(calls)) == len(calls)
        assert final_answer(messages[-1]["content"]) in MOTIONS


@pytest.mark.parametrize(
    "content", ["", "null", "[]", "{}", '{"sensors": 3}', '{"distances": {"a": []}}', "\ud800", "[" * 9999]
)
def test_results_of_any_shape_are_survived(content: str):
    messages = asked(SESSIONS[0], seed=1)
    for message in messages:
        if message["role"] == "tool":
            message["content"] = content
    reply = reply_to({"messages": messages[:-1], "tools": [tool.schema for tool in BUILTIN]}, 1)
    assert reply.text


@pytest.mark.parametrize(
    "body",
    [{}, {"messages": None}, {"messages": [1, {"role": "user", "content": None}]}, {"messages": [], "tools": [3, {}]}],
)
def test_odd_requests_get_an_answer(body: dict[str, Any]):
    assert "Final Answer: " in reply_to(body, 0).text


def test_a_persons_own_tool_is_asked_and_quoted():
    @tool
    def count_peaks(context: ToolContext, artifact_id: str = "session") -> Any:
        """Count peaks."""
        return {"peaks": 17}

    threads = [asked(SESSIONS[0], seed=seed, tools=(*BUILTIN, count_peaks)) for seed in range(8)]
    used = [messages for messages in threads if any(name == "count_peaks" for name, _ in calls_in(messages))]
    assert used and any("peaks as 17" in message["content"] for message in used[0])


def test_high_confidence_is_right_more_often_than_low():
    """A gyroscope cannot tell standing from laying, and tells walking from running."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for seed, session in enumerate(SESSIONS):
        last = asked(session, "Using only the gyroscope, what activity is this?", seed)[-1]["content"]
        counts[stated_confidence(last) == "high", final_answer(last) == MADE.labels[session][0]] += 1
    sure, unsure = (counts[level, True] / (counts[level, True] + counts[level, False]) for level in (True, False))
    assert counts[True, True] >= 15 and counts[False, False] >= 3 and sure > unsure + 0.2


def test_a_reference_of_few_sessions_never_makes_it_sure():
    few = made_dataset(3, 1)
    for seed, session in enumerate(few.windows):
        assert stated_confidence(run_thread(few, manifest_of(few), session, seed=seed)[-1]["content"]) == "low"


def proposed(dataset: MadeDataset, seed: int) -> str:
    messages = [
        {"role": "system", "content": question_prompt()},
        {"role": "user", "content": described(manifest_of(dataset))},
    ]
    return reply_to({"messages": messages}, seed).text


def test_proposed_questions_vary_and_stand_on_one_line():
    questions = [proposed(MADE, seed) for seed in range(120)]
    assert len(set(questions)) > 25
    for question in questions:
        assert question == question.strip() and "\n" not in question and question[-1] in "?."
        assert len(question.split()) <= 25
    assert any("gyroscope" in question for question in questions) and any(" or " in question for question in questions)


def test_proposed_questions_fit_datasets_with_one_label_and_none():
    for labels in ((), ("walking",)):
        for seed in range(20):
            assert proposed(MadeDataset(activities=labels, channels=()), seed)
