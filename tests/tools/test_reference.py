from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tools.made import MOTIONS, MadeDataset, made_dataset, motion, result_of
from tools.discriminant import fit, ledoit_wolf
from tools.registry import ToolContext
from tools.session import Window

BOTH = ("compare_to_reference", "nearest_examples")


@pytest.mark.parametrize("label", MOTIONS)
def test_the_nearest_label_is_the_right_one(label: str):
    dataset = made_dataset()
    session = next(session for session, labels in dataset.labels.items() if labels == [label])
    context = ToolContext(dataset, session)
    compared = result_of(context, "compare_to_reference")
    assert next(iter(compared["distances"])) == label
    assert list(compared["distances"].values()) == sorted(compared["distances"].values())
    near = result_of(context, "nearest_examples", {"k": 7})
    assert near["votes"] == {label: 7} and len(near["examples"]) == 7


def test_a_feature_that_tells_is_given_with_both_labels_statistics(context: ToolContext):
    telling = result_of(context, "compare_to_reference")["telling_features"]
    assert 1 <= len(telling) <= 4
    for feature in telling:
        labels = [name for name in feature if name in MOTIONS]
        assert len(labels) == 2 and all(len(feature[label]) == 2 for label in labels) and "this" in feature


@pytest.mark.parametrize("tool", BOTH)
def test_nothing_rests_on_the_own_subject(tool: str, dataset: MadeDataset):
    """Scrambling every session of the subject, and relabelling them, changes no answer about an untouched copy."""
    before = result_of(ToolContext(dataset, "s0_0000"), tool)
    random = np.random.default_rng(3)
    changed = made_dataset()
    for session, subject in changed.subjects.items():
        if subject == "s0":
            window = changed.windows[session]
            if session != "s0_0000":
                changed.windows[session] = replace(window, values=random.normal(0, 9, window.values.shape))
            changed.labels[session] = ["dancing"]
    assert result_of(ToolContext(changed, "s0_0000"), tool) == before


@pytest.mark.parametrize("tool", BOTH)
def test_no_session_or_subject_is_named(tool: str, context: ToolContext):
    text = json.dumps(result_of(context, tool))
    assert not any(session in text for session in context.dataset.labels)
    assert not any(f'"{subject}"' in text for subject in context.dataset.subjects.values())


@pytest.mark.parametrize("tool", BOTH)
def test_a_session_of_unknown_subject_leaves_out_itself_its_recording_and_its_copies(tool: str):
    dataset = made_dataset(4, 2)
    random = np.random.default_rng(5)
    own = dataset.windows["s0_0000"]
    for session in list(dataset.subjects):
        del dataset.subjects[session]
    dataset.windows["copy"] = replace(own, values=own.values + random.normal(0, 1e-6, own.values.shape))
    dataset.labels["copy"] = ["laying"]
    result = result_of(ToolContext(dataset, "s0_0000"), tool)
    assert "subject is not known" in result["reference"]["left_out"]
    assert result["reference"]["sessions"] == 3 * 2 * len(MOTIONS), "neither the copy nor the recording s0 is in"


def test_sessions_whose_subject_is_not_known_are_not_compared_with(dataset: MadeDataset):
    for session in list(dataset.subjects):
        if session.startswith("s1"):
            del dataset.subjects[session]
    result = result_of(ToolContext(dataset, "s0_0000"), "compare_to_reference")
    assert result["reference"]["subjects"] == 4


def test_only_the_chosen_channels_and_time_count(context: ToolContext):
    gyro = result_of(context, "select_channels", {"channel_names": ["gyro"]})["artifact_id"]
    part = result_of(context, "filter_by_time", {"start_sec": 0, "end_sec": 2, "artifact_id": gyro})["artifact_id"]
    result = result_of(context, "compare_to_reference", {"artifact_id": part})
    assert result["compared_on"] == "gyro" and result["window_sec"] == [0.0, 2.0]
    assert all(telling_feature["feature"].startswith("gyro") for telling_feature in result["telling_features"])
    assert "reference windows" in result["note"]


def test_chosen_labels_are_the_only_ones_and_wrong_ones_are_answered(context: ToolContext):
    result = result_of(context, "compare_to_reference", {"labels": ["Running", "walking"]})
    assert set(result["distances"]) == {"walking", "running"}
    near = result_of(context, "nearest_examples", {"labels": ["running"], "k": 2})
    assert near["votes"] == {"running": 2}
    wrong = result_of(context, "compare_to_reference", {"labels": ["runing"]})
    assert wrong["did_you_mean"][0] == "running"


def test_without_other_subjects_it_says_so():
    context = ToolContext(made_dataset(1), "s0_0000")
    for tool in BOTH:
        assert "other subjects" in result_of(context, tool)["error"]


def test_a_new_table_is_not_answered_from_the_old_ones_statistics(dataset: MadeDataset):
    before = result_of(ToolContext(dataset, "s0_0000"), "compare_to_reference")
    for session, window in dataset.windows.items():
        if not session.startswith("s0"):
            dataset.windows[session] = replace(window, values=window.values * 1.5)
    dataset.table = None
    assert result_of(ToolContext(dataset, "s0_0000"), "compare_to_reference") != before


