from __future__ import annotations

import numpy as np
import pytest

from core.runs.session_view import SessionView, thinned
from tools.session import Channel, Window
from tui.widgets.lane_look import LaneLook
from tui.widgets.lane_rows import lane_rows
from tui.widgets.lines import cells, plain_text
from tui.widgets.sensor_lines import groups_of, head_lines, lane_lines, number


def window(values: np.ndarray, names: tuple[str, ...] | None = None, unit: str = "g", seconds: float = 2.0) -> Window:
    names = names or tuple(f"acc_{axis}" for axis in "xyz"[: len(values)])
    time = np.linspace(0, seconds, values.shape[1])
    return Window(tuple(Channel(name, "", unit, 50.0) for name in names), time, values)


def view(shown: Window, **keys: object) -> SessionView:
    known = {
        "session": "s1", "window": shown, "full": shown, "session_start": 0.0, "session_end": shown.end_sec,
        "samples": 100, "rate_hz": 50.0, "artifact_id": "session", "call": "", "path": None, "stamp": (0, 0),
        "truth": "walking",
    }  # fmt: skip
    return SessionView(**{**known, **keys})  # pyright: ignore[reportArgumentType] - keys of mixed types


def test_a_missing_stretch_stays_empty():
    values = np.sin(np.linspace(0, 20, 200))
    values[80:120] = np.nan
    for height in (1, 3):
        rows = lane_rows(np.linspace(0, 2, 200), values, (0, 2), (-1, 1), 40, height)
        assert all(row[17:23].strip() == "" for row in rows)
        assert all(any(row[column] != " " for row in rows) for column in (*range(15), *range(25, 40)))


def test_samples_far_apart_are_joined_and_each_peak_shows():
    rows = lane_rows(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0]), (0, 2), (0, 1), 40, 2)
    assert all(any(row[column] != " " for row in rows) for column in range(40))
    peak = np.zeros(10_000)
    peak[5003] = 1
    assert lane_rows(np.arange(10_000.0), peak, (0, 9_999), (0, 1), 30, 3)[0].strip()


def test_readings_far_between_show_as_they_are():
    values = np.full(100, np.nan)
    values[::10] = 1.0
    row = lane_rows(np.arange(100.0), values, (0, 99), (0, 2), 20, 1)[0]
    assert row.strip()


def test_a_flat_and_an_empty_channel_are_drawn():
    shown = window(np.vstack([np.ones(50), np.full(50, np.nan), np.arange(50.0)]))
    text = [plain_text(line) for line in lane_lines(groups_of(shown, 40, 20), shown, 40, None)]
    assert any("no data" in line for line in text)
    empty = Window(shown.channels, np.zeros(0), np.zeros((3, 0)))
    assert groups_of(empty, 40, 20)


def test_the_axes_of_a_sensor_stand_together_with_one_reach():
    shown = window(np.vstack([np.sin(np.arange(100) / 5), 0.01 * np.sin(np.arange(100) / 5), np.zeros(100)]))
    (group,) = groups_of(shown, 60, 30)
    assert (group.title, [lane.label for lane in group.lanes]) == ("acc", ["x", "y", "z"])
    quiet = [row for row in group.lanes[1].rows if row.strip()]
    assert len(quiet) <= 2, "a hundredth of the movement must not look like the movement"


def test_on_request_all_lanes_of_a_unit_share_a_scale_on_which_standing_stays_small():
    wave = np.sin(np.arange(100) / 5)
    channels = tuple(Channel(name, "", "g", 50.0) for name in ("hip_acc_x", "wrist_acc_x"))
    shown = Window(channels, np.linspace(0, 2, 100), np.vstack([wave, 0.01 * wave]))
    own = groups_of(shown, 60, 30)
    assert [group.reach for group in own] == [0.0, 0.0] and all(row.strip() for row in own[1].lanes[0].rows)
    alike = groups_of(shown, 60, 30, LaneLook(by_unit=True))
    assert len([row for row in alike[1].lanes[0].rows if row.strip()]) <= 2
    alone = groups_of(Window(channels[1:], shown.time_sec, shown.values[1:]), 60, 30, LaneLook(by_unit=True))
    assert alone[0].reach == 1.0, "nothing but standing is drawn no larger"
    title = plain_text(lane_lines(alone, shown, 60, None)[0])
    assert "↕ 1.00" in title and title.endswith("max min"), "the numbers say which they are"


