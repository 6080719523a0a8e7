"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from core.text import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(1, "try", "1 try"), (0, "try", "0 tries"), (2, "stretch", "2 stretches"), (3, "way", "3 ways")],
)
def test_many_of_a_noun(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_a_number_is_grouped() -> None:
    assert counted(2000, "accepted thread") == "2,000 accepted threads"
