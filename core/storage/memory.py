"""What is remembered from one start to the next: JSON values under names, in `.sensorloom/memory.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.workspace import Workspace, private_folder

if TYPE_CHECKING:
    from tinydb import TinyDB


def recall(workspace: Workspace, key: str, default: Any = None) -> Any:
    """What was remembered under `key` in this workspace (last thread, pane widths, recent questions)."""
    path = workspace.private / "memory.json"
    if not path.exists():
        return default
    from tinydb import where

    with _memory(workspace) as memory:
        found = memory.get(where("key") == key)
    return found.get("value", default) if isinstance(found, dict) else default


def remember(workspace: Workspace, key: str, value: Any) -> None:
    """Keep a JSON value under `key` for the next start. Raises WorkspaceError when it cannot be kept."""
    from tinydb import where

    private_folder(workspace)
    with _memory(workspace) as memory:
        memory.upsert({"key": key, "value": value}, where("key") == key)


def _memory(workspace: Workspace) -> TinyDB:
    from tinydb import TinyDB

    from core.storage.memory_file import AtomicStorage

    return TinyDB(workspace.private / "memory.json", storage=AtomicStorage)
