from __future__ import annotations

import pytest

from core.filters.completions import completions, values_in
from core.filters.explaining import explained
from core.filters.language import narrowed, parse
from core.filters.saved import keep_filter
from core.filters.typed import note_typed, typed_filters
from core.thread.summary import Summary
from core.workspace import Workspace

VALUES = {
    "answer": ["sitting", "walking upstairs"],
    "truth": ["sitting"],
    "tools": ["compute_spectrum"],
    "saved": ["hard"],
}


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ("turns:4 (st", "status:"), ("-(verdict:r", "verdict:reject"), ("answer:walk", 'answer:"walking upstairs"'),
        ('answer:"walk', 'answer:"walking upstairs"'), ("ca", "calls:"), ("call(com", "compute_spectrum"),
        ("call(tool:c", "tool:compute_spectrum"), ("call(is:un", "is:unanswered"), ("saved:", "saved:hard"),
        ("(call(error) OR sta", "status:"), ("label:sit", "label:sitting"),
        ("answer:sitting,none OR has:st", "has:stale"),
    ],
)  # fmt: skip
def test_the_word_at_the_cursor_is_completed_wherever_it_stands(before: str, word: str):
    assert completions(before, VALUES)[0] == word


def test_the_words_of_a_folder_and_the_saved_filters_are_known(workspace: Workspace):
    keep_filter(workspace, "turns>3", "long")
    values = values_in(workspace, [Summary("a", dataset="d", session="s", tags=("x y",)), Summary("b", dataset="e")])
    assert values["dataset"] == ["d", "e"] and values["tag"] == ["x y"] and values["saved"] == ["long"]


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("turns:4 -label:sit", "truth: the session's label"), ("stat", "looks for stat"), ("", "? lists every field"),
        ("call(error", "error: its result is an error"), ("call(low_hz>1", "low_hz: a value of this name"),
        ("(verdict:none", "verdict: a person's judgement: accept, reject, skip"), ("a OR", "OR: one of both"),
    ],
)  # fmt: skip
def test_the_term_under_the_cursor_is_explained(line: str, about: str):
    assert explained(line, len(line)).startswith(about)


def test_the_cursor_may_stand_inside_a_term():
    assert explained("status:active turns:4", 3).startswith("status: how far it is")


def test_terms_narrow_what_either_side_of_an_or_shows():
    either, wrong = Summary("a", turns=4, correct=True), Summary("b", turns=9, correct=False)
    wanted = parse(narrowed("turns:4 OR turns:9", "correct:false"))
    assert not wanted.on_summary(either) and wanted.on_summary(wrong)
    assert narrowed("", "turns:4") == "turns:4" and narrowed("a b") == "a b"


def test_what_was_typed_is_kept_for_each_person_with_the_latest_last(workspace: Workspace):
    for text in ("a", "b", "a"):
        note_typed(workspace, text)
    assert typed_filters(workspace) == ["b", "a"]
