from __future__ import annotations

import numpy as np
import pytest

from tests.tools.made import TRIADS, made_dataset
from tools.features import DURATION, feature_names, feature_unit, features_of, for_comparison, table_of
from tools.session import Channel, Window


def tone(hertz: float, size: float = 1.0, seconds: float = 10.0, rate: float = 50.0) -> Window:
    time = np.arange(int(seconds * rate)) / rate
    return Window((Channel("a", "", "g", rate),), time, size * np.sin(2 * np.pi * hertz * time)[None])


def named(window: Window) -> dict[str, float]:
    return dict(zip(feature_names(window.channels), features_of(window), strict=True))


def test_a_pure_tone_has_the_features_of_a_pure_tone():
    features = named(tone(2.0, size=3.0))
    assert features[DURATION] == pytest.approx(9.98)
    assert features["a:std"] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert features["a:peak_hz"] == pytest.approx(2.0, abs=0.1)
    assert features["a:band_1.6-2.6_Hz"] == pytest.approx(3 / np.sqrt(2), rel=0.05)
    assert features["a:band_5-10_Hz"] < 0.01
    assert features["a:rhythm"] > 0.95 and features["a:entropy"] < 0.3
    assert features["a:crossings"] == pytest.approx(4, abs=0.2)


def test_features_of_some_channels_are_the_same_columns():
    window = next(iter(made_dataset(1, 1).windows.values()))
    part = Window(window.channels[3:], window.time_sec, window.values[3:])
    whole, features = named(window), named(part)
    assert set(features) < set(whole)
    assert all(features[name] == pytest.approx(whole[name]) for name in features)


def test_gaps_are_bridged_and_dead_channels_have_no_features():
    window = tone(2.0)
    holed = window.values.copy()
    holed[0, 100:130] = np.nan
    assert named(Window(window.channels, window.time_sec, holed))["a:peak_hz"] == pytest.approx(2.0, abs=0.1)
    holed[:] = np.nan
    features = named(Window(window.channels, window.time_sec, holed))
    assert all(np.isnan(value) for name, value in features.items() if name != DURATION)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 9])
def test_short_windows_give_nan_where_nothing_can_be_said(count: int):
    window = tone(2.0)
    features = features_of(Window(window.channels, window.time_sec[:count], window.values[:, :count]))
    assert features.shape == (len(feature_names(window.channels)),)


def test_a_table_lines_up_sessions_that_lack_channels():
    window = next(iter(made_dataset(1, 1).windows.values()))
    less = Window(window.channels[:3], window.time_sec, window.values[:3])
    table = table_of(TRIADS, [("whole", window), ("less", less)])
    rows = dict(zip(table.sessions, table.values, strict=True))
    column = table.names.index("acc_x:std")
    assert rows["whole"][column] == rows["less"][column]
    assert np.isnan(rows["less"][table.names.index("gyro_x:std")])


def test_sizes_are_compared_by_their_logarithm():
    names = ("a:std", "a:band_0.8-1.6_Hz", "a:mean")
    assert for_comparison(names, np.array([10.0, 0.0, -3.0])) == pytest.approx([1.0, -4.0, -3.0], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("acc_x:std", "m/s²"), ("acc.magnitude:max", "m/s²"), ("acc:tilt_x", "degrees"), ("gyro_x:jerk", "rad/s/s"),
        ("acc_x:band_0.8-1.6_Hz", "m/s²"), ("acc_x:peak_hz", "Hz"), ("acc:corr_xy", ""),
    ],
)  # fmt: skip
def test_features_know_their_unit(name: str, unit: str):
    assert feature_unit(name, TRIADS) == unit
