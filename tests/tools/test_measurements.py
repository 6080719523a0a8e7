"""What the tools say of signals whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import HOSTILE
from tests.tools.made import TRIADS, MadeDataset, made_dataset, result_of
from tools.builtin import BUILTIN
from tools.registry import MAX_RESULT_BYTES, ToolContext, as_json
from tools.session import Channel, Samples, Window
from tools.spectrum import amplitude_density

RATE = 50.0
TIME = np.arange(500) / RATE
EVERY = [each.name for each in BUILTIN]
NEEDED: dict[str, dict[str, Any]] = {
    "select_channels": {"channel_names": ["acc"]},
    "filter_by_time": {"start_sec": 0, "end_sec": 1},
    "show_samples": {"start_sec": 0, "end_sec": 1},
}


def holding(values: Samples, channels: tuple[Channel, ...] = TRIADS, time: Samples = TIME) -> ToolContext:
    """A context whose session holds these samples, in a dataset with other people's sessions."""
    dataset = made_dataset(3, 1)
    window = Window(channels, time, values)
    if channels != TRIADS:
        dataset = MadeDataset(channels=channels)
        random = np.random.default_rng(0)
        for number, label in enumerate(("walking", "running") * 2):
            other = f"o{number}"
            dataset.windows[other] = Window(channels, time, values + random.normal(0, 1, values.shape))
            dataset.labels[other], dataset.subjects[other] = [label], f"p{number}"
    dataset.windows["mine"], dataset.subjects["mine"], dataset.labels["mine"] = window, "me", ["walking"]
    return ToolContext(dataset, "mine")


def waves(hertz: float = 2.0, size: float = 1.0) -> Samples:
    wave = size * np.sin(2 * np.pi * hertz * TIME)
    return np.vstack([wave, 0.5 * wave, wave + 9.81, 0.1 * wave, 0.1 * wave, -0.1 * wave])


def test_the_spectrum_names_frequency_band_and_share():
    result = result_of(holding(waves(2.0)), "compute_spectrum")
    acc = result["sensors"]["acc"]
    assert acc["dominant"][0] == pytest.approx(2.0, abs=0.11) and acc["unit"] == "m/s²"
    assert acc["band_share"][result["bands_hz"].index("1.6-2.6")] > 0.95
    assert (result["window_sec"], result["rate_hz"], result["samples"]) == ([0.0, 9.98], 50.0, 500)


def test_the_drawn_spectrum_has_its_peak_where_the_wave_is_gaps_or_not():
    wave = waves(2.0)[0]
    for gap in (slice(0, 0), slice(100, 140)):
        samples = wave.copy()
        samples[gap] = np.nan
        hertz, density = amplitude_density(samples, 50.0)
        assert hertz[density.argmax()] == pytest.approx(2.0, abs=0.11) and density[0] < density.max() / 10
    assert amplitude_density(np.full(500, np.nan), 50.0)[0].size == 0 == amplitude_density(wave[:4], 50.0)[0].size


@pytest.mark.parametrize(("hertz", "cadence"), [(1.0, 60), (2.0, 120), (2.5, 150)])
def test_the_cadence_is_that_of_the_rhythm(hertz: float, cadence: float):
    acc = result_of(holding(waves(hertz)), "detect_periodicity")["sensors"]["acc"]
    assert acc["cadence"] == pytest.approx(cadence, rel=0.03) and acc["strength"] > 0.9


def test_noise_has_no_rhythm():
    noise = np.random.default_rng(1).normal(0, 1, (6, 500))
    acc = result_of(holding(noise), "detect_periodicity")["sensors"]["acc"]
    assert acc["strength"] < 0.3


def test_no_rhythm_is_said_of_the_paces_that_the_window_allows():
    context = holding(waves(0.0) + np.linspace(0, 3, 500))
    cut = result_of(context, "filter_by_time", {"start_sec": 0, "end_sec": 2})["artifact_id"]
    for artifact, paces in (("session", "30.0 and 750"), (cut, "60.0 and 750")):
        acc = result_of(context, "detect_periodicity", {"artifact_id": artifact})["sensors"]["acc"]
        assert acc == {**acc, "strength": 0.0, "note": f"no rhythm between {paces} cycles per minute"}


