"""A recording under way as lanes: what stands still, what is new, and that little is painted."""

from __future__ import annotations

import numpy as np

from core.datasets.tables.form import TableForm
from core.recording.live_folder import LiveState, SensorState, troubles
from tools.session import Channel, Window
from tui.widgets.lines import plain_text
from tui.widgets.live_lines import Scales, live_groups, live_head, live_lines, swept, with_numbers
from tui.widgets.live_pane import changed_regions


def window(end: float, seconds: float = 10.0, rate: float = 50.0) -> Window:
    time_sec = np.arange(max(0.0, end - seconds), end, 1 / rate)
    values = np.stack([np.sin(2 * time_sec), 9.8 + np.cos(2 * time_sec)])
    return Window((Channel("acc_x", "", "m/s²"), Channel("acc_y", "", "m/s²")), time_sec, values)


def test_new_samples_stand_left_of_a_gap_and_old_ones_right_of_it():
    shown = swept(window(13.0), 10)
    assert np.all(np.diff(shown.time_sec) > 0) and 0 <= shown.time_sec[0] and shown.time_sec[-1] < 10
    missing = np.isnan(shown.values[0])
    assert missing.sum() == 1
    border = shown.time_sec[missing][0]
    assert 2.9 < border < 3.0
    assert shown.time_sec[np.flatnonzero(missing)[0] + 1] > border + 0.3
    first = swept(window(4.0), 10)
    assert first.time_sec[-1] < 4.1 and np.isnan(first.values[0, -1])


def test_a_pause_stays_empty():
    whole = window(9.0)
    rows = (whole.time_sec < 3) | (whole.time_sec > 6)
    paused = Window(whole.channels, whole.time_sec[rows], whole.values[:, rows])
    groups = live_groups(paused, 10, Scales(), 49, 20)
    drawn = [any(row[column] != " " for row in groups[0].lanes[0].rows) for column in range(40)]
    assert not any(drawn[13:23]) and all(drawn[2:11]) and all(drawn[25:34])


def test_a_scale_stays_until_a_value_leaves_it_or_little_of_it_is_used():
    scales = Scales()

    def reach(end: float, times: float = 1.0) -> float:
        shown = window(end)
        live_groups(Window(shown.channels, shown.time_sec, shown.values * times), 10, scales, 60, 30)
        return max(scales.reaches.values())

    first = reach(10.0)
    assert reach(10.3) == first
    louder = reach(10.5, 3)
    assert louder > first and reach(10.6) == louder, "a third of it is used"
    assert reach(10.7, 0.1) < first, "so little of it was used that nothing was seen"


def test_little_is_painted_from_one_picture_to_the_next():
    scales = Scales()
    numbers = live_groups(window(20.0), 10, scales, 60, 30)
    pictures = [
        live_lines([], with_numbers(live_groups(window(end), 10, scales, 60, 30), numbers), window(end), 60)
        for end in (20.0, 20.12)
    ]
    regions = changed_regions(pictures[0], pictures[1])
    cells = sum(region.area for region in regions)
    assert 0 < cells <= 8 * len(pictures[0])
    for row, (a, b) in enumerate(zip(*pictures, strict=True)):
        for column, (x, y) in enumerate(zip(plain_text(a), plain_text(b), strict=True)):
            assert x == y or any(region.contains(column, row) for region in regions)


def test_the_head_says_what_is_recorded_and_when_it_stalls():
    sensor = SensorState("", "sensor.arrow", ("acc_x",), 1234, 50.0)
    counts = {"gaps": 1, "jumps in time": 2, "lines that are no text": 3}
    state = LiveState(
        "mine", "rec_r001", "udp", "now", TableForm(), 5, 0, label="walking", sensors=(sensor,), counts=counts
    )
    text = "\n".join(plain_text(line) for line in live_head("mine/rec_r001", state, 0.0, "", 10, 60))
    assert "● live" in text and "1,234 rows · 50 Hz · 1 gap · 2 jumps in time" in text and "label walking" in text
    assert "stalled 4 s" in plain_text(live_head("m", state, 4.2, "", 10, 60)[0])
    ended = live_head("m", state, 4.2, "the recording has ended", 10, 60)
    assert "■ ended" in plain_text(ended[0]) and "has ended" in plain_text(ended[3])
    assert troubles({"stalls": 1}) == ["1 stall"]
