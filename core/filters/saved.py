"""The filters that a person keeps in a workspace, each with a name or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.storage.memory import recall, update
from core.workspace import Workspace

_KEY = "saved filters"


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter worth keeping."""

    text: str
    """As it is typed in the filter line."""
    name: str = ""
    """What the person calls it."""


def saved_filters(workspace: Workspace) -> list[SavedFilter]:
    """The filters that are kept, in the order of their keeping."""
    return _filters_in(recall(workspace, _KEY))


def keep_filter(workspace: Workspace, text: str, name: str = "") -> list[SavedFilter]:
    """Keep a filter; one that is kept already gets the name, and another that had it loses it. Returns those kept now.
    Raises SensorloomError."""

    def with_it(value: Any) -> list[dict[str, str]]:
        others = {saved.text: saved.name for saved in _filters_in(value)}
        others = {other: "" if called.casefold() == name.casefold() else called for other, called in others.items()}
        filters = others | {text: name}
        return [{"text": text, "name": name} for text, name in filters.items()]

    return _filters_in(update(workspace, _KEY, with_it))


def filter_named(workspace: Workspace, name: str) -> SavedFilter | None:
    """The filter that a person calls so, whatever the case of letters."""
    return next((saved for saved in saved_filters(workspace) if saved.name.casefold() == name.casefold()), None)


def forget_filter(workspace: Workspace, text: str) -> list[SavedFilter]:
    """Forget a filter. Returns those kept now. Raises SensorloomError when that cannot be written."""

    def without_it(value: Any) -> list[dict[str, str]]:
        return [{"text": other.text, "name": other.name} for other in _filters_in(value) if other.text != text]

    return _filters_in(update(workspace, _KEY, without_it))


def _filters_in(value: Any) -> list[SavedFilter]:
    """The filters in what was remembered: objects, or, from older versions, their texts alone."""
    filters: list[SavedFilter] = []
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, str):
            filters.append(SavedFilter(entry))
        elif isinstance(entry, dict) and isinstance(entry.get("text"), str):
            filters.append(SavedFilter(entry["text"], str(entry.get("name") or "")))
    return filters
