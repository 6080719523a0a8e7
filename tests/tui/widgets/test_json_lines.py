from __future__ import annotations

import json
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.json_lines import is_json, json_flow, json_lines
from tui.widgets.lines import Line, plain_text, wrapped

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