def test_no_lane_crosses_a_time_without_rows_and_the_head_counts_them():
    time_sec = np.concatenate((np.arange(100) / 50, 10 + np.arange(100) / 50))
    for height, braille in ((1, False), (3, False), (3, True)):
        rows = lane_rows(time_sec, np.ones(200), (0.0, 12.0), (0, 2), 24, height, braille=braille)
        assert all(not row[5:19].strip() for row in rows) and any(row[:4].strip() for row in rows)
    head = head_lines(view(window(np.zeros((1, 50))), missing=402), "", 32, None)
    assert plain_text(head[1]).endswith("402 rows missing")


def test_lanes_are_dots_of_braille_where_the_terminal_has_it():
    shown = window(np.sin(np.arange(300) / 9)[None])
    fine = "".join(groups_of(shown, 44, 30, LaneLook(braille=True))[0].lanes[0].rows)
    assert set(fine) <= {" ", *map(chr, range(0x2801, 0x2900))} and not set(fine) & set("▘▝▀▖▌▞")


def test_every_row_is_exactly_as_wide_as_the_pane():
    shown = window(np.random.default_rng(1).normal(size=(3, 300)))
    groups = groups_of(shown, 44, 30)
    for at in (None, 0.0, 1.3, 2.0, 99.0):
        rows = [line for line in lane_lines(groups, shown, 44, at) if len(line) > 2]
        assert rows and all(cells(line) == 44 for line in rows)


def test_playing_shows_the_values_at_the_time():
    shown = window(np.vstack([np.linspace(0, 10, 101)]), ("heart_rate",))
    text = "\n".join(plain_text(line) for line in lane_lines(groups_of(shown, 40, 10), shown, 40, 1.0))
    assert "5.00" in text and "│" in text


def test_the_window_is_bracketed_in_the_session():
    shown = window(np.zeros((1, 50)))
    row = plain_text(head_lines(view(shown, session_end=8.0), "", 60, None)[3])
    assert row.startswith("0.0 ┣") and row.index("┫") < 25 and row.endswith("8.00 s")


def test_the_label_shows_only_when_it_is_given():
    shown = window(np.zeros((1, 50)))
    assert "walking" in plain_text(head_lines(view(shown), "walking", 60, None)[0])
    assert "walking" not in "".join(plain_text(line) for line in head_lines(view(shown), "", 60, None))


def test_long_sessions_are_thinned_to_their_extremes():
    values = np.zeros((2, 100_000))
    values[0, 54_321], values[1, 12_345] = 9, -9
    small = thinned(window(values))
    assert small.time_sec.size <= 8192 and (np.diff(small.time_sec) >= 0).all()
    assert small.values[0].max() == 9 and small.values[1].min() == -9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (1.234, "1.23"),
        (-12.34, "-12.3"),
        (123.4, "123"),
        (0.00001, "1e-5"),
        (1e9, "1e9"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_short(value: float, text: str):
    assert number(value) == text


def test_hostile_channel_names_and_units_are_drawn_as_text(hostile: str):
    shown = window(np.zeros((1, 50)), (hostile,), hostile)
    lines = [
        *head_lines(view(shown, session=hostile, call=hostile, artifact_id=hostile), hostile, 60, 1.0),
        *lane_lines(groups_of(shown, 60, 20), shown, 60, 1.0),
    ]
    assert all(plain_text(line).isprintable() for line in lines)
