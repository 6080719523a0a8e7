"""Ranges of other people's measurements, and the tools whose numbers they are of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tests.tools.made import TRIADS, MadeDataset, made_dataset, motion, result_of
from tools.measured import MEASURING, measured_in
from tools.registry import MAX_RESULT_BYTES, ToolContext
from tools.session import Channel, Dataset, Window


@pytest.fixture(scope="module")
def windows_dataset() -> MadeDataset:
    return made_dataset()


def context_of(dataset: MadeDataset, session: str) -> ToolContext:
    return ToolContext(cast("Dataset", dataset), session)


def on(window: Window) -> ToolContext:
    dataset = MadeDataset(channels=window.channels, windows={"s0_0": window}, labels={"s0_0": ["walking"]})
    return context_of(dataset, "s0_0")


def test_every_name_is_one_that_a_measuring_tool_prints(windows_dataset: MadeDataset):
    session = next(iter(windows_dataset.windows))
    context = context_of(windows_dataset, session)
    printed: set[str] = set()
    for tool in MEASURING:
        printed |= set(measured_in(tool.name, result_of(context, tool.name)))
    for labels in (None, ["walking", "running"], ["standing", "laying"]):
        features = result_of(context, "look_up_ranges", {"labels": labels} if labels else {})["features"]
        assert features
        assert set(features) <= printed


def test_ranges_are_the_percentiles_of_what_the_tools_print_for_other_people(windows_dataset: MadeDataset):
    session = next(iter(windows_dataset.windows))
    name = "detect_periodicity/acc/cadence"
    cadences = [
        measured_in("detect_periodicity", result_of(context_of(windows_dataset, other), "detect_periodicity"))[name]
        for other, labels in windows_dataset.labels.items()
        if labels == ["walking"] and windows_dataset.subjects[other] != windows_dataset.subjects[session]
    ]
    row = result_of(context_of(windows_dataset, session), "look_up_ranges", {"labels": ["walking"], "features": [name]})
    assert row["features"] == {name: "cycles per minute"}
    (lies,) = row["ranges"]["walking"]
    assert lies == pytest.approx(np.percentile(cadences, (10, 50, 90)), abs=0.6)


def test_features_are_chosen_for_the_labels_in_question(windows_dataset: MadeDataset):
    session = next(iter(windows_dataset.windows))
    result = result_of(context_of(windows_dataset, session), "look_up_ranges", {"labels": ["standing", "laying"]})
    standing, laying = result["ranges"]["standing"][0], result["ranges"]["laying"][0]
    assert standing[2] < laying[0] or laying[2] < standing[0]


def test_ranges_neither_look_at_the_session_nor_rank_labels(windows_dataset: MadeDataset):
    session = next(iter(windows_dataset.windows))
    before = result_of(context_of(windows_dataset, session), "look_up_ranges")
    changed = replace(windows_dataset, windows={})  # a session that cannot even be loaded
    assert result_of(context_of(changed, session), "look_up_ranges") == before
    assert not {"distances", "votes", "examples"} & set(before)
    assert list(before["ranges"]) == [label for label in windows_dataset.activities if label in before["ranges"]]


def test_only_measurements_of_the_sensors_that_are_named_are_chosen(windows_dataset: MadeDataset):
    context = context_of(windows_dataset, next(iter(windows_dataset.windows)))
    chosen = result_of(context, "look_up_ranges", {"sensors": ["gyro"]})["features"]
    assert chosen
    assert all(name.split("/")[1].startswith("gyro") for name in chosen)
    assert "gyro" in str(result_of(context, "look_up_ranges", {"sensors": ["gyroo"]})["did_you_mean"])


def test_a_result_for_many_labels_is_short(windows_dataset: MadeDataset):
    many = made_dataset(3, 1, [f"an activity with the long name number {at}" for at in range(30)])
    result = result_of(context_of(many, next(iter(many.windows))), "look_up_ranges")
    assert len(json.dumps(result).encode()) <= MAX_RESULT_BYTES or len(result["features"]) == 1


def test_a_feature_that_no_tool_prints_is_refused_with_the_nearest(windows_dataset: MadeDataset):
    context = context_of(windows_dataset, next(iter(windows_dataset.windows)))
    result = result_of(context, "look_up_ranges", {"features": ["detect_periodicity/acc/cadenc"]})
    assert "detect_periodicity/acc/cadence" in result["did_you_mean"]


def wave(hertz: float, size: float, seconds: float = 20.0, rate: float = 50.0) -> Window:
    """Level on a table with the z axis up, moving up and down as a sine; turning about the vertical alone."""
    time = np.arange(int(seconds * rate)) / rate
    values = np.zeros((6, time.size))
    values[2] = 9.81 + size * np.sin(2 * np.pi * hertz * time)
    values[5] = np.sin(2 * np.pi * hertz * time)
    return Window(TRIADS, time, values)


def test_gravity_and_movement_are_apart():
    parts = result_of(on(wave(1.2, 2.0)), "separate_gravity")["sensors"]
    assert parts["acc"]["vertical_rms"] == pytest.approx(2 / np.sqrt(2), rel=0.02)
    assert parts["acc"]["vertical_slow_rms"] == pytest.approx(2 / np.sqrt(2), rel=0.03)
    assert parts["acc"]["horizontal_rms"] == pytest.approx(0, abs=0.01)
    assert parts["acc"]["step_peak"] == pytest.approx(2.0, rel=0.03)
    assert parts["gyro"]["share_vertical"] == pytest.approx(1.0)
    assert parts["gyro"]["share_x"] == 0


def test_steps_are_counted():
    counted = result_of(on(wave(1.8, 3.0)), "count_steps")["sensors"]["acc"]
    assert counted["peaks"] == pytest.approx(36, abs=1)
    assert counted["per_minute"] == pytest.approx(108, abs=3)
    assert counted["regularity"] > 0.95


def test_steps_without_gravity_cannot_be_told():
    channels = tuple(Channel(f"gyro_{axis}", "", "rad/s", 50.0) for axis in "xyz")
    turning = Window(channels, wave(1.0, 1.0).time_sec, wave(1.0, 1.0).values[3:])
    assert "steps need an accelerometer" in result_of(on(turning), "count_steps")["error"]


def test_samples_are_bounded():
    context = on(wave(1.0, 1.0, seconds=60.0))
    few = result_of(context, "show_samples", {"start_sec": 0, "end_sec": 0.2, "channel_names": ["acc_z"]})
    assert few["channels"]["acc_z"][0] == 9.81
    assert "note" not in few
    many = result_of(context, "show_samples", {"start_sec": 0, "end_sec": 60})
    assert len(json.dumps(many)) <= MAX_RESULT_BYTES
    assert "mean" in many["note"]
    assert "no samples" in result_of(context, "show_samples", {"start_sec": 70, "end_sec": 80})["error"]


@pytest.mark.parametrize("fault", ["missing", "clipped", "stuck", "noise rather than movement", ""])
def test_faults_are_named(fault: str):
    window = motion("walking", np.random.default_rng(3), seconds=10.0)
    values = window.values.copy()
    if fault == "missing":
        values[0, 100:200] = np.nan
    elif fault == "clipped":
        values[0] = np.clip(values[0], 0.3, 1.3)
    elif fault == "stuck":
        values[0, 100:400] = values[0, 100]
    elif fault:
        values[:3] = np.random.default_rng(4).normal(0, 3, values[:3].shape)
    report: dict[str, Any] = result_of(on(Window(window.channels, window.time_sec, values)), "check_signal")
    assert report["sensors"]["acc"]["faults"] == ([fault] if fault else [])
    assert report["sensors_with_faults"] == bool(fault)


def test_the_subjects_of_ranges_are_those_whose_sessions_are_in_them():
    dataset = made_dataset(4, 2)
    for session, subject in dataset.subjects.items():
        if subject == "s1" and dataset.labels[session] == ["running"]:
            dataset.labels[session] = ["walking"]
    context = context_of(dataset, "s0_0000")
    assert result_of(context, "look_up_ranges")["reference"]["subjects"] == 3
    assert result_of(context, "look_up_ranges", {"labels": ["running"]})["reference"]["subjects"] == 2
    del dataset.windows["s0_0000"]  # nothing of its own subject is in the table
    for session in [session for session, subject in dataset.subjects.items() if subject == "s0"][1:]:
        del dataset.labels[session], dataset.windows[session], dataset.subjects[session]
    dataset.measured = None
    assert result_of(context_of(dataset, "s0_0000"), "look_up_ranges")["reference"]["subjects"] == 3
