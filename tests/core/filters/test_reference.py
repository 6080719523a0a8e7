from __future__ import annotations

from pathlib import Path

import pytest

from core.filters import reference
from core.filters.language import parse
from core.filters.saved import keep_filter
from core.filters.terms import TERMS
from core.filters.values import FilterError
from core.thread.summary import Summary
from core.workspace import Workspace


def test_the_page_of_filters_is_what_the_tables_say():
    page = Path(__file__).parents[3] / reference.PAGE
    assert page.read_text() == reference.page(), "`make filters` makes it anew"


def test_every_example_is_a_filter(workspace: Workspace):
    keep_filter(workspace, "correct:false", "hard")
    workspace.threads.mkdir()
    (workspace.threads / f"{TERMS['similar'].example.removeprefix('similar:')}.json").touch()
    entries = [*reference.GRAMMAR, *reference.fields(), *reference.call_fields()]
    assert {entry.name for entry in entries} > TERMS.keys()
    for entry in entries:
        parse(entry.example, workspace)


def test_a_saved_filter_is_a_term_by_its_name(workspace: Workspace):
    keep_filter(workspace, "correct:false OR turns>8", "Hard")
    wrong, right = Summary("a", correct=False), Summary("b", correct=True)
    assert parse("saved:hard turns:0", workspace).on_summary(wrong)
    assert not parse("saved:hard", workspace).on_summary(right)
    assert parse("-saved:hard", workspace).on_summary(right)
    with pytest.raises(FilterError, match="character 7: no saved filter is called `hrd`; did you mean `hard`"):
        parse("saved:hrd", workspace)
    keep_filter(workspace, "turns:0 saved:hard", "again")
    assert parse("saved:again", workspace).on_summary(wrong)
    keep_filter(workspace, "saved:again", "round")
    keep_filter(workspace, "turns:0 saved:round", "again")
    with pytest.raises(FilterError, match=r"character 7: .* names itself"):
        parse("saved:round", workspace)
