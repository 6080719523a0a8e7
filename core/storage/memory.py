"""What a person's use of a workspace leaves behind, from one start to the next: JSON values under names.

They stand in `.sensorloom/memory.json`, a TinyDB file. Several programs may be open on a workspace, so what is read,
changed and written is one step under a lock. What is about the threads stands elsewhere: with the threads, in
`splits.json`, and in the export log, which is made anew from the manifests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.errors import SensorloomError
from core.storage.locks import locked
from core.workspace import Workspace, private_folder

if TYPE_CHECKING:
    from tinydb import TinyDB


def recall(workspace: Workspace, key: str, default: Any = None) -> Any:
    """What was remembered under `key` in this workspace: `saved filters`, the last dataset. `default` when nothing was,
    or when it cannot be read."""
    path = workspace.private / "memory.json"
    if not path.exists():
        return default
    try:
        with _opened(workspace, writing=False) as memory:
            return _value(memory, key, default)
    except SensorloomError:
        return default


def remember(workspace: Workspace, key: str, value: Any) -> None:
    """Keep a JSON value under `key` for the next start. Raises SensorloomError when it cannot be kept."""
    update(workspace, key, lambda _: value)


def update(workspace: Workspace, key: str, change: Callable[[Any], Any], default: Any = None) -> Any:
    """Keep what `change` makes of the value under `key` (of `default` when there is none), as one step that no other
    program's falls into. Returns the new value.

    Raises:
        SensorloomError: it cannot be kept.
    """
    from tinydb import where

    private_folder(workspace)
    with locked(workspace.private), _opened(workspace, writing=True) as memory:
        value = change(_value(memory, key, default))
        memory.upsert({"key": key, "value": value}, where("key") == key)
    return value


def _value(memory: TinyDB, key: str, default: Any) -> Any:
    from tinydb import where

    document = memory.get(where("key") == key)
    return document.get("value", default) if isinstance(document, dict) else default


def _opened(workspace: Workspace, *, writing: bool) -> TinyDB:
    from tinydb import TinyDB

    from core.storage.memory_file import AtomicStorage

    return TinyDB(workspace.private / "memory.json", storage=AtomicStorage, writing=writing)
