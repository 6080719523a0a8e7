"""Cutting: whatever the times and labels, no window crosses an activity or a gap."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.windows import Cut, cut_windows

STEPS = st.sampled_from([0.1] * 12 + [0.1, 0.09, 0.11, 0.0, -0.1, 0.25, 5.0, -30.0])


@given(
    rows=st.lists(st.tuples(STEPS, st.sampled_from([-1, 0, 0, 0, 0, 1])), min_size=1, max_size=120),
    overlap=st.sampled_from([0.0, 0.5]),
)
def test_windows_are_of_one_stretch(rows: list[tuple[float, int]], overlap: float) -> None:
    times = np.cumsum([step for step, _ in rows])
    labels = np.repeat([label for _, label in rows[::10]], 10)[: len(rows)]
    places = np.arange(len(rows), dtype=float)
    dropped: Counter[str] = Counter()
    cut = Cut(length_sec=1.0, overlap=overlap, rate_hz=10.0, max_gap_sec=0.3)
    used: Counter[int] = Counter()
    for label, window_times, values in cut_windows(cut, times, labels, places[None, :], dropped):
        at = values[0].astype(int)
        used.update(at.tolist())
        assert set(labels[at]) == {label} != {-1}
        assert window_times[0] == 0
        assert (np.diff(window_times) > 0).all()
        assert np.allclose(window_times, times[at] - times[at[0]])
        assert np.diff(window_times).max() <= 0.3 + 0.3  # one row that was out of place may be missing
        assert 9 <= len(at) <= 14
        assert window_times[-1] < 1.0
    assert max(used.values(), default=0) <= (2 if overlap else 1)
    out_of_order = sum(count for reason, count in dropped.items() if reason.startswith("rows"))
    assert all(count >= 0 for count in dropped.values())
    assert len(used) + out_of_order <= len(rows)


def test_the_sum_of_what_is_used_and_dropped_is_everything() -> None:
    times = np.concatenate((np.arange(15) / 10, [0.4], np.arange(15, 25) / 10, 100 + np.arange(12) / 10))
    dropped: Counter[str] = Counter()
    cut = Cut(length_sec=1.0, overlap=0.0, rate_hz=10.0, max_gap_sec=0.3)
    windows = list(cut_windows(cut, times, np.zeros(len(times), np.int64), times[None, :], dropped))
    assert [len(window) for _, window, _ in windows] == [10, 10, 10]
    assert +dropped == {
        "rows too few for a window, at the end of a stretch": 5 + 2,
        "rows out of order in time": 1,
    }
