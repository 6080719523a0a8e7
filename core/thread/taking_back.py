"""One change of a document taken back out of a later one: a three-way merge, as version control has it.

What the change set is set back wherever it still stands; what came later stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import UsageError
from core.thread.value import Thread, counted

_COUNTED = frozenset((*counted((), {}), "last_modified"))
"""Keys of the metadata that every save sets anew."""


class ChangedSinceError(UsageError):
    """What a step set was changed again. `path` is where: `metadata.review`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path or 'the whole file'} was changed again since")
        self.path = path


def taken_back(before: Thread, after: Thread, present: Thread) -> Thread:
    """The present thread without the change that led from `before` to `after`.

    Raises:
        ChangedSinceError: something that it set is no longer as it set it.
    """
    return Thread(_merged(_plain(before), _plain(after), present.document, ""))


def _plain(thread: Thread) -> Mapping[str, Any]:
    """The document without what is counted, so that no count stands against a merge."""
    metadata = {key: value for key, value in thread.metadata.items() if key not in _COUNTED}
    return {**thread.document, "metadata": metadata}


def _merged(before: Any, after: Any, present: Any, path: str) -> Any:
    """One value merged; `...` stands for a key that is not there."""
    if before == after or present == before:
        return present
    if present == after:
        return before
    values = (before, after, present)
    if all(isinstance(value, dict) for value in values):
        return _merged_objects(before, after, present, path)
    if all(isinstance(value, list) for value in values):
        return _merged_lists(before, after, present, path)
    raise ChangedSinceError(path)


def _merged_objects(
    before: Mapping[str, Any], after: Mapping[str, Any], present: Mapping[str, Any], path: str
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in _in_order(before, present):
        inner = f"{path}.{key}" if path else key
        if key in _COUNTED and path == "metadata":
            merged[key] = present.get(key, ...)
        else:
            merged[key] = _merged(before.get(key, ...), after.get(key, ...), present.get(key, ...), inner)
    return {key: value for key, value in merged.items() if value is not ...}


def _in_order(before: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """The keys of both: those of `present` as they stand, one that only `before` has behind its neighbour there."""
    keys = list(present)
    previous = -1
    for key in before:
        if key not in present:
            keys.insert(previous + 1, key)
        previous = keys.index(key)
    return keys


def _merged_lists(before: Sequence[Any], after: Sequence[Any], present: Sequence[Any], path: str) -> list[Any]:
    if all(isinstance(value, str) for values in (before, after, present) for value in values):
        added, removed = set(after) - set(before), [word for word in before if word not in after]
        return [word for word in present if word not in added] + [word for word in removed if word not in present]
    if len(before) != len(after) or len(present) < len(after):
        raise ChangedSinceError(path)
    merged = list(present)
    for index, (was, became) in enumerate(zip(before, after, strict=True)):
        if was != became and not _same_item(became, present[index]):
            raise ChangedSinceError(f"{path} {index + 1}")
        merged[index] = _merged(was, became, present[index], f"{path} {index + 1}")
    return merged


def _same_item(became: Any, present: Any) -> bool:
    """Whether a place of a list still holds what it held, whatever was marked on it: not another message."""
    if isinstance(became, dict) and isinstance(present, dict):
        return all(became.get(key) == present.get(key) for key in ("role", "content", "tool_call_id"))
    return became == present
