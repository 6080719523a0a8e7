from __future__ import annotations

from core.filters.saved import SavedFilter, forget_filter, keep_filter, saved_filters
from core.storage.memory import remember
from core.workspace import Workspace


def test_filters_are_kept_with_names_and_those_of_older_versions_are_read(workspace: Workspace):
    remember(workspace, "saved filters", ["correct:true", 7, {"text": "status:active", "name": "open"}, {"name": "x"}])
    assert saved_filters(workspace) == [SavedFilter("correct:true"), SavedFilter("status:active", "open")]
    keep_filter(workspace, "label:walking", "steps")
    assert keep_filter(workspace, "correct:true", "right") == [
        SavedFilter("correct:true", "right"),
        SavedFilter("status:active", "open"),
        SavedFilter("label:walking", "steps"),
    ]
    forget_filter(workspace, "status:active")
    assert [saved.name for saved in saved_filters(workspace)] == ["right", "steps"]
