"""The analyst where nothing ranks the labels: it looks up, measures, rules out, and says what it rests on."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest

from core.analyst.elimination import Evidence, standing_of
from core.analyst.measurement_words import FEATURES, KEYS, feature_words, measurement_words, members_words
from core.analyst.policy import reply_to
from core.runs.toolbox import offered_in
from core.thread.conclusion import final_answer
from core.thread.open_answer import labels_left
from core.thread.opening import first_message
from tests.core.analyst.analyst_threads import calls_in, manifest_of, results_in, run_thread
from tests.tools.made import made_dataset
from tools.builtin import BUILTIN
from tools.features import feature_names
from tools.measured import measured_of
from tools.session import Dataset

MADE = made_dataset()
TOOLS = offered_in(BUILTIN, "measure")


def thread(session: str, question: str = "What activity is being performed?", seed: int = 0) -> list[dict[str, Any]]:
    return run_thread(cast("Dataset", MADE), manifest_of(MADE), session, question, seed, TOOLS)


def some(count: int) -> list[str]:
    return list(MADE.windows)[:: len(MADE.windows) // count][:count]


def test_it_is_right_without_a_tool_that_ranks():
    answers = {session: final_answer(thread(session)[-1]["content"]) for session in some(12)}
    right = sum(answers[session] == MADE.labels[session][0] for session in answers)
    assert right >= 11


def test_it_looks_up_measures_and_then_answers():
    for seed, session in enumerate(some(6)):
        names = [name for name, _ in calls_in(thread(session, seed=seed))]
        assert "look_up_ranges" in names
        assert not {"compare_to_reference", "nearest_examples"} & set(names)
        assert {"show_channel_stats", "compute_spectrum", "detect_periodicity", "separate_gravity"} & set(names)


def test_every_final_message_cites_numbers_that_a_tool_gave():
    for seed, session in enumerate(some(8)):
        messages = thread(session, seed=seed)
        results = " ".join(message["content"] for message in messages if message["role"] == "tool")
        body = messages[-1]["content"].split("\n\nConfidence")[0]
        cited = re.findall(r"(?<![\w.\[])-?\d+(?:\.\d+)?", body)
        assert cited
        assert all(number in results for number in cited), body


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("compute_spectrum/acc/dominant[0]", "the strongest frequency of acc"),
        ("compute_spectrum/acc/dominant[1]", "the second strongest frequency of acc"),
        (
            "compute_spectrum/left hip acc/band_share[0]",
            "the share of power in the first frequency band of left hip acc",
        ),
        ("estimate_orientation/acc/gravity[2]", "gravity along the z axis of acc"),
        ("estimate_orientation/acc/axis_x", "the angle between the vertical and the x axis of acc"),
        ("separate_gravity/gyro/share_vertical", "the share of turning about the vertical of gyro"),
        ("correlate_channels/acc x~z", "the correlation of the x and z axes of acc"),
        ("correlate_channels/|acc| ~ |gyro|", "the correlation of the magnitudes of acc and gyro"),
        ("my_tool/acc/deep_peak[1]", "the second deep peak of acc"),
    ],
)
def test_a_measurement_is_said_in_words(name: str, words: str):
    assert measurement_words(name) == words


def test_every_measurement_has_words_of_its_own_without_digits_or_signs():
    names = {name for session in some(8) for name in measured_of(MADE.windows[session])}
    phrases = {name: measurement_words(name) for name in names}
    assert all(re.split(r"\[|_[xyz]$", name.rpartition("/")[2])[0] in KEYS for name in names if name.count("/") == 2)
    assert not [words for words in phrases.values() if re.search(r"[\d\[\]~|]", words)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("acc_z:min", "the minimum of acc_z"),
        ("acc:tilt_x", "the tilt of the x axis of acc"),
        ("gyro.magnitude:band_1.6-2.6_Hz", "the movement of the magnitude of gyro between 1.6 and 2.6 Hz"),
        ("my_sensor:deep_peak", "the deep peak of my_sensor"),
        ("gyro std", "gyro std"),
    ],
)
def test_a_feature_is_said_in_words(name: str, words: str):
    assert feature_words(name) == words


def test_every_feature_and_every_pair_has_words():
    stats = {name.rpartition(":")[2] for name in feature_names(next(iter(MADE.windows.values())).channels)}
    assert not [stat for stat in stats if stat not in FEATURES and not stat.startswith("band_")]
    assert members_words("|acc| ~ |gyro|") == "the magnitudes of acc and gyro"
    assert members_words("acc x~z") == "the x and z axes of acc"


@pytest.mark.parametrize("session", some(3))
def test_a_limit_to_a_sensor_is_kept(session: str):
    messages = thread(session, "Using only the gyroscope, what activity is this?")
    for name, arguments in calls_in(messages):
        assert name in ("select_channels", "look_up_ranges") or arguments["artifact_id"].startswith("ts_")
        assert all("/gyro" in feature for feature in arguments.get("features", ()))


def test_a_value_in_a_range_speaks_for_its_label():
    ranges = {"a/x/std": {"walking": (1.0, 2.0, 3.0), "sitting": (0.0, 0.1, 0.2)}}
    standing = standing_of(
        Evidence(ranges, (frozenset(("walking", "sitting")),), {"a/x/std": 2.1}), ("walking", "sitting")
    )
    assert standing is not None
    assert (standing.best, standing.rival) == ("walking", "sitting")
    assert standing.margin > 0


def test_nothing_measured_leaves_everything_open():
    assert standing_of(Evidence({"a/x/std": {"walking": (1.0, 2.0, 3.0)}}, (), {}), ("walking",)) is None


def measured(value: float, labels: int) -> list[dict[str, Any]]:
    """A request in which one measurement was looked up and made, and the labels lie close to each other in it."""
    names = [f"label_{at}" for at in range(labels)]
    ranges = {name: [[0.9 + at / 100, 1.0 + at / 100, 1.1 + at / 100]] for at, name in enumerate(names)}
    manifest = {"dataset_name": "d", "activities": names, "channels": []}
    results: list[tuple[str, dict[str, Any]]] = [
        ("look_up_ranges", {"columns": [], "features": {"detect_periodicity/acc/cadence": ""}, "ranges": ranges}),
        ("detect_periodicity", {"sensors": {"acc": {"cadence": value}}}),
    ]
    messages: list[dict[str, Any]] = [dict(first_message(manifest, "What is it?"))]
    for at, (name, result) in enumerate(results):
        call = {"id": f"c{at}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{at}", "content": json.dumps(result)},
        ]
    return messages


def answered(question_labels: int) -> str:
    nudge = {"role": "user", "content": "Give the final answer now."}
    body = {"messages": [*measured(1.02, question_labels), nudge], "tools": [tool.schema for tool in TOOLS]}
    return final_answer(reply_to(body, 0).text) or ""


def test_where_many_labels_are_left_it_names_none_but_says_which():
    assert labels_left(answered(9))[0].startswith("label_")
    assert len(labels_left(answered(9))) == 9
    assert answered(3).startswith("label_")  # among few the nearest is named


def test_a_wrong_name_is_mended_there_too():
    threads = [thread(session, seed=seed) for seed, session in enumerate(some(20))]
    failed = [messages for messages in threads if any("error" in result for result in results_in(messages))]
    assert 0 < len(failed) < 10
    assert all(final_answer(messages[-1]["content"]) for messages in failed)