def test_the_shrunken_covariance_lies_between_the_sample_and_the_identity():
    rows = np.random.default_rng(0).normal(0, 1, (30, 20))
    rows -= rows.mean(axis=0)
    covariance, shrinkage = ledoit_wolf(rows)
    assert 0 < shrinkage < 1 and np.all(np.linalg.eigvalsh(covariance) > 0)
    assert np.trace(covariance) == pytest.approx(np.trace(rows.T @ rows / 30))
    many, little = ledoit_wolf(np.random.default_rng(0).normal(0, [1, 3], (5000, 2)))
    assert little < 0.01 and many[1, 1] == pytest.approx(9, rel=0.1)


@pytest.mark.parametrize(
    "rows", [np.zeros((4, 3)), np.eye(4)[:, :3], np.array([[1.0, 2.0]]), np.full((6, 2), 1e12)], ids=range(4)
)
def test_tiny_and_degenerate_references_still_give_finite_distances(rows: Any):
    labels = [f"l{number % 2}" for number in range(len(rows))]
    result = fit(np.asarray(rows, dtype=float), labels).distances(np.zeros(rows.shape[1]))
    assert np.isfinite(result).all()


def test_one_session_per_label_is_enough_for_a_neighbour():
    dataset = made_dataset(2, 1)
    result = result_of(ToolContext(dataset, "s0_0000"), "nearest_examples", {"k": 1})
    assert result["examples"][0]["label"] == "walking"
    window = dataset.load("s0_0000")
    dataset.windows["s0_0000"] = Window(window.channels, window.time_sec, window.values)
    assert result_of(ToolContext(dataset, "s0_0000"), "compare_to_reference")["reference"]["sessions"] == 4


@pytest.mark.parametrize("tool", [*BOTH, "look_up_ranges"])
def test_sessions_that_are_barred_are_told_of_and_decide_nothing(dataset: MadeDataset, tool: str):
    barred = frozenset(session for session, subject in dataset.subjects.items() if subject in ("s1", "s2"))
    context = ToolContext(dataset, "s0_0000", barred=barred)
    before = result_of(context, tool)
    open_to_all = result_of(ToolContext(dataset, "s0_0000"), tool)["reference"]
    assert before["reference"]["subjects"] == 3 and open_to_all["subjects"] == 5
    assert before["reference"]["sessions"] < open_to_all["sessions"]
    assert before["reference"]["left_out"].startswith(open_to_all["left_out"])
    assert f"{len(barred)} sessions kept out of training" in before["reference"]["left_out"]
    for session in barred:
        dataset.windows[session] = replace(dataset.windows[session], values=dataset.windows[session].values * 9)
        dataset.labels[session] = ["laying"]
    dataset.table = dataset.measured = None
    assert result_of(ToolContext(dataset, "s0_0000", barred=barred), tool) == before


def without_subjects(sizes: dict[str, int]) -> MadeDataset:
    """Walking in one recording, running in the others, so many windows each; nobody's subject is known."""
    random = np.random.default_rng(3)
    dataset = MadeDataset(activities=("walking", "running"))
    for recording, windows in sizes.items():
        label = "walking" if recording == "own" or windows > 9 else "running"
        for number in range(windows):
            session = f"{recording}_{number:03d}"
            dataset.windows[session] = motion(label, random)
            dataset.labels[session] = [label]
    return dataset


def test_where_no_subject_is_known_the_windows_of_one_recording_count_as_one():
    dataset = without_subjects({"own": 2, "long": 20, "a": 2, "b": 2, "c": 2})
    for tool in (*BOTH, "look_up_ranges"):
        basis = result_of(ToolContext(dataset, "own_000"), tool)["reference"]
        assert (basis["recordings"], basis["sessions"], basis["subjects"]) == (4, 26, None)
        assert "no subject here is" in basis["left_out"] and "recording, which counts as one" in basis["left_out"]
    near = result_of(ToolContext(dataset, "own_000"), "nearest_examples", {"k": 9})
    assert sorted(near["votes"].items()) == [("running", 3), ("walking", 1)]


def test_the_windows_of_a_long_recording_weigh_no_more_than_those_of_a_short_one():
    random = np.random.default_rng(5)
    dataset = MadeDataset(activities=("walking",))
    for recording, windows, factor in (("own", 1, 1.0), ("slow", 2, 1.0), ("fast", 18, 3.0)):
        for number in range(windows):
            window = motion("walking", random)
            dataset.windows[f"{recording}_{number}"] = replace(window, values=window.values * factor)
            dataset.labels[f"{recording}_{number}"] = ["walking"]
    context = ToolContext(dataset, "own_0")
    name = "show_channel_stats/acc_x/mean"
    ((low, _, high),) = result_of(context, "look_up_ranges", {"features": [name]})["ranges"]["walking"]
    assert high > 2.5 * low, "the two windows of the slow recording are half of what there is"


def test_ids_that_share_one_stem_tell_no_recordings_apart(dataset: MadeDataset):
    renamed = {session: f"session_{number:04d}" for number, session in enumerate(dataset.windows)}
    other = MadeDataset(
        windows={renamed[session]: window for session, window in dataset.windows.items()},
        labels={renamed[session]: labels for session, labels in dataset.labels.items()},
    )
    basis = result_of(ToolContext(other, "session_0000"), "nearest_examples", {"k": 20})["reference"]
    assert basis["recordings"] == basis["sessions"] and "tell no recordings apart" in basis["left_out"]
