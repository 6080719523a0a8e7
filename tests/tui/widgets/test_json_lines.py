from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.json_lines import is_json, json_flow, json_lines
from tui.widgets.lines import Line, plain_text, wrapped
from tui.widgets.result_text import telling_first

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


def squeezed(lines: list[Line]) -> str:
    return "".join("".join(plain_text(line) for line in lines).split())


@settings(max_examples=60)
@given(
    value=st.lists(VALUES, max_size=4) | st.dictionaries(st.text(max_size=8), VALUES, max_size=4),
    width=st.integers(12, 90),
)
def test_laying_json_out_changes_nothing_but_spaces(value: object, width: int):
    text = json.dumps(value)
    for layout in (json_lines, json_flow):
        lines = list(layout(text, width))
        assert squeezed(lines) == "".join(text.split())
        assert max((cell_len(plain_text(line)) for line in lines), default=0) <= width


def test_digits_and_repeated_keys_show_as_the_file_has_them():
    text = '{"a": 1.10, "a": 2e400, "b": "\\u00e9"}'
    assert squeezed(list(json_lines(text, 80))) == text.replace(" ", "")


@pytest.mark.parametrize("width", [24, 40, 61])
def test_lines_break_between_members_and_never_within_a_word_or_number(width: int):
    words = "the strongest frequency of the accelerometer at the right hip"
    value = {"entropy": 0.123456, "peaks_hz": [1.4213, 0.7089, 2.8341], "said": words, "channels": {"acc_x": [9.361]}}
    for layout in (json_lines, json_flow):
        rows = [plain_text(line).strip() for line in layout(json.dumps(value), width)]
        for whole in ('"entropy": 0.123456', "1.4213", "0.7089", "2.8341", '"acc_x"', "9.361", *words.split()):
            assert any(whole in row for row in rows), (whole, rows)


def test_a_member_that_fits_a_line_is_not_parted_between_two():
    rows = [plain_text(line) for line in json_flow('{"mean": 0.251, "std": [1.5, 2.5], "unit": "m/s²"}', 22)]
    assert [row.rstrip() for row in rows] == ['{"mean": 0.251,', '"std": [1.5, 2.5],', '"unit": "m/s²"}']


USUAL = '"artifact_id": "session", "window_sec": [0.0, 4.98], "samples": 250, "rate_hz": 50.0'


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (f'{{{USUAL}, "entropy": 1.10}}', f'{{"entropy": 1.10, {USUAL}}}'),
        (f'{{{USUAL}, "samples_in_all": 3, "unit": "m"}}\n', f'{{"samples_in_all": 3, "unit": "m", {USUAL}}}'),
        (f'{{{USUAL}, "from_artifact": "session"}}', None),
        (f"{{{USUAL}}}", None),
        (
            f'{{{USUAL}, "jerk": "per s", "columns": ["mean"], "unit": {{"acc": "g"}}, "channels": {{"x": [1]}}}}',
            f'{{"columns": ["mean"], "channels": {{"x": [1]}}, {USUAL}, "jerk": "per s", "unit": {{"acc": "g"}}}}',
        ),
        (f'{{{USUAL}, "labels": ["walking"], "said": "nothing"}}', None),
        ('{"error": "no", "samples": 3}', None),
        ('{"samples": 3, ', None),
        ("samples", None),
        ("", None),
    ],
)
def test_what_stands_in_every_result_is_drawn_last(result: str, shown: str | None):
    assert telling_first(result) == (shown or result)


def test_numbers_of_a_list_fill_lines():
    lines = list(json_lines(json.dumps({"peaks": list(range(200))}), 60))
    assert len(lines) < 25


def test_the_first_lines_of_a_long_text_need_not_the_rest():
    text = '{"a": [' + ", ".join('{"b": 1}' for _ in range(10)) + "x" * 1_000_000
    assert len(list(islice(json_lines(text, 40), 5))) == 5


@pytest.mark.parametrize("text", ["", "12", "[" * 100_000, '{"a": }', "Dataset"])
def test_what_is_no_json_is_not_taken_for_it(text: str):
    assert not is_json(text)


def test_hostile_text_in_json_is_drawn_as_text(hostile: str):
    for ascii_only in (True, False):
        text = json.dumps({hostile: [hostile, {"n": hostile * 20}]}, ensure_ascii=ascii_only)
        for line in [*json_lines(text, 30), *json_flow(text, 30)]:
            assert plain_text(line).isprintable()


def test_a_line_without_an_end_is_cut_not_wrapped_for_seconds():
    lines = list(wrapped("x" * 1_000_000, 80))
    assert len(lines) < 300
    assert "more characters" in plain_text(lines[-1])


@settings(max_examples=60)
@given(text=st.text(max_size=200), width=st.integers(4, 60))
def test_wrapped_text_fits(text: str, width: int):
    assert all(cell_len(plain_text(line)) <= width for line in wrapped(text, width))