def test_orientation_is_the_angle_of_gravity():
    values = np.zeros((6, 500))
    tilt = np.radians(np.linspace(30, 60, 500))
    values[0], values[2] = 9.81 * np.sin(tilt), 9.81 * np.cos(tilt)
    acc = result_of(holding(values), "estimate_orientation")["sensors"]["acc"]
    assert acc["axis_z"] == pytest.approx(45, abs=1) and acc["axis_y"] == pytest.approx(90, abs=0.1)
    assert acc["tilt_change"] == pytest.approx(20, abs=1)


def test_orientation_without_gravity_is_refused_with_the_reason():
    result = result_of(holding(waves() - np.array([[0], [0], [9.81], [0], [0], [0]])), "estimate_orientation")
    assert "gravity" in result["error"] and result["accelerometers"] == ["acc"]


def test_correlation_has_the_right_sign_and_order():
    result = result_of(holding(waves()), "correlate_channels", {"channel_names": ["gyro_x", "gyro_z", "acc_x"]})
    assert result["r"] == {"gyro_x ~ gyro_z": -1.0, "gyro_x ~ acc_x": 1.0, "gyro_z ~ acc_x": -1.0}


def test_a_change_of_activity_is_found_and_a_steady_one_is_not():
    values = waves(2.0, 3.0) + np.random.default_rng(2).normal(0, 0.02, (6, 500))
    assert result_of(holding(values), "segment_session")["changes_sec"] == []
    values[:, 250:] = np.random.default_rng(3).normal(0, 0.02, (6, 250)) + np.array([[0], [0], [9.81], [0], [0], [0]])
    changes = result_of(holding(values), "segment_session")["changes_sec"]
    assert any(at == pytest.approx(5.0, abs=0.6) for at in changes)


def test_the_heart_rate_comes_from_an_ecg_or_a_channel():
    beats = np.zeros(500)
    beats[np.arange(20, 500, 40)] = 1.0
    ecg = np.convolve(beats, np.hanning(7), mode="same") + 0.02 * np.sin(2 * np.pi * 0.3 * TIME)
    channels = (Channel("ecg_1", "ECG lead 1", "mV", RATE),)
    result = result_of(holding(ecg[None], channels), "estimate_heart_rate")
    assert result["source"] == "ecg" and result["channels"]["ecg_1"]["mean"] == pytest.approx(75, abs=1)
    rate = np.full(500, np.nan)
    rate[::10] = 104.0
    channels = (Channel("heart_rate", "Heart rate", "bpm", RATE),)
    result = result_of(holding(rate[None], channels), "estimate_heart_rate")
    assert result["channels"]["heart_rate"] == {
        "mean": 104, "min": 104, "max": 104, "readings": 50, "nan_share": 0.9,
    }  # fmt: skip
    assert "no heart-rate or ECG" in result_of(holding(waves()), "estimate_heart_rate")["error"]


def test_channel_statistics_are_those_of_the_samples():
    result = result_of(holding(waves()), "show_channel_stats")
    row = dict(zip(result["columns"], result["channels"]["acc_z"], strict=True))
    assert (row["mean"], row["std"], row["max"]) == (9.81, 0.707, 10.8)
    assert result["unit"] == {"acc": "m/s²", "gyro": "rad/s"}


def test_the_dataset_is_described_without_saying_which_session_has_which_label():
    context = holding(waves())
    result = result_of(context, "show_session_stats", {"dataset_name": "made"})
    assert (result["sessions"], result["subjects"]) == (13, 4)
    assert result["labels"] == ["walking", "running", "standing", "laying"]
    assert not any(session in as_json(result) for session in context.dataset.labels)


@pytest.mark.parametrize("tool", ["show_session_stats", "show_channel_stats"])
def test_the_manifests_own_name_of_the_dataset_needs_no_word(tool: str):
    context = holding(waves())
    for name in ("made", "Motion made in memory", "motion_made_in_memory"):
        assert "dataset_note" not in result_of(context, tool, {"dataset_name": name})
    assert "'made'" in result_of(context, tool, {"dataset_name": "pamap2"})["dataset_note"]


