from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.widgets.short_labels import GAP, both, shortened

LABELS = frozenset({"walking", "walking_upstairs", "walking_downstairs", "standing", "sitting", "laying"})


@pytest.mark.parametrize(
    ("label", "width", "shown"),
    [
        ("walking_downstairs", 18, "walking_downstairs"),
        ("walking_downstairs", 14, "walking_do…irs"),
        ("walking_downstairs", 11, "walking_d…s"),
        ("walking_downstairs", 7, "w…down…"),
        ("walking_upstairs", 7, "w…upst…"),
        ("standing", 6, "stan…g"),
    ],
)
def test_a_label_is_shortened_in_its_middle(label: str, width: int, shown: str):
    assert shortened(label, width, LABELS) == shown


@pytest.mark.parametrize("width", range(6, 18))
def test_no_two_labels_look_alike_however_short(width: int):
    assert len({shortened(label, width, LABELS) for label in LABELS}) == len(LABELS)


@settings(max_examples=60)
@given(st.text(max_size=30), st.text(max_size=30), st.integers(8, 40))
def test_two_labels_take_no_more_room_than_there_is(label: str, other: str, room: int):
    first, second = both(label, other, room, frozenset({label, other}))
    assert cell_len(first) + cell_len(second) <= room
    assert cell_len(label) + cell_len(other) > room or (first, second) == (label, other)
    assert GAP in first + second or (first, second) == (label, other)
