"""The plot as functions: ticks, reductions, what keys change, charts as text."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.whole.marks import Mark
from core.runs.plot_findings import Finder, Findings, PlotSource
from core.runs.plot_overlay import Band
from tools.session import Channel, Window
from tui.dialogs.pick import fitting_choices
from tui.widgets.lane_look import has_braille
from tui.widgets.lane_rows import extents
from tui.widgets.lines import cells, plain_text
from tui.widgets.plot_drawing import Drawing, all_edges, chart_width, drawing_of
from tui.widgets.plot_foot import foot_lines, ruler_line, stretch_line
from tui.widgets.plot_lines import chart_lines, scale_of
from tui.widgets.plot_look import CHANGES, Look, jumped, look_at, next_edge, stepped, zoomed
from tui.widgets.plot_scale import LEAST_REACH, reach, round_ticks, tick_texts
from tui.widgets.plot_svg import svg_of
from tui.widgets.plots import LEFT, Curve, Joined, chart
from tui.widgets.pyramid import Pyramid


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (0.0, 2.54, 6, ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]),
        (-0.52, 0.53, 3, ["-0.5", "0.0", "0.5"]),
        (0.98, 1.02, 4, ["0.98", "1.00", "1.02"]),
        (0.0, 86400.0, 5, ["0", "20000", "40000", "60000", "80000"]),
        (9.81, 9.81, 4, []),
        (math.nan, 1.0, 4, []),
    ],
)
def test_ticks_are_round_and_have_as_many_decimals_as_they_need(low: float, high: float, most: int, texts: list[str]):
    assert tick_texts(round_ticks(low, high, most)) == texts


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e6), st.integers(2, 12))
def test_ticks_lie_within_and_evenly_apart(low: float, length: float, most: int):
    ticks = round_ticks(low, low + length, most)
    assert len(ticks) <= most and all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)
    assert np.allclose(np.diff(ticks), np.diff(ticks)[:1], atol=1e-6 * length)


def window_of(values: np.ndarray, rate: float = 100.0, unit: str = "g") -> Window:
    names = [f"acc_{axis}" for axis in "xyz"][: len(values)]
    return Window(tuple(Channel(name, "", unit, rate) for name in names), np.arange(values.shape[1]) / rate, values)


@pytest.mark.parametrize("span", [(0.0, 400.0), (100.0, 300.0), (17.3, 17.9), (390.0, 420.0), (-50.0, 5.0)])
def test_a_reduced_window_has_the_least_and_greatest_of_each_column(span: tuple[float, float]):
    values = np.random.default_rng(1).normal(size=(2, 40_000))
    values[1, 5000:9000] = np.nan
    window = window_of(values)
    for channel in range(2):
        low, high = Pyramid(window).extents(channel, span, 50)
        exact_low, exact_high = extents(window.time_sec, values[channel], span, 50)
        assert (
            np.array_equal(np.isnan(low), np.isnan(exact_low)) or np.isnan(low).sum() - np.isnan(exact_low).sum() == 0
        )
        known = ~np.isnan(low)
        # a column may show up to an eighth of its neighbour's samples, and lines reach from one to the next
        assert (low[known] <= exact_low[known] + 0.6).all() and (high[known] >= exact_high[known] - 0.6).all()
        assert np.nanmin(low) == pytest.approx(np.nanmin(exact_low), abs=0.3)


@pytest.mark.parametrize("columns", [24, 48], ids=["of blocks", "of samples"])
def test_no_line_crosses_a_time_without_rows(columns: int):
    time_sec = np.concatenate((np.arange(100) / 50, 10 + np.arange(100) / 50))
    window = Window((Channel("acc_x"),), time_sec, np.ones((1, 200)))
    low, high = Pyramid(window).extents(0, (0.0, 12.0), columns)
    wide = columns // 12
    assert np.isnan(low[2 * wide + 1 : 10 * wide - 1]).all()
    assert not np.isnan(low[: 2 * wide]).any() and not np.isnan(high[10 * wide :]).any()
    assert Pyramid(window).range_of(0) == (1, 1)


def test_a_steep_line_of_many_samples_has_no_holes():
    values = np.repeat([0.0, 10.0, -10.0], 4000)[None]
    low, high = Pyramid(window_of(values)).extents(0, (0.0, 120.0), 60)
    assert (low[1:] <= high[:-1]).all() and (low[:-1] <= high[1:]).all()


def look(span: tuple[float, float] = (0.0, 10.0)) -> Look:
    return look_at((0.0, 100.0), span, 0.01)


def test_keys_move_and_zoom_around_the_cursor_within_what_there_is():
    first = replace(look(), cursor=2.0)
    closer = zoomed(first, 0.5)
    assert closer.span == (1.0, 6.0) and closer.cursor == 2.0
    assert zoomed(first, 1e9).span == (0.0, 100.0) and zoomed(first, 1e-9).length == pytest.approx(0.08)
    assert CHANGES["earlier"](first, 80) == first
    later = CHANGES["later"](first, 80)
    assert later.span == (2.5, 12.5) and later.cursor == 4.5
    assert stepped(first, 1, 100).cursor == pytest.approx(2.1)
    assert stepped(zoomed(first, 1e-9), 1, 100).cursor == pytest.approx(2.01), "a sample at least"
    away = jumped(first, 50.0)
    assert away.cursor == 50 and away.span[0] <= 50 <= away.span[1] and away.length == pytest.approx(10)
    assert jumped(first, 1e9).cursor == 100
    assert next_edge(first, [0.0, 2.0, 7.0, 9.0], 1) == 7 and next_edge(first, [0.0, 2.0, 7.0], -1) == 0
    assert next_edge(first, [], 1) is None
    spectrum = replace(first, mode="spectrum")
    assert stepped(spectrum, 10, 100).pitch == pytest.approx(0.35) and stepped(spectrum, 10, 100).cursor == 2


def walking(seconds: float = 20.0) -> Drawing:
    time_sec = np.arange(int(seconds * 100)) / 100
    wave = 0.4 * np.sin(2 * np.pi * 1.9 * time_sec) * (time_sec >= seconds / 2)
    window = window_of(np.stack([wave, wave / 4, 1 + wave]))
    source = PlotSource("s01", "show_channel_stats", window, (4.0, 8.0))
    return drawing_of(source, look_at((0.0, time_sec[-1]), (0.0, time_sec[-1]), 0.01))


@pytest.mark.parametrize(("width", "height"), [(79, 17), (159, 40)])
@pytest.mark.parametrize("braille", [True, False])
def test_charts_are_as_wide_as_the_screen_and_their_frames_stand_below_each_other(
    width: int, height: int, braille: bool
):
    drawing = walking()
    lines = [*chart_lines(drawing, width, height, braille=braille), *foot_lines(drawing, width)[:1]]
    assert all(cells(line) == width for line in lines) and len(lines) <= height + 1
    texts = [plain_text(line) for line in lines]
    frames = {text.find("│") if "│" in text[:12] else text.find("┤") for text in texts if not text.startswith("acc")}
    assert frames - {-1} == {LEFT - 1} and texts[-1][LEFT - 1] == "└"
    assert any(char >= "\u2800" for char in "".join(texts)) == braille
    assert "acc_x" in texts[0] and "in sight · at" in texts[0]
    assert any("[" in text and "]" in text for text in texts), "the window of the call is bracketed"


def test_one_scale_for_a_unit_keeps_standing_small_beside_walking():
    still = Drawing(
        PlotSource("s", "", w := window_of(np.full((1, 500), 0.01) * np.sin(np.arange(500))), None), Pyramid(w),
        walking().sensors, look_at((0.0, 5.0), (0.0, 5.0), 0.01),
    )  # fmt: skip
    low, high = scale_of(replace(still, look=replace(still.look, scale="unit")), [0], 60)
    assert high - low == LEAST_REACH["g"]
    assert np.diff(scale_of(still, [0], 60))[0] < 0.03
    drawing = walking()
    shared = replace(drawing, look=replace(drawing.look, scale="unit"))
    assert scale_of(shared, [0], 60) == scale_of(shared, [2], 60)
    alike = replace(drawing, look=replace(drawing.look, scale="sensor"))
    assert np.diff(scale_of(alike, [0], 60)) == pytest.approx(np.diff(scale_of(alike, [1], 60)))
    assert reach([(math.inf, -math.inf)]) == (-1, 1) and reach([(3, 3)]) == (2, 4)


def test_axes_in_one_chart_are_told_apart_by_letters_too():
    drawing = walking()
    together = replace(drawing, look=replace(drawing.look, together=True))
    lines = chart_lines(together, 80, 20, braille=True)
    assert len(lines) == 20 and {text for line in lines for text, _ in line if text in "xyz"} == {"x", "y", "z"}
    assert {kind for line in lines for _, kind in line} >= {"lane", "number", "key"}


def test_a_curve_beyond_the_chart_is_not_drawn_into_its_edges():
    low = np.array([0.0, 0.0, 5.0, 5.0, np.nan, np.nan])
    rows = chart([Curve(low, low)], (0.0, 1.0), 3, 4, braille=False, uprights={})
    assert [plain_text(line)[LEFT : LEFT + 3] for line in rows] == ["   ", "   ", "   ", "▄  "]


@pytest.mark.parametrize("braille", [True, False])
def test_a_second_session_is_told_from_the_first_without_colours(braille: bool):
    flat = np.zeros(60)
    [first], [second] = (
        chart([Curve(flat, flat, dashed=dashed)], (-1.0, 1.0), 30, 1, braille=braille, uprights={})
        for dashed in (False, True)
    )
    assert " " not in plain_text(first)[LEFT : LEFT + 30]
    assert [column for column, cell in enumerate(plain_text(second)[LEFT : LEFT + 30]) if cell == " "] == [
        *range(2, 30, 3)
    ]


def test_what_is_marked_stands_under_its_place():
    line = stretch_line((Mark(-5, 2, "sitting"), Mark(2, 8, "walking"), Mark(8.0, 8.1, "x")), (9, 30), (0.0, 10.0), 40)
    text = plain_text(line)[LEFT:]
    assert len(text) == 40 and text.startswith("<sitting") and "├────────walking────────┃" in text
    assert text.rstrip().endswith(">") and "?" in text


def test_what_the_tools_find_is_drawn_in_their_own_numbers():
    drawing = walking()
    finder = Finder(drawing.source.window)
    findings = finder.find(drawing.look.span, drawing.sensor, "time", 60)
    assert findings is not None and len(findings.changes) == 1 and abs(findings.changes[0] - 10) < 0.3
    assert 17 <= len(findings.steps) <= 20 and findings.dominant[0] == pytest.approx(1.9, abs=0.1)
    drawing = replace(drawing, findings=findings)
    assert findings.changes[0] in all_edges(drawing) and 4.0 in all_edges(drawing)
    foot = [plain_text(line) for line in foot_lines(drawing, 120)]
    assert "◆" in foot[0] and foot[0].count("▴") > 10 and "dominant 1.9 Hz" in foot[-1]
    assert "[" in plain_text(ruler_line(drawing, 80)) and "]" in plain_text(ruler_line(drawing, 80))
    assert finder.find(drawing.look.span, drawing.sensor, "time", 60, lambda: False) is None
    for mode in ("spectrum", "spectrogram"):
        there = finder.find(drawing.look.span, drawing.sensor, mode, chart_width(80))
        shown = replace(drawing, findings=there, look=replace(drawing.look, mode=mode))
        texts = [plain_text(line) for line in chart_lines(shown, 80, 18, braille=True)]
        assert len(texts) == 18 and ("1.9 Hz" in "".join(texts)) == (mode == "spectrum")
        assert ("█" in "".join(texts)) == (mode == "spectrogram")
    missing = replace(drawing, findings=Findings(), look=replace(drawing.look, mode="spectrum"))
    assert "too few samples for a spectrum" in plain_text(chart_lines(missing, 80, 18, braille=True)[1])


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 0)), np.zeros((3, 1)), np.ones((3, 2)), np.full((3, 300), np.nan), np.full((3, 300), 9.81),
        np.where(np.arange(300) % 7, np.nan, 1.0) * np.ones((3, 1)), np.full((3, 300), 1e-9),
    ],
    ids=["none", "one", "two", "missing", "constant", "sparse", "tiny"],
)  # fmt: skip
def test_odd_samples_are_drawn_or_said_to_be_too_few(values: np.ndarray):
    window = window_of(values)
    span = (0.0, max(0.01, window.end_sec))
    for mode in ("time", "spectrum", "spectrogram"):
        drawing = drawing_of(PlotSource("s", "", window, None), replace(look_at(span, span, 0.01), mode=mode))
        drawing = replace(drawing, findings=Finder(window).find(span, drawing.sensor, mode, chart_width(80)))
        lines = chart_lines(drawing, 80, 18, braille=True) if values.shape[1] else []
        assert all(cells(line) <= 80 for line in [*lines, *foot_lines(drawing, 80)])
    svg_of(replace(drawing, look=replace(drawing.look, mode="time")))


def test_a_number_of_many_digits_is_cut_nowhere():
    rows = [plain_text(row) for row in chart([], (-1.3e-5, 1.3e-5), 10, 24, braille=True, uprights={})]
    numbers = [float(row[: LEFT - 1]) for row in rows if row[LEFT - 1] == "┤"]
    assert len(numbers) == 11 and all(-1.3e-5 <= number <= 1.3e-5 for number in numbers)


def test_change_points_of_a_long_recording_stay_while_one_moves_along():
    values = np.random.default_rng(2).normal(0, 0.01, (3, 25 * 600))
    values[:, 25 * 310 :] += np.sin(2 * np.pi * 2 * np.arange(25 * 290) / 25)
    finder = Finder(window_of(values, 25.0))
    first = finder.changes((0.0, 600.0))
    assert any(abs(at - 310) < 0.3 for at in first)
    assert finder.changes((300.0, 320.0)) == tuple(at for at in first if 300 <= at <= 320)


def test_a_picture_is_svg_that_shows_what_the_screen_shows():
    drawing = replace(walking(), stretches=(Mark(0, 10, "<sitting>"),), band=Band("walking", 3, {"acc_x": (-1.0, 1.0)}))
    root = ElementTree.fromstring(svg_of(drawing))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"acc_x (g)", "acc_z (g)", "<sitting>", "s01 · acc"} <= set(texts)
    assert any("M" in element.get("d", "") for element in root.iter("{http://www.w3.org/2000/svg}path"))


def test_braille_is_drawn_unless_the_terminal_is_a_bare_console_or_somebody_says_so():
    assert has_braille("auto", {"TERM": "xterm-256color"}) and not has_braille("auto", {"TERM": "linux"})
    assert has_braille("braille", {"TERM": "linux"}) and not has_braille("blocks", {"TERM": "xterm"})


def test_typing_narrows_choices_and_may_name_a_new_one():
    labels = ["walking", "nordic walking", "sitting"]
    assert fitting_choices(labels, "WALK", new=True) == ["walking", "nordic walking", "WALK"]
    assert fitting_choices(labels, "walking", new=True)[0] == "walking"
    assert fitting_choices(labels, "x", new=False) == [] and fitting_choices(labels, "", new=True) == labels


@pytest.mark.parametrize("braille", [True, False])
def test_a_spectrum_of_few_lines_is_one_curve_that_a_missing_value_breaks(braille: bool):
    def inked(y: list[float], width: int = 40) -> list[bool]:
        curve = Joined(np.array([0.0, 5.0, 10.0, 15.0, 20.0]), np.array(y), (0.0, 20.0))
        lines = chart([curve], (0.0, 4.0), width, 6, braille=braille, uprights={})
        rows = [plain_text(line)[LEFT : LEFT + width] for line in lines]
        return [any(row[column] != " " for row in rows) for column in range(width)]

    assert all(inked([0.0, 4.0, 1.0, 1.0, 3.0]))
    assert all(inked([0.0, 4.0, 1.0, 1.0, 3.0], 300)), "on a wide screen it must not end, and its peaks move, at 80"
    broken = inked([0.0, 4.0, math.nan, 1.0, 3.0])
    assert broken[5] and broken[35] and not any(broken[12:28])


def test_large_numbers_of_an_axis_that_differ_little_are_told_apart():
    pressure = Curve(np.full(80, 101325.0), np.full(80, 101325.4))
    lines = chart([pressure], (101325.0, 101325.5), 40, 8, braille=True, uprights={})
    numbers = [number for line in lines if (number := plain_text(line)[: LEFT - 2].strip())]
    assert len(numbers) > 2 and len(set(numbers)) == len(numbers)
