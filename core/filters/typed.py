"""The filters that a person typed in a workspace, for typing them again."""

from __future__ import annotations

from typing import Any

from core.storage.memory import recall, update
from core.workspace import Workspace

_KEY = "typed filters"
_MOST = 50


def typed_filters(workspace: Workspace) -> list[str]:
    """What this person typed, the latest last."""
    return _texts_of(recall(workspace, _KEY), workspace.person)


def note_typed(workspace: Workspace, text: str) -> list[str]:
    """Keep a filter that was used, as the latest. Returns all that are kept. Raises SensorloomError."""

    def with_it(value: Any) -> dict[str, Any]:
        texts = [*(other for other in _texts_of(value, workspace.person) if other != text), text][-_MOST:]
        return {**(value if isinstance(value, dict) else {}), workspace.person: texts}

    return _texts_of(update(workspace, _KEY, with_it), workspace.person)


def _texts_of(value: Any, person: str) -> list[str]:
    texts = value.get(person) if isinstance(value, dict) else None
    return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
