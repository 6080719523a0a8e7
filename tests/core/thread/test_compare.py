from __future__ import annotations

from core.storage.store import Stored
from core.thread.compare import compare, first_difference, word_spans
from core.thread.edits import edited, with_call, with_text
from core.thread.turn_edits import deleted, with_loss
from core.thread.turns import with_thread_id
from tests.core.curate.world import assistant


def marked_words(left: str, right: str) -> tuple[list[str], list[str]]:
    spans, other_spans = word_spans(left, right)
    return [left[start:end] for start, end in spans], [right[start:end] for start, end in other_spans]


def test_a_copy_with_other_ids_and_marks_is_the_same(finished: Stored):
    thread = finished.thread
    copy = with_thread_id(with_loss(thread, 3, False).messages, "another")
    assert first_difference(thread.messages, copy) is None
    comparison = compare(thread.messages, copy)
    assert comparison.first is None and [(row.left, row.right) for row in comparison.rows] == [
        (at, at) for at in range(8)
    ]


def test_arguments_are_compared_as_values(finished: Stored):
    thread = finished.thread
    spaced = edited(thread, 3, with_call(thread.messages[3], 1, "mean_of", "{ }"))
    assert first_difference(thread.messages, spaced.messages) is None
    other = edited(thread, 3, with_call(thread.messages[3], 1, "mean_of", '{"artifact_id": "session"}'))
    assert first_difference(thread.messages, other.messages) == 3


def test_what_was_taken_out_stands_alone_and_the_rest_side_by_side(finished: Stored):
    thread = finished.thread
    other = deleted(edited(thread, 7, with_text(thread.messages[7], "Final Answer: laying")), 3)
    comparison = compare(thread.messages, other.messages)
    assert [(row.left, row.right, row.same) for row in comparison.rows] == [
        (0, 0, True), (1, 1, True), (2, 2, True), (3, None, False), (4, None, False), (5, None, False),
        (6, 3, True), (7, 4, False),
    ]  # fmt: skip
    assert comparison.first == 3


def test_a_shorter_thread_differs_where_it_ends(finished: Stored):
    messages = finished.thread.messages
    assert first_difference(messages, messages[:5]) == 5
    assert compare([], messages[:1]).rows[0].right == 0


def test_a_proposal_is_compared_with_an_alternative():
    left = [assistant("look at the mean", ("mean_of", {}))]
    right = [assistant("look at the part", ("crop", {}))]
    (row,) = compare(left, right).rows
    assert (row.left, row.right, row.same) == (0, 0, False)


def test_whole_words_are_marked():
    assert marked_words("the mean is 4.95 m", "the median is 4.95 m") == (["mean"], ["median"])
    assert marked_words("same", "same") == ([], [])
    assert marked_words("", "new text") == ([], ["new text"])
    assert marked_words("a b c", "a c") == (["b "], [])


def test_long_texts_are_marked_by_lines_and_quickly():
    lines = [f"value {number} of many" for number in range(6000)]
    other = [line + " x" if number in (10, 5990) else line for number, line in enumerate(lines)]
    left, right = marked_words("\n".join(lines), "\n".join(other))
    assert (left, right) == ([], [" x", " x"])
    noise, rest = marked_words("1 " * 9000, "2 " * 9000)
    assert noise == ["1 " * 8999 + "1"] and rest == ["2 " * 8999 + "2"]
    noise, rest = marked_words("a " * 9000 + "b", "c " + "a " * 8000)
    assert noise and rest
