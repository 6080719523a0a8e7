"""Numbers that tools once got wrong, or gave where none can be given: one test for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import slices
from tests.tools.made import result_of
from tests.tools.reference_windows import Row, context_of, gait, real_rows, synthetic_rows
from tools.session import Samples

RATE = 50.0
TIME = np.arange(500) / RATE


def rhythm(values: Samples, time: Samples = TIME) -> dict[str, Any]:
    return result_of(context_of(values, time), "detect_periodicity")["sensors"]["acc"]


def spectrum(values: Samples, time: Samples = TIME) -> dict[str, Any]:
    return result_of(context_of(values, time), "compute_spectrum")


def tone(hertz: float, time: Samples = TIME) -> Samples:
    return np.sin(2 * np.pi * hertz * time) * np.array([[1.0], [0.4], [0.2]])


@pytest.mark.parametrize(
    "row", list(synthetic_rows()), ids=lambda row: f"{row.window}: {row.quantity} {row.reference:.3g}"
)
def test_the_tools_agree_with_how_a_window_was_made(row: Row):
    assert row.agrees, row


@pytest.mark.skipif(not slices.FOLDER.is_dir(), reason=f"the real slices are not here: {slices.FOLDER} is no folder")
def test_real_walking_has_the_cadence_that_scipy_finds():
    real = list(real_rows())
    assert sum(row.agrees for row in real) >= 0.9 * len(real) > 9
    assert min(row.tool for row in real) > 70, "a stride is no step"


def test_a_stride_is_told_beside_the_step():
    values, time = gait(1.9, 10.0, RATE, limp=1.2)
    told = rhythm(values, time)
    assert told["cadence"] == pytest.approx(114, abs=2) and told["stride_lag"] == pytest.approx(
        2 * told["lag"], rel=0.03
    )


@pytest.mark.parametrize("hertz", [5.0, 6.3, 9.0])
def test_a_rhythm_faster_than_steps_is_told_as_it_is(hertz: float):
    told = rhythm(tone(hertz))
    assert told["cadence"] == pytest.approx(60 * hertz, rel=0.03) and told["note"] == "faster than steps"


def test_ripple_at_a_high_rate_moves_nothing():
    time = np.arange(5000) / 1000
    ripple = 0.3 * np.sin(2 * np.pi * 180 * time) + np.random.default_rng(0).normal(0, 0.3, (3, 5000))
    assert rhythm(tone(1.8, time) + ripple, time)["cadence"] == pytest.approx(108, abs=1)


def test_a_frequency_comes_with_its_resolution():
    told = spectrum(tone(1.7)[:, :128], TIME[:128])["sensors"]["acc"]
    assert told["dominant"][0] == pytest.approx(1.7, abs=0.05) and told["resolution_hz"] == pytest.approx(0.391)
    assert rhythm(tone(1.7))["cycles"] == pytest.approx(17, abs=0.3)


def test_bands_end_where_the_rate_ends():
    time = np.arange(300) / 4.0
    told = spectrum(tone(0.5, time), time)
    assert told["bands_hz"] == ["0.2-0.8", "0.8-1.6", "1.6-2"]
    assert told["sensors"]["acc"]["dominant"][0] == pytest.approx(0.5, abs=0.02)
    time = np.arange(600.0)
    slow = spectrum(tone(0.05, time), time)
    assert slow["sensors"]["acc"]["dominant"][:1] in ([], [pytest.approx(0.05, abs=0.01)])


def test_what_is_too_slow_for_the_window_is_no_peak():
    time = np.arange(500) / RATE
    told = spectrum(tone(0.06, time) + np.random.default_rng(0).normal(0, 0.01, (3, 500)), time)["sensors"]["acc"]
    assert not told.get("dominant") or min(told["dominant"]) > 0.3


def test_a_long_gap_is_not_bridged():
    values = np.random.default_rng(0).normal(0, 1, (3, 500))
    values[:, 150:345] = np.nan
    told = spectrum(values)["sensors"]["acc"]
    assert told["missing_share"] == 0.39 and told["longest_stretch_used_sec"] == [6.9, 10.0]
    assert all(hertz > 0.5 for hertz in told["dominant"])
    values[:, ::4] = np.nan
    values[:, 20:480] = np.nan
    assert spectrum(values)["sensors"]["acc"]["note"].startswith("cannot be told")


def test_short_gaps_and_jitter_move_nothing():
    random = np.random.default_rng(1)
    time = TIME + random.normal(0, 0.003, 500)
    values = tone(2.2, time)
    values[:, random.random(500) < 0.1] = np.nan
    assert spectrum(values, time)["sensors"]["acc"]["dominant"][0] == pytest.approx(2.2, abs=0.05)
    assert rhythm(values, time)["cadence"] == pytest.approx(132, abs=2)


@pytest.mark.parametrize("tool", ["compute_spectrum", "detect_periodicity", "segment_session", "show_channel_stats"])
def test_missing_rows_are_told_by_every_tool(tool: str):
    present = (TIME < 3) | (TIME >= 4.5)
    told = result_of(context_of(tone(2.0)[:, present], TIME[present]), tool, {})
    assert (told["missing_rows"], told["longest_gap_sec"]) == (75, 1.52)


def test_missing_rows_do_not_shift_a_rhythm():
    present = (TIME < 3) | (TIME >= 4.73)
    assert rhythm(tone(2.0)[:, present], TIME[present])["cadence"] == pytest.approx(120, abs=1)


def test_noise_has_no_heart_rate():
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(0, 1, 2500)
        told = result_of(context_of(noise[None], np.arange(2500) / 250, ("ecg",), "mV"), "estimate_heart_rate")
        assert "mean" not in told["channels"]["ecg"], told


def test_a_window_too_short_for_a_change_says_so():
    told = result_of(context_of(tone(2.0)[:, :100], TIME[:100]), "segment_session")
    assert told["changes_sec"] == [] and told["changes_note"].startswith("cannot be told")
