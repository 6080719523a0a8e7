"""What composes the message that opens a thread, and what takes it apart, agree."""

from __future__ import annotations

import json

import pytest

from core.thread.opening import described, first_message, opening_of

MANIFEST = {"dataset_name": "d", "description": "Says \n\nUser Query: not here", "activities": ["größer"]}


@pytest.mark.parametrize(
    "question", ["What is it?", "", "Two\n\nlines", "Is `User Query: x` a mark?", "\n\nUser Query: y", "  a"]
)
def test_an_opening_message_comes_apart_as_it_was_made(question: str):
    text = first_message(MANIFEST, question)["content"]
    opening = opening_of(text)
    assert json.loads(opening.manifest or "") == MANIFEST and text[: opening.end] == described(MANIFEST)
    assert opening.question_at is not None and text[opening.question_at :] == question


@pytest.mark.parametrize(
    ("text", "manifest", "question"),
    [
        ("What is it?", None, None),
        ("User Query: what?", None, "what?"),
        ("some words, User Query:what?", None, "what?"),
        ("Dataset Information:\n{}", "{}", None),
        ("Dataset Information:\n{half\n\nUser Query: what?", "{half", "what?"),
        ("", None, None),
    ],
)
def test_an_opening_of_another_making_gives_what_it_has(text: str, manifest: str | None, question: str | None):
    opening = opening_of(text)
    assert opening.manifest == manifest
    assert (None if opening.question_at is None else text[opening.question_at :]) == question
