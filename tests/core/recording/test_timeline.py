"""One rising clock out of any source's: repeats, late rows, gaps, jumps, and rows that come several at once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.recording.recorder import spread
from core.recording.timeline import SECOND, Timeline

MS = 1_000_000
NOW = 1_700_000_000 * SECOND


def steady(timeline: Timeline, rows: int, start: int = 0) -> None:
    for number in range(rows):
        timeline.time_of(start + number * 20 * MS, NOW + number * 20 * MS)


def test_a_clock_since_the_start_begins_now_and_tells_its_rate():
    timeline = Timeline(False, Counter())
    steady(timeline, 20, start=5 * SECOND)
    assert timeline.last_ns == NOW + 19 * 20 * MS
    assert round(timeline.rate_hz) == 50


def test_repeats_and_late_rows_are_left_out_and_counted():
    counts: Counter[str] = Counter()
    timeline = Timeline(True, counts)
    times = [timeline.time_of(NOW + at * MS, NOW + at * MS) for at in (0, 20, 20, 60, 40, 80)]
    assert [time is None for time in times] == [False, False, True, False, True, False]
    assert counts == {"rows with a repeated timestamp": 1, "rows out of order in time": 1}


def test_a_gap_is_counted_and_a_long_one_told():
    timeline = Timeline(False, Counter())
    steady(timeline, 10)
    timeline.time_of(9 * 20 * MS + 300 * MS, NOW)
    assert (timeline.counts["gaps"], timeline.told) == (1, [])
    timeline.time_of(9 * 20 * MS + 4300 * MS, NOW)
    assert timeline.told == ["a gap of 4.0 s"]


def test_a_clock_that_is_set_back_or_ahead_goes_on_after_a_gap():
    for source in (1000 * SECOND, NOW + 40 * 86_400 * SECOND):
        timeline = Timeline(True, Counter())
        steady(timeline, 10, start=NOW)
        last = timeline.last_ns or 0
        time = timeline.time_of(source, timeline.arrived_ns + 5 * SECOND)
        assert time is not None and time == last + 5 * SECOND
        assert timeline.time_of(source + 20 * MS, timeline.arrived_ns + 20 * MS) == time + 20 * MS
        assert timeline.counts["jumps in time"] == 1 and "jumped" in timeline.told[0]


def test_counted_rows_follow_their_rate_and_a_pause_is_a_gap():
    timeline = Timeline(False, Counter())
    times = [timeline.counted(50, NOW + number * 3 * MS) for number in range(10)]
    assert times == [NOW + number * 20 * MS for number in range(10)]
    assert timeline.counted(50, NOW + 10 * SECOND) == NOW + 10 * SECOND
    assert timeline.counts["gaps"] == 1


def test_a_moment_here_is_one_of_the_recording_by_what_came_fastest():
    timeline = Timeline(True, Counter())
    for number, late in enumerate((300, 100, 250)):
        timeline.time_of(NOW + number * 20 * MS, NOW + number * 20 * MS + late * MS)
    assert timeline.now(NOW + SECOND) == NOW + 900 * MS


@given(st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=30), st.integers(0, SECOND) | st.none())
def test_rows_that_come_at_once_are_spread_and_always_rise(arrivals: list[int], before: int | None):
    arrivals = sorted(NOW + at for at in arrivals)
    last = None if before is None else NOW - before
    times = spread(arrivals, last)
    assert len(times) == len(arrivals)
    assert all(b > a for a, b in pairwise(([] if last is None else [last]) + times))