def test_wrong_channel_names_are_answered_with_the_nearest():
    result = result_of(holding(waves()), "select_channels", {"channel_names": ["acc_x", "gyr_x"]})
    assert result["did_you_mean"][0] == "gyro_x" and "gyr_x" in result["error"]


def test_time_is_cut_where_asked():
    context = holding(waves())
    result = result_of(context, "filter_by_time", {"start_sec": 2, "end_sec": 4})
    assert (result["window_sec"], result["samples"]) == ([2.0, 4.0], 101)
    later = result_of(context, "compute_spectrum", {"artifact_id": result["artifact_id"]})
    assert later["window_sec"] == [2.0, 4.0]
    for start, end in ((4, 2), (20, 30), (1.001, 1.002)):
        refused = result_of(context, "filter_by_time", {"start_sec": start, "end_sec": end})
        assert refused["window_sec"] == [0.0, 9.98]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", ["gaps", "dead sensor", "dead", "constant", "infinite", "two samples", "one", "none"])
def test_bad_samples_give_an_answer_or_a_reason(name: str, case: str):
    values, time = waves(), TIME
    if case == "gaps":
        values[0, 100:200] = np.nan
    elif case == "dead sensor":
        values[3:] = np.nan
    elif case == "dead":
        values[:] = np.nan
    elif case == "constant":
        values = np.tile(np.array([[0.0], [0], [9.81], [0], [0], [0]]), 500)
    elif case == "infinite":
        values[1, 7] = np.inf
    else:
        count = {"two samples": 2, "one": 1, "none": 0}[case]
        values, time = values[:, :count], TIME[:count]
    result = result_of(holding(values, time=time), name, NEEDED.get(name))
    assert "failed: " not in result.get("error", ""), result
    if name == "show_channel_stats" and case == "gaps":
        assert result["nan_share"] == {"acc_x": 0.2}
    if name in ("compute_spectrum", "nearest_examples", "segment_session") and case in ("one", "two samples"):
        assert "needs at least" in result["error"]


def many(places: int, prefix: str = "") -> tuple[Channel, ...]:
    words = ("hand", "chest", "ankle", "left_wrist", "right_thigh", "waist", "head", "back")
    return tuple(
        Channel(f"{prefix}{words[number % 8]}{number // 8 or ''}_{sensor}_{axis}", "An inertial unit " * 6, unit, RATE)
        for number in range(places)
        for sensor, unit in (("acc", "m/s²"), ("gyro", "rad/s"), ("mag", "μT"))
        for axis in "xyz"
    )


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("places", [1, 5, 20])
def test_results_stay_short_however_many_channels_there_are(name: str, places: int):
    channels = many(places)
    values = np.random.default_rng(0).normal(0, 1, (len(channels), 500))
    values[::9, ::3] = np.nan
    context = holding(values + 5.6, channels)
    wanted = (
        {"channel_names": [channel.name for channel in channels]} if name == "select_channels" else NEEDED.get(name)
    )
    for arguments in (wanted, {"dataset_name": "made"} if "stats" in name else wanted):
        text = as_json(result_of(context, name, arguments))
        assert len(text.encode()) <= MAX_RESULT_BYTES, (len(text), text)
    assert "error" not in result_of(context, name, wanted) or name == "estimate_heart_rate"


def test_with_several_positions_the_result_says_which_one_it_looked_at():
    channels = many(3)
    context = holding(np.random.default_rng(0).normal(0, 1, (27, 500)), channels)
    result = result_of(context, "detect_periodicity")
    assert result["position"] == "hand" and result["other_positions"] == ["chest", "ankle"]
    result = result_of(context, "detect_periodicity", {"position": "Ankle"})
    assert result["position"] == "ankle" and all(name.startswith("ankle") for name in result["sensors"])
    result = result_of(context, "detect_periodicity", {"position": "ancle"})
    assert result["did_you_mean"] == ["ankle"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_do_not_break_a_tool(name: str, text: str):
    channels = tuple(Channel(f"{text}_{axis}", text, text, RATE) for axis in "xyz")
    context = holding(np.random.default_rng(0).normal(0, 1, (3, 500)), channels)
    arguments = {"select_channels": {"channel_names": [text]}}.get(name, NEEDED.get(name))
    assert "failed: " not in result_of(context, name, arguments).get("error", "")
