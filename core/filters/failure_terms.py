"""The terms of a filter that select the failures of a group."""

from __future__ import annotations

from core.filters.terms import BETWEEN
from core.filters.values import term
from core.listing.failures import FailureGroup


def pair_terms(group: FailureGroup) -> tuple[str, ...]:
    """Those that select what was taken for the same, whatever led there."""
    dataset = (term("dataset", group.dataset),) if group.dataset else ()
    outcome = ("correct:false", term("answer", group.answer)) if group.answer else ("status:max_turns_reached",)
    return (*dataset, term("truth", group.truth), *outcome)


def terms_of(group: FailureGroup) -> tuple[str, ...]:
    """Those that select the group."""
    return (*pair_terms(group), term("path", BETWEEN.join(group.path)), term("first_wrong", group.step))
