from __future__ import annotations

import json
import random
from dataclasses import replace

from core.analyst.conversation import read_request
from core.analyst.words import explain
from core.thread.conclusion import final_answer
from tests.core.analyst.analyst_threads import calls_in, manifest_of, results_in, run_thread
from tests.tools.made import TRIADS, MadeDataset, made_dataset, result_of
from tools.builtin import BUILTIN
from tools.registry import ToolContext


def two_places(dataset: MadeDataset) -> MadeDataset:
    """A dataset that describes a phone and a watch, of which each session holds one."""
    phone, watch = (
        tuple(
            replace(channel, name=f"{position}_{channel.name}", description=f"{position} {channel.description}")
            for channel in TRIADS
        )
        for position in ("phone", "watch")
    )
    dataset.channels = (*phone, *watch)
    for number, (session, window) in enumerate(dataset.windows.items()):
        dataset.windows[session] = replace(window, channels=(phone, watch)[number % 2])
    return dataset


def test_it_asks_only_for_sensors_that_the_session_has():
    dataset = two_places(made_dataset(4, 2))
    for seed, session in enumerate(dataset.windows):
        question = "What is this?" if seed % 2 else "Using only the gyroscope, what activity is this?"
        messages = run_thread(dataset, manifest_of(dataset), session, question, seed, BUILTIN)
        errors = [result["error"] for result in results_in(messages) if "error" in result]
        assert not [error for error in errors if "phone" in error or "watch" in error]  # a slip names neither


def test_a_limit_to_sensors_that_the_session_lacks_is_told_and_dropped():
    dataset = two_places(made_dataset(2, 1))
    phone, watch = list(dataset.windows)[:2]
    texts: dict[str, str] = {}
    for session in (phone, watch):
        messages = run_thread(dataset, manifest_of(dataset), session, "Using only the watch, what is this?", 0, BUILTIN)
        assert not [result for result in results_in(messages) if "error" in result]
        texts[session] = " ".join(message["content"] for message in messages if message["role"] == "assistant")
    assert texts[phone].count("none of the sensors that the question names") == 1 and "limited" not in texts[phone]
    assert "The question is limited to watch_acc and watch_gyro" in texts[watch]


def told(dataset: MadeDataset, tool: str, **arguments: object) -> str:
    session = next(iter(dataset.windows))
    content = result_of(ToolContext(dataset, session), tool, arguments)
    call = {"id": "a", "function": {"name": tool, "arguments": "{}"}}
    answer = {"role": "tool", "tool_call_id": "a", "content": json.dumps(content)}
    request = {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}, answer]}
    return explain(read_request(request).findings[0], random.Random(1))


def test_a_list_of_channels_is_told_by_sensor_and_unit():
    sentence = told(made_dataset(2, 1), "show_channel_stats", dataset_name="made")
    assert sentence == "There are 6 channels: acc in m/s²; gyro in rad/s."


def test_what_a_dataset_holds_is_told_with_its_sessions_and_labels():
    sentence = told(made_dataset(2, 1), "show_session_stats", dataset_name="made")
    assert " session" in sentence and "label" in sentence


def test_one_session_of_a_label_has_no_spread():
    dataset = made_dataset(2, 1)
    session = next(iter(dataset.windows))
    telling = result_of(ToolContext(dataset, session), "compare_to_reference")["telling_features"]
    spreads = [values[1] for feature in telling for values in feature.values() if isinstance(values, list)]
    assert spreads and not any(spread is not None for spread in spreads)
    assert "±" not in told(dataset, "compare_to_reference") and " here, where " in told(dataset, "compare_to_reference")


def test_labels_that_the_manifest_does_not_list_are_asked_for():
    dataset = made_dataset(4, 2)
    manifest = {**manifest_of(dataset), "activities": None}
    right = 0
    for seed, session in enumerate(dataset.windows):
        messages = run_thread(dataset, manifest, session, "What is this?", seed, BUILTIN)
        assert calls_in(messages)[0][0] == "show_session_stats"
        right += final_answer(messages[-1]["content"]) == dataset.labels[session][0]
    assert right > 0.8 * len(dataset.windows)


def test_a_call_that_failed_for_no_argument_of_its_is_not_made_again():
    dataset = made_dataset(1, 1)
    session = next(iter(dataset.windows))
    for seed in range(6):
        messages = run_thread(dataset, manifest_of(dataset), session, "What?", seed, BUILTIN)
        tools = [name for name, _ in calls_in(messages)]
        assert tools.count("compare_to_reference") == 1, "nobody else is there to compare with, whatever is asked"
