"""Looking for sessions by label, subject, length, use and name."""

from __future__ import annotations

import pytest

from core.datasets.session_filter import SessionFacts, labels_in, session_filter
from core.errors import UsageError

SESSIONS = [
    SessionFacts("s01_0001", ("walking",), "s01", 5.0, 0),
    SessionFacts("s01_0002", ("walking_upstairs",), "s01", 12.0, 2),
    SessionFacts("rec_0003", ("sitting",), "", None, 0),
]
LABELS = labels_in(facts.labels for facts in SESSIONS)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", "123"), ("label:wal", "12"), ("LABEL:SIT", "3"), ("-label:wal", "3"), ("subject:S01 >10", "2"),
        ("subject:", "3"), ("<10s", "1"), ("fresh label:wal", "1"), ("used", "2"), ("s01 -0001", "2"),
        ("label:sit OR used", "23"), ("s01 fresh OR subject: fresh", "13"), ("label:sit OR", "3"),
        ("label:walking", "1"), ("label:walk", "1"), ("label:walking-upstairs", "2"), ("label:walking_*", "2"),
        ("-label:Walking", "23"),
    ],
)  # fmt: skip
def test_every_word_holds(text: str, passes: str) -> None:
    holds = session_filter(text, LABELS)
    assert "".join(facts.session[-1] for facts in SESSIONS if holds(facts)) == passes


def test_a_word_that_says_nothing_is_told_and_hidden_labels_are_no_way_in() -> None:
    for text, sentence in (("lable:walk", "lable: is no word"), (">long", "a number of seconds")):
        with pytest.raises(UsageError, match=sentence):
            session_filter(text, LABELS)
    with pytest.raises(UsageError, match="hidden"):
        session_filter("-label:wal", LABELS, blind=True)
