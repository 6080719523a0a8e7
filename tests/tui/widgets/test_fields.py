"""What is stored is what was written: no field changes a character of what it was given."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.events import Key, Paste

from core.text import UNSAFE
from core.thread.value import Thread
from tui.terminal.textual_private import drawn_rows
from tui.widgets.editor import MessageEditor
from tui.widgets.line_field import LineField
from tui.widgets.message_fields import compact, fields_of, laid_out
from tui.widgets.message_text import external_text, from_external
from tui.widgets.text_field import TextField, held, meant

EXAMPLES = int(os.environ.get("SENSORLOOM_SEQUENCES", "60"))
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
ODD = (
    FAMILY,
    "می\u200cخواهم",
    "क्\u200dष",
    "\u200fעברית\u200e",
    "\ufeffbegins with a mark",
    "one\r\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven\u2029",
    "\x00\x1b]0;title\x07\x9b31m",
    "\U00100000\U001008ff\U0010ffff",
    "\ud83d half a pair",
    "tab\tand \U000e0041 tag",
)
TEXTS = st.text(max_size=60) | st.text(st.sampled_from("".join(ODD)), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
WRITTEN = st.builds(
    lambda value, separators, ascii_only, indent: json.dumps(
        value, separators=separators, ensure_ascii=ascii_only, indent=indent
    ),
    JSON,
    st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")]),
    st.booleans(),
    st.sampled_from([None, None, 2]),
)


class Fields(App[None]):
    """A message in the editor, and a line."""

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__()
        self.editor = MessageEditor(Thread({"messages": [message]}), message, title="a message")
        self.line = LineField("")

    def compose(self) -> ComposeResult:
        yield self.line
        yield self.editor


@settings(max_examples=EXAMPLES * 10, deadline=None)
@given(TEXTS)
@example("\U001008ff" * 3)
def test_a_field_holds_what_it_is_given_and_nothing_that_a_terminal_obeys(text: str):
    assert meant(held(text)) == text
    assert not UNSAFE.search(held(text))


@settings(max_examples=EXAMPLES * 5, deadline=None)
@given(WRITTEN | TEXTS | st.sampled_from(['{"a": 1, "a": 2}', "1e5", "-0", "9" * 5000, "[" * 3000, '{"a": NaN}']))
def test_json_is_laid_out_only_where_it_becomes_the_same_text_again(text: str):
    assert compact(laid_out(text), text) == text


@settings(max_examples=EXAMPLES, deadline=None)
@given(WRITTEN.filter(lambda text: '"' in laid_out(text)))
def test_a_letter_typed_into_json_changes_that_letter_alone(text: str):
    laid = laid_out(text)
    at = laid.index('"') + 1
    edited = compact(f"{laid[:at]}x{laid[at:]}", text)
    assert edited.replace("x", "", 1) == text or text.count("x") or json.loads(edited) != json.loads(text)
    assert len(edited) == len(text) + 1


@pytest.mark.parametrize("role", ["assistant", "user", "tool"])
async def test_any_text_survives_open_one_typed_letter_and_save(role: str):
    for text in ODD:
        message: dict[str, Any] = {"role": role, "content": text}
        app = Fields(message)
        async with app.run_test(size=(100, 30)) as pilot:
            assert app.editor.message == message
            app.editor.query_one("#text", TextField).focus()
            await pilot.press("Q")
            await pilot.pause()
            assert app.editor.message == {**message, "content": f"Q{text}"}
            drawn = "".join(strip.text for strip in drawn_rows(app.screen))
            assert not UNSAFE.search(drawn)
            await pilot.press("backspace")
            await pilot.pause()
            assert app.editor.message == message


async def test_arguments_and_names_survive_too():
    call = {"id": "1", "type": "function", "function": {"name": f"na{FAMILY}me", "arguments": '{"a":"\\u200d\u200c"}'}}
    message: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
    app = Fields(message)
    async with app.run_test(size=(100, 30)) as pilot:
        assert app.editor.message == message and app.editor.fields == fields_of(message)
        app.editor.query_one("#text", TextField).focus()
        await pilot.press("Q")
        await pilot.pause()
        assert app.editor.message["tool_calls"] == [call]


@pytest.mark.parametrize("text", ODD)
def test_another_editor_gets_and_gives_back_the_same_text(text: str):
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": json.dumps({"a": text})}}
    message: dict[str, Any] = {"role": "assistant", "content": text, "tool_calls": [call]}
    outside = external_text(message)
    assert from_external(message, "", outside) == message
    assert from_external(message, "", f"Q{outside}") == {**message, "content": f"Q{text}"}


async def test_what_is_pasted_typed_and_copied_is_taken_as_it_is():
    app = Fields({"role": "user", "content": ""})
    async with app.run_test(size=(100, 30)) as pilot:
        area = app.editor.query_one("#text", TextField)
        area.focus()
        for text in ODD:
            area.text = ""
            area.post_message(Paste(text))
            await pilot.pause()
            assert area.text == text
        area.text = "می"
        area.move_cursor(area.document.end)
        area.post_message(Key("zero_width_non_joiner", "\u200c"))
        await pilot.pause()
        assert area.text == "می\u200c"
        area.text = FAMILY
        area.select_all()
        area.action_copy()
        assert app.clipboard == FAMILY
        area.action_paste()
        assert area.text == FAMILY


async def test_a_line_keeps_what_is_pasted_and_draws_it_safely():
    app = Fields({"role": "user", "content": ""})
    async with app.run_test(size=(100, 30)) as pilot:
        app.line.focus()
        for text in ODD:
            app.line.value = ""
            app.line.post_message(Paste(text))
            await pilot.pause()
            assert app.line.value == text.partition("\n")[0]
            drawn = drawn_rows(app.screen)[0].text
            assert not UNSAFE.search(drawn)
